"""Which attack wins where, in sentences that are made from the numbers."""

from __future__ import annotations

from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.comparison_results import Comparison

GENERATOR = "generator"
"""The label of the generator without refinement or quietness."""
BLACK_BOX = ("genetic", "pso", "square")
"""Attacks that hear probabilities only."""
TRIVIAL = "universal"
"""The attack that does not listen to the clip."""
CHANCE = "no difference that these intervals can show"


def plain_words(comparison: Comparison) -> list[str]:
    """Return what the generator wins and what it loses, and to whom, where it takes part.

    For each budget in dB; then beside attacks that keep a bound of their own; and then who is the
    quietest of those whose thresholds are known.

    Args:
        comparison: A loaded ``comparison.json``.
    """
    found = []
    for db in comparison.budgets_db:
        cells = [cell for cell in comparison.cells if cell.budget_db == db]
        own = [cell for cell in cells if cell.label == GENERATOR]
        if own and len(cells) > 1:
            sentences = _of_budget(own[0], [cell for cell in cells if cell is not own[0]])
            found.append(f"At {db:g} dB {' '.join(sentences)}")
    return found + _bounded_otherwise(comparison) + _quietest(comparison)


def _bounded_otherwise(comparison: Comparison) -> list[str]:
    """Say what attacks without gradients reach within a bound that is no ratio."""
    rival = [c for c in comparison.cells if c.label == GENERATOR and c.budget_db is not None]
    found = []
    for cell in comparison.cells:
        kept = cell.snr_db.mean
        if cell.kind not in BLACK_BOX or cell.budget_db is not None or kept is None:
            continue
        bound = "its own bound" if cell.budget.kind == "none" else str(cell.budget)
        text = (
            f"Within {bound} the {cell.title} reaches {_percent(cell)}, at a mean ratio of "
            f"{kept:.1f} dB{_spent(cell)}."
        )
        if rival:
            away = [abs((one.budget_db or 0.0) - kept) for one in rival]
            near = rival[away.index(min(away))]
            text += f" The generator at {near.budget_db:g} dB: {_percent(near)}."
        found.append(text)
    return found


def _quietest(comparison: Comparison) -> list[str]:
    """Say for each share of the pairs who still reaches it at the highest ratio."""
    shares = comparison.reaches[0].levels if comparison.reaches else ()
    found = []
    for place, share in enumerate(shares):
        level = f"{100 * share.level:g} % of the pairs"
        beyond = [one for one in comparison.reaches if one.levels[place].side == "above"]
        inside = [one for one in comparison.reaches if one.levels[place].side == "within"]
        inside.sort(key=lambda one: one.levels[place].db or 0.0)
        ends = [one.ends[1] for one in beyond if one.ends is not None]
        if inside and (inside[-1].smallest or not beyond):
            best = inside[-1]
            text = f"With {level} the quietest: {best.title}, up to {best.levels[place].db:.1f} dB"
            if best.label == GENERATOR:
                found.append(f"{text}.")
                continue
        elif ends:
            many = len(beyond) > 1
            who = f"{len(beyond)} attacks" if many else f"the {beyond[0].title}"
            text = (
                f"With {level} {who} still succeed{'' if many else 's'} at {max(ends):g} dB, the "
            )
            text += "highest ratio measured"
        else:
            continue
        found.append(f"{text}{_own_reach(comparison, place)}.")
    return found


def _own_reach(comparison: Comparison, place: int) -> str:
    """Say up to which ratio the generator succeeds as often."""
    own = next((one for one in comparison.reaches if one.label == GENERATOR), None)
    if own is None:
        return ""
    level = own.levels[place]
    if level.side == "within":
        return f"; the generator up to {level.db:.1f} dB"
    if level.side == "above" and own.ends is not None:
        return f"; the generator beyond {own.ends[1]:g} dB"
    return "; the generator at none measured"


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
            f"{_percent(trivial[0])}: {_points(gain)} {'less' if gain >= 0 else 'more'}"
            f"{'' if _differs(trivial[0], own) else f', {CHANCE}'}."
        )
    deaf = [cell for cell in others if cell.kind in BLACK_BOX]
    if deaf:
        best, *others = sorted(deaf, key=lambda cell: -cell.success_rate)
        behind = ", ".join(f"the {one.title} {_percent(one)}{_spent(one)}" for one in others)
        sentences.append(
            f"Of the attacks that only hear probabilities, the {best.title} gets furthest: "
            f"{_percent(best)}{_spent(best)}{f'; {behind}' if behind else ''}."
        )
    return sentences


def _success(own: CellResult, others: list[CellResult]) -> str:
    """Say who succeeds more often than the generator."""
    above = [cell for cell in others if cell.success_rate > own.success_rate]
    ahead = [cell for cell in above if _differs(cell, own)]
    start = f"the generator succeeds in {_percent(own)}"
    if not above:
        return f"{start}, and no other attack more often."
    near = len(above) - len(ahead)
    if not ahead:
        who = "another attack succeeds" if near == 1 else f"{near} others succeed"
        return f"{start}; {who} more often, by {CHANCE}."
    best = max(ahead, key=lambda cell: (cell.success_rate, -(cell.clip_ms or 0.0)))
    gap = _points(100 * (best.success_rate - own.success_rate))
    price = ""
    if best.clip_ms and own.clip_ms:
        price = f", in {best.clip_ms / own.clip_ms:,.1f} times its time at batch 1"
        if best.mean_ms is None:
            price = ""  # not timed side by side
    count = "another attack does" if len(ahead) == 1 else f"{len(ahead)} others do"
    rest = f"; {near} more by {CHANCE}" if near else ""
    return f"{start}; {count} better, most of all the {best.title}: by {gap}{price}{rest}."


def _differs(cell: CellResult, own: CellResult) -> bool:
    """Tell whether two attacks on the same pairs differ beyond chance.

    By the interval of their difference or, in files that do not hold it, by intervals that do not
    meet, which asks for more.
    """
    if cell.against_generator is not None:
        low, high = cell.against_generator
        return low > 0.0 or high < 0.0
    mine, theirs = own.success_interval, cell.success_interval
    return mine is not None and theirs is not None and (theirs[0] > mine[1] or theirs[1] < mine[0])


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


def _spent(cell: CellResult) -> str:
    return "" if cell.queries is None else f" after {cell.queries:,.0f} queries a clip"


def _percent(cell: CellResult) -> str:
    return f"{100 * cell.success_rate:.1f} %"


def _points(value: float) -> str:
    return f"{abs(value):.1f} points"
