"""Narrow convolutions, computed in blocks: the same sums and the same gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mondegreen.generators.narrow import DoublingConv1d, HalvingConv1d, is_narrow


def gradients(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """The output, and the gradients of a function of it to the input and to every parameter."""
    x = x.clone().requires_grad_()
    y = layer(x)
    found = torch.autograd.grad((y**3).sum(), [x, *layer.parameters()])
    return [y.detach(), *found]


@pytest.mark.parametrize("kernel", [31, 32])
@pytest.mark.parametrize("channels", [(1, 4), (8, 8), (5, 3)])
def test_halving_is_the_plain_convolution(channels: tuple[int, int], kernel: int) -> None:
    torch.manual_seed(0)
    layer = HalvingConv1d(*channels, kernel, 2, 15).double()
    plain = nn.Conv1d(*channels, kernel, 2, 15).double()
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(3, channels[0], 96, dtype=torch.float64)
    for found, wanted in zip(gradients(layer, x), gradients(plain, x), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("channels", [(4, 1), (8, 8), (3, 5)])
@pytest.mark.parametrize("length", [8, 64])
def test_doubling_is_the_plain_transposed_convolution(
    channels: tuple[int, int], length: int
) -> None:
    torch.manual_seed(0)
    layer = DoublingConv1d(*channels, 32, 2, 15).double()
    plain = nn.ConvTranspose1d(*channels, 32, 2, 15).double()
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(2, channels[0], length, dtype=torch.float64)
    for found, wanted in zip(gradients(layer, x), gradients(plain, x), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("length", [15, 17, 40])
def test_other_lengths_are_computed_plainly(length: int) -> None:
    halving, doubling = HalvingConv1d(2, 3, 32, 2, 15), DoublingConv1d(2, 3, 32, 2, 15)
    assert halving(torch.zeros(1, 2, length)).shape == (1, 3, (length - 2) // 2 + 1)
    assert doubling(torch.zeros(1, 2, length)).shape == (1, 3, 2 * length)


def test_the_papers_full_width_has_no_narrow_layer() -> None:
    assert not is_narrow(nn.Conv1d(1, 16, 32, 2, 15))
    assert not is_narrow(nn.ConvTranspose1d(32, 1, 32, 2, 15))
    assert not is_narrow(nn.Conv1d(4, 4, 32, 1, 15))
    assert not is_narrow(nn.Conv1d(4, 4, 33, 2, 15))
