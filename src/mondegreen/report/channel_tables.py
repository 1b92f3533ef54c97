"""What survived which channel: tables in the terminal and in Markdown, and a folder's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mondegreen.files import write_text
from mondegreen.report.channel_figures import DIRECT, channel_figure
from mondegreen.report.channel_results import ChannelResults
from mondegreen.report.formatting import number
from mondegreen.report.markdown import escape_text
from mondegreen.report.results import BudgetUsed
from mondegreen.report.style import save_figure
from mondegreen.report.tables import Table


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


def tables(found: ChannelResults) -> list[Table]:
    """Return one table a budget."""
    return [
        Table(str(budget), columns(found, budget), tuple(rows(found, budget)))
        for budget in found.budgets
    ]


def about(found: ChannelResults) -> str:
    """Return, in one paragraph, what all rows have in common and how they are read."""
    f = found
    return (
        f"{f.classifier.name} on {f.data.name}, {f.drawn} for every attack and channel, seed "
        f"{f.seed}. Accuracy: untouched clips heard as what they are after the channel (%). "
        "Nothing: untouched clips that succeed (%). Attacks: pairs that succeed after the channel "
        "/ share of those that succeed without it (%). 95 % intervals of the first number end up "
        f"to {100 * f.reach:.1f} points from it."
    )


def markdown(found: ChannelResults) -> str:
    """Return one table a budget as Markdown."""
    return "\n".join(f"**{one.title}**\n\n{one.markdown()}" for one in tables(found))


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
    for one in tables(found):
        one.print(console)
    console.print(Text(about(found), style="dim"))
