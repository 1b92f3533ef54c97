"""The files of a comparison: ``comparison.json``, and ``pairs.csv`` with every outcome."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mondegreen.evaluation.bench import Bench
from mondegreen.evaluation.pairs import Pairs, draw_kept
from mondegreen.evaluation.results import describe_classifier, describe_data, goal
from mondegreen.evaluation.summaries import PAIRWISE, curves, differences, thresholds
from mondegreen.files import read_json
from mondegreen.runs import command_line, environment

FORMAT = 1
BESIDE = ("milliseconds_per_clip", "against_generator")
"""Fields of a cell in ``comparison.json`` that need other cells, so that its file has none."""
SHARED = ("pairs", "baseline_rate", "clean_accuracy")


def _timing_rules(bench: Bench) -> dict[str, Any]:
    return {
        **dataclasses.asdict(bench.timing),
        "threads": torch.get_num_threads(),
        "device": bench.classifier.device.type,
    }


def machine_load() -> float | None:
    """Return how many processes wanted a core in the last minute; None where nobody counts."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def comparison_content(
    measured: list[dict[str, Any]],
    times: list[dict[str, Any] | None],
    bench: Bench,
    pairs: Pairs,
    load: float | None,
) -> dict[str, Any]:
    """Return what ``comparison.json`` holds."""
    groups = np.array([clip.group for clip in bench.data.clips])[pairs.clip]
    seed = bench.options.seed
    return {
        "format": FORMAT,
        "goal": goal(pairs),
        "recipe": bench.recipe,
        "classifier": describe_classifier(bench.classifier),
        "dataset": describe_data(bench.data, bench.split, bench.split_kind),
        "pairs": _about_pairs(bench, pairs),
        "baseline_rate": measured[0]["baseline_rate"],
        "clean_accuracy": measured[0]["clean_accuracy"],
        "timing": {**_timing_rules(bench), "load": load},
        "cells": [
            _public(cell) | dict(zip(BESIDE, found, strict=True))
            for cell, *found in zip(
                measured, times, differences(measured, groups, seed), strict=True
            )
        ],
        "thresholds": thresholds(measured, groups, seed),
        "seed": seed,
        "command": command_line(),
        "environment": environment(),
        "duration_seconds": sum(cell["duration_seconds"] for cell in measured),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _about_pairs(bench: Bench, pairs: Pairs) -> dict[str, Any]:
    options = bench.options
    groups = [clip.group for clip in bench.data.clips]
    quality = draw_kept(pairs, options.quality_pairs, 0, np.random.default_rng(options.seed))
    return {
        "count": len(pairs),
        "available": len(bench.available()),
        "quality": len(quality),
        "clips": len(set(pairs.clip.tolist())),
        "groups": len({groups[clip] for clip in pairs.clip.tolist()}),
        "targets": [bench.classifier.labels[i] for i in sorted(set(pairs.target.tolist()))],
        "fingerprint": pairs.fingerprint(bench.data.names(), bench.classifier.labels),
    }


def _public(cell: dict[str, Any]) -> dict[str, Any]:
    """Return what readers need of a cell: what all share stands once, at the top."""
    hidden = ("format", "settings", *PAIRWISE, *SHARED)
    return {key: value for key, value in cell.items() if key not in hidden} | curves(cell)


def unchanged(path: Path, measured: list[dict[str, Any]], bench: Bench) -> dict[str, Any] | None:
    """Return the comparison that was written already, if it is of these cells and rules."""
    if not path.is_file():
        return None
    content = read_json(path)
    rules = _timing_rules(bench)
    timed = content.get("timing") if isinstance(content, dict) else None
    if not isinstance(timed, dict) or {k: timed.get(k) for k in rules} != rules:
        return None
    if content.get("recipe") != bench.recipe or "thresholds" not in content:
        return None
    cells = content.get("cells", [])
    alone = [{key: value for key, value in cell.items() if key not in BESIDE} for cell in cells]
    if not all(set(BESIDE) <= cell.keys() for cell in cells):
        return None
    return content if alone == [_public(cell) for cell in measured] else None


def pairs_csv(bench: Bench, pairs: Pairs, measured: list[dict[str, Any]]) -> str:
    """Return one row a pair: which, and in which cells it succeeded."""
    labels, names = bench.classifier.labels, bench.data.names()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip", "source", "target", *(cell["name"] for cell in measured)])
    for row in range(len(pairs)):
        place = (names[pairs.clip[row]], labels[pairs.source[row]], labels[pairs.target[row]])
        writer.writerow([*place, *(cell["outcomes"][row] for cell in measured)])
    return text.getvalue()
