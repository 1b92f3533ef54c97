"""A transfer as a table: in the terminal, in Markdown, in LaTeX; and all files of its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mondegreen.files import write_text
from mondegreen.report.formatting import number
from mondegreen.report.latex import latex_table
from mondegreen.report.markdown import escape_text, table
from mondegreen.report.style import save_figure
from mondegreen.report.transfer_figures import transfer_matrix
from mondegreen.report.transfer_results import Heard, Transfer

MARK = "•"
"""Stands beside the numbers of a classifier that the attack, or its training, asked."""

UNTOUCHED = "untouched clips"


def columns(found: Transfer) -> tuple[str, ...]:
    """Return the titles of the columns."""
    names = [listener.name for listener in found.listeners]
    return ("attack", "made against", *names, "SNR, mean (dB)")


def rows(found: Transfer) -> list[tuple[str, ...]]:
    """Return the texts of the cells: the untouched clips, and then one row an attack."""
    accuracy = (f"{100 * one.clean_accuracy:.1f}" for one in found.listeners)
    baseline = (f"{100 * one.baseline_rate:.1f} / 0.0" for one in found.listeners)
    attacked = [
        (
            row.label,
            row.against,
            *(_cell(cell) for cell in row.cells),
            number(row.snr_db.mean, 1),
        )
        for row in found.rows
    ]
    dash = number(None)
    return [
        (UNTOUCHED, "heard rightly", *accuracy, dash),
        (UNTOUCHED, "as below", *baseline, dash),
        *attacked,
    ]


def _cell(cell: Heard) -> str:
    rates = (cell.success_rate, cell.untargeted_rate)
    text = " / ".join(number(None if rate is None else 100 * rate, 1) for rate in rates)
    return f"{text} {MARK}" if cell.seen else text


def about(found: Transfer) -> str:
    """Return, in one paragraph, what all rows have in common and how they are read."""
    t = found
    return (
        f"{t.data.name}, {t.drawn} in every row, "
        f"{t.budget}, seed {t.seed}. Each cell: pairs heard as the target (%) / pairs no longer "
        "heard as what they are, among those that this classifier had heard rightly (%). "
        f"{MARK}: the attack, or its training, asked this classifier. 95 % intervals of the first "
        f"number end up to {100 * t.reach:.1f} points from it."
    )


def markdown(found: Transfer) -> str:
    """Return the table as Markdown."""
    return table(columns(found), rows(found), _alignment(found))


def latex(found: Transfer) -> str:
    """Return the table for a paper."""
    return latex_table(columns(found), rows(found), _alignment(found), about(found))


def _alignment(found: Transfer) -> str:
    return "ll" + "r" * (len(found.listeners) + 1)


def write_transfer(
    folder: Path, found: Transfer, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write ``table.md``, ``table.tex`` and the figure into a transfer's folder.

    Args:
        folder: Where ``transfer.json`` lies.
        found: Its content.
        formats: Of ``png``, ``svg`` and ``pdf``.

    Returns:
        The files written.

    Raises:
        MondegreenError: A file cannot be written.
    """
    texts = {
        "table.md": f"{escape_text(about(found))}\n\n{markdown(found)}",
        "table.tex": latex(found),
    }
    files = [folder / name for name in texts]
    for path in files:
        write_text(path, texts[path.name])
    figure = transfer_matrix(found)
    files.extend(save_figure(figure, folder / "figures" / "transfer_matrix", tuple(formats)))
    return files


def print_transfer(found: Transfer, console: Console | None = None) -> None:
    """Print the table.

    Args:
        found: A loaded ``transfer.json``.
        console: Standard output by default.
    """
    console = console or Console()
    shown = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    shown.add_column(Text("made against"), no_wrap=True, max_width=40)
    for name in (*columns(found)[2:-1], "SNR"):
        shown.add_column(Text(name), justify="right", overflow="fold")
    label = ""
    for row in rows(found):
        if row[0] != label:
            label = row[0]
            shown.add_section()
            shown.add_row(Text(label, style="bold"))
        # A terminal is narrow: 100.0 is wider than all else, and its decimal says nothing.
        short = (text.replace(" ", "").replace("100.0", "100") for text in row[2:])
        shown.add_row(Text(row[1]), *map(Text, short))
    console.print(shown)
    console.print(Text(about(found), style="dim"))
