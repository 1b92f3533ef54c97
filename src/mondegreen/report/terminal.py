"""The headline numbers in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mondegreen.report.comparison import caveat, comparison
from mondegreen.report.paper import closest_setting
from mondegreen.report.results import Results
from mondegreen.report.through_channels import HEAD, NOTE, channel_rows


def print_results(results: Results, console: Console | None = None) -> None:
    """Print what was measured beside what the paper reports.

    Args:
        results: A loaded ``results.json``.
        console: Standard output by default.
    """
    console = console or Console()
    setting = closest_setting(results.labels)
    table = Table(title=Text(f"{results.attack.label} against {results.classifier.name}"))
    table.add_column("quantity")
    table.add_column("measured", justify="right", style="bold")
    table.add_column(Text(f"reported (paper)\n{setting.name}"), justify="right", style="dim")
    for line in comparison(results):
        table.add_row(Text(line.name), Text(line.measured), Text(line.reported))
    console.print(table)
    console.print(Text(caveat(results), style="dim"))
    if results.channels:
        _print_channels(results, console)


def _print_channels(results: Results, console: Console) -> None:
    table = Table(title="the same clips after a channel")
    rows = channel_rows(results)
    table.add_column(HEAD[0], overflow="fold", min_width=min(30, max(len(row[0]) for row in rows)))
    for title in HEAD[1:]:
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
    console.print(Text(NOTE, style="dim"))
