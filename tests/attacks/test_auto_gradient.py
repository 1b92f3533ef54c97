"""APGD: against its algorithm written out for one clip, and where its steps have to be found."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.auto_gradient import AutoProjectedGradient, checkpoints
from mondegreen.attacks.basic_iterative import BasicIterative
from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.budgets import L2, SNR, Budget, Linf, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.gan.validation import draw_targets

SAMPLES = 64


class Bent(nn.Module):
    """Three layers in float64; it remembers what it was asked for a gradient of."""

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(2)
        sizes = (SAMPLES, 48, 32, 6)
        self.weights = nn.ParameterList(
            3.0 * torch.randn(out, into, generator=random).double() / math.sqrt(into)
            for into, out in itertools.pairwise(sizes)
        )
        self.asked: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        if x.requires_grad:
            self.asked.append(x.detach().clone())
        x = x[:, 0].double()
        for weight in self.weights[:-1]:
            x = torch.tanh(x @ weight.T)
        logits: Tensor = x @ self.weights[-1].T
        return logits


def classifier_of(module: nn.Module, labels: str) -> Classifier:
    return Classifier(
        module, labels=tuple(labels), sample_rate=8000, clip_samples=SAMPLES, name="toy"
    ).freeze()


def written_out(spotter: Classifier, x: Tensor, target: int, budget: Budget) -> list[Tensor]:
    """Return the 40 first iterates of algorithm 1 of Croce & Hein from zero, for one clip."""
    bound, steps = float(budget.bound(x)[0]), 40
    marks = [math.ceil(p * steps - 1e-9) for p in (0.0, 0.22, 0.41, 0.57, 0.7, 0.8, 0.87, 0.93)]
    tried, losses, sizes = [torch.zeros_like(x)], [], [2.0 * bound]
    state: list[tuple[float, float]] = []  # length of the steps and lowest loss at checkpoints

    def look(delta: Tensor) -> tuple[float, Tensor]:
        delta = delta.clone().requires_grad_()
        logits = spotter(x + delta)[0]
        others = torch.cat([logits[:target], logits[target + 1 :]])
        loss = others.max() - logits[target]
        (gradient,) = torch.autograd.grad(loss, delta)
        return float(loss.detach()), gradient

    now, before = tried[0], tried[0]
    best, lowest = now, math.inf
    for k in range(steps):
        loss, gradient = look(now)
        losses.append(loss)
        if loss < lowest:
            best, lowest = now, loss
        size = sizes[-1]
        if k in marks[1:]:
            last = marks[marks.index(k) - 1]
            rises = sum(losses[i + 1] < losses[i] for i in range(last, k))
            few = rises < 0.75 * (k - last)
            idle = bool(state) and state[-1] == (size, lowest)
            state.append((size, lowest))
            if few or idle:
                size, now = size / 2.0, best
                losses[-1], gradient = look(now)
        sizes.append(size)
        unit = gradient.sign() if isinstance(budget, Linf) else gradient / gradient.norm()
        ahead = budget.project(x, now - size * unit)
        if k > 0:
            ahead = budget.project(x, now + 0.75 * (ahead - now) + 0.25 * (now - before))
        before, now = now, ahead
        tried.append(now)
    return tried[:steps]


@pytest.mark.parametrize("budget", [L2(0.25), Linf(0.04)], ids=str)
def test_the_algorithm_written_out(budget: Budget) -> None:
    module = Bent()
    spotter = classifier_of(module, "abcdef")
    random = torch.Generator().manual_seed(4)
    x = (0.6 * torch.rand(14, 1, SAMPLES, generator=random) - 0.3).double()
    target = spotter(x).argmin(dim=1)
    attack = AutoProjectedGradient(steps=40, start="zero", kappa=1e6)
    for row in (0, 1, 2, 13):  # of the last, steps are halved, and not again for being idle
        clip = x[row : row + 1]
        module.asked = []
        attack.perturb(spotter, clip, target[row : row + 1], budget)
        tried = torch.cat(module.asked) - clip
        expected = torch.cat(written_out(spotter, clip, int(target[row]), budget))
        torch.testing.assert_close(tried, expected, rtol=1e-4, atol=1e-8)


def test_the_checkpoints_of_the_paper() -> None:
    shares = [0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99]
    for steps in (100, 250, 1000):
        assert checkpoints(steps) == [math.ceil(round(p * steps, 6)) for p in shares]
    assert checkpoints(20) == [5, 9, 12, 14, 16, 18, 19]
    assert checkpoints(1) == []


class Valley(nn.Module):
    """The second label wins near a place only, and one half of the samples is 30 times steeper."""

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(7)
        self.place = nn.Parameter(0.03 * torch.randn(SAMPLES, generator=random).sign())
        self.steep = nn.Parameter(torch.ones(SAMPLES))
        self.steep.data[SAMPLES // 2 :] = 30.0

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        away = (self.steep * (x[:, 0] - self.place).square()).sum(dim=1)
        return 100.0 * torch.stack([torch.full_like(away, -0.001), -away], dim=1)


@pytest.mark.parametrize("text", ["l2:0.5", "linf:0.1"])
def test_halved_steps_find_what_long_ones_jump_over(text: str) -> None:
    valley = classifier_of(Valley(), "ab")
    x, target, budget = torch.zeros(1, 1, SAMPLES), torch.tensor([1]), parse_budget(text)
    constant = BasicIterative(steps=100, step=0.4)(valley, x, target, budget=budget)
    halved = AutoProjectedGradient(kappa=0.0)(valley, x, target, budget=budget)
    assert not bool(constant.success)
    assert bool(halved.success)


@pytest.mark.parametrize(("budget", "order"), [(L2(0.02), 2.0), (Linf(0.004), 1.0)], ids=str)
@pytest.mark.parametrize("untargeted", [False, True])
def test_it_reaches_the_best_of_a_linear_classifier(
    budget: Budget, order: float, untargeted: bool
) -> None:
    layer = nn.Linear(SAMPLES, 2, bias=False)
    layer.weight.data = torch.randn(2, SAMPLES, generator=torch.Generator().manual_seed(3))
    spotter = classifier_of(nn.Sequential(nn.Flatten(), layer), "ab")
    x = torch.zeros(1, 1, SAMPLES)
    away = layer.weight.data[1] - layer.weight.data[0]
    attack = AutoProjectedGradient(steps=20, kappa=1e6, untargeted=untargeted)
    delta = attack.perturb(spotter, x, torch.tensor([0 if untargeted else 1]), budget)
    most = float(budget.bound(x)[0]) * float(torch.linalg.vector_norm(away, order))
    assert float(delta[0, 0] @ away) == pytest.approx(most, rel=1e-4)


class Saddle(nn.Module):
    """The second label wins away from zero along a line; at zero the gradient vanishes."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        along = x[:, 0, :8].sum(dim=1)
        return torch.stack([torch.full_like(along, 0.01), along.square()], dim=1)


