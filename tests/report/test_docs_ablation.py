"""The ablation's table: its numbers are those of the files, its order is the recipe's success."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.files import write_json
from mondegreen.report.docs_ablation import main, render_table


def variant(name: str, rates: tuple[float, float, float], seconds: float = 100.0) -> dict[str, Any]:
    measured: dict[str, Any] = {
        db: {"success_rate": rate, "pesq_nb": 3.0 + rate}
        for db, rate in zip(("20", "25", "30"), rates, strict=True)
    }
    return {
        "name": name,
        "steps": 1026,
        "processor_seconds": seconds,
        "parameters": 1_000_000,
        "macs": 30_000_000,
        "validation": measured | {"pairs": 3150},
        "environment": {"cpu": "a machine"},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_json(tmp_path / "a.json", variant("worse", (0.7, 0.5, 0.3), 150.0))
    write_json(tmp_path / "b.json", variant("the recipe", (0.8, 0.7, 0.5)))
    write_json(tmp_path / "c.json", variant("better", (0.9, 0.85, 0.7), 50.0))
    return tmp_path


def test_the_recipe_comes_first_and_the_others_by_success(folder: Path) -> None:
    rows = render_table(folder).splitlines()[2:5]
    assert [row.split(" | ")[0] for row in rows] == ["| the recipe", "| better", "| worse"]
    assert "85.00 % (+15.0)" in rows[1] and "× 0.50" in rows[1] and "3.85" in rows[1]
    assert "50.00 % (-20.0)" in rows[2] and "× 1.50" in rows[2]
    assert "(" not in rows[0]


def test_the_page_is_written_and_checked(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- ablation:begin -->\n<!-- ablation:end -->\nafter\n")
    words = [str(folder), str(page)]
    assert main([*words, "--check"]) == 1
    assert main(words) == 0
    assert page.read_text().startswith("before\n") and "the recipe" in page.read_text()
    assert main([*words, "--check"]) == 0


def test_results_without_the_recipe_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", variant("worse", (0.7, 0.5, 0.3)))
    with pytest.raises(MondegreenError, match="no result of 'the recipe'"):
        render_table(tmp_path)
    write_json(tmp_path / "b.json", {"other": 1})
    with pytest.raises(MondegreenError, match=r"b\.json"):
        render_table(tmp_path)
