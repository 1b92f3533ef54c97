from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mondegreen.generators.conditioning import TargetModulation


def test_it_starts_as_the_identity() -> None:
    h = torch.randn(4, 3, 7)
    assert torch.equal(TargetModulation(3, 5)(h, torch.tensor([0, 4, 2, 2])), h)


@pytest.mark.parametrize("channel_last", [False, True])
def test_each_clip_gets_the_scale_and_shift_of_its_target(channel_last: bool) -> None:
    modulation = TargetModulation(3, 5, channel_last=channel_last)
    nn.init.normal_(modulation.scale)
    nn.init.normal_(modulation.shift)
    scale, shift = modulation.scale.detach().numpy(), modulation.shift.detach().numpy()
    h, target = np.random.default_rng(0).normal(size=(4, 3, 7)).astype(np.float32), [1, 4, 1, 0]
    expected = np.empty_like(h)
    for clip, which in enumerate(target):
        for channel in range(3):
            expected[clip, channel] = (1 + scale[which, channel]) * h[clip, channel]
            expected[clip, channel] += shift[which, channel]
    x = torch.from_numpy(h.swapaxes(1, 2).copy() if channel_last else h)
    y = modulation(x, torch.tensor(target)).detach().numpy()
    np.testing.assert_allclose(y.swapaxes(1, 2) if channel_last else y, expected, rtol=1e-5)


def test_only_the_targets_in_the_batch_learn() -> None:
    modulation = TargetModulation(3, 5)
    modulation(torch.ones(2, 3, 7), torch.tensor([1, 3])).sum().backward()
    assert modulation.scale.grad is not None and modulation.shift.grad is not None
    for gradient in (modulation.scale.grad, modulation.shift.grad):
        assert gradient[:, 0].tolist() == [0.0, 7.0, 0.0, 7.0, 0.0]


def test_a_target_out_of_range_is_an_error() -> None:
    with pytest.raises(IndexError):
        TargetModulation(3, 5)(torch.ones(1, 3, 7), torch.tensor([5]))
