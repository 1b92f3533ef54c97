"""Tables inside of hand-written pages, generated from result files.

``python -m mondegreen.report.docs_tables results docs`` replaces what stands between the markers of
each table; ``--check`` tells whether all are in step.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mondegreen.report import (
    docs_ablation,
    docs_hearing,
    docs_music,
    docs_reliability,
    docs_scaling,
    docs_serve,
    docs_streaming,
    docs_taggers,
    docs_template,
)
from mondegreen.report.generated import insert, write_or_check

TABLES: dict[str, tuple[str, str, Callable[[Path], str]]] = {
    "ablation": ("generator.md", "ablation", docs_ablation.render_table),
    "ablation-2": ("generator.md", "ablation-2", docs_ablation.render_table),
    "ablation-3": ("generator.md", "ablation-3", docs_ablation.render_table),
    "fuzzing": ("reliability.md", "fuzzing.json", docs_reliability.render_fuzzing),
    "hearing": ("generator.md", "hearing.json", docs_hearing.render_table),
    "music": ("measurement.md", "synthetic-music.json", docs_music.render_table),
    "reliability": ("reliability.md", "reliability.json", docs_reliability.render_table),
    "scaling": ("scaling.md", "scaling.json", docs_scaling.render_measured),
    "scaling-model": ("scaling.md", "scaling.json", docs_scaling.render_model),
    "scaling-cluster": ("scaling.md", "scaling.json", docs_scaling.render_cluster),
    "serve": ("serve.md", "serve.json", docs_serve.render_table),
    "streaming": ("measurement.md", "streaming.json", docs_streaming.render_table),
    "template": ("generator.md", "template", docs_template.render_table),
    "tagger": ("taggers.md", "tagger-goals/goals-report.json", docs_taggers.render_tags),
    "tagger-attacks": (
        "taggers.md",
        "tagger-goals/comparison.json",
        docs_taggers.render_attacks,
    ),
}
"""For each marker the page, the result file or folder, and what makes a table of it."""


NOT_MEASURED = "*Not measured yet.*"
"""Stands in place of a table whose results there are none of."""


def render_pages(results: Path, docs: Path) -> dict[Path, str]:
    """Return every page with its tables replaced.

    Raises:
        MondegreenError: A result file is damaged, or a page lacks its markers.
        OSError: A page cannot be read.
    """
    pages: dict[Path, str] = {}
    for name, (page, source, render) in TABLES.items():
        path = docs / page
        text = pages[path] if path in pages else path.read_text(encoding="utf-8")
        found = results / source
        pages[path] = insert(text, render(found) if found.exists() else NOT_MEASURED, name)
    return pages


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or with ``--check`` tell which are old; return the exit code."""
    parser = argparse.ArgumentParser(prog="mondegreen.report.docs_tables", description=__doc__)
    parser.add_argument("results", type=Path, help="the folder of result files")
    parser.add_argument("docs", type=Path, help="the folder of the pages")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a table is old")
    options = parser.parse_args(arguments)
    return write_or_check(lambda: render_pages(options.results, options.docs), options.check)


if __name__ == "__main__":
    sys.exit(main())
