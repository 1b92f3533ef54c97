"""The headline numbers of a result beside those of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mondegreen.report.formatting import DASH, number, percent, size
from mondegreen.report.paper import (
    GENERATOR_MACS,
    GENERATOR_PARAMETERS,
    SPEECH,
    ReportedSetting,
    closest_setting,
)
from mondegreen.report.results import Cost, Quality, Results


@dataclass(frozen=True)
class Line:
    """One quantity: measured here, reported in the paper, and what it is."""

    name: str
    measured: str
    reported: str
    note: str = ""


def comparison(results: Results) -> tuple[Line, ...]:
    """Return the quantities to show, in reading order."""
    setting = closest_setting(results.labels)
    paper = setting.proposed
    cost = results.cost
    return (
        Line(
            "Success, all pairs",
            percent(results.success_rate),
            percent(paper.success_rate),
            f"{results.pairs:,} pairs (eq. 14){_interval(results)}",
        ),
        Line(
            "Success, clips heard right before",
            percent(results.success_rate_correct),
            DASH,
            "leaves out the classifier's own mistakes",
        ),
        Line("Doing nothing", percent(results.baseline_rate), DASH, "unperturbed clips on target"),
        Line("Clean accuracy", percent(results.clean_accuracy), percent(setting.clean_accuracy)),
        Line("Budget", str(results.budget), "none", "the paper trains with penalties only"),
        Line("SNR, mean", number(results.snr_db.mean, 2, "dB"), number(paper.snr_db, 2, "dB")),
        Line("SNR, median / worst", _spread(results.snr_db, 2, "dB"), DASH),
        Line("PESQ narrow-band, mean", _mean(results.pesq_nb), number(paper.pesq, 3), "P.862"),
        Line("PESQ wide-band, mean", _mean(results.pesq_wb), DASH, "P.862.2, MOS-LQO"),
        Line("STOI, mean", _mean(results.stoi), DASH),
        *(Line(f"{name}, mean", _mean(one), DASH) for name, one in results.metrics.items()),
        Line(
            "Time a clip, batch 1",
            number(cost.batch1_ms, 2, "ms"),
            number(1000 * paper.seconds, 0, "ms"),
            f"here {machine(results)}; the paper: {paper.device}",
        ),
        _full_batch(cost),
        Line(
            "Generator parameters",
            size(cost.parameters),
            size(GENERATOR_PARAMETERS),
            "the paper's sizes are counted from its figures",
        ),
        Line("Multiply-accumulates a clip", size(cost.macs), size(GENERATOR_MACS)),
        Line(
            "Classifier parameters",
            size(results.classifier.parameters),
            size(setting.classifier_parameters),
        ),
    )


def _interval(results: Results) -> str:
    if results.success_interval is None:
        return ""
    low, high = results.success_interval
    return f", 95 % interval {percent(low, 1)} to {percent(high, 1)}"


def _full_batch(cost: Cost) -> Line:
    name = "Time a clip, full batch" if cost.n is None else f"Time a clip, batch {cost.n}"
    return Line(name, number(cost.batch_n_ms, 2, "ms"), DASH)


def _mean(quality: Quality) -> str:
    return number(quality.mean, 3) if quality.mean is not None else f"{DASH} ({quality.reason})"


def _spread(quality: Quality, digits: int, unit: str) -> str:
    return f"{number(quality.median, digits)} / {number(quality.worst, digits, unit)}"


def machine(results: Results) -> str:
    """Return the device that measured the times."""
    return machine_of(results.environment)


def machine_of(environment: Mapping[str, Any]) -> str:
    """Return the device that a result file's ``environment`` names."""
    gpu = environment.get("gpu")
    if gpu:
        return str(gpu)
    return f"{environment.get('cpu') or 'an unnamed CPU'}, {environment.get('cores', '?')} cores"


def caveat(results: Results) -> str:
    """Say why *measured* and *reported* must not be read as a race."""
    setting = closest_setting(results.labels)
    return (
        f"The paper attacked {setting.name}{_split_of(setting)}; here it is "
        f"{results.classifier.name} on {results.data.name}, split by {results.data.split_kind}. "
        "Classifier, data, split and machine differ, so the columns show the order of magnitude; "
        "they do not rank the two."
    )


def _split_of(setting: ReportedSetting) -> str:
    return ", split by clip" if setting is SPEECH else ", split by one-second chunk"
