"""Candidates in steps of 16 bits: whatever goes in, what comes out keeps the budget on the grid."""

from __future__ import annotations

import pytest
import torch

from mondegreen.attacks.step_budget import PUBLISHED_STEPS, StepBudget
from mondegreen.audio import Normalization, quantize
from mondegreen.budgets import L2, SNR, Linf, parse_budget, quantize_within

BUDGETS = ("snr:20", "snr:60", "snr:-5", "l2:0.3", "l2:0.0001", "linf:0.004", "linf:0.00012207")


def clips() -> torch.Tensor:
    random = torch.Generator().manual_seed(3)
    level = torch.tensor([0.1, 0.001, 0.9, 0.0])[:, None, None]
    return (level * torch.randn(4, 1, 600, generator=random)).clamp(-1.0, 1.0)


@pytest.mark.parametrize("normalization", ["pcm", "paper"])
@pytest.mark.parametrize("text", BUDGETS)
@pytest.mark.parametrize("fill", [False, True])
def test_candidates_keep_the_budget_exactly(
    text: str, fill: bool, normalization: Normalization
) -> None:
    x, budget = quantize(clips(), normalization), parse_budget(text)
    room = StepBudget(x, budget, normalization)
    random = torch.Generator().manual_seed(4)
    for scale in (0.7, 30.0, 3_000.0):
        steps = scale * torch.randn(4, 600, generator=random)
        steps[:, ::3] = 0.0
        for some in (steps, steps.to(torch.int16)):
            x_adv = room.clips(torch.arange(4), some[:, None], fill=fill)
            assert bool((budget.norm(x_adv - x) <= budget.bound(x)).all())
            assert torch.equal(x_adv, quantize(x_adv, normalization))
            assert torch.equal(x_adv, quantize_within(x, x_adv - x, budget, normalization))


@pytest.mark.parametrize("normalization", ["pcm", "paper"])
def test_without_a_budget_eight_bits_remain(normalization: Normalization) -> None:
    x = quantize(clips(), normalization)
    room = StepBudget(x, None, normalization)
    steps = torch.linspace(-400, 400, 600).expand(4, 600)
    unit = 32_767.5 if normalization == "paper" else 32_768.0
    moved = (room.clips(torch.arange(4), steps[:, None]) - x)[3, 0] * unit
    torch.testing.assert_close(
        moved, steps[0].clamp(-PUBLISHED_STEPS, PUBLISHED_STEPS).round(), atol=0.01, rtol=0
    )
    assert room.possible.tolist() == [True] * 4


def test_filling_uses_the_budget_and_not_filling_leaves_what_fits() -> None:
    x = quantize(clips()[:1])
    room, rows = StepBudget(x, SNR(20.0), "pcm"), torch.tensor([0])
    steps = torch.zeros(1, 600)
    steps[0, 100], steps[0, 300] = 5.0, -2.0
    assert torch.equal((room.clips(rows, steps[:, None]) - x)[:, 0] * 32_768, steps)
    filled = room.clips(rows, steps[:, None], fill=True) - x
    bound = SNR(20.0).bound(x)
    assert float(bound * 0.999) < float(SNR(20.0).norm(filled)) <= float(bound)
    assert torch.nonzero(filled[0, 0]).flatten().tolist() == [100, 300]
    assert torch.equal(room.clips(rows, torch.zeros(1, 1, 600), fill=True), x)


def test_which_clips_can_be_moved_at_all() -> None:
    x = quantize(clips())
    for budget, expected in (
        (SNR(20.0), [True, True, True, False]),
        (SNR(90.0), [True, False, True, False]),
        (Linf(0.9 / 32_768), [False] * 4),
        (Linf(1 / 32_768), [True] * 4),
        (L2(0.0), [False] * 4),
    ):
        assert StepBudget(x, budget, "pcm").possible.tolist() == expected


def test_candidates_of_a_clip_lie_side_by_side() -> None:
    x = quantize(clips())
    room, rows = StepBudget(x, None, "pcm"), torch.tensor([2, 0])
    steps = torch.arange(6.0).view(2, 3, 1).expand(2, 3, 600)
    x_adv = room.clips(rows, steps)
    alone = [
        room.clips(rows[i : i + 1], steps[i : i + 1, j : j + 1]) for i in (0, 1) for j in range(3)
    ]
    assert torch.equal(x_adv, torch.cat(alone))
    assert torch.equal(x_adv[0], x[2])


def test_full_scale_is_not_left() -> None:
    x = torch.tensor([[[1.0, -1.0, 0.0]]])
    room = StepBudget(quantize(x), Linf(0.5), "pcm")
    x_adv = room.clips(torch.tensor([0]), torch.tensor([[[9e4, -9e4, 9e4]]]))
    assert x_adv.tolist() == [[[32_767 / 32_768, -1.0, 0.5]]]
