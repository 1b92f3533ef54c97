"""``mondegreen report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mondegreen.cli.options import parse, say
from mondegreen.report.audit.page import write_audit
from mondegreen.report.comparison_page import write_comparison_page
from mondegreen.report.comparison_results import load_comparison
from mondegreen.report.comparison_tables import write_comparison
from mondegreen.report.page import write_figures, write_report
from mondegreen.report.reproduction.page import write_reproduction


@dataclass(frozen=True)
class Report:
    """Options of ``report``."""

    folder: Annotated[Path, tyro.conf.Positional]
    """Folder of an evaluation, a comparison, an audit or a reproduction."""


def run(words: Sequence[str]) -> None:
    """Parse the words and write the report."""
    description = (
        "Write the figures and the self-contained page of an evaluation, a comparison, an audit "
        "or a reproduction."
    )
    folder = parse(Report, words, "report", description).folder
    compared = folder / "comparison.json"
    if compared.is_file() and not (folder / "results.json").is_file():
        write_comparison(folder, load_comparison(compared))
        page = write_comparison_page(folder)
    elif (folder / "audit.json").is_file():
        page = write_audit(folder)
    elif (folder / "reproduction.json").is_file():
        page = write_reproduction(folder)
    else:
        write_figures(folder)
        page = write_report(folder)
    say(f"figures: {folder / 'figures'}\nreport:  {page}")
