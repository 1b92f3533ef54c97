"""The tables of an audit, for the terminal and for its page."""

from __future__ import annotations

from mondegreen.report.audit.results import AuditResults, Cell
from mondegreen.report.audit.verdict import by_label, weakest_pairs
from mondegreen.report.formatting import DASH, duration, percent
from mondegreen.report.tables import Table

WEAKEST = 10
MOST_LABELS = 40
"""Of more labels, only the ones that give way most easily are listed."""
GOALS = {"targeted": "a chosen label", "untargeted": "any mistake"}


def attacks(found: AuditResults) -> Table:
    """Return every attack at every ratio."""
    head = ("attack", "knows", "wants", "SNR kept", "success", "95 % interval", "pairs")
    rows = [_row(cell) for goal in GOALS for cell in _in_order(found, goal)]
    note = (
        "A pair is a clip and a target; success is counted on the 16-bit file. Milliseconds are "
        "those of one clip alone, queries an average over clips."
    )
    return Table(
        "How often each attack succeeds",
        (*head, "queries", "ms"),
        tuple(rows),
        left=3,
        note=note,
    )


def _in_order(found: AuditResults, goal: str) -> list[Cell]:
    cells = found.of(goal)
    labels = list(dict.fromkeys(cell.label for cell in found.cells))
    return sorted(cells, key=lambda cell: (labels.index(cell.label), cell.budget_db))


def _row(cell: Cell) -> tuple[str, ...]:
    low, high = cell.interval
    return (
        cell.title,
        cell.knows,
        GOALS[cell.goal],
        f"{cell.budget_db:g} dB",
        percent(cell.success, 1),
        f"{100 * low:.1f} to {100 * high:.1f}",
        str(cell.pairs),
        f"{cell.queries:,.0f}" if cell.queries else DASH,
        f"{cell.milliseconds:,.1f}",
    )


def weakest(found: AuditResults) -> Table | None:
    """Return the pairs of labels that give way most easily, if enough clips of any were tried."""
    pairs = weakest_pairs(found, WEAKEST)
    if found.confusions is None or not pairs:
        return None
    rows = tuple((a, b, percent(rate, 0), str(count)) for a, b, rate, count in pairs)
    return Table(
        "The weakest pairs", ("label", "heard as", "success", "clips"), rows, 2, note=_cell(found)
    )


def labels(found: AuditResults) -> Table | None:
    """Return how easily each label is lost, and how easily reached."""
    rows = by_label(found)
    if not rows:
        return None
    rows = sorted(rows, key=lambda row: -max(row[1] or 0.0, row[2] or 0.0))
    note = _cell(found)
    if len(rows) > MOST_LABELS:
        note = f"{note} The {MOST_LABELS} of {len(rows)} labels that give way most easily."
    texts = tuple(
        (label, percent(lost, 0), percent(won, 0)) for label, lost, won in rows[:MOST_LABELS]
    )
    head = ("label", "turned into others", "others turned into it")
    return Table("Label by label", head, texts, 1, note=note)


def _cell(found: AuditResults) -> str:
    assert found.confusions is not None, "asked before"
    c = found.confusions
    return (
        f"By {c.title} at {c.budget_db:g} dB, which succeeds in {percent(c.success, 0)} of all: of "
        "the attacks measured, the one that tells labels apart best."
    )


def stages(found: AuditResults) -> Table:
    """Return what was run, and what it took."""
    rows = tuple(
        (
            one.name,
            one.title,
            one.state if not one.reason else f"{one.state}: {one.reason}",
            DASH if one.seconds is None else duration(one.seconds),
        )
        for one in found.stages
    )
    return Table("Stages", ("stage", "what it is", "state", "took"), rows, 3)
