"""TC-ResNet: a small, fast keyword spotter that convolves over time only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.errors import MondegreenError


@dataclass(frozen=True, kw_only=True)
class TCResNetConfig:
    """Size of a TC-ResNet; the defaults are TC-ResNet8, about 65,000 parameters."""

    kind: Literal["tc-resnet"] = "tc-resnet"
    """Names this classifier in configuration files."""
    depth: Literal[8, 14] = 8
    """8 has one residual block a stage, 14 has two."""
    width: float = 1.0
    """Factor on all channel counts (16, 24, 32, 48)."""
    dropout: float = 0.5
    """Probability of zeroing a pooled feature before the last layer."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels after the first convolution and after each block."""
        per_stage = 1 if self.depth == 8 else 2
        stages = [count for count in (24, 32, 48) for _ in range(per_stage)]
        return tuple(max(4, round(count * self.width)) for count in (16, *stages))

    def __post_init__(self) -> None:
        """Refuse sizes that no network has."""
        if self.depth not in (8, 14):
            raise MondegreenError(f"tc-resnet: depth is {self.depth}; choose 8 or 14.")
        if not (math.isfinite(self.width) and self.width > 0.0):
            raise MondegreenError(f"tc-resnet: width is {self.width}; choose a positive factor.")
        if not 0.0 <= self.dropout < 1.0:
            raise MondegreenError(
                f"tc-resnet: dropout is {self.dropout}; choose a probability from 0 to below 1."
            )


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Return a padded convolution over time without bias, and its batch norm."""
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm1d(outputs),
    )


class TemporalBlock(nn.Module):
    """Two convolutions of kernel 9 over time, added to a shortcut (Choi et al. 2019, Fig. 2).

    Where the stride is 2, the shortcut is a 1x1 convolution with batch norm and ReLU.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        stride: Of the first convolution; 1 needs ``inputs == outputs``.

    Shape:
        - Input: ``(batch, inputs, frames)``
        - Output: ``(batch, outputs, ceil(frames / stride))``
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, 9, stride)
        self.second = _convolution(outputs, outputs, 9, 1)
        self.shortcut = _convolution(inputs, outputs, 1, stride) if stride != 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        residual = self.second(F.relu(self.first(x), inplace=True))
        shortcut = x if self.shortcut is None else F.relu(self.shortcut(x), inplace=True)
        return F.relu(residual + shortcut, inplace=True)


class TCResNet(nn.Module):
    """TC-ResNet8 or 14 (Choi et al., Interspeech 2019, arXiv 1904.03814).

    The coefficients are the channels of a one-dimensional signal: a convolution of kernel 3 to 16
    channels, three stages that halve the time (24, 32, 48 channels), the mean over time, dropout
    and a linear layer.

    Args:
        config: Depth, width and dropout.
        labels: Number of classes.
        coefficients: Features a frame, 40 MFCC in the paper.

    Shape:
        - Input: features ``(batch, coefficients, frames)``, any number of frames
        - Output: logits ``(batch, labels)``

    Example:
        >>> import torch
        >>> net = TCResNet(TCResNetConfig(), labels=12, coefficients=40)
        >>> sum(p.numel() for p in net.parameters())
        65180
        >>> net(torch.zeros(2, 40, 98)).shape
        torch.Size([2, 12])
    """

    def __init__(self, config: TCResNetConfig, labels: int, coefficients: int = 40) -> None:
        super().__init__()
        self.config = config
        first, *rest = config.channels
        self.stem = _convolution(coefficients, first, 3, 1)
        blocks_a_stage = len(rest) // 3
        blocks: list[nn.Module] = []
        inputs = first
        for index, outputs in enumerate(rest):
            blocks.append(TemporalBlock(inputs, outputs, 2 if index % blocks_a_stage == 0 else 1))
            inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(inputs, labels)
        self._initialize()

    def _initialize(self) -> None:
        """He-normal convolutions and a zero head bias; batch norm starts as identity."""
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of ``features``."""
        hidden = self.blocks(F.relu(self.stem(features), inplace=True))
        logits: Tensor = self.head(self.dropout(hidden.mean(dim=2)))
        return logits
