"""``harden`` and ``harden report``: from the command line to a verdict, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import pytest

from mondegreen.cli.main import main


class Trained(Protocol):
    """What the fixture ``trained`` holds."""

    cache: Path
    classifier: Path
    generator: Path


def harden(trained: Trained, out: Path, *more: str) -> int:
    words = ["harden", "--classifier", str(trained.classifier), "--cache", str(trained.cache)]
    words += ["--device", "cpu", "--epochs", "1", "--select-steps", "1", "--out", str(out)]
    return main([*words, *more])


def test_a_hardened_classifier_is_taken_everywhere(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, generator = tmp_path / "hardened", tmp_path / "against"
    more = ["--generator", str(trained.generator), "--method", "refined", "--floor", "0.01"]
    assert harden(trained, out, *more) == 0
    assert "refined: of the validation clips" in capsys.readouterr().err
    saved = json.loads((out / "checkpoints/best/classifier.json").read_text())
    assert saved["front_end"]["floor"] == 0.01
    summary = json.loads((out / "summary.json").read_text())
    assert summary["epoch"] == 1 and summary["cpu_seconds"] > 0.0
    before = (out / "metrics.jsonl").read_bytes()
    assert harden(trained, out, *more) == 0  # finished: nothing is trained again
    assert (out / "metrics.jsonl").read_bytes() == before
    smoke = ["--preset", "smoke", "--device", "cpu", "--training.epochs", "1"]
    words = ["train", "generator", *smoke, "--classifier", str(out), "--out", str(generator)]
    assert main(words) == 0
    words = ["harden", "report", "--classifiers", str(trained.classifier), str(out)]
    words += ["--generators", str(generator), "--snr-db", "20", "--check-db", "20", "--pairs", "4"]
    words += ["--steps", "1", "--queries", "1", "--square-pairs", "2", "--restarts", "1"]
    words += ["--device", "cpu", "--out", str(tmp_path / "report")]
    assert main(words) == 0
    found = json.loads((tmp_path / "report" / "hardening.json").read_text())
    first, second = found["classifiers"]
    assert first["training"] is None and first["generator"] is None
    assert second["training"]["method"] == "refined" and second["training"]["floor"] == 0.01
    assert len(second["training"]["course"]) == 1
    assert "generator" in {attack["label"] for attack in second["attacks"]}
    shown = capsys.readouterr().out
    assert "clean accuracy" in shown and "hardened: Under gradient search at 20 dB" in shown


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--method", "generator"), "--generator"),
        (("--method", "pgd", "--floor", "1e-9"), "--floor"),
        (("--method", "pgd", "--share", "2"), "share"),
    ],
)
def test_what_cannot_be_hardened_is_said(
    more: tuple[str, ...],
    word: str,
    trained: Trained,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert harden(trained, tmp_path / "run", *more) == 2
    assert word in capsys.readouterr().err


def test_a_report_needs_a_before_and_an_after(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["harden", "report", "--classifiers", str(trained.classifier)]
    assert main([*words, "--out", str(tmp_path / "report")]) == 2
    assert "two or more" in capsys.readouterr().err
