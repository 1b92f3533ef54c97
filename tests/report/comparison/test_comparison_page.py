"""Reading a comparison's file, and the page of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.report.comparison_results import Comparison, load_comparison
from mondegreen.report.docs_comparison import main

Make = Callable[..., Comparison]
MakeCell = Callable[..., dict[str, Any]]


# ------------------------------------------------------------------ reading and the page


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cells": []}, "cells"),
        ({"format": 2}, "format"),
        ({"goal": "both"}, "goal"),
        ({"thresholds": [{"label": "generator", "smallest": 1, "levels": []}]}, "smallest"),
    ],
)
def test_damage_is_named(make: Make, change: dict[str, Any], named: str) -> None:
    with pytest.raises(MondegreenError, match=named):
        make(**change)


def test_damage_of_a_cell_is_named(make: Make, cell: MakeCell) -> None:
    for change, named in (
        ({"success_rate": 95.0}, "cell 1: success_rate"),
        ({"label": 3}, "label"),
        ({"success_over_queries": [[1.0]]}, "pairs of numbers"),
        ({"success_over_queries": [[1.0, 2.0]]}, "share"),
    ):
        with pytest.raises(MondegreenError, match=named):
            make([{**cell("generator", 20, 0.5), **change}])


def test_older_files_are_targeted_and_get_their_thresholds_from_the_rates(make: Make) -> None:
    comparison = make()
    assert not comparison.untargeted and comparison.recipe is None
    assert comparison.cells[0].seconds is None and not comparison.cells[0].over_queries
    reach = {one.title: one for one in comparison.reaches}
    assert list(reach) == ["generator", "generator + 5 steps", "gradient search, 20 steps"]
    half, most, _ = reach["gradient search, 20 steps"].levels
    assert (half.db, most.db) == (30.0, 20.0) and half.side == "above"
    assert most.interval is None


def test_what_is_committed_is_read() -> None:
    for path in (Path(__file__).parents[3] / "results").glob("*/comparison.json"):
        comparison = load_comparison(path)
        assert comparison.cells
        assert comparison.reaches or len(comparison.budgets_db) < 2


def test_the_page_is_written_and_checked(
    make: Make, cell: MakeCell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(name="b-toy")
    page = tmp_path / "docs" / "comparison.md"
    words = [str(tmp_path / "results"), str(page)]
    assert main([*words, "--check"]) == 1 and not page.exists()
    assert main(words) == 0
    text = page.read_text(encoding="utf-8")
    pictures = re.findall(r"\]\((images/[^)]+)\)", text)
    assert len(pictures) == 3
    for picture in pictures:
        assert ElementTree.parse(page.parent / picture).getroot().tag.endswith("svg")
    assert "| generator + 5 steps | > 30 | > 30 | 20.0 |" in text
    assert "## b-toy" in text and "mondegreen compare --recipe curves" in text
    assert "| generator + 5 steps | SNR ≥ 20 dB | 99.0 |" in text
    assert main([*words, "--check"]) == 0
    capsys.readouterr()
    (page.parent / pictures[0]).unlink()
    assert main([*words, "--check"]) == 1
    assert pictures[0] in capsys.readouterr().err
    assert main(words) == 0
    make(cells=[cell("generator", 20, 0.123)], name="b-toy")
    assert main([*words, "--check"]) == 1
    assert "12.3" in capsys.readouterr().out


def test_the_papers_table_stands_beside_its_rivals(
    make: Make, cell: MakeCell, tmp_path: Path
) -> None:
    options = {"name": "p", "epochs": 3, "iterations": 30, "particles": 25}
    cells = [
        cell("generator", 20, 0.9),
        cell("genetic", 20, 0.5, attack={"name": "genetic", "iterations": 500}),
        cell("pso", 20, 0.4, attack=options),
    ]
    make(cells, name="table-1")
    make(cells[:1], name="other")
    make(cells[1:], name="rivals-alone")
    page = tmp_path / "comparison.md"
    assert main([str(tmp_path / "results"), str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "### table-1 beside the paper's Table 1" in text
    assert "### other" not in text and "### rivals-alone" not in text
    assert "| 92.33 % | 90.00 % | 20.27 | 20.50 | 0.009 | 0.008 |" in text
    assert "* The genetic attack (Alzantot et al.) searched to its published limit" in text
    assert "1 % of its published limit, 300 epochs x 30 iterations x 25 particles" in text


def test_a_page_without_comparisons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results").mkdir()
    page = tmp_path / "comparison.md"
    assert main([str(tmp_path / "results"), str(page)]) == 0
    assert "No comparisons yet." in page.read_text(encoding="utf-8")
    assert main([str(tmp_path / "nowhere"), str(page)]) == 2
    assert "is not a folder" in capsys.readouterr().err
