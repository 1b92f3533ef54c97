"""What an audit says in plain words; every sentence is decided by a rule from the numbers.

The grade looks at the strongest attack towards chosen labels. A model is *fragile* if, at 30 dB or
quieter, some attack reaches its targets in half of the cases or more (by the lower end of the 95 %
interval); *weak* if that happens with louder noise, while at 30 dB and quieter no attack reaches
half (by the upper end); *weak or fragile* if it happens with louder noise and the intervals at
30 dB and quieter do not tell; *fairly robust* if no attack reaches half at any ratio measured (by
the upper end). Otherwise the intervals are too wide for a grade. Where an attack without gradients
was the only one, no grade is better than *not fooled by what was tried*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mondegreen.report.audit.results import AuditResults, Cell
from mondegreen.report.formatting import percent

HALF = 0.5
QUIET_DB = 30.0
POOR_ACCURACY = 0.7
FEW_PAIRS = 100
FEW_GROUPS = 5
"""Speakers or recordings, below which the intervals say next to nothing."""
CHEAP_QUERIES = 2000.0
ENOUGH = 3
"""Clips of a pair of labels, below which little can be said about it."""
SEEN = 0.1
"""Success from which an attack counts as a way in."""

FRAGILE, UNSURE, WEAK, ROBUST = "fragile", "weak or fragile", "weak", "fairly robust"
UNTRIED, OPEN = "not fooled by what was tried", "cannot say"


@dataclass(frozen=True)
class Verdict:
    """A grade, what it rests on, and what to do."""

    grade: str
    sentence: str
    details: tuple[str, ...]
    advice: tuple[str, ...]


def judge(found: AuditResults) -> Verdict:
    """Return the verdict on a model."""
    targeted = found.of("targeted")
    grade = _grade(targeted, found.differentiable)
    details = [text for text in (rule(found) for rule in _DETAILS) if text]
    advice = [text for text in (rule(found, grade) for rule in _ADVICE) if text]
    return Verdict(grade, _sentence(found, grade), tuple(details), tuple(advice))


def _grade(targeted: Sequence[Cell], differentiable: bool) -> str:
    broken = [cell.budget_db for cell in targeted if cell.interval[0] >= HALF]
    if broken and max(broken) >= QUIET_DB:
        return FRAGILE
    if broken:
        quiet = _quiet(targeted)
        held = quiet and all(cell.interval[1] < HALF for cell in quiet)
        return WEAK if held else UNSURE
    if not targeted or any(cell.interval[1] >= HALF for cell in targeted):
        return OPEN
    return ROBUST if differentiable else UNTRIED


def _quiet(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.budget_db >= QUIET_DB]


def _sentence(found: AuditResults, grade: str) -> str:
    """Return the sentence for the quietest ratio at which the grade was decided."""
    targeted = found.of("targeted")
    if not targeted:
        return "No attack towards a chosen label was measured."
    broken = [cell for cell in targeted if cell.interval[0] >= HALF]
    if broken:
        quietest = max(cell.budget_db for cell in broken)
        best = strongest([cell for cell in broken if cell.budget_db == quietest])
        sentence = (
            f"With noise {quietest:g} dB below the sound, {best.title} makes it hear a label of "
            f"the attacker's choice in {_rate(best)}."
        )
        return f"{sentence} {_unsure(found)}" if grade == UNSURE else sentence
    best = strongest(targeted)
    if grade == OPEN:
        return (
            f"The strongest attack, {best.title} at {best.budget_db:g} dB, succeeds in "
            f"{_rate(best)}: too few {'speakers' if _few_groups(found) else 'pairs'} for a grade."
        )
    return (
        f"The strongest attack, {best.title} at {best.budget_db:g} dB, makes it hear a label of "
        f"the attacker's choice in only {_rate(best)}."
    )


def _unsure(found: AuditResults) -> str:
    """Return why a weak model may be a fragile one."""
    quiet = _quiet(found.of("targeted"))
    if not quiet:
        return f"At {QUIET_DB:g} dB or quieter nothing was measured: it may be fragile."
    best = max(quiet, key=lambda cell: cell.interval[1])
    return (
        f"At {best.budget_db:g} dB it is {_rate(best)} by {best.title}: too few "
        f"{'speakers' if _few_groups(found) else 'pairs'} to tell whether it is fragile."
    )


def strongest(cells: Sequence[Cell]) -> Cell:
    """Return the cell with the highest success."""
    return max(cells, key=lambda cell: cell.success)


def _few_groups(found: AuditResults) -> bool:
    return found.data.groups < FEW_GROUPS


def _rate(cell: Cell) -> str:
    low, high = cell.interval
    return (
        f"{percent(cell.success, 0)} of {cell.pairs} pairs (95 % interval {100 * low:.0f} to "
        f"{100 * high:.0f})"
    )


def _generator(found: AuditResults) -> str:
    cells = [c for c in found.of("targeted", "generator") if "+" not in c.label]
    if not cells:
        return ""
    parts = [f"{percent(c.success, 0)} at {c.budget_db:g} dB" for c in cells]
    return (
        f"A trained generator, which needs {cells[0].milliseconds:.1f} ms a clip and no gradient "
        f"at the time of the attack, reaches its targets in {', '.join(parts)}."
    )


def _robust(found: AuditResults) -> str:
    cells = found.of("untargeted", "white box")
    if not cells:
        return ""
    parts = [f"{percent(1.0 - c.success, 0)} at {c.budget_db:g} dB" for c in cells]
    return (
        f"Left alone, it hears {percent(found.clean_accuracy, 1)} of the clips rightly; under a "
        f"gradient search that only wants a mistake {', '.join(parts)}."
    )


def _blind(found: AuditResults) -> str:
    cells = found.of("targeted", "black box")
    if not cells:
        return ""
    parts = [
        f"{percent(c.success, 0)} at {c.budget_db:g} dB with {c.queries:,.0f} queries a clip"
        for c in cells
    ]
    return f"Without any gradient, from its probabilities alone: {', '.join(parts)}."


def _weakest(found: AuditResults) -> str:
    pairs = weakest_pairs(found, 3)
    if not pairs:
        return ""
    named = [f"“{source}” as “{target}”" for source, target, _, _ in pairs]
    return f"Most easily confused: {', '.join(named)}."


_DETAILS: tuple[Callable[[AuditResults], str], ...] = (_generator, _robust, _blind, _weakest)


def weakest_pairs(found: AuditResults, count: int) -> list[tuple[str, str, float, int]]:
    """Return source, target, success and clips of the pairs that give way most easily.

    Pairs of which fewer than three clips were tried are left out: among them, the first of many
    that give way every time would be the first of the alphabet.
    """
    if found.confusions is None:
        return []
    labels, rates, counts = found.classifier.labels, found.confusions.rates, found.confusions.counts
    tried = [
        (labels[i], labels[j], rate, counts[i][j])
        for i, row in enumerate(rates)
        for j, rate in enumerate(row)
        if rate is not None and counts[i][j] > 0
    ]
    enough = [one for one in tried if one[3] >= ENOUGH]
    return sorted(enough, key=lambda one: (-one[2], -one[3], one[0], one[1]))[:count]


def by_label(found: AuditResults) -> list[tuple[str, float | None, float | None]]:
    """Return for each label how often it was lost as a source, and reached as a target."""
    if found.confusions is None:
        return []
    rates, counts = found.confusions.rates, found.confusions.counts
    rows = []
    for i, label in enumerate(found.classifier.labels):
        lost = _mean([(rates[i][j], counts[i][j]) for j in range(len(rates))])
        won = _mean([(rates[j][i], counts[j][i]) for j in range(len(rates))])
        if lost is not None or won is not None:
            rows.append((label, lost, won))
    return rows


def _mean(cells: Sequence[tuple[float | None, int]]) -> float | None:
    kept = [(rate, count) for rate, count in cells if rate is not None and count]
    total = sum(count for _, count in kept)
    return sum(rate * count for rate, count in kept) / total if total else None


def _accuracy(found: AuditResults, grade: str) -> str:
    if found.clean_accuracy >= POOR_ACCURACY:
        return ""
    return (
        f"Make it better at its job first: it hears only {percent(found.clean_accuracy, 0)} of "
        "untouched clips rightly. If you know it to be better, check the order of its labels and "
        "what it expects of its input."
    )


def _harden(found: AuditResults, grade: str) -> str:
    if grade not in (FRAGILE, UNSURE, WEAK) or not found.differentiable:
        return ""
    return (
        "Harden it: train it on adversarial clips, then audit it again with a new generator. "
        "Do not count on a filter or a codec in front of it; attackers aim through those."
    )


def _queries(found: AuditResults, grade: str) -> str:
    ways = [
        c
        for c in found.of("targeted", "black box")
        if c.interval[0] >= SEEN and c.queries <= CHEAP_QUERIES
    ]
    if not ways:
        return ""
    cheapest = min(ways, key=lambda cell: cell.queries)
    return (
        "Keep its probabilities to yourself: an attacker who only sees them needed "
        f"{cheapest.queries:,.0f} queries a clip at {cheapest.budget_db:g} dB. Answer with labels, "
        "limit how often one client may ask, and watch for near-identical clips."
    )


def _blind_only(found: AuditResults, grade: str) -> str:
    if found.differentiable:
        return ""
    return (
        "Audit it once more where its gradients are at hand, as a PyTorch module: attacks without "
        "them are much weaker, and a model that withstands those alone is not shown to be robust."
    )


def _speakers(found: AuditResults, grade: str) -> str:
    if not _few_groups(found):
        return ""
    one = found.data.groups == 1
    groups = "one speaker or recording" if one else f"{found.data.groups} speakers or recordings"
    return (
        f"Test it on more of them: the clips that were attacked are of {groups}, which says little "
        "of others. If there are more, tell how to see it in a file's name (--group-pattern)."
    )


def _few(found: AuditResults, grade: str) -> str:
    fewest = min(cell.pairs for cell in found.cells)
    if fewest >= FEW_PAIRS and grade not in (OPEN, UNSURE):
        return ""
    return (
        f"Give it more time (--minutes {4 * found.minutes:g}): with {fewest} pairs the intervals "
        "are wide."
    )


def _world(found: AuditResults, grade: str) -> str:
    if grade not in (FRAGILE, UNSURE, WEAK) or not found.differentiable:
        return ""
    return (
        "Ask how the sound reaches your model: codecs, rooms and loudspeakers take much of an "
        "attack away that does not know of them (mondegreen channels)."
    )


_ADVICE: tuple[Callable[[AuditResults, str], str], ...] = (
    *(_accuracy, _harden, _queries, _blind_only),
    *(_world, _speakers, _few),
)
