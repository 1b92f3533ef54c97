"""The snippets of the page on one's own classifier run, with models that stand where it says."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from tests.furnished.basics import furnish

import blocks
import mondegreen
from mondegreen.cli import main
from mondegreen.errors import MissingExtraError


def _without_extras(*_: object) -> NoReturn:
    raise MissingExtraError("pesq", "quality")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the snippets expect: two runs, clips and a recording."""
    monkeypatch.chdir(tmp_path)
    # Timing repeats every attack, and PESQ takes long over noise: both are tested elsewhere.
    monkeypatch.setattr("mondegreen.evaluation.timing._seconds", lambda *_: 0.001)
    monkeypatch.setattr("mondegreen.evaluation.results.quality", _without_extras)
    monkeypatch.setenv("MONDEGREEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MONDEGREEN_ALLOWED", str(tmp_path / "allowed"))
    furnish(tmp_path)
    return tmp_path


def test_the_snippets_on_classifiers_run(workplace: Path) -> None:
    page = blocks.ROOT / "docs" / "classifiers.md"
    snippets = [one.code for one in blocks.blocks(page) if one.language == "python"]
    Path("my_model.py").write_text(snippets[0])
    for code in snippets:
        exec(code, {})
    words = ["adopt", "my_model.py:build", "--labels", "no", "yes", "--sample-rate", "16000"]
    assert main.main([*words, "--data", "clips", "--out", "runs/mine"]) == 0
    assert mondegreen.load_classifier("runs/mine").differentiable
