"""Restarts, step rules and untargeted search of projected gradient descent."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.attacks.plan import Plan, Rule
from mondegreen.budgets import L2, SNR, Budget, Linf
from mondegreen.classifiers.classifier import Classifier

SAMPLES = 64


def classifier_of(module: nn.Module, labels: str = "ab") -> Classifier:
    return Classifier(
        module, labels=tuple(labels), sample_rate=8000, clip_samples=SAMPLES, name="toy"
    ).freeze()


def linear(labels: str) -> tuple[Classifier, Tensor]:
    layer = nn.Linear(SAMPLES, len(labels), bias=False)
    random = torch.Generator().manual_seed(3)
    layer.weight.data = torch.randn(len(labels), SAMPLES, generator=random)
    return classifier_of(nn.Sequential(nn.Flatten(), layer), labels), layer.weight.data


class Saddle(nn.Module):
    """The second label wins at a distance from zero; at zero the gradient vanishes."""

    def __init__(self, need: float) -> None:
        super().__init__()
        self.need = need

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        along = x[:, 0, :8].sum(dim=1).square()
        return torch.stack([torch.full_like(along, self.need), along], dim=1)


@pytest.mark.parametrize("budget", [L2(0.2), Linf(0.05)], ids=str)
def test_a_restart_leaves_a_place_without_a_gradient(budget: Budget) -> None:
    saddle, x, target = classifier_of(Saddle(0.01)), torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    once = ProjectedGradient(steps=6)(saddle, x, target, budget=budget)
    twice = ProjectedGradient(steps=6, restarts=2)(saddle, x, target, budget=budget)
    assert not bool(once.success)
    assert bool(twice.success)
    assert once.gradients is not None
    assert twice.gradients is not None
    assert once.gradients.tolist() == [6]
    assert 6 < int(twice.gradients) <= 12


def test_what_cannot_be_reached_costs_every_run_and_ends_with_the_best() -> None:
    saddle, x, target = classifier_of(Saddle(9.0)), torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    attack = ProjectedGradient(steps=6, restarts=3, shaping=0.0)
    found = attack.search(saddle, x, target, L2(0.2))
    assert found.gradients is not None
    assert found.queries is not None
    assert found.gradients.tolist() == [18]
    assert found.queries.tolist() == [1 + 7 + 7 + 7]  # a restart is looked at with its gradient
    # The best within the bound goes along the eight samples: (sqrt(8) * 0.2)^2.
    assert float(saddle(x + found.delta)[0, 1]) == pytest.approx(8 * 0.04, rel=0.02)


class Guarded(Saddle):
    """Not to be moved where the last sample is large."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = super().forward(x)
        return logits + torch.tensor([10.0, 0.0]) * x[:, 0, -1:]


def test_what_a_random_start_reaches_costs_no_gradient() -> None:
    x = torch.zeros(2, 1, SAMPLES)
    x[1, 0, -1] = 1.0
    attack = ProjectedGradient(steps=3, start="random", kappa=0.0)
    found = attack.search(classifier_of(Guarded(1e-4)), x, torch.tensor([1, 1]), L2(0.2))
    assert found.gradients is not None
    assert found.gradients.tolist() == [0, 3]
    assert float(found.delta[0].norm()) == pytest.approx(0.1)


def test_a_tie_is_no_success() -> None:
    x, target = torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    attack = ProjectedGradient(steps=2, kappa=0.0)
    found = attack(classifier_of(Saddle(0.0)), x, target, budget=L2(0.2))
    assert found.gradients is not None
    assert found.gradients.tolist() == [2]
    assert not bool(found.success)


