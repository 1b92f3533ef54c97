"""How measures of audibility follow PESQ, in ``docs/generator.md``.

``python -m mondegreen.report.docs_hearing results/hearing.json docs/generator.md`` replaces what
stands between the markers; ``--check`` tells whether it is in step.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.generated import insert, write_or_check
from mondegreen.report.markdown import table

NAMES = {
    "snr_db": "signal-to-noise ratio",
    "masking_excess": "excess over the masking threshold",
    "audible_share": "share above the masking threshold",
    "loudness": "loudness (the loss)",
}


def render_table(path: Path) -> str:
    """Return the table of rank correlations with narrow-band PESQ.

    Args:
        path: What ``benchmarks/hearing.py`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        found = content["correlations"]
        rows = [
            [group, *(_cell(measures[name]) for name in NAMES)] for group, measures in found.items()
        ]
        clips = content["clips"]
    except (KeyError, TypeError, AttributeError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/hearing.py."
        ) from error
    about = (
        f"\nSpearman's rank correlation with narrow-band PESQ over {clips} clips of test speakers, "
        "each perturbed in every way; in brackets the 95 % interval from drawing clips again."
    )
    return table(["perturbed by", *NAMES.values()], rows, "l" + "r" * len(NAMES)) + about


def _cell(found: dict[str, float]) -> str:
    return f"{found['spearman']:+.2f} ({found['low']:+.2f} to {found['high']:+.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table, or with ``--check`` tell whether it is old; return the exit code."""
    parser = argparse.ArgumentParser(prog="mondegreen.report.docs_hearing", description=__doc__)
    parser.add_argument("results", type=Path, help="the file of benchmarks/hearing.py")
    parser.add_argument("page", type=Path, help="the Markdown page")
    parser.add_argument("--check", action="store_true", help="exit with 1 if the table is old")
    options = parser.parse_args(arguments)

    def render() -> dict[Path, str]:
        page = options.page.read_text(encoding="utf-8")
        return {options.page: insert(page, render_table(options.results), "hearing")}

    return write_or_check(render, options.check)


if __name__ == "__main__":
    sys.exit(main())
