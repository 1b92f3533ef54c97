"""The paper's Table 1 beside a comparison of the same attacks."""

from __future__ import annotations

from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_texts import OWN_TIME, significant
from mondegreen.report.formatting import number, percent
from mondegreen.report.paper import CITATION, ReportedAttack, ReportedSetting, closest_setting

RECIPE = "paper-table-1"
"""The comparison that the paper's numbers stand beside."""

HEAD = (
    "attack",
    "budget",
    "success, reported",
    "measured",
    "SNR (dB), reported",
    "measured",
    "s a clip, reported",
    "measured",
)

_NAMES = {"genetic": "Alzantot et al.", "pso": "SirenAttack"}


def paper_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return one row a cell; what the paper does not report is a dash."""
    setting = closest_setting(comparison.classifier.labels)
    return [_row(cell, _reported(cell, setting)) for cell in comparison.cells]


def paper_note(comparison: Comparison) -> str:
    """Say what *reported* and *measured* are, and what they cannot tell."""
    setting = closest_setting(comparison.classifier.labels)
    devices = ", ".join(
        f"{one.attack} {one.device}" for one in (setting.proposed, *setting.baselines)
    )
    return (
        f"Reported: Table 1 of {CITATION} {setting.name}; machines: {devices}. Measured: "
        f"{comparison.classifier.name} on {comparison.data.name}, split by "
        f"{comparison.data.split_kind}, by the rules of this page. Classifier, data, split, "
        "machine and the limits of the searches differ, and the paper's attacks kept different "
        "ratios, so the columns show the order of magnitude; only rows of one budget, measured, "
        f"rank attacks. {OWN_TIME} marks the time of the run itself, in batches."
    )


def _reported(cell: CellResult, setting: ReportedSetting) -> ReportedAttack | None:
    plain = not cell.steps and not cell.quietness
    if cell.kind == "generator":
        return setting.proposed if plain else None
    name = _NAMES.get(cell.kind)
    return next((one for one in setting.baselines if one.attack == name), None)


def _row(cell: CellResult, reported: ReportedAttack | None) -> tuple[str, ...]:
    milliseconds, own = cell.clip_ms, cell.mean_ms is None
    seconds = None if milliseconds is None else milliseconds / 1000
    mark = OWN_TIME if own and seconds is not None else ""
    return (
        cell.title,
        str(cell.budget),
        percent(reported.success_rate if reported else None),
        percent(cell.success_rate),
        number(reported.snr_db if reported else None),
        number(cell.snr_db.mean),
        significant(reported.seconds if reported else None),
        significant(seconds) + mark,
    )
