"""The basic iterative method: against steps by hand and the best of a linear classifier."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.basic_iterative import BasicIterative
from mondegreen.attacks.fast_gradient import FastGradient
from mondegreen.budgets import L2, SNR, Budget, Linf
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError

SAMPLES = 64


class Square(nn.Module):
    """The second label wins where every sample is near its place: a bowl of known gradient."""

    place: Tensor

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(7)
        self.register_buffer("place", 0.1 * torch.randn(SAMPLES, generator=random))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        away = (x[:, 0] - self.place).square().sum(dim=1)
        return torch.stack([torch.zeros_like(away), 1e-4 - away], dim=1)


def square() -> tuple[Classifier, Tensor]:
    module = Square()
    labels = ("far", "near")
    spotter = Classifier(module, labels=labels, sample_rate=8000, clip_samples=SAMPLES, name="bowl")
    return spotter.freeze(), module.place


def linear(labels: int) -> tuple[Classifier, Tensor]:
    layer = nn.Linear(SAMPLES, labels, bias=False)
    layer.weight.data = torch.randn(labels, SAMPLES, generator=torch.Generator().manual_seed(3))
    names = tuple("abcdef"[:labels])
    module = nn.Sequential(nn.Flatten(), layer)
    spotter = Classifier(module, labels=names, sample_rate=8000, clip_samples=SAMPLES, name="lin")
    return spotter.freeze(), layer.weight.data


def clip() -> Tensor:
    x = 0.1 * torch.randn(1, 1, SAMPLES, generator=torch.Generator().manual_seed(5))
    return (x * 32768).round() / 32768


def test_steps_by_hand_under_a_maximum_norm() -> None:
    spotter, place = square()
    x = torch.zeros(1, 1, SAMPLES)
    attack = BasicIterative(steps=3, step=0.5)
    delta = attack.perturb(spotter, x, torch.tensor([1]), Linf(0.02))
    # Steps of 0.01 towards each place; what is past it turns back, and 0.02 is the end.
    tried = [torch.zeros(SAMPLES)]
    for _ in range(3):
        tried.append((tried[-1] + 0.01 * (place - tried[-1]).sign()).clamp(-0.02, 0.02))
    expected = min(tried, key=lambda one: float((one - place).norm()))  # the best is returned
    torch.testing.assert_close(delta[0, 0], expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("budget", [L2(0.3), SNR(10.0)], ids=str)
def test_steps_by_hand_under_a_euclidean_norm(budget: Budget) -> None:
    spotter, place = square()
    x = clip()
    bound = float(budget.bound(x)[0])
    delta = BasicIterative(steps=4, step=0.4).perturb(spotter, x, torch.tensor([1]), budget)
    expected = torch.zeros(SAMPLES)
    for _ in range(4):
        downhill = place - x[0, 0] - expected
        expected = expected + 0.4 * bound * downhill / downhill.norm()
        expected = expected * min(1.0, bound / float(expected.norm()))
    torch.testing.assert_close(delta[0, 0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("budget", "order"), [(L2(0.02), 2.0), (Linf(0.004), 1.0)], ids=str)
def test_it_reaches_the_best_of_a_linear_classifier(budget: Budget, order: float) -> None:
    spotter, weight = linear(2)
    x = clip()
    target = spotter(x).argmin(dim=1)
    away = weight[int(target)] - weight[1 - int(target)]
    delta = BasicIterative(steps=8, kappa=1e6).perturb(spotter, x, target, budget)
    most = float(budget.bound(x)[0]) * float(torch.linalg.vector_norm(away, order))
    assert float(delta[0, 0] @ away) == pytest.approx(most, rel=1e-4)


def test_one_step_is_the_fast_gradient_method() -> None:
    spotter, _ = linear(4)
    x = clip()
    target = spotter(x).argmin(dim=1)
    for budget in (L2(0.02), Linf(0.004)):
        one = BasicIterative(steps=1, step=1.0).perturb(spotter, x, target, budget)
        assert torch.equal(one, FastGradient().perturb(spotter, x, target, budget))


def test_it_stops_at_the_first_step_that_succeeds() -> None:
    spotter, weight = linear(2)
    x = clip()
    target = spotter(x).argmin(dim=1)
    away = weight[int(target)] - weight[1 - int(target)]
    needed = -float(x[0, 0] @ away) / float(away.norm())  # the distance to the other label
    attack = BasicIterative(steps=10, step=0.1, kappa=0.0)
    found = attack.search(spotter, x, target, L2(2.3 * needed))
    assert found.gradients is not None
    assert found.gradients.tolist() == [5]  # four steps go 0.92 of the distance
    untouched = attack.search(spotter, x, 1 - target, L2(2.3 * needed))
    assert untouched.gradients is not None
    assert untouched.gradients.tolist() == [0]
    assert not bool(untouched.delta.any())


def test_untargeted_is_targeted_at_the_other_of_two_labels() -> None:
    spotter, _ = square()
    x = clip()
    towards = BasicIterative(steps=3).perturb(spotter, x, torch.tensor([1]), SNR(20.0))
    away = BasicIterative(steps=3, untargeted=True)
    assert torch.equal(towards, away.perturb(spotter, x, torch.tensor([0]), SNR(20.0)))


def test_length_of_the_steps_name_and_errors() -> None:
    assert BasicIterative(steps=2).plan().step == pytest.approx(0.625)
    assert BasicIterative(steps=100).plan().step == 0.2
    assert BasicIterative(steps=1).plan().step == 1.0
    assert BasicIterative(step=0.0125).plan().step == 0.0125
    assert BasicIterative(steps=7).name == "bim-7"
    with pytest.raises(MondegreenError, match="step is 0"):
        BasicIterative(step=0.0)
