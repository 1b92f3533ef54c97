"""Detectors and classifiers that reject, on clips whose scores are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.budgets import L2
from mondegreen.channels import Gain, Quantize
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.defended import Defended
from mondegreen.detection.consistency import Consistency
from mondegreen.detection.detector import Detector, scores, threshold_for
from mondegreen.detection.guarded import REJECTED, Guarded
from mondegreen.detection.residual import Residual, residual_features
from mondegreen.errors import MondegreenError
from mondegreen.metrics.roc import auc

SAMPLES = 4096


class Mean(nn.Module):
    """Logits: the mean, and the mean with the opposite sign, times ten."""

    def forward(self, x: Tensor) -> Tensor:
        mean = 10.0 * x.mean(dim=(1, 2))
        return torch.stack([mean, -mean], dim=1)


class Loudest(Detector):
    """The largest sample."""

    def describe(self) -> str:
        return "Loudest()"

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(dim=(1, 2))


class SecondHalf(Detector):
    """The power of the clip's second half: an attack can leave it as it is."""

    def describe(self) -> str:
        return "SecondHalf()"

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0, SAMPLES // 2 :].square().mean(dim=1)


@pytest.fixture
def mean() -> Classifier:
    return Classifier(
        Mean(), labels=("up", "down"), sample_rate=16_000, clip_samples=SAMPLES, name="mean"
    ).freeze()


def level(*values: float) -> Tensor:
    return torch.tensor(values)[:, None, None].expand(-1, 1, SAMPLES).clone()


def noise(count: int, seed: int) -> Tensor:
    return torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(seed))


def test_consistency_is_the_distance_of_probabilities(mean: Classifier) -> None:
    detector = Consistency(mean, Defended(mean, Gain(db=-20.0)))
    found = detector(level(0.0, 0.2))
    before, after = (1 / (1 + math.exp(-20 * one)) for one in (0.2, 0.02))
    assert found.tolist() == pytest.approx([0.0, 2 * (before - after)], abs=1e-6)
    x = level(0.013).requires_grad_()
    rounding = Consistency(mean, Defended(mean, Quantize(bits=4)))
    (gradient,) = torch.autograd.grad(rounding(x).sum(), x)
    assert bool((gradient != 0).any()), "descended straight through"
    assert "Quantize(bits=4" in rounding.describe()


def test_a_threshold_keeps_its_promise() -> None:
    benign = torch.rand(203, generator=torch.Generator().manual_seed(1))
    for share in (0.01, 0.05, 0.5):
        limit = threshold_for(benign, share)
        above = int((benign > limit).sum())
        assert above == int(share * 203)
    with pytest.raises(MondegreenError, match="benign"):
        threshold_for(torch.zeros(0), 0.05)


def test_the_residual_learns_faint_noise_in_the_pauses() -> None:
    envelope = (torch.arange(SAMPLES) % 2048 < 1024).float()
    speech = 0.2 * noise(40, 1).cumsum(dim=2).sub(noise(40, 1).cumsum(dim=2).mean()) * 0.02
    benign = speech * envelope + 1e-4 * noise(40, 2)
    attacked = benign + 2e-3 * noise(40, 3)
    detector = Residual().fit(benign[:20], attacked[:20])
    found = scores(detector, torch.cat([benign[20:], attacked[20:]]))
    assert auc(found[:20], found[20:]) > 0.99
    assert torch.equal(scores(Residual().fit(benign[:20], attacked[:20]), benign[20:]), found[:20])
    assert not any(one.requires_grad for one in detector.parameters())
    with pytest.raises(MondegreenError, match="both"):
        Residual().fit(benign, attacked[:0])


def test_the_fit_is_the_minimum_of_its_loss() -> None:
    benign, attacked = 0.1 * noise(30, 1), 0.1 * noise(30, 4).cumsum(dim=2).clamp(-5, 5) * 0.3
    penalty = 0.1
    detector = Residual().fit(benign, attacked, penalty=penalty)
    detector.line.requires_grad_()
    low, high = detector(benign), detector(attacked)
    loss = nn.functional.softplus(low).mean() / 2 + nn.functional.softplus(-high).mean() / 2
    loss = loss + penalty * detector.line.weight.square().sum()
    gradients = torch.autograd.grad(loss, list(detector.line.parameters()))
    assert all(float(one.abs().max()) < 1e-3 for one in gradients)


def test_features_measure_the_level_of_each_band() -> None:
    x = 0.1 * noise(2, 5)
    first, louder = residual_features(x), residual_features(10.0 * x)
    assert torch.allclose(louder[:, :16] - first[:, :16], torch.tensor(math.log(100.0)), atol=1e-3)
    assert torch.allclose(louder[:, 16:], first[:, 16:], atol=1e-3)
    assert bool(residual_features(torch.zeros(1, 1, SAMPLES)).isfinite().all())


def test_what_is_above_the_threshold_is_rejected(mean: Classifier) -> None:
    guarded = Guarded(mean, Loudest(), threshold=0.3, spread=0.1, weight=2.0)
    logits = guarded(level(0.2, 0.4, -0.4))
    assert guarded.labels == ("up", "down", REJECTED)
    assert logits.argmax(dim=1).tolist() == [0, 2, 1]
    assert torch.equal(logits[:, :2], mean(level(0.2, 0.4, -0.4)))
    wanted = logits[:, :2].amax(dim=1) + 20.0 * torch.tensor([-0.1, 0.1, -0.7])
    assert torch.allclose(logits[:, 2], wanted, atol=1e-5)
    assert guarded.fingerprint() != Guarded(mean, Loudest(), threshold=0.2).fingerprint()


def test_a_detector_gives_no_gradients_that_the_classifier_has_not(mean: Classifier) -> None:
    assert Guarded(mean, Loudest(), threshold=0.3).differentiable
    mean.differentiable = False
    assert not Guarded(mean, Loudest(), threshold=0.3).differentiable


def test_an_attack_on_both_stays_below_the_threshold(mean: Classifier) -> None:
    x, target = level(-0.05), torch.tensor([0])
    budget = L2(0.3 * math.sqrt(SAMPLES))
    plain = ProjectedGradient(steps=10, kappa=4.0)(mean, x, target, budget=budget)
    detector, limit = SecondHalf(), 0.004
    assert bool(plain.success) and float(detector(plain.x_adv)) > limit
    guarded = Guarded(mean, detector, threshold=limit, spread=0.002).freeze()
    knowing = ProjectedGradient(steps=30)(guarded, x, target, budget=budget)
    assert bool(knowing.success) and float(detector(knowing.x_adv)) <= limit
    assert int(mean(knowing.x_adv).argmax()) == 0
