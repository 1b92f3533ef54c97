"""The paper's Table 1 beside a comparison of the same attacks."""

from __future__ import annotations

import math

from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_texts import OWN_TIME, own_time, significant
from mondegreen.report.formatting import number, percent
from mondegreen.report.paper import CITATION, ReportedAttack, ReportedSetting, closest_setting

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

PUBLISHED: dict[str, dict[str, int]] = {
    "genetic": {"iterations": 500},
    "pso": {"epochs": 300, "iterations": 30, "particles": 25},
}
"""The limits that the authors of the paper's rivals searched to."""


def belongs(comparison: Comparison) -> bool:
    """Tell whether the paper's numbers have something to stand beside: generator and a rival."""
    kinds = {cell.kind for cell in comparison.cells}
    return not comparison.untargeted and "generator" in kinds and bool(kinds & set(_NAMES))


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
        f"rank attacks. {own_time(comparison)}"
    ).rstrip()


def limits_notes(comparison: Comparison) -> list[str]:
    """Say how far each rival of the paper was let search, beside the limits that were published."""
    found = []
    for cell in comparison.cells:
        limits, share = PUBLISHED.get(cell.kind), share_of_published(cell)
        if limits is None or share is None:
            continue
        used = {name: cell.attack.options.get(name) for name in limits}
        told = " x ".join(f"{limit} {name}" for name, limit in limits.items())
        text = f"The {cell.title} searched to its published limit, {told}."
        if used != limits:
            here = " x ".join(f"{value} {name}" for name, value in used.items())
            text = (
                f"The {cell.title} searched {here}, {100 * share:.2g} % of its published limit, "
                f"{told}; with more of it, it would succeed more often."
            )
        found.append(text)
    return list(dict.fromkeys(found))


def share_of_published(cell: CellResult) -> float | None:
    """Return how much of its published limit a rival of the paper was let search.

    None for other attacks, and where the file does not hold the limits.
    """
    limits = PUBLISHED.get(cell.kind, {})
    used = [cell.attack.options.get(name) for name in limits]
    counts = [value for value in used if isinstance(value, int)]
    if not limits or len(counts) < len(used):
        return None
    return math.prod(counts) / math.prod(limits.values())


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
