"""The tour, as a page and as a notebook: all of its code runs, in order, on a CPU in seconds."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs" / "notebooks" / "tour.ipynb"
PAGE = ROOT / "docs" / "tour.md"


def code_cells() -> list[str]:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a notebook would show, without a notebook."""

    class Audio:
        def __init__(self, samples: Any, rate: int, normalize: bool) -> None:
            assert not normalize, "a notebook would raise the level of the perturbation"
            self.samples, self.rate = np.asarray(samples), rate

    class Image:
        def __init__(self, path: Path) -> None:
            self.content = path.read_bytes()

    found: list[Any] = []
    module = types.ModuleType("IPython.display")
    module.__dict__.update(Audio=Audio, Image=Image, display=found.append)
    package = types.ModuleType("IPython")
    package.__dict__.update(version_info=(9, 0), get_ipython=lambda: None)  # matplotlib asks
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return found


def test_the_notebook_is_one_and_holds_no_outputs() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        assert cell["cell_type"] in ("markdown", "code")
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


def test_the_notebook_runs(
    shown: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names: dict[str, Any] = {}
    for code in code_cells():
        exec(compile(code, str(NOTEBOOK), "exec"), names)
    said = capsys.readouterr().out
    assert f"is now heard as “{names['target']}”" in said  # the attack works on the example
    assert names["rates"][0] > 90 > names["rates"][-1]  # and less so where it is quieter
    sounds = [one for one in shown if hasattr(one, "samples")]
    pictures = [one for one in shown if hasattr(one, "content")]
    assert [sound.samples.shape for sound in sounds] == [(16_384,)] * 5
    assert all(picture.content.startswith(b"\x89PNG") for picture in pictures)
    assert len(pictures) == 2


def test_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for code in re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        exec(compile(code, str(PAGE), "exec"), names)
    said = capsys.readouterr().out
    shares = {int(db): int(rate) for db, rate in re.findall(r"(\d+) dB: (\d+) %", said)}
    assert shares[20] > 90 and shares[20] > shares[30] > shares[40]
    kept = re.search(r"(\d+) of 10 clips are heard as before", said)
    assert kept is not None and int(kept.group(1)) >= 5
    before, after = (soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("before", "after"))
    assert 10 * np.log10(np.sum(before**2) / np.sum((after - before) ** 2)) >= 19.99
