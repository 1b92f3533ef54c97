"""The gain that keeps a budget: in every stretch, exactly, and without steps."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mondegreen.attacks.local_budget import LocalBudget, largest_gain
from mondegreen.audio import quantize
from mondegreen.budgets import L2, SNR, Budget, Linf, quantize_within

STRETCH = 500


def pair(samples: int, seed: int, channels: int = 1) -> tuple[Tensor, Tensor]:
    """Sound and perturbation whose levels change independently, every 250 samples."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(2):
        levels = 10 ** (-4 * torch.rand(samples // 250 + 1, generator=generator))
        noise = torch.rand(channels, samples, generator=generator) - 0.5
        made.append(noise * levels.repeat_interleave(250)[:samples])
    return quantize(made[0]), made[1]


def through(limit: LocalBudget, x: Tensor, delta: Tensor, cuts: list[int]) -> Tensor:
    pieces = zip(
        torch.tensor_split(x, sorted(cuts), dim=1),
        torch.tensor_split(delta, sorted(cuts), dim=1),
        strict=True,
    )
    return torch.cat([*(limit.push(*piece) for piece in pieces), limit.flush(x[:, :0])], dim=1)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 3_000),
    cuts=st.lists(st.integers(0, 3_000), max_size=4),
    budget=st.sampled_from([SNR(3.0), SNR(25.0), L2(0.05), Linf(0.003), Linf(1e-6)]),
    channels=st.integers(1, 2),
)
def test_every_stretch_keeps_the_budget(
    samples: int, cuts: list[int], budget: Budget, channels: int
) -> None:
    x, delta = pair(samples, samples, channels)
    found = through(LocalBudget(budget, STRETCH, 100), x, delta, cuts)
    assert found.shape == x.shape
    assert torch.equal(found, quantize(found))
    for start in range(0, samples, STRETCH):
        part = x[:, start : start + STRETCH]
        change = (found[:, start : start + STRETCH] - part)[None]
        assert bool(budget.norm(change) <= budget.bound(part[None]))


def test_the_gain_has_no_steps_where_two_ramps_do_not_fit_into_a_stretch() -> None:
    x = torch.full((1, 350), 0.5)
    levels = torch.tensor([0.4, 0.01, 0.4, 0.01])  # gains of 0.1 and 1 in turns
    delta = levels.repeat_interleave(100)[None, :350]
    found = through(LocalBudget(Linf(0.04), 100, 80), x, delta, [])
    gain = ((found - x) / delta)[0]
    assert float(gain.max()) > 0.9
    assert float(gain.diff().abs().max()) < 0.05


def test_one_stretch_is_what_the_protocol_does_with_a_clip() -> None:
    x, delta = pair(400, 1)
    for budget in (SNR(20.0), L2(0.01), Linf(0.002)):
        found = through(LocalBudget(budget, STRETCH, 100), x, 10 * delta, [])
        wanted = quantize_within(x[None], 10 * delta[None], budget)[0]
        assert float((found - wanted).abs().max()) <= 1.01 / 32768
        assert float((found - x).norm()) > 0.95 * float((wanted - x).norm())


def test_the_gain_moves_gently_between_stretches() -> None:
    x = quantize(torch.cat([torch.full((1, 500), 0.5), torch.full((1, 500), 0.005)], dim=1))
    found = through(LocalBudget(SNR(20.0), STRETCH, 100), x, torch.full((1, 1_000), 0.05), [])
    delta = (found - x)[0]
    assert float(delta[390]) == pytest.approx(0.05, abs=1e-3)
    assert float(delta[500:].max()) == pytest.approx(0.0005, abs=1e-4)
    assert float((delta[1:] - delta[:-1]).abs().max()) < 0.05 * 2 / 100


def test_no_budget_only_rounds() -> None:
    x, delta = pair(1_200, 3)
    assert torch.equal(through(LocalBudget(None, STRETCH, 100), x, delta, [7]), quantize(x + delta))


@pytest.mark.parametrize("start", [None, 0.0, 0.7, 1.0])
@pytest.mark.parametrize("eps", [1.0, 0.1, 1e-3, 0.0])
def test_the_largest_gain_is_the_largest(start: float | None, eps: float) -> None:
    x, delta = torch.zeros(1, 400), torch.full((1, 400), 0.02)
    gain = largest_gain(x, delta, L2(eps), start=start)
    assert gain.shape == (400,)

    def norm(gain: Tensor) -> float:
        return float(quantize(gain * delta).double().norm())

    assert norm(gain) <= eps
    assert float(gain.max()) <= 1.0
    if float(gain[-1]) < 0.999 and float(gain.max()) > 0:
        assert norm(gain * 1.01 + 0.002) > eps
