"""Attacks whose outcome is known before defences whose effect is: every rate by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.detection.detector import Detector
from mondegreen.detection.guarded import Guarded
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import Cell
from mondegreen.evaluation.certification import certified_radius
from mondegreen.evaluation.channel_bench import ChannelOptions
from mondegreen.evaluation.defence_bench import measure_defences
from mondegreen.evaluation.defence_certificates import certificates
from mondegreen.evaluation.shields import (
    Lessons,
    Shield,
    ShieldOptions,
    Watch,
    adversarial_lessons,
    defence_shield,
    detector_shield,
)
from mondegreen.evaluation.sieges import EVERY, DefenceBench, Siege

SAMPLES = 1024
THIRD = SAMPLES // 3
LATER = f"shift:ms={1000 * THIRD / 16_000}"
"""Under it, a burst for 'a' is heard as 'b', and one for 'b' as 'c'."""


class Burst(Attack):
    """Adds a burst in the target's third or, knowing that it comes later, in the one before."""

    def __init__(self, before: int = 0) -> None:
        self.before, self.calls = before, 0

    @property
    def name(self) -> str:
        return "burst"

    def parameters(self) -> dict[str, Any]:
        return {"before": self.before}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        self.calls += 1
        delta = torch.zeros_like(x)
        for row, index in enumerate(target.tolist()):
            place = max(index - self.before, 0)
            delta[row, :, place * THIRD : (place + 1) * THIRD : 2] = 0.9
        return delta


class Peak(Detector):
    """The largest sample: 0.9 and more in what bursts."""

    def describe(self) -> str:
        return "Peak()"

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(dim=(1, 2))


def peak_shield(classifier: Classifier, threshold: float) -> Shield:
    guarded = Guarded(classifier, Peak(), threshold=threshold).freeze()
    about = {"name": "peak", "kind": "detector", "settings": "Peak()", "straight_through": False}
    return Shield("peak", guarded, guarded, about, Watch(Peak(), threshold, 6, 0))


def bench(classifier: Classifier, data: ClipDataset) -> DefenceBench:
    make = ShieldOptions(draws=2)
    shields = [defence_shield(text, classifier, make) for text in ("gain:db=-1", LATER)]
    shields.append(peak_shield(classifier, 0.88))
    options = ChannelOptions(pairs=-1, batch_size=4, seed=1024)
    return DefenceBench(classifier, tuple(shields), data, "test", "speaker", options)


def sieges(place: DefenceBench) -> list[Siege]:
    plain, early = Cell("burst", Burst(), None), Cell("early", Burst(before=1), None)
    later = place.shields[1]
    return [
        Siege(plain, place.classifier),
        Siege(early, place.classifier, EVERY),
        Siege(early, later.known, later.name),
    ]


def test_every_rate_is_right(tmp_path: Path, classifier: Classifier, data: ClipDataset) -> None:
    place = bench(classifier, data)
    content = measure_defences(sieges(place), place, tmp_path, {"gain:db=-1": {"clips": 1}})
    assert content == json.loads((tmp_path / "defences.json").read_text())
    quieter, later, peak = content["defences"]
    plain, early, knowing = content["rows"]
    # A quieter clip is heard alike; a later one as its neighbour: only the second 'b' is right.
    assert quieter["clean_accuracy"] == content["clean_accuracy"] == pytest.approx(4 / 6)
    beyond = 1 - 0.025 ** (1 / 6)  # nobody gained or lost, and six clips rule out little
    assert quieter["accuracy_loss"] == 0.0
    assert quieter["loss_interval"] == pytest.approx([-beyond, beyond])
    assert later["clean_accuracy"] == pytest.approx(1 / 6)
    assert later["accuracy_loss"] == pytest.approx(3 / 6)
    assert quieter["certificate"] == {"clips": 1} and later["certificate"] is None
    assert peak["false_alarm_rate"] == 0.0 and peak["clean_accuracy"] == content["clean_accuracy"]
    assert plain["direct"]["success_rate"] == 1.0 and plain["knows"] is None
    cells = {cell["defence"]: cell for cell in plain["cells"]}
    assert cells["gain:db=-1"]["success_rate"] == 1.0
    assert cells[LATER]["success_rate"] < 0.2 and cells[LATER]["detection"] is None
    # Everything that bursts is rejected, and so succeeds nowhere and is heard rightly nowhere.
    assert cells["peak"]["success_rate"] == cells["peak"]["true_label_rate"] == 0.0
    found = cells["peak"]["detection"]
    assert (found["positives"], found["auc"], found["detected_rate"]) == (12, 1.0, 1.0)
    assert found["roc"] == [1.0] * 51
    # Whoever knows of the shift reaches 'b' and 'c', and 'a' never: eight of twelve pairs.
    assert [cell["defence"] for cell in knowing["cells"]] == [LATER]
    assert knowing["cells"][0]["success_rate"] == pytest.approx(8 / 12)
    assert knowing["believed_rate"] == pytest.approx(8 / 12)
    assert len(early["cells"]) == 3 and early["knows"] == EVERY
    assert "heard" not in plain and "scores" not in plain


