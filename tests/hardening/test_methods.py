"""Every method lowers the loss under attack on a toy, and does what its paper says."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import Generator
from mondegreen.hardening.ascent import ascend
from mondegreen.hardening.config import Hardening, MethodKind
from mondegreen.hardening.method import per_clip_loss
from mondegreen.hardening.methods import build
from mondegreen.hardening.norms import answer_both, learn, under_attack
from mondegreen.hardening.trades import Trades, divergence
from mondegreen.hardening.turns import GeneratorTraining

OPTIONS = Hardening(
    snr_db=(10.0, 20.0), generator_every=1, label_smoothing=0.0, generator_learning_rate=5e-3
)
METHODS: tuple[MethodKind, ...] = ("generator", "refined", "pgd", "trades", "fast")


def attacked_loss(classifier: Classifier, x: Tensor, label: Tensor) -> float:
    """Return the cross-entropy under an attack of its own, which no method makes."""
    away = per_clip_loss(label)
    budget = torch.full((len(x),), 30.0)
    with under_attack(classifier):
        delta = ascend(classifier, away, x, torch.zeros_like(x), budget, steps=8, step=0.4)
        with torch.no_grad():
            return float(away(classifier(x + delta)).mean())


@pytest.mark.parametrize("method", METHODS)
def test_a_few_steps_lower_the_loss_under_attack(
    method: MethodKind,
    trained: Classifier,
    generator: Generator,
    splits: dict[str, ClipDataset],
) -> None:
    x, label = splits["train"].waveforms(), splits["train"].labels
    learner = copy.deepcopy(trained).requires_grad_(True)
    before = attacked_loss(learner, x, label)
    inner = build(replace(OPTIONS, method=method), generator)
    optimizer = torch.optim.AdamW(learner.parameters(), 1e-2)
    random = torch.Generator().manual_seed(0)
    for _ in range(30):
        snr_db = torch.full((len(x),), 30.0)
        with under_attack(learner):
            delta = inner.perturb(learner, x, label, snr_db, random)
        learn(learner, "mixed")
        loss = inner.loss(*answer_both(learner, x, x + delta, "mixed"), label)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert attacked_loss(learner, x, label) < 0.7 * before


@pytest.mark.parametrize("method", METHODS)
def test_attacks_keep_their_budget_and_touch_no_weight_of_the_classifier(
    method: MethodKind,
    trained: Classifier,
    generator: Generator,
    splits: dict[str, ClipDataset],
) -> None:
    x, label = splits["train"].waveforms(range(8)), splits["train"].labels[:8]
    learner = copy.deepcopy(trained).requires_grad_(True).train()
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    inner = build(replace(OPTIONS, method=method), generator)
    with under_attack(learner):
        delta = inner.perturb(
            learner, x, label, torch.full((8,), 20.0), torch.Generator().manual_seed(0)
        )
    ratio = 20.0 * torch.log10(x.norm(dim=2) / delta.norm(dim=2))
    assert float(ratio.min()) > 20.0 - 1e-3 and float(delta.abs().max()) > 0.0
    assert learner.training and all(p.requires_grad for p in learner.parameters())
    assert all(p.grad is None for p in learner.parameters())
    assert all(torch.equal(value, before[name]) for name, value in learner.state_dict().items())


def test_the_loss_weighs_both_kinds_of_clips() -> None:
    clean, adversarial = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    loss = build(replace(OPTIONS, method="pgd", share=0.25)).loss(
        clean, adversarial, torch.tensor([0])
    )
    by_hand = 0.75 * math.log(1.0 + math.exp(-2.0)) + 0.25 * math.log(1.0 + math.e)
    assert float(loss) == pytest.approx(by_hand, rel=1e-6)


def test_smoothing_holds_for_clean_and_attacked_clips() -> None:
    clean, adversarial = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    label = torch.tensor([0])
    # Of 0.2, half is the other label's.
    untouched = 0.9 * math.log(1 + math.exp(-2)) + 0.1 * math.log(1 + math.exp(2))
    attacked = 0.9 * math.log(1 + math.e) + 0.1 * math.log(1 + math.exp(-1))
    smooth = replace(OPTIONS, method="pgd", share=0.25, label_smoothing=0.2, beta=3.0)
    loss = build(smooth).loss(clean, adversarial, label)
    assert float(loss) == pytest.approx(0.75 * untouched + 0.25 * attacked)
    pulled = 3.0 * float(divergence(clean, adversarial))
    trades = Trades(replace(smooth, method="trades")).loss(clean, adversarial, label)
    assert float(trades) == pytest.approx(untouched + pulled)


def test_the_gradient_of_trades_is_that_of_its_formula() -> None:
    """With p and q the two answers: d KL / dz' = q - p, d KL / dz = p (log p - log q - KL)."""
    random = torch.Generator().manual_seed(0)
    clean = torch.randn(4, 5, generator=random, dtype=torch.float64).requires_grad_()
    after = torch.randn(4, 5, generator=random, dtype=torch.float64).requires_grad_()
    label = torch.tensor([0, 1, 2, 4])
    method = Trades(replace(OPTIONS, method="trades", beta=3.0))
    method.loss(clean, after, label).backward()  # type: ignore[no-untyped-call]
    p, q = clean.detach().softmax(1), after.detach().softmax(1)
    kl = (p * (p / q).log()).sum(dim=1, keepdim=True)
    assert torch.allclose(divergence(clean, after), kl[:, 0])
    wanted = 3.0 * (q - p) / 4
    assert after.grad is not None and torch.allclose(after.grad, wanted)
    wanted = (p - F.one_hot(label, 5) + 3.0 * p * ((p / q).log() - kl)) / 4
    assert clean.grad is not None and torch.allclose(clean.grad, wanted)


