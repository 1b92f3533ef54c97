"""Tables, figure and page of a made-up transfer: every number can be found again."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from matplotlib.patches import Rectangle
from rich.console import Console

from mondegreen.errors import MondegreenError
from mondegreen.report.docs_transfer import main
from mondegreen.report.transfer_figures import transfer_matrix
from mondegreen.report.transfer_results import Transfer, load_transfer
from mondegreen.report.transfer_tables import (
    about,
    latex,
    markdown,
    print_transfer,
    rows,
    write_transfer,
)

PAGE = "# Transfer\n\nBefore.\n\n<!-- transfer:begin -->\nold\n<!-- transfer:end -->\n\nAfter.\n"


def heard(seen: bool, success: float | None, away: float | None) -> dict[str, Any]:
    ends = None if success is None else [max(0.0, success - 0.1), min(1.0, success + 0.04)]
    return {
        "seen": seen,
        "success_rate": success,
        "success_interval": ends,
        "untargeted_rate": away,
        "untargeted_interval": None,
    }


def row(label: str, against: str, *cells: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{label}-against-{against}--snr-20",
        "label": label,
        "against": against,
        "asked": [{"name": against, "fingerprint": "12"}],
        "untargeted": False,
        "attack": {"name": label, "steps": 20},
        "snr_db": {"mean": 20.73, "median": 20.5, "min": 20.0, "failed": 0, "pairs": 30},
        "gradients_per_clip": 20.0,
        "queries_per_clip": None,
        "duration_seconds": 3.0,
        "created": "2026-01-02T03:04:05+00:00",
        "cells": list(cells),
    }


def content() -> dict[str, Any]:
    listeners = [
        {
            "name": name,
            "network": name,
            "parameters": 305_120,
            "fingerprint": f"9f{number}",
            "labels": ["low", "high"],
            "sample_rate": 8000,
            "clean_accuracy": 0.951,
            "baseline_rate": 0.0213,
            "right_pairs": 28,
        }
        for number, name in enumerate(("small_net", "wide|net"))
    ]
    return {
        "format": 1,
        "classifiers": listeners,
        "budget": {"kind": "snr", "value": 20.0},
        "dataset": {
            "name": "tones",
            "split": "test",
            "split_kind": "speaker",
            "clips": 40,
            "groups": 9,
            "silent_clips": [],
        },
        "pairs": {"count": 30, "available": 40, "clips": 28, "groups": 8},
        "rows": [
            row("pgd:steps=20", "small_net", heard(True, 1.0, 1.0), heard(False, 0.1234, 0.4321)),
            row("pgd:steps=20", "wide|net", heard(False, 0.0567, 0.25), heard(True, 0.9876, 1.0)),
            row("away", "small_net", heard(True, None, 0.875), heard(False, None, None)),
        ],
        "seed": 7,
        "command": "mondegreen transfer --attacks pgd:steps=20",
        "environment": {"python": "3.11.9", "cpu": "Toy CPU", "cores": 2},
        "duration_seconds": 9.0,
        "created": "2026-01-02T03:04:05+00:00",
    }


def write(path: Path, change: Callable[[dict[str, Any]], object] = lambda value: None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    value = content()
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@pytest.fixture
def found(tmp_path: Path) -> Transfer:
    return load_transfer(write(tmp_path / "run" / "transfer.json"))


# ------------------------------------------------------------------ reading


def test_it_is_read_as_it_was_written(found: Transfer) -> None:
    assert [one.name for one in found.listeners] == ["small_net", "wide|net"]
    assert (found.pairs, found.clips, found.groups, found.seed) == (30, 28, 8, 7)
    assert found.rows[1].cells[1].success_rate == 0.9876 and found.rows[1].cells[1].seen
    assert found.rows[2].cells[0].success_rate is None
    assert found.rows[0].gradients == 20.0 and found.rows[0].queries is None
    assert found.reach == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda top: top.update(format=2), "this version reads format 1"),
        (lambda top: top.update(rows=[]), "rows: expected a list of one or more"),
        (lambda top: top.update(classifiers={}), "classifiers: expected a list"),
        (lambda top: top["classifiers"][0].pop("network"), "classifiers 1: network.*missing"),
        (lambda top: top["rows"][1]["cells"].pop(), "rows 2: cells: expected a list of 2"),
        (lambda top: top["rows"][0]["cells"][1].update(seen=1), "rows 1: cells 2: seen"),
        (lambda top: top["rows"][0]["cells"][0].update(success_rate=1.5), "success_rate"),
        (lambda top: top["rows"][0]["cells"][0].update(success_interval=[0.1]), "the upper end"),
        (lambda top: top["rows"][0]["cells"][0].update(untargeted_rate="x"), "untargeted_rate"),
        (lambda top: top["rows"][0].update(asked=[3]), "asked 1: expected an object"),
        (lambda top: top["pairs"].update(count=-1), "count"),
        (lambda top: top["budget"].update(kind="loud"), "loud"),
    ],
)
def test_a_damaged_field_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], named: str
) -> None:
    path = write(tmp_path / "transfer.json", change)
    with pytest.raises(MondegreenError, match=rf"transfer\.json.*{named}"):
        load_transfer(path)


# ------------------------------------------------------------------ tables


def test_every_number_is_in_the_tables(found: Transfer) -> None:
    assert rows(found) == [
        ("untouched clips", "heard rightly", "95.1", "95.1", "–"),
        ("untouched clips", "as below", "2.1 / 0.0", "2.1 / 0.0", "–"),
        ("pgd:steps=20", "small_net", "100.0 / 100.0 •", "12.3 / 43.2", "20.7"),
        ("pgd:steps=20", "wide|net", "5.7 / 25.0", "98.8 / 100.0 •", "20.7"),
        ("away", "small_net", "– / 87.5 •", "– / –", "20.7"),
    ]
    text = markdown(found)
    assert len({line.replace("\\|", "").count("|") for line in text.splitlines()}) == 1
    assert "| pgd:steps=20 | wide\\|net | 5.7 / 25.0 | 98.8 / 100.0 • | 20.7 |" in text
    told = about(found)
    assert "30 pairs (30 of 40, drawn) of 28 clips and 8 speakers" in told
    assert "SNR ≥ 20 dB" in told and "up to 10.0 points from it" in told


def test_latex_has_nothing_that_latex_would_read_otherwise(found: Transfer) -> None:
    text = latex(found)
    assert "small\\_net & 100.0 / 100.0 $\\bullet$ & 12.3 / 43.2" in text
    assert not re.search(r"(?<!\\)[%_#]", text.partition("\n")[2])
    body = text[text.index("\\toprule") : text.index("\\bottomrule")]
    assert {line.count("&") for line in body.splitlines() if "&" in line} == {4}


def test_the_terminal_shows_it(found: Transfer) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    print_transfer(found, console)
    text = console.export_text()
    for wanted in (
        "pgd:steps=20",
        "100/100•",
        "12.3/43.2",
        "98.8/100•",
        "–/87.5•",
        "to 10.0 points",
    ):
        assert wanted in text


# ------------------------------------------------------------------ figure


def test_the_figure_has_every_number_and_frames_what_was_asked(found: Transfer) -> None:
    figure = transfer_matrix(found)
    left, right = figure.axes
    numbers = [text.get_text() for text in left.texts]
    expected = ["2.1", "2.1", "pgd:steps=20", "100", "12.3", "5.7", "98.8", "away", "–", "–"]
    assert numbers == expected
    assert [text.get_text() for text in right.texts][-2:] == ["87.5", "–"]
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == ["untouched clips", "small_net", "wide|net", "small_net"]
    for axes in (left, right):
        fields = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        framed = [patch.get_xy() for patch in fields if not patch.get_fill()]
        assert [int(x) for x, _ in framed] == [0, 1, 0]


def test_the_files_of_the_folder(found: Transfer, tmp_path: Path) -> None:
    files = write_transfer(tmp_path / "run", found)
    names = ["table.md", "table.tex", "transfer_matrix.png", "transfer_matrix.svg"]
    assert [file.name for file in files] == names and all(file.is_file() for file in files)
    ElementTree.parse(files[-1])
    before = [file.read_bytes() for file in files]
    assert [file.read_bytes() for file in write_transfer(tmp_path / "run", found)] == before


# ------------------------------------------------------------------ page


def test_the_page_is_written_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, results = tmp_path / "docs" / "transfer.md", tmp_path / "results"
    results.mkdir()
    page.parent.mkdir()
    page.write_text(PAGE)
    assert main([str(results), str(page), "--check"]) == 1
    assert main([str(results), str(page)]) == 0
    assert "No transfers yet." in page.read_text() and "old" not in page.read_text()
    assert main([str(results), str(page), "--check"]) == 0
    path = write(results / "two-nets" / "transfer.json")
    assert main([str(results), str(page), "--check"]) == 1
    assert main([str(results), str(page)]) == 0
    text = page.read_text()
    assert text.startswith("# Transfer\n\nBefore.\n") and text.endswith("\nAfter.\n")
    assert "### two-nets" in text and "12.3 / 43.2" in text
    assert "mondegreen transfer --attacks pgd:steps=20" in text
    assert "(images/transfer-two-nets.svg)" in text
    assert main([str(results), str(page), "--check"]) == 0
    # Another measurement with the same rounded numbers still asks for another picture.
    write(path, lambda top: top["rows"][0]["cells"][1].update(success_rate=0.12341))
    capsys.readouterr()
    assert main([str(results), str(page), "--check"]) == 1
    assert "transfer-two-nets.svg is out of step" in capsys.readouterr().err


def test_what_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "transfer.md"
    page.write_text("# Transfer\n")
    assert main([str(tmp_path / "nowhere"), str(page)]) == 2
    assert main([str(tmp_path), str(page)]) == 2
    write(tmp_path / "one" / "transfer.json", lambda top: top.pop("rows"))
    page.write_text(PAGE)
    assert main([str(tmp_path), str(page)]) == 2
    told = capsys.readouterr().err
    for wanted in ("nowhere is not a folder", "transfer:begin", "rows: the field is missing"):
        assert wanted in told
