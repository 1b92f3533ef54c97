"""A comparison as tables: in the terminal, in Markdown, in LaTeX; and all files of its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mondegreen.files import write_text
from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.comparison_figures import draw_comparison
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_texts import (
    about,
    amount,
    columns,
    interval,
    mebibytes,
    milliseconds,
    own_time,
    reach_columns,
    reach_rows,
    rows,
)
from mondegreen.report.formatting import DASH, number
from mondegreen.report.latex import wide_table
from mondegreen.report.markdown import table
from mondegreen.report.style import save_figure


def markdown(comparison: Comparison) -> str:
    """Return the table of all cells as Markdown."""
    return table(columns(comparison), rows(comparison), "ll" + "r" * (len(columns(comparison)) - 2))


def markdown_reaches(comparison: Comparison) -> str:
    """Return the table of thresholds as Markdown; empty where there are none."""
    head = reach_columns(comparison)
    return table(head, reach_rows(comparison), "l" + "r" * (len(head) - 1)) if head else ""


def latex(comparison: Comparison) -> str:
    """Return the tables for a paper, with the rules of the package ``booktabs``."""
    notes = " ".join(filter(None, (about(comparison), own_time(comparison))))
    text = "% needs \\usepackage{booktabs} and \\usepackage{graphicx}\n" + wide_table(
        columns(comparison), rows(comparison), _sides(columns(comparison), "ll"), notes
    )
    if comparison.reaches:
        caption = (
            "Signal-to-noise ratios at which the attacks still succeed with so many of the pairs "
            "of the table above"
        )
        known = any(one.interval for reach in comparison.reaches for one in reach.levels)
        caption += ", with 95 % intervals by a bootstrap over speakers or tracks." if known else "."
        head = reach_columns(comparison)
        text += "\n" + wide_table(head, reach_rows(comparison), _sides(head, "l"), caption)
    return text


def _sides(head: Sequence[str], left: str) -> str:
    """Return the alignment of the columns, those after ``left`` to the right."""
    return left + "r" * (len(head) - len(left))


def write_comparison(
    folder: Path, comparison: Comparison, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write ``table.md``, ``table.tex`` and the figures into a comparison's folder.

    Args:
        folder: Where ``comparison.json`` lies.
        comparison: Its content.
        formats: Of ``png``, ``svg`` and ``pdf``.

    Returns:
        The files written.

    Raises:
        MondegreenError: A file cannot be written.
    """
    parts = (about(comparison), markdown(comparison), markdown_reaches(comparison))
    texts = {"table.md": "\n\n".join(filter(None, parts)), "table.tex": latex(comparison)}
    files = [folder / name for name in texts]
    for path in files:
        write_text(path, texts[path.name])
    for name, figure in draw_comparison(comparison).items():
        files.extend(save_figure(figure, folder / "figures" / name, tuple(formats)))
    return files


Column = tuple[str, Callable[[CellResult], str]]

_TERMINAL: tuple[Column, ...] = (
    ("success (%)", lambda cell: f"{100 * cell.success_rate:.1f} ({interval(cell)})"),
    ("SNR", lambda cell: number(cell.snr_db.mean, 1)),
    ("PESQ", lambda cell: number(cell.pesq_nb.mean)),
    ("queries", lambda cell: amount(cell.queries)),
    ("grad.", lambda cell: amount(cell.gradients)),
    ("ms", milliseconds),
    ("MiB", lambda cell: mebibytes(cell.peak_memory_bytes)),
)


def print_comparison(comparison: Comparison, console: Console | None = None) -> None:
    """Print the tables; columns without a number are left out.

    Args:
        comparison: A loaded ``comparison.json``.
        console: Standard output by default.
    """
    console = console or Console()
    cells = comparison.cells
    shown = [(name, text) for name, text in _TERMINAL if {text(cell) for cell in cells} != {DASH}]
    against = f"attacks against {comparison.classifier.name}"
    title = f"untargeted {against}" if comparison.untargeted else against
    full = _empty_table(title, ("attack", *(name for name, _ in shown)))
    budget = ""
    for cell in cells:
        if str(cell.budget) != budget:
            budget = str(cell.budget)
            full.add_section()
            full.add_row(Text(budget, style="bold"))
        full.add_row(Text(cell.title), *(Text(text(cell)) for _, text in shown))
    console.print(full)
    if comparison.reaches:
        reached = _empty_table("success over SNR", reach_columns(comparison))
        for line in reach_rows(comparison):
            reached.add_row(*map(Text, line))
        console.print(reached)
    for note in filter(None, (own_time(comparison), about(comparison))):
        console.print(Text(note, style="dim"))


def _empty_table(title: str, head: Sequence[str]) -> Table:
    """Return a table whose first column may be broken over lines; the others hold numbers."""
    shown = Table(title=Text(title), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, name in enumerate(head):
        side: Literal["left", "right"] = "right" if place else "left"
        shown.add_column(Text(name), justify=side, no_wrap=place > 0, overflow="fold")
    return shown
