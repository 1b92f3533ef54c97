"""Before and after under the same attacks, and the signs of masked gradients."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor, nn

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.evaluate import all_pairs
from mondegreen.evaluation.hardening_about import about_training
from mondegreen.evaluation.hardening_bench import (
    HardeningBench,
    HardeningOptions,
    Subject,
    measure_hardening,
)
from mondegreen.evaluation.hardening_checks import Rates, checks, loss_along_steps
from mondegreen.report.hardening_results import load_hardening

OPTIONS = HardeningOptions(
    snr_db=(1.0, 40.0),
    pairs=-1,
    steps=8,
    restarts=2,
    queries=3,
    square_pairs=4,
    check_db=1.0,
    batch_size=4,
)
GOOD = Rates(
    fewer_steps=0.3,
    restarts=0.4,
    other_ways=0.2,
    gradient_on_few=0.4,
    black_box=0.2,
    unbounded=1.0,
)


class Saturated(nn.Module):
    """Rounds the answers of another classifier to steps: right as before, but without a slope."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Return the rounded logits; the gradient is zero."""
        logits: Tensor = self.inner(x)
        return logits.detach().mul(10.0).round() / 10.0 + 0.0 * logits


@pytest.fixture
def masked(classifier: Classifier) -> Classifier:
    return Classifier(
        Saturated(classifier.module),
        labels=classifier.labels,
        sample_rate=classifier.sample_rate,
        clip_samples=classifier.clip_samples,
        name="masked",
    ).freeze()


def subjects(*classifiers: Classifier) -> list[Subject]:
    about = {"training": None, "generator": None}
    names = ("before", "after")
    return [Subject(name, one, None, about) for name, one in zip(names, classifiers, strict=True)]


def test_masked_gradients_are_flagged_and_true_ones_are_not(
    tmp_path: Path, classifier: Classifier, masked: Classifier, data: ClipDataset
) -> None:
    bench = HardeningBench(data, "test", "speaker", OPTIONS)
    content = measure_hardening(subjects(classifier, masked), bench, tmp_path)
    first, second = content["classifiers"]
    holds = [[check["holds"] for check in one["checks"]] for one in (first, second)]
    assert not holds[1][3] and second["unreliable"]
    assert holds[0][0] and holds[0][3]
    assert first["clean_accuracy"] == pytest.approx(4 / 6)
    found = load_hardening(tmp_path / "hardening.json")
    rate = found.before.robust(1.0)
    # All but the two that are heard wrongly anyway could be kept, and a search finds some of them.
    assert rate is not None and rate.value < 4 / 6 and rate.pairs == 6
    assert found.before.robust(40.0).value == pytest.approx(4 / 6)  # type: ignore[union-attr]
    assert set(found.before.attacks) == {"pgd", "pgd targeted", "square"}


def test_what_is_measured_is_not_measured_again(
    tmp_path: Path,
    classifier: Classifier,
    masked: Classifier,
    data: ClipDataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = HardeningBench(data, "test", "speaker", OPTIONS)
    first = measure_hardening(subjects(classifier, masked), bench, tmp_path)
    monkeypatch.setattr(
        "mondegreen.evaluation.hardening_bench.evaluate", lambda *_, **__: pytest.fail("again")
    )
    second = measure_hardening(subjects(classifier, masked), bench, tmp_path)
    for one, other in zip(first["classifiers"], second["classifiers"], strict=True):
        assert one == other
    harder = HardeningBench(data, "test", "speaker", replace(OPTIONS, seed=3))
    with pytest.raises(MondegreenError, match="other settings"):
        measure_hardening(subjects(classifier, masked), harder, tmp_path)


@pytest.mark.parametrize(
    ("rates", "losses", "failing"),
    [
        (GOOD, [1.0, 2.0, 3.0], None),
        (replace(GOOD, restarts=0.29), [1.0, 2.0], 0),
        (replace(GOOD, other_ways=0.41), [1.0, 2.0], 1),
        (replace(GOOD, black_box=0.41), [1.0, 2.0], 2),
        (replace(GOOD, unbounded=0.9), [1.0, 2.0], 3),
        (GOOD, [1.0, 2.0, 1.0, 0.5], 4),
    ],
)
def test_each_check_fails_where_it_should(
    rates: Rates, losses: list[float], failing: int | None
) -> None:
    found = [check["holds"] for check in checks(rates, losses)]
    assert found == [number != failing for number in range(5)]


def test_the_loss_starts_with_noise_and_rises(classifier: Classifier, data: ClipDataset) -> None:
    pairs = all_pairs(classifier, data, untargeted=True)
    losses = loss_along_steps(classifier, data, pairs, 5.0, 6, seed=1)
    assert len(losses) == 6 and losses[-1] > losses[0] > 0.0
    logits = classifier(data.waveforms())
    clean = nn.functional.cross_entropy(logits, data.labels)
    assert losses[0] == pytest.approx(float(clean), rel=0.05)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(MondegreenError, match="check-db"):
        HardeningOptions(snr_db=(20.0,), check_db=30.0)
    with pytest.raises(MondegreenError, match="1 or more"):
        HardeningOptions(queries=0)


def test_a_run_tells_its_course(tmp_path: Path) -> None:
    assert about_training(tmp_path) is None
    training = {"method": "fast", "select_db": 30.0, "max_loss": 3.0}
    (tmp_path / "config.json").write_text(json.dumps({"training": training, "floor": 0.1}))
    summary = {
        "cpu_seconds": 3.0,
        "cpu_seconds_to_kept": 1.0,
        "within_limit": True,
        "before/validation/accuracy": 0.9,
        "before/validation/robust": 0.1,
        "command": "mondegreen harden",
    }
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    lines = [
        {
            "step": step,
            "train/cpu_seconds": step,
            "validation/accuracy": 0.9,
            "validation/robust": step / 10,
        }
        for step in (1, 2)
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = about_training(tmp_path)
    assert found is not None and found["method"] == "fast" and found["floor"] == 0.1
    assert [point["cpu_seconds"] for point in found["course"]] == [1.0, 3.0]
    assert math.isclose(found["course"][1]["robust"], 0.2)
    assert found["to_kept"] == 1.0
