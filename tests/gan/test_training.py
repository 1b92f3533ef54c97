"""Algorithm 1 at the smallest size: what is updated when, stopping, resuming, NaN."""

from __future__ import annotations

import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from tests.gan.conftest import (
    BUDGETED,
    PAPER,
    QUIET,
    SAMPLES,
    SPECTRAL,
    same,
    teach,
    trainer,
    weights,
)
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.gan.audibility import build_hearing
from mondegreen.gan.config import BudgetSchedule, GeneratorTraining
from mondegreen.gan.losses import LossWeights
from mondegreen.gan.spectral_discriminator import SpectralDiscriminatorConfig
from mondegreen.gan.training import GeneratorTrainer
from mondegreen.gan.validation import draw_targets, validate
from mondegreen.generators.generator import Generator, NetworkConfig
from mondegreen.generators.unet import UNetConfig


def test_the_spectral_generator_learns_to_fool(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    teach(classifier, data)
    clean = classifier(data.waveforms()).argmax(dim=1)
    assert int((clean == data.labels).sum()) >= 11
    training = replace(
        BUDGETED, epochs=80, budget=BudgetSchedule(final_db=3.0, start_db=-5.0, ramp=0.3)
    )
    work = trainer(tmp_path / "run", training, classifier, data)
    every = torch.arange(3)
    before = validate(work.state.average, classifier, data, every, seed=1)["validation/success"]
    work.fit()
    after = validate(work.state.average, classifier, data, every, seed=1)
    assert before <= 0.4
    assert after["validation/success"] >= 0.8
    assert (
        after["validation/snr_db"] >= 3.0 - 0.05
    )  # rounding to 16 bits moves the mean by far less


def test_clips_of_a_single_target_do_not_count(
    tmp_path: Path, classifier: Classifier, data: ClipDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does nothing reaches nothing, though the target's clips are heard as it."""
    teach(classifier, data)
    average = trainer(tmp_path / "run", BUDGETED, classifier, data).state.average
    monkeypatch.setattr(type(average), "forward", lambda _, x, __: torch.zeros_like(x))
    heard = classifier(data.waveforms()).argmax(dim=1)
    for target in range(3):
        found = validate(average, classifier, data, torch.tensor([target]), seed=1)
        others = (heard == target)[data.labels != target].double()
        assert found["validation/success"] == pytest.approx(float(others.mean()))


@pytest.mark.parametrize("model", ["loudness", "masking"])
def test_a_dial_turned_up_makes_the_perturbation_less_audible(
    tmp_path: Path,
    classifier: Classifier,
    data: ClipDataset,
    model: Literal["loudness", "masking"],
) -> None:
    weights = replace(BUDGETED.weights, hearing=5.0)
    training = replace(BUDGETED, epochs=25, weights=weights, hearing_model=model, quiet_share=0.7)
    work = trainer(tmp_path / "run", training, classifier, data, QUIET)
    generator = work.fit()
    assert all((row["generator/hearing"] or 0.0) > 0.0 for row in work.run.metrics())
    hearing = build_hearing(model, 8000)
    x, target = data.waveforms(), torch.arange(12) % 3
    with torch.no_grad():
        heard = [
            float(hearing(x, x + generator(x, target, quietness=quietness)).mean())
            for quietness in (0.0, 0.5, 1.0)
        ]
    assert heard[2] < heard[1] < heard[0] and heard[2] < 0.7 * heard[0]


def test_a_batch_that_is_not_asked_to_be_quiet_is_fine(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    weights = replace(BUDGETED.weights, hearing=1.0)
    training = replace(BUDGETED, epochs=1, weights=weights, quiet_share=0.0)
    work = trainer(tmp_path / "run", training, classifier, data, QUIET)
    work.fit()
    assert "generator/hearing" not in work.run.metrics()[0]


def test_a_training_goes_on_from_trained_weights(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    first = trainer(tmp_path / "first", BUDGETED, classifier, data)
    trained = first.fit()
    second = trainer(tmp_path / "second", replace(BUDGETED, seed=5), classifier, data)
    assert not same(weights(trained), weights(second.state.generator))
    second.start_from(trained)
    assert same(weights(trained), weights(second.state.generator))
    assert same(weights(trained), weights(second.state.average))
    other = trainer(tmp_path / "other", BUDGETED, classifier, data, targets=("low", "high"))
    with pytest.raises(MondegreenError, match=r"with 3 targets; this training needs .* with 2"):
        other.start_from(trained)


@pytest.mark.parametrize(
    "network",
    [SPECTRAL, replace(SPECTRAL, template=True), UNetConfig(width=0.0625)],
    ids=["spectral", "template", "unet"],
)
def test_targets_are_taken_over_by_their_names(
    tmp_path: Path, classifier: Classifier, data: ClipDataset, network: NetworkConfig
) -> None:
    first = trainer(tmp_path / "first", BUDGETED, classifier, data, network).state.generator
    for parameter in first.parameters():  # U-Nets know no difference between targets at first
        torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(1))
    order = ("middle", "low", "high")
    second = trainer(tmp_path / "second", BUDGETED, classifier, data, network, order)
    second.start_from(first)
    assert second.state.generator.config.targets == order != first.config.targets
    x, target = data.waveforms()[:3], torch.arange(3)
    with torch.no_grad():
        made = first(x, target)
        assert not torch.equal(made, first(x, target.roll(1)))
        for network_now in (second.state.generator, second.state.average):
            torch.testing.assert_close(network_now(x, target), made)


def test_templates_of_another_length_are_refused(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    work = trainer(tmp_path / "run", BUDGETED, classifier, data, replace(SPECTRAL, template=True))
    other = Generator(replace(work.config, clip_samples=SAMPLES // 2))
    with pytest.raises(MondegreenError, match=r"templates are 1024 samples long.*needs 2048"):
        work.start_from(other)


def test_the_average_keeps_the_statistics_of_batch_norm(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    work = trainer(tmp_path / "run", BUDGETED, classifier, data)
    for each in (work.state.generator, work.state.average):
        each.register_buffer("seen", torch.zeros(2))
    work.state.generator.get_buffer("seen").fill_(3.0)
    work.state.update_average(0.9)
    assert work.state.average.get_buffer("seen").tolist() == [3.0, 3.0]


def test_a_training_does_not_go_on_with_other_clips(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    work = trainer(tmp_path / "run", BUDGETED, classifier, data)
    work.fit()
    work.run._lock.close()
    with pytest.raises(MondegreenError, match="the training clips are others than when"):
        trainer(tmp_path / "run", BUDGETED, classifier, data.subset(range(6)))


WRONG = [
    {"gradient_clip": -1.0},
    {"seed": 10**20},
    {"betas": (2.0, 3.0)},
    {"discriminator_learning_rate": -1.0},
    {"patience": -3},
    {"warm_up_epochs": -1},
]


@pytest.mark.parametrize("changes", WRONG, ids=lambda one: next(iter(one)))
def test_numbers_that_nobody_can_train_with(changes: dict[str, Any]) -> None:
    with pytest.raises(MondegreenError, match=r"^training: "):
        replace(BUDGETED, **changes)


def test_hearing_needs_a_network_with_a_dial(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    training = replace(BUDGETED, weights=replace(BUDGETED.weights, hearing=1.0))
    with pytest.raises(MondegreenError, match="needs a network with a dial"):
        trainer(tmp_path / "run", training, classifier, data)


def test_a_discriminator_on_spectrograms_plays_with_its_features(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    training = replace(
        BUDGETED,
        weights=replace(BUDGETED.weights, alpha=1.0, matching=1.0),
        discriminator=SpectralDiscriminatorConfig(windows=(64, 128), width=4, layers=2),
    )
    work = trainer(tmp_path / "run", training, classifier, data)
    work.fit()
    for name in ("generator/fool", "generator/matching", "discriminator/loss"):
        assert all(math.isfinite(row[name] or math.nan) for row in work.run.metrics())


def test_a_search_is_distilled_once_the_classifier_takes_part(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    weights = replace(BUDGETED.weights, adversarial=0.0, distill=1.0)
    training = replace(BUDGETED, weights=replace(weights, beta=1.0), warm_up_epochs=1)
    work = trainer(tmp_path / "run", training, classifier, data)
    work.fit()
    warm_up, *rest = work.run.metrics()
    assert "generator/distill" not in warm_up
    assert all(0.0 < (row["generator/distill"] or 0.0) < 4.0 for row in rest)


def test_paper_training_leaves_classifier_out_of_the_warm_up(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    work = trainer(
        tmp_path / "run", PAPER, classifier, data, UNetConfig(width=0.25), targets=("high",)
    )
    clean = {name: t.clone() for name, t in classifier.state_dict().items()}
    assert work.state.adversary is not None
    judge = [p.detach().clone() for p in work.state.adversary.network.parameters()]
    work.fit()
    rows = work.run.metrics()
    assert "generator/classifier" not in rows[0]
    assert "generator/classifier" in rows[1]
    for name in ("generator/fool", "generator/hinge", "generator/l2", "discriminator/loss"):
        assert all(math.isfinite(row[name] or math.nan) for row in rows)
    assert all(torch.equal(clean[name], t) for name, t in classifier.state_dict().items())
    moved = work.state.adversary.network.parameters()
    assert any(not torch.equal(a, b) for a, b in zip(judge, moved, strict=True))


@pytest.mark.parametrize("training", [BUDGETED, PAPER], ids=["budgeted", "paper"])
def test_mixed_precision_gives_nearly_the_same_losses(
    tmp_path: Path, classifier: Classifier, data: ClipDataset, training: GeneratorTraining
) -> None:
    network = SPECTRAL if training is BUDGETED else UNetConfig(width=0.25)
    training = replace(training, epochs=2, batch_size=12)
    full = trainer(tmp_path / "full", training, classifier, data, network)
    mixed = trainer(tmp_path / "mixed", training, classifier, data, network, precision="bf16-mixed")
    first, second = next(full._epoch()), next(mixed._epoch())
    for name in ("generator/l2", "generator/total"):
        assert second[name] == pytest.approx(first[name], rel=0.05)
    full.fit()
    mixed.fit()
    assert all(torch.isfinite(weight).all() for weight in weights(mixed.state.average))


def test_clips_of_the_only_target_are_left_out(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    work = trainer(tmp_path / "run", BUDGETED, classifier, data, targets=("low",))
    low = classifier.label_index("low")
    assert len(work.train_data) == 8
    assert not bool((work.train_data.labels == low).any())


@pytest.mark.parametrize("training", [BUDGETED, PAPER], ids=["budgeted", "paper"])
def test_interrupted_training_continues_bit_for_bit(
    tmp_path: Path, classifier: Classifier, data: ClipDataset, training: GeneratorTraining
) -> None:
    network = SPECTRAL if training is BUDGETED else UNetConfig(width=0.25)
    whole = trainer(tmp_path / "whole", training, classifier, data, network)
    whole.fit()
    first = trainer(tmp_path / "parts", training, classifier, data, network)
    for losses in first._epoch():
        assert losses
    first.state.epoch += 1
    first._end_epoch({}, 0.0)
    next(first._epoch())  # a step that never reaches a checkpoint
    second = trainer(tmp_path / "parts", training, classifier, data, network)
    assert second.state.epoch == 1
    second.fit()
    assert same(weights(whole.state.generator), weights(second.state.generator))
    assert same(weights(whole.state.average), weights(second.state.average))
    steps = [row["step"] for row in second.run.metrics()]
    assert steps == [row["step"] for row in whole.run.metrics()]


def test_training_stops_when_success_no_longer_changes(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    training = replace(BUDGETED, epochs=40, patience=2, tolerance=1.0)
    work = trainer(tmp_path / "run", training, classifier, data)
    work.state.successes = []
    work.fit()
    assert 3 <= work.state.epoch < 40


def test_a_nan_loss_stops_and_keeps_the_last_state(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    fresh = trainer(tmp_path / "fresh", BUDGETED, classifier, data)
    with torch.no_grad():
        next(fresh.state.generator.network.parameters()).fill_(math.nan)
    with pytest.raises(MondegreenError, match="nothing was saved yet"):
        next(fresh._epoch())
    work = trainer(tmp_path / "run", replace(BUDGETED, epochs=1), classifier, data)
    work.fit()
    kept = (tmp_path / "run" / "checkpoints" / "latest" / "state.pt").read_bytes()
    with torch.no_grad():
        next(work.state.generator.network.parameters()).fill_(math.nan)
    with pytest.raises(MondegreenError, match=r"epoch 2, step \d+.*learning-rate.*latest"):
        next(work._epoch())
    assert (tmp_path / "run" / "checkpoints" / "latest" / "state.pt").read_bytes() == kept


def test_targets_are_uniform_over_the_other_labels(rng: torch.Generator) -> None:
    label = torch.full((30_000,), 2)
    drawn = draw_targets(label, torch.arange(4), rng)
    counts = torch.bincount(drawn, minlength=4)
    assert counts[2] == 0
    assert torch.allclose(counts[[0, 1, 3]] / 30_000, torch.tensor(1 / 3), atol=0.02)


def test_unlabelled_clips_may_get_any_target(rng: torch.Generator) -> None:
    drawn = draw_targets(torch.full((1000,), -1), torch.arange(3), rng)
    assert set(drawn.tolist()) == {0, 1, 2}


def test_the_best_generator_is_returned(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    work = trainer(tmp_path / "run", BUDGETED, classifier, data)
    best = work.fit()
    measured = validate(best, classifier, data, torch.arange(3), BUDGETED.seed)
    success = measured["validation/success"]
    assert success == pytest.approx(work.state.best_success)
    assert not any(parameter.requires_grad for parameter in best.parameters())


def test_one_clip_is_not_enough(tmp_path: Path, classifier: Classifier, data: ClipDataset) -> None:
    with pytest.raises(MondegreenError, match="fewer than two clips"):
        trainer(tmp_path / "run", BUDGETED, classifier, data.subset([0]))


def test_budget_schedule_tightens_and_then_stays() -> None:
    schedule = BudgetSchedule(final_db=25.0, start_db=5.0, ramp=0.5)
    assert [schedule.at(p) for p in (0.0, 0.25, 0.5, 1.0)] == [5.0, 15.0, 25.0, 25.0]


@pytest.mark.parametrize("training", [BUDGETED, PAPER], ids=["budgeted", "paper"])
@pytest.mark.parametrize("step", [1, 3])
def test_a_signal_stops_after_the_step_and_loses_none(
    tmp_path: Path,
    classifier: Classifier,
    data: ClipDataset,
    training: GeneratorTraining,
    step: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = replace(training, batch_size=4)
    network = SPECTRAL if training.discriminator is None else UNetConfig(width=0.25)
    whole = trainer(tmp_path / "whole", training, classifier, data, network)
    whole.fit()
    first = trainer(tmp_path / "parts", training, classifier, data, network)
    taken, real = 0, GeneratorTrainer._step

    def count(self: GeneratorTrainer, *arguments: Any) -> dict[str, float]:
        nonlocal taken
        taken += 1
        if taken == step:
            os.kill(os.getpid(), signal.SIGINT)
        return real(self, *arguments)

    monkeypatch.setattr(GeneratorTrainer, "_step", count)
    with pytest.raises(KeyboardInterrupt):
        first.fit()
    assert first.state.step == step
    second = trainer(tmp_path / "parts", training, classifier, data, network)
    assert second.state.step == step
    second.fit()
    assert taken == whole.state.step  # none was repeated
    assert same(weights(whole.state.generator), weights(second.state.generator))
    assert same(weights(whole.state.average), weights(second.state.average))
    rows = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in work.run.metrics()]
        for work in (whole, second)
    ]
    assert rows[0] == rows[1]


def test_a_batch_that_does_not_fit_makes_the_same_step_in_parts(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    """Of the fast generator and a discriminator of spectra, which normalise no batch."""
    training = replace(
        BUDGETED,
        batch_size=12,
        weights=LossWeights(alpha=0.5, beta=1.0, gamma=0.1, matching=0.1),
        discriminator=SpectralDiscriminatorConfig(),
    )
    whole = trainer(tmp_path / "whole", training, classifier, data)
    parted = trainer(tmp_path / "parted", training, classifier, data)
    refused = 0

    def crowded(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        nonlocal refused
        if len(inputs[0]) > 3:
            refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory.")

    for work in (whole, parted):
        work.state.optimizer.param_groups[0]["eps"] = 1e-3  # or Adam turns rounding into signs
    parted.state.generator.register_forward_pre_hook(crowded)
    before = weights(whole.state.generator)
    one, other = next(whole._epoch()), next(parted._epoch())
    assert refused == 2
    assert one == pytest.approx(other, rel=1e-3)
    assert not same(before, weights(whole.state.generator))
    for a, b in zip(weights(whole.state.generator), weights(parted.state.generator), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)
    assert parted.state.state_dict()["parts"] == 4