def test_a_random_start_leaves_a_place_without_a_gradient() -> None:
    saddle = classifier_of(Saddle(), "ab")
    x, target = torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    stuck = AutoProjectedGradient(steps=10, start="zero")(saddle, x, target, budget=L2(0.2))
    assert not bool(stuck.success)
    assert stuck.gradients is not None
    assert stuck.gradients.tolist() == [10]
    for attack in (
        AutoProjectedGradient(steps=10),
        AutoProjectedGradient(steps=10, start="zero", restarts=2),
    ):
        assert bool(attack(saddle, x, target, budget=L2(0.2)).success)


def test_a_random_start_is_as_large_as_the_budget_and_may_be_enough() -> None:
    x, target = torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    attack = AutoProjectedGradient(steps=10, kappa=0.0)
    found = attack.search(classifier_of(Saddle(), "ab"), x, target, L2(1.0))
    assert found.gradients is not None
    assert found.gradients.tolist() == [0]
    assert float(found.delta.norm()) == pytest.approx(1.0)


def test_the_last_step_is_judged() -> None:
    layer = nn.Linear(SAMPLES, 2, bias=False)
    layer.weight.data = torch.randn(2, SAMPLES, generator=torch.Generator().manual_seed(3))
    spotter = classifier_of(nn.Sequential(nn.Flatten(), layer), "ab")
    x, target = torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    result = AutoProjectedGradient(steps=1, start="zero")(spotter, x, target, budget=L2(0.1))
    assert bool(result.success)


def test_the_seed_decides_the_start_and_only_failures_begin_again() -> None:
    spotter = classifier_of(Bent(), "abcdef")
    random = torch.Generator().manual_seed(4)
    x = (0.6 * torch.rand(8, 1, SAMPLES, generator=random) - 0.3).double()
    target = spotter(x).argmin(dim=1)
    budget = L2(0.2)
    one, again, other = (
        AutoProjectedGradient(steps=12, seed=seed).search(spotter, x, target, budget)
        for seed in (1, 1, 2)
    )
    assert torch.equal(one.delta, again.delta)
    assert not torch.allclose(one.delta, other.delta)
    thrice = AutoProjectedGradient(steps=12, seed=1, restarts=3, kappa=0.0)
    once = AutoProjectedGradient(steps=12, seed=1, kappa=0.0).search(spotter, x, target, budget)
    more = thrice.search(spotter, x, target, budget)
    assert once.gradients is not None
    assert more.gradients is not None
    done = spotter(x + once.delta).argmax(dim=1) == target
    assert 0 < int(done.sum()) < 8
    assert torch.equal(more.delta[done], once.delta[done])
    assert torch.equal(more.gradients[done], once.gradients[done])
    assert bool((more.gradients[~done] > 12).all())


def test_name_and_parameters() -> None:
    attack = AutoProjectedGradient(loss="dlr")
    assert attack.name == "apgd-100"
    assert attack.parameters()["steps"] == 100
    assert attack.parameters()["loss"] == "dlr"
    assert AutoProjectedGradient(steps=9, restarts=2).name == "apgd-9x2"


def test_a_hundred_steps_do_not_lose_to_twenty_of_the_search(real_data: Path) -> None:
    classifier = load_classifier("zoo:speech-commands")
    options = DataOptions(data=real_data / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    random = torch.Generator().manual_seed(1)
    x, label = open_test_split(options, *shape, "validation").sample(12, random)
    target = draw_targets(label, torch.arange(10), random)
    search, auto = (
        int(attack(classifier, x, target, budget=SNR(40.0)).success.sum())
        for attack in (ProjectedGradient(), AutoProjectedGradient())
    )
    assert auto >= search
    assert auto >= 10