def test_a_measurement_continues_and_grows(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    place = bench(classifier, data)
    rows = sieges(place)
    first = measure_defences(rows[:1], place, tmp_path, {})
    more = measure_defences(rows, place, tmp_path, {})
    assert more["rows"][0] == first["rows"][0]
    attack = rows[0].cell.attack
    assert isinstance(attack, Burst) and attack.calls == 3, "three batches, once"
    for wrong in ([], [rows[0], rows[0]]):
        with pytest.raises(MondegreenError, match="each once"):
            measure_defences(wrong, place, tmp_path, {})
    other = DefenceBench(classifier, place.shields[:1], data, "test", "speaker", place.options)
    with pytest.raises(MondegreenError, match="shields"):
        measure_defences(rows[:1], other, tmp_path, {})


def test_detectors_are_made_from_clips_they_are_not_measured_on(
    classifier: Classifier, data: ClipDataset
) -> None:
    make = ShieldOptions(training_clips=4, false_alarms=0.2)
    lessons = Lessons(data, data, [(Burst(), None)])
    shield = detector_shield("consistency:gain:db=-3", classifier, make, lessons)
    assert shield.watch is not None and (shield.watch.chosen_on, shield.watch.trained_on) == (6, 0)
    deployed, known = shield.classifier, shield.known
    assert isinstance(deployed, Guarded) and isinstance(known, Guarded)
    assert known.threshold <= deployed.threshold == shield.watch.threshold
    benign, adversarial = adversarial_lessons(classifier, lessons, make)
    assert len(benign) == len(adversarial) == 4
    heard = classifier(adversarial).argmax(dim=1)
    assert bool((adversarial != benign).any(dim=2).all()) and len(heard) == 4
    for text in ("consistency", "residual:x", "nonsense"):
        with pytest.raises(MondegreenError, match="not understood"):
            detector_shield(text, classifier, make, lessons)
    with pytest.raises(MondegreenError, match="louder budgets"):
        detector_shield("residual", classifier, make, Lessons(data, data, []))
    with pytest.raises(MondegreenError, match="1 or more"):
        ShieldOptions(draws=0)


def test_certificates_are_counted_once(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    make = ShieldOptions()
    shields = [defence_shield(t, classifier, make) for t in ("gaussian:sigma=0.01@3", "gain")]
    options = ChannelOptions(pairs=-1, batch_size=4, seed=1024)
    place = DefenceBench(classifier, tuple(shields), data, "test", "speaker", options)
    found = certificates(place, tmp_path, 6, 50)
    assert list(found) == ["gaussian:sigma=0.01@3"]
    told = found["gaussian:sigma=0.01@3"]
    assert told["clips"] == 6 and told["draws"] == 50 and told["certified_right"] <= 4
    assert told["median_radius"] <= told["highest_radius"] == certified_radius(50, 50, 0.01, 0.001)
    path = tmp_path / "certificates.json"
    path.write_text(json.dumps({"gaussian:sigma=0.01@3": {"clips": 99}}))
    assert certificates(place, tmp_path, 6, 50)["gaussian:sigma=0.01@3"] == {"clips": 99}
    path.write_text("[]")
    with pytest.raises(MondegreenError, match="damaged"):
        certificates(place, tmp_path, 6, 50)
    assert np.isfinite(told["median_radius"])