class Cone(nn.Module):
    """The gradient of a norm, which is NaN at zero."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        norm = x.square().sum(dim=(1, 2)).sqrt()
        return torch.stack([norm + 1.0, norm], dim=1)


@pytest.mark.parametrize("budget", [L2(0.2), Linf(0.05)], ids=str)
def test_where_the_gradient_is_nan_nothing_moves(budget: Budget) -> None:
    x, target = torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    found = ProjectedGradient(steps=2).search(classifier_of(Cone()), x, target, budget)
    assert not bool(found.delta.any())


def test_only_failures_begin_again_and_draw_alike_in_any_company() -> None:
    layers = nn.Sequential(nn.Flatten(), nn.Linear(SAMPLES, 32), nn.Tanh(), nn.Linear(32, 5))
    random = torch.Generator().manual_seed(1)
    for weight in layers.parameters():
        weight.data = 0.5 * torch.randn(weight.shape, generator=random)
    spotter = classifier_of(layers, "abcde")
    x = 0.2 * torch.randn(12, 1, SAMPLES, generator=random)
    target = spotter(x).argmin(dim=1)
    once = ProjectedGradient(steps=4, kappa=0.0).search(spotter, x, target, SNR(5.0))
    thrice = ProjectedGradient(steps=4, kappa=0.0, restarts=3)
    more = thrice.search(spotter, x, target, SNR(5.0))
    assert once.gradients is not None
    assert more.gradients is not None
    done = spotter(x + once.delta).argmax(dim=1) == target
    assert 0 < int(done.sum()) < 12  # neither trivial nor hopeless
    assert torch.equal(more.delta[done], once.delta[done])
    assert torch.equal(more.gradients[done], once.gradients[done])
    assert bool((more.gradients[~done] > 4).all())
    failed = thrice.search(spotter, x[~done], target[~done], SNR(5.0))
    torch.testing.assert_close(failed.delta, more.delta[~done], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("rule", "length"),
    [
        ("constant", 4 * 0.1),
        ("root", 0.1 * sum(math.sqrt(1.0 - i / 4) for i in range(4))),
        ("halving", 0.1 * (1 + 1 / 2 + 1 / 4 + 1 / 8)),
    ],
)
def test_how_far_the_steps_of_a_rule_go(rule: Rule, length: float) -> None:
    spotter, weight = linear("ab")
    x = torch.zeros(1, 1, SAMPLES)
    away = weight[1] - weight[0]  # the gradient never turns
    for budget, direction in ((L2(0.5), away / away.norm()), (Linf(0.01), away.sign())):
        attack = ProjectedGradient(steps=4, step=0.1, rule=rule, shaping=0.0, kappa=1e6)
        delta = attack.perturb(spotter, x, torch.tensor([1]), budget)
        expected = length * budget.value * direction
        torch.testing.assert_close(delta[0, 0], expected, rtol=1e-4, atol=1e-7)


def test_constant_steps_are_two_and_a_half_bounds_together() -> None:
    spotter, _ = linear("ab")
    x, target = torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    step = 2.5 / 50
    given = ProjectedGradient(steps=50, rule="constant", step=step)
    chosen = ProjectedGradient(steps=50, rule="constant")
    assert torch.equal(
        given.perturb(spotter, x, target, L2(0.1)), chosen.perturb(spotter, x, target, L2(0.1))
    )


@pytest.mark.parametrize("budget", [SNR(10.0), Linf(0.02)], ids=str)
def test_untargeted_is_targeted_at_the_other_of_two_labels(budget: Budget) -> None:
    spotter, _ = linear("ab")
    x = 0.1 * torch.randn(3, 1, SAMPLES, generator=torch.Generator().manual_seed(5))
    heard = spotter(x).argmax(dim=1)
    settings = {"steps": 3, "restarts": 2, "rule": "halving"}
    towards = ProjectedGradient(**settings)  # type: ignore[arg-type]
    away = ProjectedGradient(**settings, untargeted=True)  # type: ignore[arg-type]
    one = towards(spotter, x, 1 - heard, budget=budget)
    other = away(spotter, x, heard, budget=budget)
    assert torch.equal(one.x_adv, other.x_adv)
    assert torch.equal(one.success, other.success)


def test_the_name_tells_of_restarts() -> None:
    assert ProjectedGradient(steps=9).name == "pgd-9"
    assert ProjectedGradient(steps=9, restarts=5).name == "pgd-9x5"
    assert ProjectedGradient(restarts=5).parameters()["restarts"] == 5


def test_steps_are_halved_after_each_quarter_of_any_number() -> None:
    plan = Plan(steps=6, step=1.0, rule="halving")
    assert [plan.size(number) for number in range(6)] == [1.0, 1.0, 0.5, 0.25, 0.25, 0.125]


def test_untargeted_the_ratio_of_logits_needs_three_labels_only() -> None:
    spotter, _ = linear("abc")
    x = torch.full((1, 1, SAMPLES), 0.1)
    target = spotter(x).argmax(dim=1)
    attack = ProjectedGradient(loss="dlr", untargeted=True)
    assert bool(attack(spotter, x, target, budget=SNR(-6.0)).success)
