"""An audit in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from mondegreen.report.audit.results import AuditResults
from mondegreen.report.audit.tables import attacks
from mondegreen.report.audit.verdict import (
    FRAGILE,
    OPEN,
    ROBUST,
    UNSURE,
    UNTRIED,
    WEAK,
    judge,
)
from mondegreen.report.formatting import percent

STYLES = {
    FRAGILE: "bold red",
    UNSURE: "bold yellow",
    WEAK: "bold yellow",
    ROBUST: "bold green",
    OPEN: "bold",
    UNTRIED: "bold",
}


def print_audit(found: AuditResults, console: Console | None = None) -> None:
    """Print the table of attacks, the verdict and what to do.

    Args:
        found: A loaded ``audit.json``.
        console: Standard output by default.
    """
    console = console or Console()
    attacks(found).print(console)
    verdict = judge(found)
    name, accuracy = found.classifier.name, percent(found.clean_accuracy, 1)
    line = Text(f"{name} ({accuracy} of untouched clips heard rightly) is ")
    line.append(verdict.grade, style=STYLES[verdict.grade]).append(". ").append(verdict.sentence)
    console.print(line)
    for text in verdict.details:
        console.print(Text(f"  {text}"))
    if verdict.advice:
        console.print(Text("What to do", style="bold"))
    for text in verdict.advice:
        console.print(Text(f"  • {text}"))
