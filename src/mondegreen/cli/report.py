"""``mondegreen report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mondegreen.cli.options import parse, say
from mondegreen.report.page import write_figures, write_report


@dataclass(frozen=True)
class Report:
    """Options of ``report``."""

    folder: Annotated[Path, tyro.conf.Positional]
    """Folder of an evaluation."""


def run(words: Sequence[str]) -> None:
    """Parse the words and write the report."""
    description = "Write the figures and the self-contained page of an evaluation."
    options = parse(Report, words, "report", description)
    write_figures(options.folder)
    say(f"figures: {options.folder / 'figures'}\nreport:  {write_report(options.folder)}")
