"""Step by step beside Foolbox (Rauber et al. 2020): the same iterates, the same successes.

Both work in float64 here. Foolbox moves ``x_adv`` and the package ``delta``; in float32 the last
bit of ``x_adv`` is a relative 1e-4 of the perturbation, after which the signs of gradients next to
zero differ, and a few steps later so do 10 % of the samples. In float64 the iterates agree to 1e-6
of their norm.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.basic_iterative import BasicIterative
from mondegreen.attacks.fast_gradient import FastGradient
from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.budgets import L2, SNR, Budget, Linf, quantize_within
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.gan.validation import draw_targets

foolbox = pytest.importorskip("foolbox")

COUNT, STEPS, SHARE = 16, 4, 0.25
TOLERANCE = 1e-6  # of the norm of the perturbation


class Doubled(nn.Module):
    """The shipped spotter in float64; it remembers what it was asked for a gradient of."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = load_classifier("zoo:speech-commands").module.double()
        self.asked: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        if x.requires_grad:
            self.asked.append(x.detach().clone())
        logits: Tensor = self.inner(x.double())
        return logits


@pytest.fixture(scope="module")
def spotter() -> Classifier:
    shipped = load_classifier("zoo:speech-commands")
    return Classifier(
        Doubled(),
        labels=shipped.labels,
        sample_rate=shipped.sample_rate,
        clip_samples=shipped.clip_samples,
        name="doubled",
    ).freeze()


def made_up(classifier: Classifier) -> tuple[Tensor, Tensor]:
    """Return gliding buzzes in noise, and for each a label that it is not heard as."""
    random = torch.Generator().manual_seed(11)
    time = torch.arange(classifier.clip_samples) / classifier.sample_rate
    pitch = 90.0 + 120.0 * torch.rand(COUNT, 1, generator=random)
    glide = 1.0 + 0.6 * torch.rand(COUNT, 1, generator=random) * time
    buzz = sum(torch.sin(2 * torch.pi * n * pitch * glide * time) / n for n in range(1, 20))
    level = torch.exp(-0.5 * ((time - 0.5) / 0.15).square())
    x = 0.1 * level * buzz + 0.003 * torch.randn(COUNT, len(time), generator=random)
    x = (x[:, None] * 32768).round().clamp(-32768, 32767) / 32768
    with torch.no_grad():
        ranks = classifier(x).argsort(dim=1, descending=True)
    return x.double(), ranks[:, 2]


