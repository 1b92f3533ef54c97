"""The table of measures of audibility holds the file's numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.files import write_json
from mondegreen.report.docs_hearing import NAMES, main, render_table


def test_the_table_is_written_and_checked(tmp_path: Path) -> None:
    measures = {
        name: {"spearman": -0.1 * place, "low": -0.9, "high": 0.25}
        for place, name in enumerate(NAMES, start=5)
    }
    results, page = tmp_path / "hearing.json", tmp_path / "page.md"
    write_json(results, {"clips": 40, "correlations": {"all": measures}})
    page.write_text("before\n<!-- hearing:begin -->\n<!-- hearing:end -->\nafter\n")
    assert main([str(results), str(page), "--check"]) == 1
    assert main([str(results), str(page)]) == 0
    assert main([str(results), str(page), "--check"]) == 0
    text = page.read_text()
    assert "| all | -0.50 (-0.90 to +0.25) | -0.60" in text and "over 40 clips" in text
    assert text.startswith("before\n") and text.endswith("after\n")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "hearing.json", {"clips": 40})
    with pytest.raises(MondegreenError, match=r"hearing\.json is damaged"):
        render_table(tmp_path / "hearing.json")
