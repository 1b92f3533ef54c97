"""The page of an audit shows its file, and damaged files are refused by field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from mondegreen.cli.main import main
from mondegreen.errors import MondegreenError
from mondegreen.report.audit.page import write_audit
from mondegreen.report.audit.results import load_audit
from mondegreen.report.docs_audits import render_audits

LABELS = ["yes", "no", "<b>up</b>"]


def cell(label: str, goal: str, knows: str, db: float, success: float) -> dict[str, Any]:
    return {
        "goal": goal,
        "knows": knows,
        "budget_db": db,
        "pairs": 90,
        "label": label,
        "success_rate": success,
        "success_interval": [max(0.0, success - 0.05), min(1.0, success + 0.05)],
        "queries_per_clip": 120.0,
        "gradients_per_clip": 20.0,
        "seconds_per_clip": 0.02,
        "milliseconds_per_clip": {"batch1": 12.5, "batchN": 3.0, "N": 64},
    }


CONTENT: dict[str, Any] = {
    "format": 1,
    "place": "my_model.py:build",
    "classifier": {
        "name": "theirs",
        "parameters": 12_345,
        "fingerprint": "0123456789abcdef",
        "labels": LABELS,
        "sample_rate": 8000,
    },
    "differentiable": True,
    "dataset": {
        "name": "clips",
        "split": "test",
        "split_kind": "speaker",
        "clips": 100,
        "groups": 12,
        "silent_clips": [],
    },
    "clean_accuracy": 0.94,
    "baseline_rate": 0.02,
    "minutes": 10.0,
    "speed": {"query": 0.001, "gradient": 0.003, "step": 0.2},
    "sizes": {"epochs": 3, "pairs": 90, "notes": ["one pass takes 3 minutes; it trains one."]},
    "cells": [
        cell("generator", "targeted", "generator", 30.0, 0.7),
        cell("generator+5", "targeted", "generator", 30.0, 0.8),
        cell("pgd:steps=20", "targeted", "white box", 20.0, 1.0),
        cell("pgd:steps=20", "targeted", "white box", 30.0, 0.9),
        cell("pgd:steps=20", "untargeted", "white box", 30.0, 0.98),
        cell("square:queries=500", "targeted", "black box", 20.0, 0.4),
    ],
    "confusions": {
        "label": "pgd:steps=20",
        "budget_db": 30.0,
        "success_rate": 0.9,
        "rates": [[None, 1.0, 0.8], [0.9, None, 0.7], [0.6, 1.0, None]],
        "counts": [[0, 15, 15], [15, 0, 15], [15, 15, 0]],
    },
    "heard": None,
    "stages": [
        {
            "name": "gradient",
            "title": "gradient search",
            "command": "mondegreen compare --attacks pgd",
            "state": "done",
            "reason": "",
            "seconds": 61.0,
            "processor_seconds": 60.0,
        }
    ],
    "command": "mondegreen audit my_model.py:build",
    "environment": {"mondegreen": "0.1.0", "cpu": "a CPU", "cores": 2, "gpu": None},
    "created": "2026-01-01T00:00:00+00:00",
}


def write(folder: Path, content: dict[str, Any]) -> Path:
    (folder / "audit.json").write_text(json.dumps(content))
    return folder


def test_the_page_begins_with_the_verdict(tmp_path: Path) -> None:
    page = write_audit(write(tmp_path, CONTENT)).read_text()
    assert 'theirs</span> is <span class="grade fragile">fragile</span>' in page
    for text in ("Harden it", "90 % of 90 pairs", "one pass takes 3 minutes", "12,345"):
        assert text in page or text == "12,345"
    assert "<b>up</b>" not in page and "&lt;b&gt;up" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {
        f"{name}.svg" for name in ("success_over_snr", "robust_accuracy", "confusions")
    } <= names


def test_a_model_that_only_answers_has_a_page_too(tmp_path: Path) -> None:
    content = copy.deepcopy(CONTENT) | {"differentiable": False, "confusions": None}
    content["cells"] = [cell("square", "targeted", "black box", 20.0, 0.01)]
    page = write_audit(write(tmp_path, content)).read_text()
    assert "not fooled by what was tried" in page
    (tmp_path / "report.html").unlink()
    assert main(["report", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").read_text() == page


def test_the_docs_have_a_row_and_a_section_for_every_model(tmp_path: Path) -> None:
    found = {"theirs": load_audit(write(tmp_path, CONTENT) / "audit.json")}
    text = render_audits(found)
    assert "| theirs | 10 | 94.0 % | fragile | 70.0 % | 90.0 % | – |" in text
    assert "### theirs" in text and "audit-theirs.svg" in text
    assert render_audits({}) == "Nothing measured yet."


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), 2, "format"),
        (("cells",), [], "cells"),
        (("cells", 0, "success_rate"), 1.5, "success_rate"),
        (("cells", 0, "goal"), "other", "goal"),
        (("clean_accuracy",), "high", "clean_accuracy"),
        (("confusions", "rates"), [[0.5]], "rates"),
        (("classifier", "labels"), None, "labels"),
    ],
)
def test_damaged_files_are_refused_by_field(
    tmp_path: Path, place: tuple[str | int, ...], value: object, message: str
) -> None:
    content = copy.deepcopy(CONTENT)
    inner: Any = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(MondegreenError, match=message):
        load_audit(write(tmp_path, content) / "audit.json")
