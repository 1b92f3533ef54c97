"""The search that a generator may be taught by."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.gradient import default_step, refine
from mondegreen.budgets import SNR
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.gan.config import BudgetSchedule, GeneratorTraining
from mondegreen.gan.distillation import distillation_loss, searched
from mondegreen.gan.losses import LossWeights
from mondegreen.metrics.snr import snr_db

WANTED = torch.tensor([10.0, 20.0, 30.0])


@pytest.fixture
def x(rng: torch.Generator) -> Tensor:
    """Three clips of noise."""
    return 0.1 * torch.randn(3, 1, 1600, generator=rng)


def test_a_search_lowers_what_is_lacking_within_each_budget(
    x: Tensor, rng: torch.Generator
) -> None:
    heard = torch.randn(1, 1, 1600, generator=rng)

    def lack(clips: Tensor) -> Tensor:
        return 50.0 - (clips * heard).sum(dim=(1, 2))

    start = torch.zeros_like(x)
    one, five = (searched(lack, x, start, WANTED, steps=n, sample_rate=8000) for n in (1, 5))
    assert not five.requires_grad
    assert bool((lack(x + one) < lack(x)).all()) and bool((lack(x + five) < lack(x + one)).all())
    assert bool((snr_db(x, x + five) >= WANTED - 1e-3).all())


def test_a_clip_that_lacks_nothing_is_left_as_it_is(x: Tensor) -> None:
    start = 0.01 * torch.ones_like(x)
    offset = torch.tensor([0.0, -1e6, 0.0])
    found = searched(
        lambda clips: clips.square().sum(dim=(1, 2)) + 1.0 + offset,
        x,
        start,
        WANTED,
        steps=2,
        sample_rate=8000,
    )
    assert torch.equal(found[1], start[1])
    assert not torch.equal(found[0], start[0]) and not torch.equal(found[2], start[2])


@pytest.mark.parametrize("steps", [3, 20])
def test_the_steps_are_those_of_a_refinement(x: Tensor, rng: torch.Generator, steps: int) -> None:
    layer = nn.Linear(1600, 2, bias=False)
    layer.weight.data = torch.randn(2, 1600, generator=rng)
    spotter = Classifier(
        nn.Sequential(nn.Flatten(), layer),
        labels=("a", "b"),
        sample_rate=8000,
        clip_samples=1600,
        name="toy",
    ).freeze()
    x[2, :, ::7] = 0.999  # where a clip has no room
    start = 0.001 * torch.randn(3, 1, 1600, generator=rng)
    start = start.clamp(-1.0 - x, 1.0 - x)

    def lack(clips: Tensor) -> Tensor:
        logits: Tensor = spotter(clips)
        return logits[:, 0] - logits[:, 1] + 1e3

    found = searched(lack, x, start, WANTED, steps=steps, sample_rate=8000)
    for row, db in enumerate(WANTED.tolist()):
        refined = refine(
            spotter,
            x[row : row + 1],
            torch.tensor([1]),
            SNR(db),
            start[row : row + 1],
            steps=steps,
            step=default_step(SNR(db), fresh=False),
            kappa=1e6,
            loss="margin",
        )
        torch.testing.assert_close(found[row], refined.delta[0], rtol=1e-3, atol=1e-6)


def test_the_distance_is_relative_and_moves_the_perturbation_alone() -> None:
    delta = torch.tensor([[[0.0, 1.0]], [[3.0, 0.0]]], requires_grad=True)
    goal = torch.tensor([[[0.0, 2.0]], [[3.0, 0.0]]])
    loss = distillation_loss(delta, goal)
    assert loss.item() == pytest.approx(0.125)
    torch.autograd.backward(loss)
    assert delta.grad is not None and delta.grad[0, 0, 1] < 0.0 and not delta.grad[1].any()


def test_a_search_needs_a_budget_and_steps() -> None:
    with pytest.raises(MondegreenError, match=r"weights\.distill needs a budget"):
        GeneratorTraining(weights=LossWeights(distill=1.0))
    with pytest.raises(MondegreenError, match="distill-steps is 0"):
        GeneratorTraining(budget=BudgetSchedule(), distill_steps=0)
