"""An attack of one's own joins a comparison as the page on attacks says."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Trained

from mondegreen.cli import compare
from mondegreen.errors import MondegreenError

PAGE = Path(__file__).parents[2] / "docs/attacks.md"


@pytest.fixture
def words(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A small comparison, called in an empty folder that Python does not know."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    return [
        *["--generator", str(trained.generator), "--out", "compared", "--pairs", "4"],
        *["--quality-pairs", "0", "--timing-rounds", "1", "--budgets", "snr:20", "--attacks"],
    ]


def test_the_attack_of_the_page_joins(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (code,) = (block for block in blocks if "class Hum" in block)
    Path("hums_of_a_user.py").write_text(code)
    monkeypatch.delitem(sys.modules, "hums_of_a_user", raising=False)
    compare.run([*words, "pgd:steps=1", "hums_of_a_user:Hum", "hums_of_a_user:Hum:hertz=3000"])
    cells = json.loads(Path("compared/comparison.json").read_text())["cells"]
    assert [cell["attack"].get("hertz") for cell in cells] == [None, 100.0, 3000]
    assert all(cell["snr_db"]["min"] >= 20.0 - 1e-4 for cell in cells)
    assert cells[1]["queries_per_clip"] == 0.0
    compare.run(
        [*words[:-3], "--untargeted", "--out", "away", "--attacks", "hums_of_a_user:Hum@snr:9"]
    )
    (cell,) = json.loads(Path("away/comparison.json").read_text())["cells"]
    assert cell["attack"]["untargeted"] is True


def test_mistakes_in_the_file_are_named(words: list[str]) -> None:
    Path("broken_of_a_user.py").write_text("import math\n\nx = maths.pi\n")
    with pytest.raises(MondegreenError, match=r"broken_of_a_user.py, line 3: NameError: .*maths"):
        compare.run([*words, "broken_of_a_user:Hum"])
    with pytest.raises(MondegreenError, match="in this folder or in one that PYTHONPATH names"):
        compare.run([*words, "absent_of_a_user:Hum"])
    Path("half_of_a_user.py").write_text(
        "import mondegreen\n\nclass Half(mondegreen.Attack):\n    name = 'half'\n"
    )
    with pytest.raises(MondegreenError, match=r"half_of_a_user:Half.*parameters"):
        compare.run([*words, "half_of_a_user:Half"])
