"""What is gathered from the folders of a reproduction's stages."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import mondegreen.reproduction.gather as gather_module
from mondegreen.audio import write_wav
from mondegreen.errors import MondegreenError
from mondegreen.files import write_json, write_text
from mondegreen.report.reproduction.page import write_reproduction
from mondegreen.report.reproduction.results import load_reproduction
from mondegreen.reproduction.ablation import ablation
from mondegreen.reproduction.gather import gather
from mondegreen.reproduction.generators import generators
from mondegreen.reproduction.plan import VARIANTS, ablation_folder
from mondegreen.reproduction.scale import scale
from mondegreen.reproduction.setting import Setting
from mondegreen.stages.stage import Outcome, Stage

LABELS = ("yes", "no", "up")
GROUPS = {"yes/a.wav": "ann", "no/b.wav": "bob", "up/c.wav": "bob"}


def evaluate(folder: Path, target: str, hits: dict[str, bool], snr: float) -> None:
    """Write what an evaluation of a generator for one target leaves behind."""
    write_json(folder / "generator" / "config.json", {"architecture": {"kind": "unet", "width": 1}})
    rows = [{"step": 10 * epoch, "epoch": epoch, "seconds": 1.5} for epoch in (1, 2)]
    write_text(folder / "generator" / "metrics.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
    content: dict[str, Any] = {
        "budget": {"kind": "none", "value": None},
        "per_target": {target: {"pairs": len(hits), "success_rate": 0.5}},
        "milliseconds_per_clip": {"batch1": snr, "batchN": 1.0, "N": 64},
        "generator": {"parameters": 7, "macs": 9},
    }
    write_json(folder / "evaluation" / "results.json", content)
    text = io.StringIO()
    head = ["clip", "source", "target", "before", "after", "success", "correct", "snr_db"]
    writer = csv.writer(text)
    writer.writerow([*head, "pesq_nb", "pesq_wb", "stoi"])
    for clip, hit in hits.items():
        source = clip.partition("/")[0]
        after = target if hit else source
        writer.writerow([clip, source, target, source, after, int(hit), 1, snr, "", "", ""])
    write_text(folder / "evaluation" / "pairs.csv", text.getvalue())


def test_generators_of_one_target_are_put_together(tmp_path: Path) -> None:
    evaluate(tmp_path / "one-yes", "yes", {"no/b.wav": True, "up/c.wav": False}, 20.0)
    evaluate(tmp_path / "one-no", "no", {"yes/a.wav": True, "up/c.wav": True}, 30.0)
    found = generators(tmp_path, LABELS, GROUPS)["single"]
    assert found["networks"] == 2 and found["missing_targets"] == {"up": "not trained"}
    assert found["pairs"] == 4 and found["success_rate"] == 0.75
    assert found["success_matrix"] == [[None, 1.0, None], [1.0, None, None], [0.0, 1.0, None]]
    assert found["pair_counts"] == [[0, 1, 0], [1, 0, 0], [1, 1, 0]]
    assert found["steps"] == 40 and found["training_seconds"] == 6.0
    assert found["snr_db"]["mean"] == 25.0 and found["snr_db"]["min"] == 20.0
    assert found["pesq_nb"]["mean"] is None
    times = found["milliseconds_per_clip"]
    assert times["batch1"] == 25.0 and times["N"] == 64 and isinstance(times["N"], int)
    low, high = found["success_interval"]
    assert low < 0.75 <= high, "ann's pair succeeded, of bob's three two did"


def test_what_was_not_trained_is_said_to_be_missing(tmp_path: Path) -> None:
    found = generators(tmp_path, LABELS, GROUPS)
    assert set(found) == {"single", "unified", "spectral"}
    assert all(set(one) == {"missing"} for one in found.values())


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    evaluate(tmp_path / "all", "yes", {"no/b.wav": True}, 20.0)
    with pytest.raises(MondegreenError, match=r"all/evaluation/results.json is damaged: 'pairs'"):
        generators(tmp_path, LABELS, GROUPS)


def run_of_the_ablation(out: Path, delta: torch.Tensor) -> None:
    folder = ablation_folder(out, VARIANTS[0], 7)
    rows = [
        {"step": 9 * n, "epoch": n, "seconds": 2.0, "train/success": rate, "validation/success": 0}
        for n, rate in ((1, 0.25), (2, 0.75), (3, 0.5))
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    write_text(folder / "generator" / "metrics.jsonl", text)
    summary = {"mean": 21.0}
    results = {"success_rate": 0.4, "pairs": 5, "snr_db": summary, "pesq_nb": {"mean": None}}
    write_json(folder / "evaluation" / "results.json", results)
    samples = folder / "evaluation" / "samples"
    for name, sound in (("x.wav", torch.zeros_like(delta)), ("y.wav", delta)):
        write_wav(samples / name, sound, 16_000)
    write_json(samples / "samples.json", [{"original": "x.wav", "adversarial": "y.wav"}])


@pytest.mark.parametrize("width", [1000, 300, 100, 1])
def test_how_much_of_a_perturbation_lies_in_its_loudest_tenth(tmp_path: Path, width: int) -> None:
    delta = torch.zeros(1, 1000)
    delta[0, :width] = 0.25
    run_of_the_ablation(tmp_path, delta)
    (run,) = ablation(tmp_path, (7,))["runs"]
    assert run["energy_in_tenth"] == pytest.approx(min(1.0, 100 / width))
    assert run["best_train_success"] == 0.75 and run["last_train_success"] == 0.5
    assert run["training_seconds"] == 6.0 and [row["step"] for row in run["curve"]] == [9, 18, 27]
    assert (tmp_path / run["example"]["adversarial"]).is_file()


def test_no_ablation_is_said_to_be_missing(tmp_path: Path) -> None:
    assert set(ablation(tmp_path, (1, 2))) == {"missing"}


def test_a_setting_without_a_classifier_is_left_to_its_stages(tmp_path: Path) -> None:
    setting = Setting("music", LABELS, "sample-cnn", ("--data", "nowhere"), leak="random-chunk")
    stage = Stage("music/classifier", "", (("train",),), tmp_path / "nothing")
    outcomes = {stage.name: Outcome("failed", "no clips.")}
    found = load_reproduction(gather(tmp_path, scale("smoke"), [setting], [stage], outcomes))
    assert not found.settings
    assert found.stages[0].reason == "no clips."
    assert "no clips." in write_reproduction(tmp_path).read_text()


def test_the_leak_says_of_how_many_recordings_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, accuracy in (("classifier", 0.5), ("classifier-leak", 0.75)):
        write_json(tmp_path / name / "summary.json", {"test/accuracy": accuracy})
    write_json(tmp_path / "classifier" / "config.json", {"data": {"split": "speaker"}})
    recordings = {"classifier": 9, "classifier-leak": 12}
    monkeypatch.setattr(
        gather_module, "_data", lambda run, _: ({"groups": recordings[run.name]}, {})
    )
    setting = Setting("music", LABELS, "sample-cnn", (), leak="random-chunk")
    found = gather_module._leak(tmp_path, setting, None, {})  # type: ignore[arg-type]
    assert (found["groups"], found["clean_accuracy"], found["honest_accuracy"]) == (12, 0.75, 0.5)
