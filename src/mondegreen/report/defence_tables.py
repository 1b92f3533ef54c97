"""What defences were worth: tables in the terminal and in Markdown, and a folder's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mondegreen.files import write_text
from mondegreen.report.defence_figures import defence_figure, roc_figure
from mondegreen.report.defence_results import DefenceResults, DefenceRow, DefenceUsed, Rates
from mondegreen.report.defence_verdicts import RULE, judge
from mondegreen.report.formatting import number
from mondegreen.report.markdown import escape_text
from mondegreen.report.results import BudgetUsed
from mondegreen.report.style import save_figure
from mondegreen.report.tables import Table

NONE = "none"
"""The row of the classifier as it is."""

Rows = list[tuple[str, ...]]

VERDICTS = ("defence", "accuracy", "plain attack", "knowing attack", "verdict")
EVERYTHING = ("attack", "defence", "success", "true label", "success without it")
DETECTIONS = ("detector", "attack", "fooled", "AUC", "found", "false alarms")
CERTIFIED = ("defence", "clips", "certain", "abstained", "radius", "at most", "SNR", "best SNR")


def verdict_rows(found: DefenceResults, budget: BudgetUsed) -> Rows:
    """Return a line a defence: what it costs, the strongest attacks on it, and the verdict."""
    best = max(
        (row for row in found.rows if row.budget == budget and row.knows is None),
        key=lambda row: row.direct.success_rate,
        default=None,
    )
    without = "–" if best is None else f"{points(best.direct.success_rate)} {best.label}"
    lines: Rows = [(NONE, points(found.clean_accuracy), without, "–", "–")]
    for defence in found.defences:
        verdict = judge(found, defence, budget)
        lines.append(
            (
                _name(defence),
                points(defence.clean_accuracy),
                _strongest(verdict.plain, defence),
                _strongest(verdict.knowing, defence),
                verdict.words,
            )
        )
    return lines


def _strongest(row: DefenceRow | None, defence: DefenceUsed) -> str:
    if row is None:
        return "–"
    return f"{_success(row.cells[defence.name])} {row.label}"


def _success(rates: Rates) -> str:
    low, high = rates.success_interval
    return f"{points(rates.success_rate)} ({100 * low:.0f} to {100 * high:.0f})"


def every_row(found: DefenceResults, budget: BudgetUsed) -> Rows:
    """Return a line for every attack and every defence that its clips met."""
    return [
        (
            f"{row.label}, knowing" if row.knows else row.label,
            _name(defence),
            _success(row.cells[defence.name]),
            points(row.cells[defence.name].true_label_rate),
            points(row.direct.success_rate),
        )
        for defence in found.defences
        for row in found.meeting(defence, budget)
    ]


def detection_rows(found: DefenceResults, budget: BudgetUsed) -> Rows:
    """Return a line for every detector and every attack that fools the classifier."""
    lines: Rows = []
    for defence in found.defences:
        for row in found.meeting(defence, budget):
            seen = row.detections.get(defence.name)
            if seen is None or defence.alarms is None:
                continue
            low, high = seen.auc_interval
            lines.append(
                (
                    _name(defence),
                    f"{row.label}, knowing" if row.knows == defence.name else row.label,
                    str(seen.positives),
                    f"{seen.auc:.3f} ({low:.3f} to {high:.3f})",
                    points(seen.detected_rate),
                    points(defence.alarms.false_alarm_rate),
                )
            )
    return lines


def certificate_rows(found: DefenceResults) -> Rows:
    """Return a line for every defence that proves something."""
    return [
        (
            defence.name,
            str(proven.clips),
            str(proven.certified_right),
            str(proven.abstained),
            number(proven.median_radius, 4),
            number(proven.highest_radius, 4),
            number(proven.median_snr_db, 1),
            number(proven.lowest_snr_db, 1),
        )
        for defence in found.defences
        if (proven := defence.proven) is not None
    ]


def certificate_note(found: DefenceResults) -> str:
    """Return how the table of certificates is read, and which radii its draws limit."""
    proven = [(one.name, one.proven) for one in found.defences if one.proven is not None]
    note = (
        "Radius and SNR are medians of the certain clips. At most: the radius where all draws "
        "agree, which no clip can exceed."
    )
    capped = ", ".join(f"{name} ({one.draws} draws)" for name, one in proven if one.capped)
    if not capped:
        return note
    return (
        f"{note} For {capped} the median is that radius: it tells how many draws were counted "
        "(--certify-draws), not how far the classifier can be trusted."
    )


def points(rate: float | None) -> str:
    """Return a rate in per cent."""
    return number(None if rate is None else 100 * rate, 1)


def _name(defence: DefenceUsed) -> str:
    return defence.name if defence.kind == "defence" else f"reject by {defence.name}"


def about(found: DefenceResults) -> str:
    """Return, in one paragraph, what all rows have in common and how they are read."""
    f = found
    return (
        f"{f.classifier.name} on {f.data.name}, {f.drawn} for every attack and defence, seed "
        f"{f.seed}. Accuracy: of {f.data.clips:,} "
        "untouched clips, heard as what they are behind the defence, and not rejected (%). "
        "Attacks: pairs heard as the target behind the defence (%), with 95 % intervals over "
        "speakers, and which attack was the strongest. A knowing attack searches through the "
        "defence, or was trained through defences; a plain one has only the classifier."
    )


def tables(found: DefenceResults) -> list[Table]:
    """Return all tables that have a line."""
    every: list[tuple[str, tuple[str, ...], Rows]] = []
    for budget in found.budgets:
        every.append((f"Verdicts, {budget}", VERDICTS, verdict_rows(found, budget)))
    for budget in found.budgets:
        every.append((f"Detection, {budget}", DETECTIONS, detection_rows(found, budget)))
    every.append(("Certificates", CERTIFIED, certificate_rows(found)))
    for budget in found.budgets:
        every.append((f"Every attack, {budget}", EVERYTHING, every_row(found, budget)))
    notes: dict[tuple[str, ...], str] = {CERTIFIED: certificate_note(found)}
    return [
        Table(title, head, tuple(lines), left=len(head), note=notes.get(head, ""))
        for title, head, lines in every
        if lines
    ]


def markdown(found: DefenceResults) -> str:
    """Return the tables as Markdown."""
    return "\n".join(f"**{one.title}**\n\n{one.markdown()}" for one in tables(found))


def write_defences(
    folder: Path, found: DefenceResults, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write ``table.md`` and the figures into a measurement's folder; return the files.

    Args:
        folder: Where ``defences.json`` lies.
        found: Its content.
        formats: Of ``png``, ``svg`` and ``pdf``.

    Raises:
        MondegreenError: A file cannot be written.
    """
    path = folder / "table.md"
    write_text(path, f"{escape_text(about(found))}\n\n{RULE}\n\n{markdown(found)}")
    written = [path]
    for name, figure in (("defences", defence_figure(found)), ("roc", roc_figure(found))):
        if figure is not None:
            written += save_figure(figure, folder / "figures" / name, tuple(formats))
    return written


def print_defences(found: DefenceResults, console: Console | None = None) -> None:
    """Print the tables of verdicts, detection and certificates.

    Args:
        found: A loaded ``defences.json``.
        console: Standard output by default.
    """
    console = console or Console()
    for one in tables(found):
        if one.head != EVERYTHING:
            one.print(console)
    console.print(Text(about(found), style="dim"))
