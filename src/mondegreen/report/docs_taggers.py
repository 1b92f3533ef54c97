"""The tables of the page on taggers, for ``docs/taggers.md``."""

from __future__ import annotations

from pathlib import Path

from mondegreen.configs import from_dict
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.tagging import TaggerReport
from mondegreen.files import read_json
from mondegreen.report.comparison_results import load_comparison
from mondegreen.report.comparison_tables import markdown
from mondegreen.report.comparison_texts import about
from mondegreen.report.formatting import DASH
from mondegreen.report.markdown import escape_text, table

_HEAD = ("tag", "clips", "threshold", "right", "F1", "average precision")


def render_tags(path: Path) -> str:
    """Return what a tagger hears in untouched clips, as tables.

    Args:
        path: The ``goals-report.json`` that ``mondegreen goals`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise MondegreenError(f"{path}: expected an object.")
    split = content.get("on")
    settings = {key: value for key, value in content.items() if key not in ("format", "on")}
    report = from_dict(TaggerReport, settings, str(path))
    tags = [
        [
            f"`{row.tag}`",
            str(row.clips),
            f"{row.threshold:.2f}",
            _percent(row.accuracy),
            _percent(row.f1),
            _percent(row.average_precision),
        ]
        for row in report.tags
    ]
    goals = [
        [f"`{row.goal}`", _percent(row.truly_met), _percent(row.heard_met)] for row in report.goals
    ]
    return "\n".join(
        [
            table(
                ("tag", "clips", "threshold", "right", "F1", "average precision"), tags, "lrrrrr"
            ),
            f"The {split} part: {report.clips} clips; mean average precision "
            f"{_percent(report.mean_average_precision)}.\n",
            table(("goal", "truly met before", "heard as met before"), goals, "lrr"),
            f"{_percent(report.several)} of the clips truly meet several goals and are left out.",
        ]
    )


def render_attacks(path: Path) -> str:
    """Return the table of a comparison of attacks on goals.

    Args:
        path: The ``comparison.json`` that ``mondegreen compare`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    comparison = load_comparison(path)
    return f"{escape_text(about(comparison))}\n\n{markdown(comparison)}".rstrip("\n")


def _percent(share: float | None) -> str:
    return DASH if share is None else f"{100 * share:.1f} %"
