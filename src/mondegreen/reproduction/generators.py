"""What a reproduction's generators achieved, gathered from the folders of their evaluations."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.metrics.success import bootstrap_interval, success_matrix
from mondegreen.metrics.summary import summarize
from mondegreen.report.results import load_metrics

QUALITY = ("snr_db", "pesq_nb", "pesq_wb", "stoi")
NOT_PLANNED = "this preset trains none here"
Row = Mapping[str, str]


def generators(
    folder: Path, labels: Sequence[str], groups: Mapping[str, str], *, planned: bool = True
) -> dict[str, dict[str, Any]]:
    """Return the generators of a setting: ``single``, ``unified`` and ``spectral``.

    Args:
        folder: The setting's folder.
        labels: Its labels.
        groups: The speaker or track of every test clip, by the clip's name.
        planned: Whether the preset has generators for single targets here.
    """
    return {
        "single": _several(folder, labels, groups) if planned else {"missing": NOT_PLANNED},
        "unified": _one(folder / "all"),
        "spectral": _one(folder / "spectral"),
    }


def _one(folder: Path) -> dict[str, Any]:
    """Return what one generator for all targets achieved."""
    path = folder / "evaluation" / "results.json"
    if not path.is_file():
        return {"missing": "it was not evaluated"}
    found = read_json(path)
    kept = (
        "budget",
        "pairs",
        "success_rate",
        "success_interval",
        "success_rate_correct",
        "baseline_rate",
        "success_matrix",
        "pair_counts",
        "per_target",
        *QUALITY,
        "milliseconds_per_clip",
    )
    try:
        rest = {name: found[name] for name in kept}
    except (KeyError, TypeError) as error:
        raise MondegreenError(f"{path} is damaged: {error} is missing.") from error
    return {**_network(folder / "generator", found), "networks": 1, **rest, "missing_targets": {}}


def _network(folder: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return which network it is, how long it was trained and its size."""
    config = read_json(folder / "config.json")
    rows = training_rows(folder)
    return {
        "network": config["architecture"]["kind"],
        "width": config["architecture"]["width"],
        "steps": int(rows[-1]["step"]) if rows else 0,
        "training_seconds": sum(row.get("seconds") or 0.0 for row in rows),
        "parameters": results["generator"]["parameters"],
        "macs": results["generator"]["macs"],
    }


def training_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a training's ``metrics.jsonl``; none where there is no such file."""
    return list(load_metrics(folder / "metrics.jsonl"))


def _several(folder: Path, labels: Sequence[str], groups: Mapping[str, str]) -> dict[str, Any]:
    """Return what the generators for one target each achieved, put together."""
    results: dict[str, dict[str, Any]] = {}
    networks, rows, missing = [], [], {}
    for label in labels:
        path = folder / f"one-{label}" / "evaluation" / "results.json"
        if not path.is_file():
            missing[label] = "not trained"
            continue
        results[label] = read_json(path)
        networks.append(_network(folder / f"one-{label}" / "generator", results[label]))
        rows += pair_rows(path.parent)
    if not results:
        return {"missing": "none was evaluated"}
    first = next(iter(results.values()))
    total = {name: sum(one[name] for one in networks) for name in ("steps", "training_seconds")}
    times = [one["milliseconds_per_clip"] for one in results.values()]
    return {
        **networks[0],
        **total,
        "networks": len(networks),
        "budget": first["budget"],
        **_together(rows, labels, groups),
        "per_target": {label: one["per_target"][label] for label, one in results.items()},
        "milliseconds_per_clip": _median_times(times),
        "missing_targets": missing,
    }


def _together(
    rows: Sequence[Row], labels: Sequence[str], groups: Mapping[str, str]
) -> dict[str, Any]:
    """Return rates, matrix and qualities over the pairs of all generators."""
    index = {label: number for number, label in enumerate(labels)}
    source = np.array([index[row["source"]] for row in rows])
    target = np.array([index[row["target"]] for row in rows])
    success = np.array([row["success"] == "1" for row in rows])
    correct = np.array([row["correct"] == "1" for row in rows])
    before = np.array([row["before"] == row["target"] for row in rows])
    rates, counts = success_matrix(source, target, success, len(labels))
    speakers = np.array([groups[row["clip"]] for row in rows])
    low, high = bootstrap_interval(success, speakers, np.random.default_rng(1024))
    return {
        "pairs": len(rows),
        "success_rate": float(success.mean()),
        "success_interval": [low, high],
        "success_rate_correct": float(success[correct].mean()) if correct.any() else None,
        "baseline_rate": float(before.mean()),
        "success_matrix": [[None if np.isnan(v) else float(v) for v in row] for row in rates],
        "pair_counts": counts.tolist(),
        **{name: _summary(rows, name) for name in QUALITY},
    }


def _summary(rows: Sequence[Row], name: str) -> dict[str, Any]:
    """Summarise a quality; those rows without one were not measured, so none is counted failed."""
    values = np.array([float(row[name]) for row in rows if row[name]])
    return dict(summarize(values))


def _median_times(times: Sequence[Mapping[str, float] | None]) -> dict[str, float] | None:
    """Return the medians over the networks; N, the clips of a batch, is the same for all."""
    known = [one for one in times if one]
    if not known:
        return None
    found = {name: float(np.median([one[name] for one in known])) for name in known[0]}
    return {**found, "N": int(known[0]["N"])}


def pair_rows(folder: Path) -> list[Row]:
    """Return the rows of an evaluation's ``pairs.csv``.

    Raises:
        MondegreenError: The file is missing or cannot be read.
    """
    path = folder / "pairs.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise MondegreenError(f"cannot read {path}: {error}.") from error
