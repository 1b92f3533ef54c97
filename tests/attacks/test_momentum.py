"""The momentum iterative method: against its recurrence worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.basic_iterative import BasicIterative
from mondegreen.attacks.momentum import MomentumIterative
from mondegreen.budgets import L2, SNR, Budget, Linf
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError

SAMPLES = 64


class Bowl(nn.Module):
    """The second label wins at a place; the sides are unlike steep, so the gradient turns."""

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(7)
        self.place = nn.Parameter(0.1 * torch.randn(SAMPLES, generator=random))
        self.steep = nn.Parameter(torch.linspace(0.1, 3.0, SAMPLES))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        away = (self.steep * (x[:, 0] - self.place).square()).sum(dim=1)
        return torch.stack([torch.zeros_like(away), 1e-4 - away], dim=1)


def bowl() -> tuple[Classifier, Bowl]:
    module = Bowl()
    labels = ("far", "near")
    spotter = Classifier(module, labels=labels, sample_rate=8000, clip_samples=SAMPLES, name="bowl")
    return spotter.freeze(), module


def by_hand(module: Bowl, budget: Budget, steps: int, step: float, decay: float) -> list[Tensor]:
    """Return the iterates of algorithm 1 of Dong et al. from zero, for a clip of zeros."""
    bound, delta, momentum, found = budget.value, torch.zeros(SAMPLES), torch.zeros(SAMPLES), []
    for _ in range(steps):
        gradient = 2.0 * module.steep.data * (delta - module.place.data)
        momentum = decay * momentum + gradient / gradient.abs().sum()
        if isinstance(budget, Linf):
            delta = (delta - step * bound * momentum.sign()).clamp(-bound, bound)
        else:
            delta = delta - step * bound * momentum / momentum.norm()
            delta = delta * min(1.0, bound / float(delta.norm()))
        found.append(delta)
    return found


@pytest.mark.parametrize("decay", [1.0, 0.5])
@pytest.mark.parametrize("budget", [L2(0.4), Linf(0.05)], ids=str)
def test_steps_by_hand(budget: Budget, decay: float) -> None:
    spotter, module = bowl()
    x, target = torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    for steps in (1, 2, 5):
        iterates = by_hand(module, budget, steps, 0.3, decay)
        wins = [float(spotter(tried[None, None])[0, 1]) for tried in iterates]
        best = iterates[wins.index(max(wins))]  # the search returns the best that it tried
        attack = MomentumIterative(steps=steps, step=0.3, decay=decay)
        delta = attack.perturb(spotter, x, target, budget)
        torch.testing.assert_close(delta[0, 0], best, rtol=1e-4, atol=1e-6)


def test_the_gathered_gradients_lead_elsewhere_than_the_last_one() -> None:
    spotter, _ = bowl()
    x, target = torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    deltas = [
        attack.perturb(spotter, x, target, L2(0.4))
        for attack in (
            BasicIterative(steps=3, step=0.3),
            MomentumIterative(steps=3, step=0.3, decay=0.0),
            MomentumIterative(steps=3, step=0.3),
        )
    ]
    torch.testing.assert_close(deltas[0], deltas[1])
    assert not torch.allclose(deltas[0], deltas[2], rtol=1e-2)


@pytest.mark.parametrize(("budget", "order"), [(L2(0.02), 2.0), (Linf(0.004), 1.0)], ids=str)
def test_it_reaches_the_best_of_a_linear_classifier(budget: Budget, order: float) -> None:
    layer = nn.Linear(SAMPLES, 2, bias=False)
    layer.weight.data = torch.randn(2, SAMPLES, generator=torch.Generator().manual_seed(3))
    spotter = Classifier(
        nn.Sequential(nn.Flatten(), layer),
        labels=("a", "b"),
        sample_rate=8000,
        clip_samples=SAMPLES,
        name="lin",
    ).freeze()
    x = torch.zeros(1, 1, SAMPLES)
    away = layer.weight.data[1] - layer.weight.data[0]
    attack = MomentumIterative(steps=6, kappa=1e6)
    delta = attack.perturb(spotter, x, torch.tensor([1]), budget)
    most = float(budget.bound(x)[0]) * float(torch.linalg.vector_norm(away, order))
    assert float(delta[0, 0] @ away) == pytest.approx(most, rel=1e-4)


def test_a_clip_that_succeeds_costs_no_more_and_untargeted_is_the_other_of_two() -> None:
    spotter, _ = bowl()
    x = torch.zeros(1, 1, SAMPLES)
    attack = MomentumIterative(steps=30, kappa=0.0)
    found = attack.search(spotter, x, torch.tensor([1]), SNR(0.0))
    assert found.gradients is not None
    assert found.gradients.tolist() == [0]  # silence
    found = attack.search(spotter, x, torch.tensor([1]), Linf(0.3))
    assert found.gradients is not None
    assert 1 <= int(found.gradients) <= 30
    away = MomentumIterative(steps=30, kappa=0.0, untargeted=True)
    assert torch.equal(found.delta, away.perturb(spotter, x, torch.tensor([0]), Linf(0.3)))


def test_length_of_the_steps_name_parameters_and_errors() -> None:
    assert MomentumIterative(steps=2).plan().step == 0.5
    assert MomentumIterative(steps=100).plan().step == 0.4
    assert MomentumIterative(step=0.05).plan().step == 0.05
    attack = MomentumIterative(steps=7, decay=0.9)
    assert attack.name == "mi-fgsm-7"
    assert attack.parameters()["decay"] == 0.9
    assert attack.parameters()["steps"] == 7
    with pytest.raises(MondegreenError, match="decay is -1"):
        MomentumIterative(decay=-1.0)
