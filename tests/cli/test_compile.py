"""``--compile``, ``--precision`` and ``--fast``: the same result within a tolerance."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from tests.cli.conftest import Trained

from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli import options
from mondegreen.cli.main import main
from mondegreen.cli.options import Device, Precision, choose_speed
from mondegreen.generators.generator import load_generator

EPOCHS = 4


@dataclass(frozen=True)
class Asked:
    """What a command's options say of speed."""

    device: Device = "cpu"
    precision: Precision = "32-true"
    compile: bool = False
    fast: bool = False


def train(kind: str, trained: Trained, out: Path, *more: str) -> list[dict[str, float]]:
    """Train at the smallest size and return the metrics."""
    words = ["train", kind, "--preset", "smoke", "--device", "cpu", "--cache", str(trained.cache)]
    words += ["--data", str(trained.data), "--out", str(out), *more]
    if kind == "generator":
        words += ["--classifier", str(trained.classifier)]
    assert main([*words, "--training.epochs", str(EPOCHS)]) == 0
    return list(map(json.loads, (out / "metrics.jsonl").read_text().splitlines()))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classifier", "generator"])
def test_compiled_in_mixed_precision_a_training_ends_nearly_the_same(
    kind: str, trained: Trained, tmp_path: Path
) -> None:
    plain = train(kind, trained, tmp_path / "plain")
    compiled = train(kind, trained, tmp_path / "compiled", "--compile")
    quick = ["--compile", "--precision", "bf16-mixed"]
    mixed = train(kind, trained, tmp_path / "mixed", *quick)
    loss, kept = {
        "classifier": ("classifier/loss", "validation/accuracy"),
        "generator": ("generator/total", "validation/success"),
    }[kind]
    for rows, tolerance in ((compiled, 0.01), (mixed, 0.05)):
        assert len(rows) == EPOCHS
        for row, wanted in zip(rows, plain, strict=True):
            assert row[loss] == pytest.approx(wanted[loss], rel=tolerance)
            assert row[kept] == pytest.approx(wanted[kept], abs=0.1)
    assert mixed[-1][loss] != plain[-1][loss]  # or it was not what was asked for
    # the weights keep their names: what was compiled is loaded, and continued, as anything else
    if kind == "classifier":
        assert load_classifier(tmp_path / "mixed").labels == ("high", "low", "mid")
    else:
        assert load_generator(tmp_path / "mixed").config.labels == ("high", "low", "mid")


@pytest.mark.parametrize("kind", ["classifier", "generator"])
def test_on_a_cpu_the_switch_for_gpus_changes_nothing(
    kind: str, trained: Trained, tmp_path: Path
) -> None:
    plain, fast = tmp_path / "plain", tmp_path / "fast"
    train(kind, trained, plain)
    train(kind, trained, fast, "--fast")
    weights = f"checkpoints/latest/{kind}.safetensors"
    assert (plain / weights).read_bytes() == (fast / weights).read_bytes()


def test_the_switch_stands_for_both_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(fast=True)
    assert choose_speed(asked)[1:] == ("32-true", False)
    assert choose_speed(Asked(compile=True))[1:] == ("32-true", True)
    monkeypatch.setattr(options, "choose_device", lambda device: torch.device("cuda"))
    assert choose_speed(asked)[1:] == ("bf16-mixed", True)
    assert choose_speed(replace(asked, fast=False))[1:] == ("32-true", False)


def test_without_a_compiler_the_option_is_named(
    trained: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("mondegreen.compilation.shutil.which", lambda name: None)
    words = ["train", "classifier", "--preset", "smoke", "--device", "cpu", "--compile"]
    words += ["--data", str(trained.data), "--cache", str(trained.cache)]
    assert main([*words, "--out", str(tmp_path / "run")]) == 2
    assert "--compile needs a C++ compiler" in " ".join(capsys.readouterr().err.split())
