"""docs/reproduction.md: written from result files, and checked against them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mondegreen.report import docs_reproduction
from mondegreen.report.docs_reproduction import main, render, render_page
from mondegreen.report.generated import mark, same_picture
from mondegreen.report.reproduction.results import load_reproduction

Content = dict[str, Any]
Build = Callable[..., Path]
NAME = "reproduction-cpu"


def few(content: Content) -> None:
    """One setting, one matrix and the ablation: figures cost time."""
    content["settings"] = content["settings"][:1]
    speech = content["settings"][0]
    for kind in ("unified", "spectral"):
        speech["generators"][kind] = {"missing": "not wanted"}
    speech["comparison"] = speech["curves"] = {"missing": "not wanted"}


@pytest.fixture
def place(build: Build, tmp_path: Path) -> tuple[Path, Path, Path]:
    """A run's folder, a folder of results that holds its JSON, and a page."""
    run = build(few)
    results = tmp_path / "results"
    (results / NAME).mkdir(parents=True)
    shutil.copy(run / "reproduction.json", results / NAME)
    return run, results, tmp_path / "docs" / "reproduction.md"


def test_without_a_run_the_page_says_so(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "reproduction.md"
    assert main([str(tmp_path), str(page)]) == 0
    assert "No reproduction has been run yet." in page.read_text(encoding="utf-8")
    assert main([str(tmp_path), str(page), "--check"]) == 0
    assert main([str(tmp_path / "nowhere"), str(page)]) == 2


def test_pages_and_pictures_are_checked(
    place: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run, results, page = place
    arguments = [str(results), str(page)]
    assert main(arguments) == 0 and main([*arguments, "--check"]) == 0
    text = page.read_text(encoding="utf-8")
    pictures = re.findall(r"\]\(images/([^)]+)\)", text)
    assert len(pictures) == len(set(pictures)) == 4
    for name in pictures:
        path = page.parent / "images" / name
        assert path.read_text().endswith(f"{mark(results / NAME / 'reproduction.json')}\n")
    assert text.count("Missing: its sounds are not at hand.") == 2
    for part in ("92.33 %", "93.00 %", "Not done: speech/single/no", "**supports**", "58.2 %"):
        assert part in text

    # The two figures of sounds come from the run itself; then the page shows them.
    assert main([*arguments, "--sounds", str(run)]) == 0
    assert main([*arguments, "--check"]) == 1
    assert main(arguments) == 0 and main([*arguments, "--check"]) == 0
    assert "images/reproduction-cpu-clips-speech.svg" in page.read_text(encoding="utf-8")

    # Another result makes the page, and all pictures, old.
    content = json.loads((run / "reproduction.json").read_text())
    content["preset"] = "paper"
    (results / NAME / "reproduction.json").write_text(json.dumps(content))
    capsys.readouterr()
    assert main([*arguments, "--check"]) == 1
    said = capsys.readouterr().err
    for name in ("error-rates.svg", "clips-speech.svg", "perturbations.svg", "reproduction.md"):
        assert f"{name} is out of step" in said
    assert main([*arguments, "--sounds", str(run)]) == 2
    assert f"copy it to {results / NAME}" in capsys.readouterr().err


def test_sounds_have_to_be_there(
    place: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run, results, page = place
    shutil.rmtree(run / "examples")
    shutil.rmtree(run / "ablation")
    assert main([str(results), str(page), "--sounds", str(run)]) == 2
    assert "holds none of the sounds" in capsys.readouterr().err


def test_damage_is_named(
    place: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, results, page = place
    path = results / NAME / "reproduction.json"
    content = json.loads(path.read_text())
    del content["settings"][0]["clean_accuracy"]
    path.write_text(json.dumps(content))
    assert main([str(results), str(page)]) == 2
    assert "clean_accuracy: the field is missing" in capsys.readouterr().err


def test_texts_start_no_html_and_close_no_fence(build: Build, tmp_path: Path) -> None:
    def change(content: Content) -> None:
        few(content)
        content["command"] = "mondegreen\n```\n# heading"
        content["settings"][0]["data"] = "<b>a|b</b>"

    found = load_reproduction(build(change, sounds=False))
    text = render_page({NAME: found}, tmp_path)
    assert "<b>" not in text and r"&lt;b>a\|b" in text
    assert text.count("```") == 2


def test_the_check_draws_nothing(
    place: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, results, page = place

    def fail(*_: object) -> str:
        raise AssertionError("drawn")

    monkeypatch.setattr(docs_reproduction, "picture", fail)
    pages = render(results, page, draw=False)
    assert len([path for path in pages if path.suffix == ".svg"]) == 4
    assert not same_picture(page.parent / "images" / "none.svg", "text")
