"""A made-up evaluation's folder: tones as clips, a few pairs, one damaged thing at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mondegreen.audio import write_wav

RATE = 8000
LABELS = ("low", "mid", "high")
QUALITY = {"mean": 3.2, "median": 3.25, "min": 1.7, "failed": 1, "pairs": 12}
Build = Callable[..., Path]


def _content(labels: tuple[str, ...], pairs: list[dict[str, Any]]) -> dict[str, Any]:
    size = len(labels)
    successes, counts = np.zeros((2, size, size))
    for pair in pairs:
        cell = labels.index(pair["source"]), labels.index(pair["target"])
        successes[cell] += pair["success"]
        counts[cell] += 1
    target = {"success_rate": 0.5, "snr_db": 20.5, "pesq_nb": 3.1, "pesq_wb": 2.2, "stoi": 0.9}
    return {
        "format": 1,
        "classifier": {
            "name": "toy-net",
            "parameters": 305_120,
            "fingerprint": "9f2c41d0",
            "labels": list(labels),
        },
        "attack": {"name": "generator", "width": 192, "budgeted": True},
        "budget": {"kind": "snr", "value": 20.0},
        "dataset": {
            "name": "tones",
            "split": "test",
            "split_kind": "speaker",
            "clips": 6,
            "groups": 2,
            "silent_clips": ["low/quiet.wav"],
        },
        "pairs": len(pairs),
        "success_rate": float(successes.sum() / counts.sum()),
        "success_interval": [0.25, 0.75],
        "success_rate_correct": 0.625,
        "baseline_rate": 0.0417,
        "clean_accuracy": 0.951,
        "success_matrix": [
            [float(s / c) if c else None for s, c in zip(srow, crow, strict=True)]
            for srow, crow in zip(successes, counts, strict=True)
        ],
        "pair_counts": counts.astype(int).tolist(),
        "per_target": {label: dict(target) for label in labels},
        "snr_db": {**QUALITY, "mean": 20.61, "median": 20.55, "min": 20.0},
        "pesq_nb": dict(QUALITY),
        "pesq_wb": {"mean": None, "median": None, "min": None, "failed": 0, "reason": "no extra"},
        "stoi": {**QUALITY, "mean": 0.91, "median": 0.92, "min": 0.7},
        "milliseconds_per_clip": {"batch1": 13.71, "batchN": 6.2, "N": 32},
        "generator": {"parameters": 1_604_322, "macs": 98_000_000},
        "seed": 7,
        "command": "mondegreen evaluate --generator runs/generator",
        "environment": {"python": "3.11.9", "torch": "2.6.0", "cpu": "Toy CPU", "cores": 2},
        "duration_seconds": 75.0,
        "created": "2026-01-02T03:04:05+00:00",
    }


def _pairs(labels: tuple[str, ...], clips: int) -> list[dict[str, Any]]:
    pairs: list[dict[str, Any]] = []
    for index, source in enumerate(labels):
        for clip in range(clips):
            for target in labels:
                if target != source:
                    number = len(pairs)
                    success = number % 2 == 0
                    pairs.append(
                        {
                            "clip": f"{index}/tone_{clip}.wav",
                            "source": source,
                            "target": target,
                            "before": source,
                            "after": target if success else source,
                            "success": int(success),
                            "correct": 1,
                            "snr_db": f"{20 + number / 7:.4f}",
                            "pesq_nb": "" if number == 3 else f"{2 + number / 13:.4f}",
                            "pesq_wb": "",
                            "stoi": f"{0.7 + number / 1000:.4f}",
                        }
                    )
    return pairs


def _heard(pair: dict[str, Any], labels: tuple[str, ...]) -> dict[str, dict[str, float]]:
    ranked = [pair["target"], pair["source"]]
    ranked += [label for label in labels if label not in ranked]
    return {
        "before_probabilities": dict(zip(ranked, (0.0123, 0.98, 0.0077), strict=True)),
        "after_probabilities": dict(zip(ranked, (0.8765, 0.12, 0.0035), strict=True)),
    }


def _sounds(
    folder: Path, pairs: list[dict[str, Any]], labels: tuple[str, ...]
) -> list[dict[str, Any]]:
    time = torch.arange(RATE // 4) / RATE
    listed = []
    for number, pair in enumerate(pairs):
        x = 0.5 * torch.sin(2 * torch.pi * (500 + 50 * number) * time)
        x_adv = x + 0.05 * torch.sin(2 * torch.pi * 2000 * time)
        files = {kind: f"{number}.{kind}.wav" for kind in ("original", "adversarial")}
        write_wav(folder / files["original"], x, RATE)
        write_wav(folder / files["adversarial"], x_adv, RATE)
        kept = {k: pair[k] for k in ("source", "target", "clip", "before", "after")}
        # Older evaluations knew the target's probability only.
        heard = _heard(pair, labels) if number < 3 else {}
        listed.append(
            {
                **kept,
                **files,
                **heard,
                "success": bool(pair["success"]),
                "snr_db": float(pair["snr_db"]),
                "pesq_nb": float(pair["pesq_nb"]) if pair["pesq_nb"] else None,
                "before_probability": 0.0123,
                "after_probability": 0.8765,
            }
        )
    return listed


def _build(
    folder: Path,
    labels: tuple[str, ...] = LABELS,
    *,
    sounds: int = 4,
    change: Callable[[dict[str, Any]], None] = lambda content: None,
) -> Path:
    folder.mkdir()
    pairs = _pairs(labels, clips=2)
    content = _content(labels, pairs)
    change(content)
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(pairs[0]))
        writer.writeheader()
        writer.writerows(pairs)
    if sounds:
        listed = _sounds(folder / "samples", pairs[:sounds], labels)
        path = folder / "samples" / "samples.json"
        path.write_text(json.dumps(listed), encoding="utf-8")
    return folder


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that builds an evaluation's folder.

    ``labels``: of the classifier; ``sounds``: how many pairs have sounds; ``change``: edits the
    content of results.json in place.
    """
    return partial(_build, tmp_path / "evaluation")


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder for tests that only read it."""
    return _build(tmp_path_factory.mktemp("untouched") / "evaluation")


@pytest.fixture
def evaluation(build: Build) -> Path:
    """An evaluation's folder: 3 labels, 12 pairs, sounds of 4."""
    return build()
