"""Convolutions of few channels, trained as convolutions of many: the same sums, fewer at a time.

A convolution of stride 2 over a long signal with four channels keeps a processor's vector units
mostly idle. Sixteen neighbouring samples taken for sixteen channels make it a convolution of kernel
3 and stride 1 over a signal a sixteenth as long, whose weights are the kernel shifted along a
block. That computes half as much again, and takes a quarter of the time where channels are few.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_BLOCK = 16
"""Samples of the longer signal that become channels."""
_HALF = _BLOCK // 2
_PADDING = 15
_LONGEST_KERNEL = 32
_NARROW = 16
"""Fewer channels than this on either side make a layer narrow."""


def is_narrow(layer: nn.Conv1d | nn.ConvTranspose1d) -> bool:
    """Tell whether a layer has few channels and the shape that can be computed in blocks.

    Example:
        >>> is_narrow(nn.Conv1d(4, 8, 31, 2, 15)), is_narrow(nn.Conv1d(4, 16, 31, 2, 15))
        (True, False)
    """
    return (
        max(layer.in_channels, layer.out_channels) < _NARROW
        and layer.stride == (2,)
        and layer.padding == (_PADDING,)
        and layer.kernel_size[0] <= _LONGEST_KERNEL
    )


def block_kernel(weight: Tensor) -> Tensor:
    """Return the weights of the same convolution over blocks.

    Output ``r`` of a block of 8 sums ``weight[k] * x[2 r + k - 15]``, with ``x`` counted from the
    block's first sample; that reaches from the block before to the block behind.

    Args:
        weight: ``(outputs, inputs, kernel)``, of stride 2 and padding 15.

    Shape:
        - Output: ``(outputs * 8, inputs * 16, 3)``
    """
    outputs, inputs, kernel = weight.shape
    first = _BLOCK - _PADDING
    width = 3 * _BLOCK - kernel
    shifted = [
        F.pad(weight, (first + 2 * place, width - first - 2 * place)) for place in range(_HALF)
    ]
    blocks = torch.stack(shifted, dim=1).view(outputs, _HALF, inputs, 3, _BLOCK)
    return blocks.permute(0, 1, 2, 4, 3).reshape(outputs * _HALF, inputs * _BLOCK, 3)


def _fold(x: Tensor, size: int) -> Tensor:
    """Turn ``size`` neighbouring samples into as many channels."""
    batch, channels, length = x.shape
    blocks = x.view(batch, channels, length // size, size).transpose(2, 3)
    return blocks.reshape(batch, channels * size, length // size)


def _unfold(x: Tensor, size: int) -> Tensor:
    """Turn groups of ``size`` channels into neighbouring samples."""
    batch, channels, length = x.shape
    blocks = x.view(batch, channels // size, size, length).transpose(2, 3)
    return blocks.reshape(batch, channels // size, length * size)


class HalvingConv1d(nn.Conv1d):
    """``nn.Conv1d`` that is trained in blocks on a CPU where :func:`is_narrow`; same weights."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of ``x``, ``(batch, inputs, time)``."""
        if not (self.training and x.device.type == "cpu" and is_narrow(self)):
            return super().forward(x)
        if x.shape[-1] % _BLOCK or self.bias is None:
            return super().forward(x)
        found = F.conv1d(_fold(x.contiguous(), _BLOCK), block_kernel(self.weight), padding=1)
        return _unfold(found, _HALF) + self.bias[:, None]


class DoublingConv1d(nn.ConvTranspose1d):
    """``nn.ConvTranspose1d`` that is trained in blocks on a CPU where :func:`is_narrow`."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return the transposed convolution of ``x``, ``(batch, inputs, time)``."""
        if not (self.training and x.device.type == "cpu" and is_narrow(self)):
            return super().forward(x, output_size)
        if x.shape[-1] % _HALF or self.bias is None or self.kernel_size[0] != _LONGEST_KERNEL:
            return super().forward(x, output_size)
        # Transposed: the roles of input and output change, and the blocks before and behind too.
        weight = block_kernel(self.weight).transpose(0, 1).flip(2)
        found = F.conv1d(_fold(x.contiguous(), _HALF), weight, padding=1)
        return _unfold(found, _BLOCK) + self.bias[:, None]
