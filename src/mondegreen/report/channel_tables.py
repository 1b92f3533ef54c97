"""What survived which channel: tables in the terminal and in Markdown, and a folder's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mondegreen.files import write_text
from mondegreen.report.channel_figures import DIRECT, channel_figure
from mondegreen.report.channel_results import ChannelResults
from mondegreen.report.formatting import number
from mondegreen.report.markdown import escape_cell, escape_text, table
from mondegreen.report.results import BudgetUsed
from mondegreen.report.style import save_figure


def columns(found: ChannelResults, budget: BudgetUsed) -> tuple[str, ...]:
    """Return the titles of the columns: what nobody attacks, then one an attack."""
    return ("channel", "accuracy", "nothing", *(row.label for row in found.under(budget)))


def rows(found: ChannelResults, budget: BudgetUsed) -> list[tuple[str, ...]]:
    """Return the texts of the cells: the clips as they are made, then one row a channel."""
    under = found.under(budget)
    direct = (
        DIRECT,
        _points(found.clean_accuracy),
        _points(found.baseline_rate),
        *(_points(row.success_rate) for row in under),
    )
    through = [
        (
            channel.name,
            _points(channel.clean_accuracy),
            _points(channel.baseline_rate),
            *(
                f"{_points(row.cells[place].success_rate)} / "
                f"{_points(row.cells[place].survival_rate)}"
                for row in under
            ),
        )
        for place, channel in enumerate(found.channels)
    ]
    return [direct, *through]


def _points(rate: float | None) -> str:
    return number(None if rate is None else 100 * rate, 1)


def about(found: ChannelResults) -> str:
    """Return, in one paragraph, what all rows have in common and how they are read."""
    f = found
    return (
        f"{f.classifier.name} on {f.data.name}, {f.drawn} for every attack and channel, seed "
        f"{f.seed}. Accuracy: untouched clips heard as what they are after the channel (%). "
        "Nothing: untouched clips that succeed (%). Attacks: pairs that succeed after the channel "
        "/ share of those that succeed without it (%). 95 % intervals of the first number reach up "
        f"to ±{100 * f.widest:.1f} points."
    )


def markdown(found: ChannelResults) -> str:
    """Return one table a budget as Markdown."""
    parts = []
    for budget in found.budgets:
        titles = [escape_cell(title) for title in columns(found, budget)]
        alignment = "l" + "r" * (len(titles) - 1)
        parts.append(f"**{budget}**\n\n{table(titles, rows(found, budget), alignment)}")
    return "\n".join(parts)


def write_channels(
    folder: Path, found: ChannelResults, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write ``table.md`` and the figure into a measurement's folder; return the files.

    Args:
        folder: Where ``channels.json`` lies.
        found: Its content.
        formats: Of ``png``, ``svg`` and ``pdf``.

    Raises:
        MondegreenError: A file cannot be written.
    """
    path = folder / "table.md"
    write_text(path, f"{escape_text(about(found))}\n\n{markdown(found)}")
    figure = channel_figure(found)
    return [path, *save_figure(figure, folder / "figures" / "channels", tuple(formats))]


def print_channels(found: ChannelResults, console: Console | None = None) -> None:
    """Print one table a budget.

    Args:
        found: A loaded ``channels.json``.
        console: Standard output by default.
    """
    console = console or Console()
    for budget in found.budgets:
        shown = Table(title=Text(str(budget)), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        first, *others = columns(found, budget)
        longest = max(len(channel.name) for channel in found.channels)
        shown.add_column(first, overflow="fold", min_width=min(30, longest))
        for title in others:
            shown.add_column(Text(title), justify="right", overflow="fold")
        for row in rows(found, budget):
            shown.add_row(*map(Text, row))
        console.print(shown)
    console.print(Text(about(found), style="dim"))