def test_the_generator_learns_in_every_second_step_only(
    trained: Classifier, generator: Generator, splits: dict[str, ClipDataset]
) -> None:
    x, label = splits["train"].waveforms(range(6)), splits["train"].labels[:6]
    method = GeneratorTraining(replace(OPTIONS, method="generator", generator_every=2), generator)
    random, changed = torch.Generator().manual_seed(0), []
    for _ in range(4):
        before = method.generator.fingerprint()
        with under_attack(trained):
            method.perturb(trained, x, label, torch.full((6,), 20.0), random)
        changed.append(method.generator.fingerprint() != before)
    assert changed == [True, False, True, False]


def test_the_most_confusing_target_is_the_best_wrong_one(
    trained: Classifier, generator: Generator, splits: dict[str, ClipDataset]
) -> None:
    x, label = splits["train"].waveforms(), splits["train"].labels
    method = GeneratorTraining(replace(OPTIONS, targets="confusing"), generator)
    target = method.choose(trained, x, label, torch.Generator())
    logits = trained(x)
    for row in range(len(x)):
        wrong = [k for k in range(3) if k != label[row]]
        assert int(target[row]) == max(wrong, key=lambda k: float(logits[row, k]))


def test_a_method_that_lacks_its_generator_says_so() -> None:
    with pytest.raises(MondegreenError, match="--generator"):
        build(replace(OPTIONS, method="refined"))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"epochs": 0}, "epochs"),
        ({"snr_db": (30.0, 20.0)}, "snr-db"),
        ({"share": 1.5}, "share"),
        ({"average": 1.0}, "average"),
        ({"learning_rate": math.nan}, "learning-rate"),
        ({"minutes": 0.0}, "minutes"),
        ({"method": "pgd", "steps": 0}, "steps"),
        ({"norms": "batch"}, "norms"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, object], word: str) -> None:
    with pytest.raises(MondegreenError, match=word):
        replace(OPTIONS, **changes)  # type: ignore[arg-type]
