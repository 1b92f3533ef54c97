"""A made-up comparison, whose every number can be found again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mondegreen.report.comparison_results import Comparison, load_comparison

Make = Callable[..., Comparison]
MakeCell = Callable[..., dict[str, Any]]


def quality(mean: float | None) -> dict[str, Any]:
    found = {"mean": mean, "median": mean, "min": mean, "failed": 0, "pairs": 9}
    return found if mean is not None else {**found, "reason": "not asked for"}


def make_cell(
    label: str,
    db: float,
    rate: float,
    *,
    steps: int | None = None,
    quietness: float | None = None,
    pesq: float | None = 3.0,
    ms: float | None = 8.0,
    **more: Any,
) -> dict[str, Any]:
    return {
        "name": f"{label}--snr-{db:g}",
        "label": label,
        "family": re.split(r"[+:]", label)[0],
        "steps": steps,
        "quietness": quietness,
        "attack": {"name": label, "fingerprint": "12"},
        "budget": {"kind": "snr", "value": db},
        "success_rate": rate,
        "success_interval": [max(0.0, rate - 0.1), min(1.0, rate + 0.1)],
        "success_rate_correct": rate,
        "snr_db": quality(db + 0.5),
        "pesq_nb": quality(pesq),
        "pesq_wb": quality(None),
        "stoi": quality(0.9),
        "milliseconds_per_clip": {
            "batch1": 7.0,
            "batch1_mean": ms,
            "batchN": 2.0,
            "N": 64,
            "calls": [20, 5],
        },
        "generator": None,
        "queries_per_clip": 3.0,
        "gradients_per_clip": 2.5,
        "peak_memory_bytes": None,
        **more,
    }


CURVES = [
    make_cell("generator", 20, 0.95, steps=0, pesq=3.1),
    make_cell("generator", 30, 0.85, steps=0, pesq=3.5, ms=9.0),
    make_cell("generator+5", 20, 0.99, steps=5, pesq=3.0, ms=60.0),
    make_cell("generator+5", 30, 0.97, steps=5, pesq=None, ms=61.0),
    make_cell("pgd:steps=20", 20, 0.9, steps=20, pesq=2.9, ms=200.0),
    make_cell("pgd:steps=20", 30, 0.5, steps=20, pesq=3.3, ms=210.0),
    make_cell("generator:quietness=0.5", 20, 0.9, steps=0, quietness=0.5, pesq=3.6),
    make_cell("generator:quietness=1", 20, 0.8, steps=0, quietness=1.0, pesq=3.9),
]


def content(cells: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": 1,
        "classifier": {
            "name": "toy_net",
            "parameters": 305_120,
            "fingerprint": "9f2c41d0",
            "labels": ["low", "high"],
        },
        "dataset": {
            "name": "tones",
            "split": "test",
            "split_kind": "speaker",
            "clips": 40,
            "groups": 9,
            "silent_clips": [],
        },
        "pairs": {"count": 30, "available": 40, "quality": 9, "clips": 28, "groups": 8},
        "baseline_rate": 0.01,
        "clean_accuracy": 0.95,
        "timing": {"rounds": 20, "warmup": 2, "seconds": 4.0, "threads": 1, "load": 0.5},
        "cells": cells,
        "seed": 7,
        "command": "mondegreen compare --recipe curves",
        "environment": {"python": "3.11.9", "torch": "2.6.0", "cpu": "Toy CPU", "cores": 2},
        "duration_seconds": 75.0,
        "created": "2026-01-02T03:04:05+00:00",
    }


@pytest.fixture
def cell() -> MakeCell:
    """Return a function that makes a cell: its label, budget in dB and success at least."""
    return make_cell


@pytest.fixture
def curves() -> list[dict[str, Any]]:
    """Return the cells of a comparison of three attacks and a dial at two budgets."""
    return [dict(one) for one in CURVES]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that writes a comparison of some cells and reads it back."""

    def make(cells: list[dict[str, Any]] = CURVES, name: str = "toy", **changes: Any) -> Comparison:
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "comparison.json"
        path.write_text(json.dumps({**content(cells), **changes}), encoding="utf-8")
        return load_comparison(path)

    return make
