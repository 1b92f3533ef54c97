"""What an audit found, from its stages' files, as one ``audit.json``."""

from __future__ import annotations

import csv
import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mondegreen.audit.sizes import Sizes
from mondegreen.audit.speed import Speed
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.results import describe_classifier
from mondegreen.files import read_json, write_json
from mondegreen.metrics.success import success_matrix
from mondegreen.runs import command_line, environment
from mondegreen.stages.stage import Outcome, Stage

FORMAT = 1
COMPARISONS = {
    "targeted": ("targeted", "white box"),
    "generated": ("targeted", "generator"),
    "untargeted": ("untargeted", "white box"),
    "blind": ("targeted", "black box"),
    "blind-untargeted": ("untargeted", "black box"),
}
"""What the attacks of a folder are after, and what they know of the model."""
KEPT = (
    "label",
    "success_rate",
    "success_interval",
    "queries_per_clip",
    "gradients_per_clip",
    "seconds_per_clip",
    "milliseconds_per_clip",
)
TELLING = 0.5
"""Of all cells, the one with about so much success tells best which labels give way first."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is audited, and how much of it was measured."""

    classifier: Classifier
    place: str
    """As the user named it."""
    minutes: float
    speed: Speed
    sizes: Sizes


def gather(
    out: Path, subject: Subject, stages: Sequence[Stage], outcomes: Mapping[str, Outcome]
) -> Path:
    """Write ``audit.json``; comparisons that are missing are left out, and their stages say why.

    Args:
        out: The audit's folder.
        subject: What is audited.
        stages: The audit's stages.
        outcomes: What became of each.

    Raises:
        MondegreenError: Not one attack was measured, a file is damaged, or it cannot be written.
    """
    found = {name: _content(out / name) for name in COMPARISONS}
    there = {name: content for name, content in found.items() if content is not None}
    if not there:
        raise MondegreenError(
            f"no attack could be measured; see {out / 'stages'} for what each stage printed."
        )
    first = next(iter(there.values()))
    content = {
        "format": FORMAT,
        "place": subject.place,
        "classifier": describe_classifier(subject.classifier),
        "differentiable": subject.classifier.differentiable,
        "dataset": first["dataset"],
        "clean_accuracy": first["clean_accuracy"],
        "baseline_rate": there.get("targeted", there.get("blind", first))["baseline_rate"],
        "minutes": subject.minutes,
        "speed": dataclasses.asdict(subject.speed),
        "sizes": dataclasses.asdict(subject.sizes),
        "cells": [cell for name, one in there.items() for cell in _cells(name, one)],
        "confusions": _confusions(out, there, subject.classifier.labels),
        "heard": _heard(out / "evaluation" / "results.json"),
        "stages": [_stage(stage, outcomes[stage.name]) for stage in stages],
        "command": command_line(),
        "environment": environment(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    path = out / "audit.json"
    write_json(path, content)
    return path


def _content(folder: Path) -> dict[str, Any] | None:
    path = folder / "comparison.json"
    if not path.is_file():
        return None
    content = read_json(path)
    if not isinstance(content, dict):
        raise MondegreenError(f"{path} is damaged; delete {folder} and give the command again.")
    return content


def _cells(name: str, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    goal, knows = COMPARISONS[name]
    pairs = content["pairs"]["count"]
    return [
        {
            "goal": goal,
            "knows": knows,
            "budget_db": cell["budget"]["value"],
            "pairs": pairs,
            **{key: cell[key] for key in KEPT},
        }
        for cell in content["cells"]
    ]


def _confusions(
    out: Path, there: Mapping[str, Mapping[str, Any]], labels: Sequence[str]
) -> dict[str, Any] | None:
    """Return which label was turned into which, in the cell that tells best."""
    name = next((one for one in ("targeted", "blind") if one in there), None)
    if name is None:
        return None
    cells = there[name]["cells"]
    cell = min(cells, key=lambda one: abs(one["success_rate"] - TELLING))
    source, target, success = _outcomes(out / name / "pairs.csv", cell["name"], labels)
    rates, counts = success_matrix(source, target, success, len(labels))
    return {
        "label": cell["label"],
        "budget_db": cell["budget"]["value"],
        "success_rate": cell["success_rate"],
        "rates": [[None if np.isnan(rate) else float(rate) for rate in row] for row in rates],
        "counts": counts.tolist(),
    }


def _outcomes(
    path: Path, column: str, labels: Sequence[str]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return source, target and success of every pair of a cell."""
    place = {label: index for index, label in enumerate(labels)}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                (place[row["source"]], place[row["target"]], int(row[column]) == 1)
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise MondegreenError(
            f"{path} is damaged or missing; delete {path.parent} and give the command again."
        ) from error
    source, target, success = zip(*rows, strict=True)
    return np.array(source), np.array(target), np.array(success)


def _heard(path: Path) -> dict[str, Any] | None:
    """Return how the generator's clips sound, where they were evaluated."""
    if not path.is_file():
        return None
    content = read_json(path)
    names = ("budget", "success_rate", "success_interval", "pairs", "snr_db", "pesq_nb", "stoi")
    return {name: content[name] for name in names}


def _stage(stage: Stage, outcome: Outcome) -> dict[str, Any]:
    return {"name": stage.name, "title": stage.title, "command": stage.text, **vars(outcome)}
