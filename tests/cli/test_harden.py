"""``harden`` and ``harden report``: from the command line to a verdict, and what is refused."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mondegreen.classifiers.consent import VARIABLE
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.main import main
from mondegreen.errors import MondegreenError

if TYPE_CHECKING:
    from tests.cli.conftest import Trained


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


THEIRS = """
import torch
from torch import nn

class Theirs(nn.Module):
    def __init__(self):
        super().__init__()
        self.listen = nn.Conv1d(1, 8, 400, stride=200)
        self.tell = nn.Linear(8, 3)
        with torch.no_grad():
            time = torch.arange(400) / 16_000
            waves = [f(6.283 * p * time) for p in (300, 800, 1300) for f in (torch.sin, torch.cos)]
            self.listen.weight[:6, 0] = torch.stack(waves) / 20
            self.listen.bias.zero_()
            self.tell.weight.zero_()
            for label in range(3):
                self.tell.weight[label, 2 * label : 2 * label + 2] = 30.0

    def forward(self, x):
        return self.tell(self.listen(x).square().mean(dim=2))

def ready():
    torch.manual_seed(3)
    return Theirs()

def function():
    model = ready()
    return lambda x: model(x)
"""


@pytest.fixture
def adopted(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where a model of another's was adopted as ``mine``, and a function as ``called``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "allowed"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("their_tones.py").write_text(THEIRS)
    shape = ["--sample-rate", "16000", "--clip-samples", "16000", "--labels", "low", "mid", "high"]
    for name, out in (("ready", "mine"), ("function", "called")):
        assert main(["adopt", f"their_tones.py:{name}", *shape, "--out", out]) == 0
    return tmp_path


def test_an_adopted_model_is_hardened(adopted: Path, trained: Trained) -> None:
    """Its source stays as it is; the folder of the hardened one holds the weights."""
    data = ("--data", str(trained.data))
    mine = replace(trained, classifier=Path("mine"))
    assert harden(mine, Path("harder"), *data) == 0
    before, after = load_classifier("mine"), load_classifier("harder")
    assert before.fingerprint() != after.fingerprint()
    sheet = json.loads(Path("harder/checkpoints/best/classifier.json").read_text())
    assert sheet["trained"] == after.fingerprint() and sheet["fingerprint"] == before.fingerprint()
    again = replace(trained, classifier=Path("harder"))
    assert harden(again, Path("hardest"), *data) == 0
    assert load_classifier("hardest").fingerprint() not in (sheet["trained"], sheet["fingerprint"])
    weights = Path("harder/checkpoints/best/classifier.safetensors")
    shutil.copy("hardest/checkpoints/best/classifier.safetensors", weights)
    with pytest.raises(MondegreenError, match="other weights than"):
        load_classifier("harder")


def test_what_of_adopted_models_cannot_be_hardened(
    adopted: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", str(trained.data))
    for place, more, said in (
        ("called", (), "no gradient reaches any"),
        ("mine", ("--floor", "0.01"), "its front end is its own affair"),
        ("their_tones.py:ready", (), "adopt it first"),
    ):
        given = replace(trained, classifier=Path(place))
        assert harden(given, Path("out"), *data, *more) == 2
        assert said in " ".join(capsys.readouterr().err.split())
