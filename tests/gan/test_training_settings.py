"""What each setting of a generator's training does."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from tests.gan.conftest import (
    BUDGETED,
    QUIET,
    SAMPLES,
    same,
    trainer,
    weights,
)
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.epochs import Epoch
from mondegreen.gan.audibility import build_hearing
from mondegreen.gan.batches import Batch, Batches
from mondegreen.gan.config import BudgetSchedule, GeneratorTraining
from mondegreen.gan.losses import LossWeights, margin_loss
from mondegreen.generators.generator import Generator


@pytest.mark.parametrize(
    ("changes", "epoch", "successes", "finished"),
    [
        ({}, 9, [0.5] * 9, True),
        ({"patience": 0}, 9, [0.5] * 9, False),
        ({}, 20, [0.1 * number for number in range(20)], True),  # all epochs are over
        ({}, 9, [0.5] * 6 + [0.6] + [0.5] * 2, False),  # it changed within two epochs
        ({}, 9, [0.5] * 5 + [0.6] + [0.5] * 3, True),
        ({}, 9, [0.5] * 7 + [0.505, 0.51], True),
        ({"tolerance": 0.005}, 9, [0.5] * 7 + [0.505, 0.51], False),
        ({}, 9, [0.0] * 9, False),  # it never succeeded yet
        ({"warm_up_epochs": 6}, 8, [0.5] * 8, False),
        ({"warm_up_epochs": 6}, 9, [0.5] * 9, True),
        ({"budget": BudgetSchedule(ramp=0.5)}, 12, [0.5] * 12, False),
        ({"budget": BudgetSchedule(ramp=0.5)}, 13, [0.5] * 13, True),
    ],
)
def test_when_a_training_stops(
    tmp_path: Path,
    classifier: Classifier,
    data: ClipDataset,
    changes: dict[str, Any],
    epoch: int,
    successes: list[float],
    finished: bool,
) -> None:
    patient = replace(
        BUDGETED, epochs=20, patience=2, tolerance=0.02, budget=BudgetSchedule(ramp=0.0)
    )
    work = trainer(tmp_path / "run", replace(patient, **changes), classifier, data)
    work.state.epoch, work.state.successes = epoch, successes
    assert work._finished() is finished


@pytest.mark.parametrize(
    ("changes", "successes", "kept"),
    [
        ({"budget": BudgetSchedule(ramp=0.5)}, [0.9, 0.5, 0.6, 0.6], 3),
        ({"budget": BudgetSchedule(ramp=0.0)}, [0.9, 0.5, 0.6, 0.6], 1),
        ({"warm_up_epochs": 1, "budget": None}, [0.9, 0.5, 0.4, 0.3], 2),
        ({"warm_up_epochs": 9, "budget": None}, [0.9, 0.5, 0.4, 0.3], 4),
    ],
)
def test_the_best_is_chosen_under_the_full_budget_and_after_the_warm_up(
    tmp_path: Path,
    classifier: Classifier,
    data: ClipDataset,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    successes: list[float],
    kept: int,
) -> None:
    told, after = iter(successes), list[list[Tensor]]()

    def measure(average: Generator, *_: object, **__: object) -> dict[str, float]:
        after.append(weights(average))
        return {"validation/success": next(told), "validation/snr_db": 10.0}

    monkeypatch.setattr("mondegreen.gan.training.validate", measure)
    gamma = replace(BUDGETED.weights, gamma=1.0)  # of which something is left in the warm-up
    training = replace(BUDGETED, epochs=4, weights=gamma, **changes)
    best = trainer(tmp_path / "run", training, classifier, data).fit()
    assert [same(weights(best), one) for one in after].index(True) + 1 == kept


def test_the_gradient_is_clipped(tmp_path: Path, classifier: Classifier, data: ClipDataset) -> None:
    for limit in (0.0, 1e-3):
        training = replace(BUDGETED, gradient_clip=limit)
        work = trainer(tmp_path / str(limit), training, classifier, data)
        before = next(work._epoch())["generator/gradient_norm"]
        gradients = [one.grad for one in work.state.generator.parameters() if one.grad is not None]
        after = float(torch.stack([one.norm() for one in gradients]).norm())
        assert before > 1e-2
        assert after == pytest.approx(limit or before, rel=1e-2)


def test_the_learning_rate_rises_for_fifty_steps_and_falls_as_a_cosine(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    rates = {}
    for schedule in ("constant", "cosine"):
        training = replace(BUDGETED, schedule=schedule, epochs=100)  # 200 steps
        work = trainer(tmp_path / schedule, training, classifier, data)
        for step in (0, 24, 100, 150):
            work.state.step = step
            work._set_learning_rate()
            rates[schedule, step] = work.state.optimizer.param_groups[0]["lr"] / 1e-2
    assert [rates["constant", step] for step in (0, 24, 100, 150)] == [1.0] * 4
    assert rates["cosine", 0] == pytest.approx(1 / 50)
    assert rates["cosine", 24] == pytest.approx(0.25 * (1 + math.cos(math.pi * 24 / 200)))
    assert rates["cosine", 100] == pytest.approx(0.5)
    assert rates["cosine", 150] == pytest.approx(0.5 - 0.5 * math.sqrt(0.5))


@pytest.mark.parametrize(("optimizer", "decay"), [("adam", 0.0), ("adamw", 0.01)])
def test_only_adamw_decays_the_weights(
    tmp_path: Path,
    classifier: Classifier,
    data: ClipDataset,
    optimizer: Literal["adam", "adamw"],
    decay: float,
) -> None:
    training = replace(BUDGETED, optimizer=optimizer)
    work = trainer(tmp_path / "run", training, classifier, data)
    assert work.state.optimizer.param_groups[0]["weight_decay"] == decay


@pytest.mark.parametrize(
    ("decay", "step", "expected"), [(0.9, 5, 0.2), (0.9, 980, 0.9), (0.0, 980, 0.0)]
)
def test_a_young_average_forgets_faster(
    tmp_path: Path,
    classifier: Classifier,
    data: ClipDataset,
    decay: float,
    step: int,
    expected: float,
) -> None:
    state = trainer(tmp_path / "run", BUDGETED, classifier, data).state
    state.step = step
    with torch.no_grad():
        for average, weight in zip(
            state.average.parameters(), state.generator.parameters(), strict=True
        ):
            average.fill_(1.0)
            weight.fill_(0.0)
    state.update_average(decay)
    found = next(state.average.parameters())
    torch.testing.assert_close(found, torch.full_like(found, expected))


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_average_is_kept_with_the_decay_asked_for(
    tmp_path: Path, classifier: Classifier, data: ClipDataset, ema: float
) -> None:
    work = trainer(tmp_path / "run", replace(BUDGETED, ema=ema), classifier, data)
    for _ in work._epoch():
        pass
    assert same(weights(work.state.generator), weights(work.state.average)) is (ema == 0.0)


def test_the_losses_of_a_batch_by_hand(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    x, target = data.waveforms()[:6], torch.tensor([0, 1, 2, 0, 1, 2])
    x_adv = x + 0.02 * x.flip(2)
    logits = classifier(x_adv)
    entropy = float(torch.nn.functional.cross_entropy(logits, target))
    norm = (x_adv - x).norm(dim=(1, 2)) * math.sqrt(16_384 / SAMPLES)
    bound = float(norm.median())
    weights = LossWeights(alpha=0.0, beta=2.0, gamma=3.0)
    cases: tuple[tuple[Literal["cross-entropy", "margin"], float, float], ...] = (
        ("cross-entropy", 1.0, entropy),
        ("margin", 1.0, float(margin_loss(logits, target, 1.0)) + 0.2 * entropy),
        ("margin", 9.0, float(margin_loss(logits, target, 9.0)) + 0.2 * entropy),
    )
    sizes: tuple[tuple[Literal["paper", "code"], Tensor], ...] = (
        ("paper", norm.mean()),
        ("code", (x_adv - x).abs().mean()),
    )
    for loss, kappa, wanted in cases:
        for reading, size in sizes:
            training = replace(
                BUDGETED,
                weights=weights,
                classifier_loss=loss,
                kappa=kappa,
                hinge_bound=bound,
                l2_reading=reading,
            )
            work = trainer(tmp_path / f"{loss}{kappa}{reading}", training, classifier, data)
            total, losses = work.objective(Batch(x, target), x_adv, None)
            assert losses["generator/classifier"] == pytest.approx(wanted, rel=1e-5)
            assert losses["generator/l2"] == pytest.approx(float(size), rel=1e-5)
            hinge = float((norm - bound).clamp(min=0).mean())
            assert losses["generator/hinge"] == pytest.approx(hinge, rel=1e-4)
            assert float(total) == pytest.approx(wanted + 2 * hinge + 3 * float(size), rel=1e-5)


def test_what_is_heard_weighs_by_the_quietness_that_is_asked_for(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    x, target = data.waveforms()[:4], torch.tensor([0, 1, 2, 0])
    x_adv = x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    for model in ("loudness", "masking"):
        training = replace(
            BUDGETED, weights=replace(BUDGETED.weights, hearing=1.0), hearing_model=model
        )
        work = trainer(tmp_path / model, training, classifier, data, QUIET)
        heard = build_hearing(model, 8000)(x, x_adv)
        asked = torch.tensor([0.0, 0.5, 0.0, 1.0])
        _, losses = work.objective(Batch(x, target, quietness=asked), x_adv, None)
        wanted = float(0.5 * heard[1] + heard[3]) / 4
        assert wanted > 0 and losses["generator/hearing"] == pytest.approx(wanted, rel=1e-4)


def batches(data: ClipDataset, training: GeneratorTraining, extra: ClipDataset | None) -> Batches:
    return Batches(
        training,
        data,
        unlabelled=extra,
        augment=None,
        channels=None,
        targets=torch.arange(3),
        quiet=True,
        normalization="pcm",
    )


def test_budgets_and_quietness_are_drawn_as_asked(data: ClipDataset) -> None:
    schedule = BudgetSchedule(final_db=30.0, start_db=10.0, ramp=1.0, spread_db=(-1.0, 3.0))
    training = replace(BUDGETED, batch_size=12, budget=schedule, quiet_share=0.25)
    drawn = [
        next(batches(data, training, None).draw(Epoch(seed, 0), lambda: 0.5)) for seed in range(80)
    ]
    snr_db = torch.cat([one.snr_db for one in drawn if one.snr_db is not None])
    assert 19.0 <= float(snr_db.min()) < 19.1 and 22.9 < float(snr_db.max()) <= 23.0
    quiet = torch.cat([one.quietness for one in drawn if one.quietness is not None])
    assert len(snr_db) == len(quiet) == 960
    assert float((quiet > 0).float().mean()) == pytest.approx(0.25, abs=0.05)
    assert float(quiet[quiet > 0].mean()) == pytest.approx(0.5, abs=0.08)


def test_a_share_of_each_batch_is_unlabelled(data: ClipDataset) -> None:
    training = replace(BUDGETED, batch_size=10, unlabelled_share=0.2)
    extra = data.subset([0])
    mixed = batches(data, training, extra)
    assert len(mixed) == 2  # of eight labelled clips and of four
    x, targets = extra.waveforms(), set[int]()
    for seed in range(30):
        sizes = []
        for batch in mixed.draw(Epoch(seed, 0), lambda: 0.0):
            sizes.append(len(batch))
            assert torch.equal(batch.x[-2:], x.expand(2, -1, -1))
            targets |= set(batch.target[-2:].tolist())
        assert sizes == [10, 6]
    assert targets == {0, 1, 2}  # its own label too, which nobody knows
