"""The results table of the README, generated like ``docs/results.md``.

``python -m mondegreen.report.readme results README.md`` replaces what stands between the markers;
``--check`` tells whether it is in step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.report.formatting import DASH, number, percent, size
from mondegreen.report.generated import insert, page_parser, write_or_check
from mondegreen.report.paper import GENERATOR_MACS, GENERATOR_PARAMETERS, SPEECH
from mondegreen.report.results import Results, load_results

COLUMNS = (
    "",
    "classifier",
    "budget",
    "success",
    "SNR (dB)",
    "PESQ nb",
    "ms a clip",
    "parameters",
    "MACs a clip",
)


def render_table(results_root: Path) -> str:
    """Return the table: the paper's row, then one row for every ``results.json``.

    Raises:
        MondegreenError: A results file is damaged.
    """
    paths = sorted(results_root.glob("*/results.json"))
    paper = SPEECH.proposed
    rows: list[tuple[str, ...]] = [
        (
            "paper, reported: one network a target",
            SPEECH.name,
            "none",
            percent(paper.success_rate),
            number(paper.snr_db),
            number(paper.pesq, 3),
            f"{1000 * paper.seconds:.0f} ({paper.device})",
            size(GENERATOR_PARAMETERS),
            size(GENERATOR_MACS),
        )
    ]
    rows += [_row(path.parent.name, load_results(path)) for path in paths]
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---|---|---|" + "--:|" * (len(COLUMNS) - 3)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _row(name: str, results: Results) -> tuple[str, ...]:
    time = results.cost.batch1_ms
    return (
        f"measured: [{name}](docs/results.md#{name})",
        f"{results.classifier.name} on {results.data.name}",
        _limits(results),
        f"**{percent(results.success_rate)}**",
        number(results.snr_db.mean),
        number(results.pesq_nb.mean, 3),
        DASH if time is None else f"{number(time)} ({results.environment.get('gpu') or 'CPU'})",
        size(results.cost.parameters),
        size(results.cost.macs),
    )


def _limits(results: Results) -> str:
    quietness = results.attack.options.get("quietness")
    return str(results.budget) + (f", quietness {quietness:g}" if quietness else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table, or with ``--check`` tell whether it is old; return the exit code."""
    options = page_parser("readme", __doc__).parse_args(arguments)

    def render() -> dict[Path, str]:
        page = options.page.read_text(encoding="utf-8")
        return {options.page: insert(page, render_table(options.results), "results")}

    return write_or_check(render, options.check)


if __name__ == "__main__":
    sys.exit(main())
