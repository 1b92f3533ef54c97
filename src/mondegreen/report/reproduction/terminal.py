"""A reproduction in the terminal: verdicts, the paper's tables, and what is left to run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from mondegreen.report.reproduction.claims import Judged, judge_all, tally
from mondegreen.report.reproduction.exhibits import exhibits
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.results import Reproduction
from mondegreen.report.reproduction.summaries import stages
from mondegreen.report.tables import Table

STYLES = {"supports": "green", "contradicts": "red", "cannot say": "dim"}


def print_reproduction(found: Reproduction, console: Console | None = None) -> None:
    """Print tables, verdicts and stages; figures are in the report.

    Args:
        found: A loaded ``reproduction.json``.
        console: Standard output by default.
    """
    console = console or Console()
    for one in exhibits(found):
        if isinstance(one.content, Table):
            one.content.print(console)
        elif isinstance(one.content, Missing):
            console.print(Text(f"{one.title}: missing, {one.content.reason}.", style="dim"))
    _print_verdicts(judge_all(found), console)
    stages(found).print(console)


def _print_verdicts(judged: Sequence[Judged], console: Console) -> None:
    console.print(Text("What the paper says, and what this run says", style="bold"))
    for one in judged:
        verdict = one.finding.verdict
        line = Text(f"{verdict}: ", style=STYLES[verdict])
        line.append(f"“{one.claim.quote}” ({one.claim.place}). ", style="default")
        line.append(one.finding.sentence, style="dim")
        console.print(line)
    counts = tally(judged).items()
    console.print(Text(", ".join(f"{count} × {verdict}" for verdict, count in counts)))
