"""``docs/measurement.md`` names every field that a comparison's file holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.evaluation.bench import Bench, CompareOptions
from mondegreen.evaluation.cells import build_cells
from mondegreen.evaluation.compare import compare
from mondegreen.evaluation.recipes import cross
from mondegreen.evaluation.specs import Sources

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "results").glob("*/comparison.json"))


def section(title: str) -> str:
    text = (ROOT / "docs/measurement.md").read_text(encoding="utf-8")
    found = re.search(rf"^### {re.escape(title)}$(.*?)(?=^##|\Z)", text, re.M | re.S)
    assert found is not None
    return found[1]


def fields(value: Any, inside: str = "") -> Iterator[str]:
    """The names of all fields, but those of an attack's own options and of the environment."""
    if isinstance(value, list):
        for one in value:
            yield from fields(one, inside)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            if name not in ("attack", "environment", "classifier", "dataset"):
                yield from fields(one, name)


def unknown(content: dict[str, Any]) -> set[str]:
    """Fields that neither section names, in code spans."""
    text = section("results.json") + section("comparison.json")
    return set(fields(content)) - set(re.findall(r"`([\w.]+)`", text))


def test_a_new_comparison_holds_nothing_else(
    classifier: Classifier, data: ClipDataset, tmp_path: Path
) -> None:
    options = CompareOptions(quality_pairs=2, timing_rounds=1, timing_seconds=10.0)
    place = Bench(classifier, data, split="test", split_kind="speaker", options=options)
    texts = ["fgsm@snr:3", "fgsm@snr:6", "square:queries=3@snr:3", "deepfool:steps=2@none"]
    content = compare(build_cells(cross(texts, []), classifier, Sources()), place, tmp_path / "run")
    names = set(fields(content))
    assert {
        "against_generator",
        "queries_per_clip",
        "batchN_mean",
        "levels",
        "fingerprint",
        "load",
    } <= names
    cells = {cell["label"]: cell for cell in content["cells"]}
    assert cells["square:queries=3"]["success_over_queries"]
    assert cells["deepfool:steps=2"]["success_over_snr"] is not None
    assert {one["label"] for one in content["thresholds"]} == {"fgsm", "deepfool:steps=2"}
    assert not unknown(content)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_shipped_results_hold_nothing_else(path: Path) -> None:
    assert not unknown(json.loads(path.read_text(encoding="utf-8")))


def test_a_field_that_nobody_explains_is_found() -> None:
    assert unknown({"cells": [{"name": "a", "loudness_of_it": 1}]}) == {"loudness_of_it"}
