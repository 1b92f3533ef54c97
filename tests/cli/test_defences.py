"""``mondegreen defend`` and ``mondegreen defences``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Trained

from mondegreen.cli.main import main


def test_defences_are_measured_and_joined(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["defences", "--generator", str(trained.generator), "--pairs", "6", "--device", "cpu"]
    words += ["--defence", "quantize:bits=6", "--defence", "gaussian:sigma=0.01@2"]
    words += ["--detector", "consistency:quantize:bits=6", "residual", "--draws", "2"]
    words += ["--attacks", "generator", "--lessons", "pgd:steps=5@snr:0", "--training-clips", "20"]
    words += ["--knowing", "pgd:steps=1", "--certify", "2", "--certify-draws", "40"]
    words += ["--out", str(out), "--budgets", "snr:10"]
    assert main(words) == 0
    assert "Verdicts" in capsys.readouterr().out
    rows = len(list((out / "rows").glob("*.json")))
    assert rows == 1 + 4
    retrained = tmp_path / "retrained"
    shutil.copytree(trained.generator, retrained)
    words += ["snr:20", "--retrained", str(retrained), "--json"]
    assert main(words) == 2, "trained through no channel"
    assert "it knows no defence" in capsys.readouterr().err
    config = json.loads((retrained / "config.json").read_text())
    (retrained / "config.json").write_text(json.dumps(config | {"channel": ["quantize:bits=6"]}))
    assert main(words) == 0
    content = json.loads(capsys.readouterr().out)
    assert content == json.loads((out / "defences.json").read_text())
    assert len(content["rows"]) == 2 * (1 + 1 + 4)
    assert [one["kind"] for one in content["defences"]] == ["defence"] * 2 + ["detector"] * 2
    assert content["defences"][1]["certificate"]["clips"] == 2
    assert {row["knows"] for row in content["rows"]} == {
        None,
        "*",
        *(one["name"] for one in content["defences"]),
    }
    assert (out / "table.md").is_file() and (out / "figures" / "roc.svg").is_file()
    assert main([*words, "--secret", "3"]) == 2, "another defender in the same folder"


def test_a_defended_classifier_is_a_classifier(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "defended"
    words = ["defend", "--classifier", str(trained.classifier), "--out", str(place)]
    assert main([*words, "--defence", "median:samples=3"]) == 0
    assert main([*words, "--defence", "median:samples=3"]) == 0, "the same again"
    assert main([*words, "--defence", "gain"]) == 2, "another one in the same folder"
    words = ["evaluate", "--generator", str(trained.generator), "--classifier", str(place)]
    words += ["--quality-pairs", "0", "--timing-repeats", "0", "--device", "cpu", "--no-report"]
    capsys.readouterr()
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    content = json.loads((tmp_path / "run" / "results.json").read_text())
    assert content["classifier"]["name"].endswith("-defended")
    words = ["defences", "--generator", str(trained.generator), "--classifier", str(place)]
    assert main([*words, "--out", str(tmp_path / "more")]) == 2
    assert "behind the defence" in capsys.readouterr().err


def test_a_generator_is_trained_against_it(trained: Trained, tmp_path: Path) -> None:
    place, out = tmp_path / "defended", tmp_path / "generator"
    words = ["defend", "--classifier", str(trained.classifier), "--out", str(place)]
    assert main([*words, "--defence", "quantize:bits=6"]) == 0
    words = ["train", "generator", "--preset", "smoke", "--classifier", str(place)]
    words += ["--training.epochs", "1", "--device", "cpu", "--out", str(out)]
    assert main(words) == 0
    words = ["evaluate", "--generator", str(out), "--quality-pairs", "0", "--timing-repeats", "0"]
    words += ["--device", "cpu", "--no-report", "--out", str(tmp_path / "run")]
    assert main(words) == 0
