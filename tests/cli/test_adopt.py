"""``mondegreen adopt`` and what other commands do with what was adopted."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.cli.conftest import Trained

from mondegreen.classifiers.consent import VARIABLE
from mondegreen.cli.main import main

STRANGERS = Path(__file__).parents[1] / "classifiers" / "strangers"
TONES = {"high": 2700.0, "low": 300.0, "middle": 900.0}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tone spotter in a stranger's file, and labelled tones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "allowed"))
    monkeypatch.setenv("MONDEGREEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    shutil.copy(STRANGERS / "raw.py", tmp_path / "their_raw.py")
    rng = np.random.default_rng(4)
    time = np.arange(2000) / 8000
    for label, hertz in TONES.items():
        Path("clips", label).mkdir(parents=True)
        for speaker in range(40):
            x = 0.3 * np.sin(2 * np.pi * hertz * time + speaker) + 0.01 * rng.standard_normal(2000)
            soundfile.write(f"clips/{label}/s{speaker}_nohash_0.wav", x, 8000)
    return tmp_path


def adopt(out: str, *words: str, model: str = "their_raw.py:Raw") -> int:
    shape = ["--sample-rate", "8000", "--clip-samples", "2000"]
    return main(["adopt", model, *shape, "--data", "clips", "--out", out, *words])


def test_a_model_is_adopted_and_attacked(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt("mine", "--labels", "low", "middle", "high") == 0
    told = capsys.readouterr()
    assert "100.0 % of" in told.out and "(batch, 1, time)" in " ".join(told.out.split())
    assert "stands for their_raw.py:Raw (all attacks)" in told.err
    check = json.loads(Path("mine/check.json").read_text())
    assert check["check"]["accuracy"] == 1.0 and check["check"]["order"] is None
    words = ["compare", "--classifier", "mine", "--attacks", "pgd:steps=3", "square:queries=20"]
    words += ["--budgets", "snr:10", "--pairs", "4", "--quality-pairs", "0"]
    words += ["--timing-rounds", "1"]
    assert main([*words, "--out", "compared"]) == 0  # the clips are those it was checked with
    cells = json.loads(Path("compared/comparison.json").read_text())["cells"]
    assert cells[0]["gradients_per_clip"] > 0.0 and cells[1]["gradients_per_clip"] == 0.0


def test_a_wrong_order_of_labels_is_told(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt("mine") == 2  # the folders' names, sorted, are a guess
    told = " ".join(capsys.readouterr().err.split())
    assert "--labels low middle high" in told and "100.0 %" in told
    assert not Path("mine").exists()
    assert adopt("mine", "--anyway") == 0
    assert adopt("mine", "--labels", "low", "middle", "high") == 0  # its own folder is replaced
    sheet = json.loads(Path("mine/classifier.json").read_text())
    assert sheet["labels"] == ["low", "middle", "high"]


def test_a_weak_model_is_not_called_worse_than_it_is(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("their_raw.py").open("a") as file:
        file.write(
            "\n\nclass Weak(Raw):\n    def forward(self, audio):\n"
            "        # right where a clip begins below zero, low elsewhere\n"
            "        right = (audio[..., 0].reshape(-1, 1) < 0).float()\n"
            "        return right * super().forward(audio) + (1 - right) * "
            "torch.tensor([9.0, -2.0, -2.0])\n"
        )
    assert adopt("mine", "--labels", "low", "middle", "high", model="their_raw.py:Weak") == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "not clearly more than the" in told and "no better than chance" not in told


def test_the_scaling_is_the_one_that_is_heard(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("their_raw.py").open("a") as file:
        file.write(
            "\n\nclass Loud(Raw):\n    def forward(self, audio):\n"
            "        # what is too quiet to be 16-bit samples is taken for low\n"
            "        loud = (audio.abs().amax((1, 2)) > 100.0).float()[:, None]\n"
            "        return loud * super().forward(audio / 32768.0) + (1 - loud) * "
            "torch.tensor([9.0, -2.0, -2.0])\n"
        )
    labels = ("--labels", "low", "middle", "high")
    assert adopt("mine", *labels, model="their_raw.py:Loud") == 0
    sheet = json.loads(Path("mine/classifier.json").read_text())
    assert sheet["contract"]["scaling"] == "int16"


def test_refusals(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def says(words: list[str], *parts: str) -> None:
        assert main(words) == 2
        told = " ".join(capsys.readouterr().err.split())
        assert "Traceback" not in told
        for part in parts:
            assert part in told, told

    says(["adopt", "clips", "--out", "mine"], "no model that can be adopted")
    says(["adopt", "their_raw.py:Raw", "--out", "mine"], "--labels")
    says(["adopt", "their_raw.py:Raw", "--labels", "a", "b", "c", "--out", "x"], "--sample-rate")
    says(["adopt", "their_raw.py:Raw", "--out", "clips"], "holds something else")
    wrong = ["adopt", "their_raw.py:Raw", "--labels", "a", "b", "--sample-rate", "8000"]
    says([*wrong, "--out", "mine"], "answers with 3 numbers for each clip, but 2 labels")


def test_a_black_box_refuses_what_it_cannot(
    workplace: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("their_raw.py").open("a") as file:
        file.write(
            "\n\nclass Mute:\n    labels = ['low', 'mid', 'high']\n    sample_rate = 16000\n\n"
            "    def __call__(self, audio):\n        return Raw()(audio.detach())\n\n\n"
            "def mute():\n    return Mute()\n"
        )
    data = ["--data", str(trained.data), "--cache", str(trained.cache)]
    box = ["--classifier", "their_raw.py:mute", *data]
    for command in (["train", "generator"], ["train", "universal"]):
        assert main([*command, *box, "--preset", "smoke", "--out", command[1]]) == 2
        assert "genetic, pso and square" in " ".join(capsys.readouterr().err.split())
    words = ["compare", *box, "--budgets", "snr:10", "--pairs", "4", "--quality-pairs", "0"]
    words += ["--timing-rounds", "1", "--generator", str(trained.generator)]
    assert main([*words, "--attacks", "square:queries=5", "pgd:steps=2", "--out", "no"]) == 2
    assert "pgd-2 needs the classifier's gradients" in " ".join(capsys.readouterr().err.split())
    assert main([*words, "--attacks", "generator", "square:queries=5", "--out", "yes"]) == 0
    cells = json.loads(Path("yes/comparison.json").read_text())["cells"]
    assert 0 < cells[1]["queries_per_clip"] <= 5
    measure = ["--quality-pairs", "0", "--timing-repeats", "0", "--no-report"]
    words = ["evaluate", *box, "--generator", str(trained.generator), *measure]
    assert main([*words, "--refine", "1", "--out", "refined"]) == 2
    assert main([*words, "--out", "carried"]) == 0
    found = json.loads(Path("carried/results.json").read_text())
    assert found["classifier"]["name"] == "mute" and found["pairs"] > 0
