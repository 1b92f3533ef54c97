"""``mondegreen compare`` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Trained

from mondegreen.claims import Claims
from mondegreen.cli import compare
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.compare import CLAIMS
from mondegreen.evaluation.recipes import cross


@pytest.fixture
def words(trained: Trained, tmp_path: Path) -> list[str]:
    """A small comparison of the tiny generator with itself."""
    return [
        *["--generator", str(trained.generator), "--out", str(tmp_path / "run")],
        *["--pairs", "4", "--quality-pairs", "0", "--timing-rounds", "1"],
    ]


def test_it_writes_everything_and_prints_json(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ["--attacks", "generator", "pgd:steps=1", "--budgets", "snr:20", "snr:30"]
    compare.run([*words, *cells, "--json"])
    found = json.loads(capsys.readouterr().out)
    out = tmp_path / "run"
    assert found == json.loads((out / "comparison.json").read_text())
    assert [cell["name"] for cell in found["cells"]] == [
        "generator--snr-20",
        "pgd-steps=1--snr-20",
        "generator--snr-30",
        "pgd-steps=1--snr-30",
    ]
    assert found["pairs"]["count"] == 4
    assert all(cell["snr_db"]["min"] >= cell["budget"]["value"] - 1e-4 for cell in found["cells"])
    assert [cell["gradients_per_clip"] > 0 for cell in found["cells"]] == [False, True] * 2
    assert found["cells"][0]["attack"]["fingerprint"]
    for name in ("table.md", "table.tex", "pairs.csv", "figures/success_over_snr.svg"):
        assert (out / name).is_file()


def test_the_same_command_measures_nothing_and_more_may_join(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ["--attacks", "generator", "--budgets", "snr:20"]
    compare.run([*words, *cells])
    assert "generator" in capsys.readouterr().out
    written = (tmp_path / "run" / "comparison.json").stat().st_mtime_ns
    compare.run([*words, *cells])
    assert (tmp_path / "run" / "comparison.json").stat().st_mtime_ns == written
    compare.run([*words, *cells, "snr:25"])
    found = json.loads((tmp_path / "run" / "comparison.json").read_text())
    assert [cell["budget"]["value"] for cell in found["cells"]] == [20.0, 25.0]
    with pytest.raises(MondegreenError, match="another configuration"):
        compare.run([*words, *cells, "--seed", "5"])


def test_machines_share_the_cells_of_one_folder(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ["--attacks", "generator", "--budgets", "snr:20", "snr:25"]
    run = tmp_path / "run"
    compare.run([*words, *cells[:3], "snr:25", "--share"])
    assert "1 of 1 cells are finished" in capsys.readouterr().err
    other = Claims(run / CLAIMS)
    assert other.take("generator--snr-20")
    compare.run([*words, *cells, "--share"])
    assert "1 of 2 cells are finished, others are at 1" in capsys.readouterr().err
    assert [path.name for path in (run / "cells").glob("*.json")] == ["generator--snr-25.json"]
    assert not (run / "comparison.json").exists()
    first = (run / "cells" / "generator--snr-25.json").read_bytes()
    other.give_back("generator--snr-20")
    compare.run([*words, *cells, "--share"])
    assert "2 of 2 cells are finished" in capsys.readouterr().err
    assert (run / "cells" / "generator--snr-25.json").read_bytes() == first
    compare.run([*words, *cells])
    found = json.loads((run / "comparison.json").read_text())
    assert [cell["budget"]["value"] for cell in found["cells"]] == [20.0, 25.0]


def test_untargeted_attacks_are_compared_on_clips_and_their_own_labels(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare.run([*words, "--attacks", "generator@snr:20", "pgd:steps=2@snr:30", "--untargeted"])
    assert "untargeted attacks against" in capsys.readouterr().out
    out = tmp_path / "run"
    found = json.loads((out / "comparison.json").read_text())
    assert found["goal"] == "untargeted" and found["recipe"] is None
    assert [cell["name"] for cell in found["cells"]] == ["generator--snr-20", "pgd-steps=2--snr-30"]
    assert all(cell["attack"]["untargeted"] for cell in found["cells"])
    # Nine labels of ten are no matter: there is one pair a clip.
    assert found["pairs"]["available"] == found["dataset"]["clips"]
    assert "misheard" in (out / "table.md").read_text()
    with pytest.raises(MondegreenError, match=r"differs in: .*untargeted"):
        compare.run([*words, "--attacks", "generator@snr:20"])


def test_a_recipe_stands_in_the_file(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "recipe", lambda *_, **__: cross(["pgd:steps=1"], ["snr:20"]))
    compare.run([*words, "--recipe", "black-box"])
    found = json.loads((tmp_path / "run" / "comparison.json").read_text())
    assert found["recipe"] == "black-box" and len(found["cells"]) == 1
    assert found["cells"][0]["seconds_per_clip"] > 0.0
    assert not list((tmp_path / "run" / "cells").glob("*.part"))


def test_what_is_missing_is_named(words: list[str], tmp_path: Path) -> None:
    for extra, reason in (
        ([], "--recipe curves"),
        (["--attacks", "generator"], "--attacks and --budgets go together"),
        (["--attacks", "nonsense", "--budgets", "snr:20"], "nonsense"),
        (["--attacks", "generator", "--budgets", "loud"], "loud"),
        (["--attacks", "generator", "--budgets", "none"], "trained for a budget"),
        (["--attacks", "generator@loud"], "loud"),
        (["--recipe", "curves"], "--universal"),
        (
            ["--attacks", "universal", "--budgets", "snr:20", "--untargeted"],
            "'universal' only reaches targets",
        ),
    ):
        with pytest.raises(MondegreenError, match=reason):
            compare.run([*words, *extra])
    assert not (tmp_path / "run").exists()
