"""The cost of steps and campaigns against sums done by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.files import write_json
from mondegreen.report import docs_scaling
from mondegreen.report.scaling_model import Campaign, StepCost, bills


def content() -> dict[str, Any]:
    """Round numbers: a step of 100 ms, of which 20 are spent by every process."""

    def network(name: str, preset: str, macs: float) -> dict[str, Any]:
        about = {"name": name, "preset": preset, "batch_size": 10, "labelled": 10}
        return {**about, "parameters": 250_000, "macs_a_clip": macs, "epochs": 3}

    step = {"messages": 4.0, "bytes": 1e6}
    return {
        "ms": {
            "generator": {"1": 200.0, "2": 80.0},
            "classifier": {"1": 36.0, "2": 30.0},
            "evaluation": {"1": 3.6, "2": 2.0},
        },
        "processor_ms": {
            "generator": {"1": 100.0, "2": 60.0},
            "classifier": {"1": 36.0, "2": 20.0},
            "evaluation": {"1": 3.6, "2": 1.8},
        },
        "drawing_ms": {"generator": 20.0, "classifier": 6.0},
        "sent": {"generator": step, "classifier": step},
        "network": {"latency_ms": 0.5, "bytes_a_second": 1e8},
        "networks": [
            *(network("generator", "cpu", 1e6), network("classifier", "cpu", 1e6)),
            *(network("generator", "paper", 5e6), network("classifier", "paper", 2e7)),
        ],
        **{"format": 1, "rounds": 3, "threads": 1, "load_before": 0.25, "clip_bytes": 32_768},
        "environment": {"cpu": "a machine", "cores": 2},
    }


def test_a_step_is_drawing_and_a_share_and_what_is_sent() -> None:
    step = StepCost(100.0, 20.0, 4.0, 1e6, 0.5, 1e8)
    assert step.ms(1) == 100.0
    assert step.ms(2) == pytest.approx(20 + 40 + 4 * 0.5 + 10)
    assert step.ms(4) == pytest.approx(20 + 20 + 4 * 0.5 + 15)
    assert step.ms(10**6) == pytest.approx(20 + 2 + 20, rel=1e-4), "no more can be gained"


def test_a_campaign_is_jobs_times_steps() -> None:
    campaign = Campaign(classifiers=10, targets=5, training_clips=95, pairs=1000)
    found = bills(content(), campaign)
    steps = 10 * 3  # of 95 clips, ten a step, for three epochs
    small = found["generators, small, all targets in one"]
    assert small.core_hours == pytest.approx(10 * steps * 100.0 / 3.6e6) and small.timed
    large = found["generators, the paper's, one a target"]
    assert large.core_hours == pytest.approx(50 * steps * 500.0 / 3.6e6) and not large.timed
    spotters = found["classifiers, the paper's"]
    assert spotters.core_hours == pytest.approx(10 * steps * 36.0 * 20 / 3.6e6)
    assert found["evaluations of the small ones"].core_hours == pytest.approx(10 * 3.6 / 3600)


def test_the_tables_show_them(tmp_path: Path) -> None:
    path = tmp_path / "scaling.json"
    write_json(path, content())
    measured = docs_scaling.render_measured(path)
    row = "step of the generator | 200.0 | 80.0 | 2.50 | 100.0 | 60.0 | 72.0 | 57.0 | 49.5 |"
    assert row in measured and "a machine, 2 cores" in measured
    model = docs_scaling.render_model(path)
    assert (
        "| generator, `cpu` | 250.00 k | 10 | 1.00 M | 10.00 M | 327.68 k | 1.00 M | 4 |" in model
    )
    cluster = docs_scaling.render_cluster(path)
    assert "| evaluations of the small ones | 1,000 | 6.0 min | 100 | 6.0 min | 4 |" in cluster


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "scaling.json", {"ms": {}})
    for render in (
        docs_scaling.render_measured,
        docs_scaling.render_model,
        docs_scaling.render_cluster,
    ):
        with pytest.raises(MondegreenError, match=r"scaling\.json is damaged"):
            render(tmp_path / "scaling.json")
