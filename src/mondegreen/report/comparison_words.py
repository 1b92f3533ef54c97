"""Which attack wins where, in sentences that are made from the numbers."""

from __future__ import annotations

from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.comparison_results import Comparison

BLACK_BOX = ("genetic", "pso", "square")
"""Attacks that hear probabilities only."""
TRIVIAL = "universal"
"""The attack that does not listen to the clip."""
_TIE = 0.005  # half a point: less is nothing that a reader should hear of


def plain_words(comparison: Comparison) -> list[str]:
    """Return for each budget in dB what the generator wins and what it loses, and to whom.

    Without a generator in the comparison there is nothing to say.

    Args:
        comparison: A loaded ``comparison.json``.
    """
    found = []
    for db in comparison.budgets_db:
        cells = [cell for cell in comparison.cells if cell.budget_db == db]
        own = [cell for cell in cells if cell.label == "generator"]
        if own and len(cells) > 1:
            sentences = _of_budget(own[0], [cell for cell in cells if cell is not own[0]])
            found.append(f"At {db:g} dB {' '.join(sentences)}")
    return found


def _of_budget(own: CellResult, others: list[CellResult]) -> list[str]:
    sentences = [_success(own, others)]
    quick = _quicker(own, others)
    if quick:
        sentences.append(quick)
    trivial = [cell for cell in others if cell.kind == TRIVIAL]
    if trivial:
        gain = 100 * (own.success_rate - trivial[0].success_rate)
        sentences.append(
            f"The universal perturbation, which does not listen to the clip, reaches "
            f"{_percent(trivial[0])}: {_points(gain)} {'less' if gain >= 0 else 'more'}."
        )
    deaf = [cell for cell in others if cell.kind in BLACK_BOX]
    if deaf:
        best = max(deaf, key=lambda cell: cell.success_rate)
        spent = f" after {best.queries:,.0f} queries a clip" if best.queries is not None else ""
        sentences.append(
            f"Of the attacks that only hear probabilities, the {best.title} gets furthest: "
            f"{_percent(best)}{spent}."
        )
    return sentences


def _success(own: CellResult, others: list[CellResult]) -> str:
    """Say who succeeds more often than the generator."""
    ahead = [cell for cell in others if cell.success_rate > own.success_rate + _TIE]
    start = f"the generator succeeds in {_percent(own)}"
    if not ahead:
        return f"{start}, and no other attack more often."
    best = max(ahead, key=lambda cell: (cell.success_rate, -(cell.clip_ms or 0.0)))
    gap = _points(100 * (best.success_rate - own.success_rate))
    price = ""
    if best.clip_ms and own.clip_ms:
        price = f", in {best.clip_ms / own.clip_ms:,.1f} times its time at batch 1"
        if best.mean_ms is None:
            price = ""  # not timed side by side
    count = "another attack does" if len(ahead) == 1 else f"{len(ahead)} others do"
    return f"{start}; {count} better, most of all the {best.title}: by {gap}{price}."


def _quicker(own: CellResult, others: list[CellResult]) -> str:
    """Say who is quicker than the generator."""
    if own.mean_ms is None:
        return ""
    timed = [cell for cell in others if cell.mean_ms is not None]
    ahead = [cell for cell in timed if (cell.mean_ms or 0.0) < own.mean_ms]
    if not ahead:
        return "None is quicker." if timed else ""
    best = min(ahead, key=lambda cell: cell.mean_ms or 0.0)
    times = own.mean_ms / (best.mean_ms or 1.0)
    return f"The {best.title} is {times:.1f} times as quick, at {_percent(best)}."


def _percent(cell: CellResult) -> str:
    return f"{100 * cell.success_rate:.1f} %"


def _points(value: float) -> str:
    return f"{abs(value):.1f} points"
