"""The README's table: in step with the result files, and nothing else touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.report.generated import insert
from mondegreen.report.readme import main

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


def test_only_the_part_between_the_markers_changes() -> None:
    page = f"# Title\n{BEGIN}\nold\n{END}\nrest\n"
    assert insert(page, "new", "results") == f"# Title\n{BEGIN}\nnew\n{END}\nrest\n"
    assert insert(insert(page, "old", "results"), "new", "results") == insert(
        page, "new", "results"
    )


def test_missing_markers_are_an_error() -> None:
    with pytest.raises(MondegreenError, match="markers"):
        insert("# Title\n", "new", "results")


def test_check_notices_an_old_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    words = [str(tmp_path), str(page)]
    assert main([*words, "--check"]) == 1
    assert "make results" in capsys.readouterr().err
    assert main(words) == 0
    assert "92.33" in page.read_text()
    assert main([*words, "--check"]) == 0
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text("{}")
    assert main(words) == 2
