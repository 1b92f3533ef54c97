"""A made-up entry and its result file, whose figures can be worked out by hand."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from mondegreen.report.leaderboard.measured import MeasuredRow

RESULT = "results/mine/comparison.json"
FINGERPRINT = "0123456789abcdef"

ROW = MeasuredRow(
    attack="pgd",
    settings={},
    goal="targeted",
    knowledge="white box",
    budget="snr:30",
    channel="",
    pairs=200,
    groups=20,
    success=0.4,
    interval=(0.3, 0.5),
    right=None,
    file="a.json",
)

ENTRY: dict[str, Any] = {
    "format": 1,
    "title": "A spotter",
    "reported_by": {"authors": "A. Uthor", "link": "https://example.org", "date": "2026-01-31"},
    "classifier": {
        "place": "runs/mine",
        "sha256": "ab" * 32,
        "fingerprint": FINGERPRINT,
        "architecture": "net",
        "parameters": 1234,
    },
    "defence": {"kind": "none", "spec": ""},
    "data": {
        "corpus": "clips",
        "split": "test",
        "split_kind": "speaker",
        "clips": 300,
        "speakers": 20,
    },
    "threat_models": [{"goal": "targeted", "knowledge": "white box", "budget": "snr:30"}],
    "measured": [{"file": RESULT, "row": None}],
}


def cell(label: str, rate: float, db: float = 30.0, width: float = 0.05) -> dict[str, Any]:
    """Return one attack as a comparison holds it."""
    nothing = dict.fromkeys(("snr_db", "pesq_nb", "pesq_wb", "stoi"))
    return {
        "label": label,
        "family": label,
        "attack": {"name": label},
        "budget": {"kind": "snr", "value": db},
        "success_rate": rate,
        "success_interval": [max(0.0, rate - width), min(1.0, rate + width)],
        **nothing,
    }


def comparison(*cells: dict[str, Any], pairs: int = 200, goal: str = "targeted") -> dict[str, Any]:
    """Return a comparison with these attacks."""
    return {
        "format": 1,
        "goal": goal,
        "classifier": {
            "name": "net",
            "parameters": 1234,
            "fingerprint": FINGERPRINT,
            "labels": ["a", "b"],
            "sample_rate": 8000,
        },
        "dataset": {
            "name": "clips",
            "split": "test",
            "split_kind": "speaker",
            "clips": 300,
            "groups": 20,
            "silent_clips": [],
        },
        "pairs": {"count": pairs, "available": 900, "quality": 0, "clips": 150, "groups": 20},
        "baseline_rate": 0.0,
        "clean_accuracy": 0.9,
        "timing": {},
        "cells": list(cells),
        "seed": 1,
        "command": "mondegreen compare",
        "environment": {"mondegreen": "0.1.0"},
        "duration_seconds": 1.0,
        "created": "2026-01-31",
    }


class Workshop:
    """A folder with a leaderboard and a result file, and the means to change them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "leaderboard"
        self.entry = copy.deepcopy(ENTRY)

    def write(self, name: str = "mine", **fields: Any) -> Path:
        """Write an entry with changed fields; return its file."""
        path = self.folder / "entries" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**self.entry, **fields}), encoding="utf-8")
        return path

    def measure(self, content: dict[str, Any], file: str = RESULT) -> Path:
        """Write a result file; return it."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        return path