def recorded(classifier: Classifier, folder: Path) -> tuple[Tensor, Tensor]:
    """Return clips of validation speakers and targets drawn for them."""
    options = DataOptions(data=folder / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    random = torch.Generator().manual_seed(3)
    x, label = open_test_split(options, *shape, "validation").sample(COUNT, random)
    return x.double(), draw_targets(label, torch.arange(len(classifier.labels)), random)


def seen(classifier: Classifier) -> Doubled:
    module = classifier.module
    assert isinstance(module, Doubled)
    module.asked.clear()
    return module


def ours(steps: int, kappa: float) -> ProjectedGradient:
    """Return the search with the settings that make it Foolbox's."""
    return ProjectedGradient(
        steps=steps, step=SHARE, rule="constant", shaping=0.0, loss="cross-entropy", kappa=kappa
    )


def our_iterates(classifier: Classifier, x: Tensor, target: Tensor, budget: Budget) -> list[Tensor]:
    """Return what was tried, from the first to the last, as perturbations."""
    module = seen(classifier)
    # One step more than compared: what is tried shows when its gradient is asked for.
    ours(STEPS + 1, kappa=1e6).perturb(classifier, x, target, budget)
    return [tried - x for tried in module.asked]


def their_iterates(
    classifier: Classifier, x: Tensor, target: Tensor, budget: Budget
) -> tuple[list[Tensor], Tensor]:
    """Return Foolbox's perturbations, and which clips it calls a success in the end."""
    kind = foolbox.attacks.LinfPGD if isinstance(budget, Linf) else foolbox.attacks.L2PGD
    criterion = foolbox.criteria.TargetedMisclassification
    model = foolbox.PyTorchModel(classifier, bounds=(-1.0, 1.0), device="cpu")
    # The radius of a signal-to-noise ratio depends on the clip, and Foolbox knows one for all.
    parts = [slice(n, n + 1) for n in range(len(x))] if isinstance(budget, SNR) else [slice(None)]
    iterates: list[list[Tensor]] = []
    heard: list[Tensor] = []
    for part in parts:
        radius = float(budget.bound(x[part])[0])
        attack = kind(abs_stepsize=SHARE * radius, steps=STEPS, random_start=False)
        module = seen(classifier)
        _, last, success = attack(model, x[part], criterion(target[part]), epsilons=radius)
        iterates.append([tried - x[part] for tried in [*module.asked, last]])
        heard.append(success)
    return [torch.cat(step) for step in zip(*iterates, strict=True)], torch.cat(heard)


def hears(classifier: Classifier, x: Tensor, target: Tensor) -> Tensor:
    with torch.no_grad():
        heard: Tensor = classifier(x).argmax(dim=1)
    return heard == target


def compare(classifier: Classifier, x: Tensor, target: Tensor, budget: Budget) -> int:
    """Assert that all is alike; return on how many clips both succeed after rounding."""
    mine = our_iterates(classifier, x, target, budget)
    theirs, success = their_iterates(classifier, x, target, budget)
    assert len(mine) == len(theirs) == STEPS + 1
    for one, other in zip(mine[1:], theirs[1:], strict=True):
        apart = (one - other).norm(dim=2) / other.norm(dim=2)
        assert float(apart.max()) < TOLERANCE
    assert torch.equal(hears(classifier, x + mine[-1], target), success)
    # A search that stops by itself succeeds where any of Foolbox's iterates does.
    rounded = [hears(classifier, quantize_within(x, d, budget), target) for d in theirs]
    delta = ours(STEPS, kappa=0.0).perturb(classifier, x, target, budget)
    found = hears(classifier, quantize_within(x, delta, budget), target)
    assert torch.equal(found, torch.stack(rounded).any(dim=0))
    return int(found.sum())


@pytest.mark.parametrize("budget", [Linf(0.0002), L2(0.01)], ids=str)
def test_as_foolbox_step_by_step(spotter: Classifier, budget: Budget) -> None:
    x, target = made_up(spotter)
    assert 0 < compare(spotter, x, target, budget) < COUNT  # neither hopeless nor trivial


def test_as_foolbox_with_a_radius_for_each_clip(spotter: Classifier) -> None:
    x, target = made_up(spotter)
    compare(spotter, x[:4], target[:4], SNR(40.0))


@pytest.mark.parametrize("budget", [Linf(0.0002), L2(0.03)], ids=str)
def test_as_foolbox_on_recordings(spotter: Classifier, budget: Budget, real_data: Path) -> None:
    x, target = recorded(spotter, real_data)
    assert 0 < compare(spotter, x, target, budget) < COUNT


@pytest.mark.parametrize("budget", [Linf(0.0002), L2(0.01)], ids=str)
def test_one_step_and_basic_steps_are_foolboxes_too(spotter: Classifier, budget: Budget) -> None:
    x, _ = made_up(spotter)
    x = x[:4]
    label = spotter(x).argmax(dim=1)  # Foolbox's fast gradient method is untargeted only
    kind = "Linf" if isinstance(budget, Linf) else "L2"
    model = foolbox.PyTorchModel(spotter, bounds=(-1.0, 1.0), device="cpu")
    radius = float(budget.bound(x)[0])
    fast = getattr(foolbox.attacks, f"{kind}FastGradientAttack")()
    basic = getattr(foolbox.attacks, f"{kind}BasicIterativeAttack")(rel_stepsize=SHARE, steps=2)
    for theirs, ours in (
        (fast, FastGradient(untargeted=True, kappa=1e6)),
        (basic, BasicIterative(steps=2, step=SHARE, untargeted=True, kappa=1e6)),
    ):
        other = theirs(model, x, label, epsilons=radius)[1] - x
        mine = ours.perturb(spotter, x, label, budget)
        moved = mine.norm(dim=2) > 0.0  # where the step makes it worse, ours stays
        assert int(moved.sum()) >= 2
        apart = ((mine - other).norm(dim=2) / other.norm(dim=2))[moved]
        assert float(apart.max()) < TOLERANCE
