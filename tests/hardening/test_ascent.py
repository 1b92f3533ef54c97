"""The inner attack: within its budget, uphill, and exactly right where that can be worked out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mondegreen.budgets import SNR
from mondegreen.hardening.ascent import ascend, noise_within


def clips(count: int = 3) -> Tensor:
    return 0.2 * torch.randn(count, 1, 256, generator=torch.Generator().manual_seed(0))


def test_a_linear_objective_is_climbed_to_the_end_of_the_ball_in_one_step() -> None:
    x, snr_db = clips(), torch.tensor([20.0, 30.0, 40.0])
    slope = torch.randn(1, 1, 256, generator=torch.Generator().manual_seed(1))
    found = ascend(
        lambda y: (y * slope).sum(dim=2),
        lambda logits: logits[:, 0],
        x,
        torch.zeros_like(x),
        snr_db,
        steps=1,
        step=1.0,
    )
    radius = x.norm(dim=2, keepdim=True) * 10.0 ** (-snr_db[:, None, None] / 20.0)
    assert torch.allclose(found, radius * slope / slope.norm(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_every_clip_keeps_its_own_budget_and_full_scale(steps: int) -> None:
    x = torch.cat([clips(), torch.ones(1, 1, 256)])
    snr_db = torch.tensor([10.0, 20.0, 30.0, 10.0])
    start = 5.0 * torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    found = ascend(
        lambda y: y.square().sum(dim=2),
        lambda z: z[:, 0],
        x,
        start,
        snr_db,
        steps=steps,
        step=0.7,
    )
    assert not found.requires_grad
    assert float((x + found).abs().max()) <= 1.0
    for row, db in enumerate(snr_db.tolist()):
        assert bool(SNR(db).satisfied(x[row : row + 1], found[row : row + 1]))


def test_a_silent_clip_stays_silent_and_finite() -> None:
    x = torch.zeros(1, 1, 64)
    found = ascend(
        lambda y: y.sum(dim=2),
        lambda z: z[:, 0],
        x,
        torch.ones_like(x),
        torch.tensor([20.0]),
        steps=3,
        step=0.5,
    )
    assert torch.equal(found, x)


def test_noise_has_the_asked_norm_and_differs_between_clips() -> None:
    x = clips(1).expand(2, 1, 256)
    noise = noise_within(x, torch.tensor([20.0, 20.0]), 0.5, torch.Generator().manual_seed(3))
    ratio = 20.0 * torch.log10(x.norm(dim=2) / noise.norm(dim=2))
    assert torch.allclose(ratio, torch.full((2, 1), 26.0206), atol=1e-3)
    assert not torch.equal(noise[0], noise[1])
