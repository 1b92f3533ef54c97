"""The page of one comparison: every row and threshold, its figures, its policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from mondegreen.cli.main import main
from mondegreen.errors import MondegreenError
from mondegreen.report.comparison_page import render_comparison, write_comparison_page
from mondegreen.report.comparison_results import Comparison, load_comparison
from mondegreen.report.comparison_texts import reach_rows, rows
from mondegreen.report.comparison_words import plain_words

Make = Callable[..., Comparison]
ROOT = Path(__file__).parents[3]
MEASURED = sorted((ROOT / "results").glob("*/comparison.json"))


def texts(page: str) -> list[tuple[str, ...]]:
    """The rows of all tables."""
    found = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", page)
    return [
        (unescape(first), *map(unescape, re.findall(r"<td[^>]*>(.*?)</td>", rest)))
        for first, rest in found
    ]


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.parent.name)
def test_every_number_of_the_tables_is_in_the_page(path: Path) -> None:
    comparison = load_comparison(path)
    page = render_comparison(comparison)
    shown = texts(page)
    for row in [*rows(comparison), *reach_rows(comparison)]:
        assert tuple(row) in shown
    for sentence in plain_words(comparison):
        assert sentence in unescape(page)
    assert comparison.command in unescape(page)
    assert len(page.encode()) < 1_000_000


def test_the_page_stands_alone(make: Make) -> None:
    page = render_comparison(make())
    assert page.count('<svg class="figure"') == 3
    assert page.count("<script>") == 2
    for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in page
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith(("#", "data:", "https://doi.org/")) for link in links)


def test_what_nobody_measured_is_left_out(make: Make) -> None:
    one = make(cells=[json.loads(json.dumps(CELL))])
    page = render_comparison(one)
    assert 'id="curves"' not in page and 'id="reaches"' not in page and 'id="words"' not in page
    assert "1 attack</strong> against <strong>toy_net" in page
    assert "<td>universal perturbation (75.0 %)</td>" in page
    assert "misheard" in render_comparison(replace(one, untargeted=True))


def test_hostile_names_stay_text(make: Make) -> None:
    page = render_comparison(make(command="<script>alert(1)</script>"))
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_report_writes_the_page_of_a_comparison(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make()
    folder = tmp_path / "results" / "toy"
    assert main(["report", str(folder)]) == 0
    assert (folder / "report.html").read_text(encoding="utf-8") == render_comparison(make())
    for name in ("table.md", "figures/success_over_snr.svg"):
        assert (folder / name).is_file()
    assert str(folder / "report.html") in capsys.readouterr().err


def test_a_damaged_comparison_is_a_user_error(make: Make, tmp_path: Path) -> None:
    make()
    path = tmp_path / "results" / "toy" / "comparison.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(MondegreenError, match=re.escape("comparison.json")):
        write_comparison_page(path.parent)


def quality(mean: float | None) -> dict[str, object]:
    return {"mean": mean, "median": mean, "min": mean, "failed": 0, "pairs": 9, "reason": "no"}


CELL = {
    "label": "universal",
    "family": "universal",
    "steps": None,
    "quietness": None,
    "attack": {"name": "universal"},
    "budget": {"kind": "snr", "value": 20},
    "success_rate": 0.75,
    "success_interval": [0.5, 0.9],
    "success_rate_correct": 0.7,
    "snr_db": quality(20.5),
    "pesq_nb": quality(None),
    "pesq_wb": quality(None),
    "stoi": quality(None),
    "milliseconds_per_clip": None,
    "generator": None,
}
