"""``train universal`` as a user calls it, at smoke size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Trained

from mondegreen.attacks import linear_filter, universal
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.train_universal import run
from mondegreen.errors import MondegreenError


def words(trained: Trained, out: Path, *more: str) -> list[str]:
    base = ["--preset", "smoke", "--device", "cpu", "--classifier", str(trained.classifier)]
    return [*base, "--out", str(out), *more]


@pytest.mark.parametrize("kind", ["perturbation", "filter"])
def test_trains_saves_and_refuses_to_overwrite(
    trained: Trained, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    asked = words(trained, out, "--kind", kind, "--snr-db", "12", "--taps", "32", "--epochs", "3")
    run(asked)
    assert "3 targets" in capsys.readouterr().err
    summary = json.loads((out / "summary.json").read_text())
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert summary["epochs"] == 3
    assert summary["validation/success"] in [row["validation/success"] for row in rows]
    assert rows[0]["validation/snr_db"] == pytest.approx(12.0, abs=0.05)
    classifier = load_classifier(trained.classifier)
    module = universal if kind == "perturbation" else linear_filter
    attack = module.load_universal(out, classifier)
    assert attack.parameters()["trained_for_db"] == 12.0

    weights = out / "checkpoints" / "best" / "universal.safetensors"
    before = weights.stat().st_mtime_ns
    run(asked)  # the same command trains nothing
    assert weights.stat().st_mtime_ns == before
    with pytest.raises(MondegreenError, match="another configuration"):
        run([*asked, "--training.learning-rate", "0.5"])


def test_weights_that_are_gone_are_missed(trained: Trained, tmp_path: Path) -> None:
    run(words(trained, tmp_path / "run"))
    (tmp_path / "run" / "checkpoints" / "best" / "universal.safetensors").unlink()
    with pytest.raises(MondegreenError, match="the weights are missing"):
        run(words(trained, tmp_path / "run"))


def test_needs_a_classifier_and_its_data(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="no trained classifier"):
        run(["--classifier", str(tmp_path), "--out", str(tmp_path / "run")])
    with pytest.raises(MondegreenError, match="--data is missing"):
        run(["--classifier", "zoo:speech-commands", "--out", str(tmp_path / "run")])
    assert not (tmp_path / "run").exists()
