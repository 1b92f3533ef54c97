"""The paper's discriminator: does a clip sound genuine?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from mondegreen.errors import MondegreenError
from mondegreen.generators.narrow import HalvingConv1d

_CHANNELS = (32, 64, 64, 128, 128, 256, 256, 512, 512, 1024, 2048)
_DROPOUT_BLOCKS = (3, 6, 9)
_KERNEL = 31
_SLOPE = 0.03


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """Size of the discriminator; the defaults are the authors' network of 97,472,202 parameters."""

    kind: Literal["waveform"] = "waveform"
    width: float = 1.0
    """Factor on all channel counts, none of which falls below 4; the paper's 1 needs a GPU."""
    dropout: float = 0.5
    """Probability of zeroing a value between convolution and batch norm in blocks 3, 6 and 9."""
    last_kernel: Literal[1, 31] = 1
    """Kernel of the convolution to one channel: 1 in the authors' code, 31 in the paper's text."""
    clip_samples: int = 16_384
    """Length of the clips in samples, which sets the size of the last layer."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels after each of the eleven blocks."""
        return tuple(max(4, round(count * self.width)) for count in _CHANNELS)

    @property
    def frames(self) -> int:
        """Length of the sequence that reaches the last layer: halved eleven times, rounding up."""
        return math.ceil(self.clip_samples / 2048)

    def __post_init__(self) -> None:
        """Refuse sizes that no network has."""
        if not (math.isfinite(self.width) and self.width > 0.0):
            raise MondegreenError(f"discriminator: width is {self.width}; choose a factor above 0.")
        if not 0.0 <= self.dropout < 1.0:
            raise MondegreenError(
                f"discriminator: dropout is {self.dropout}; choose a probability from 0 to below 1."
            )
        if self.last_kernel not in (1, 31):
            raise MondegreenError(
                f"discriminator: last_kernel is {self.last_kernel}; choose 1 or 31."
            )
        if self.clip_samples < 1:
            raise MondegreenError(
                f"discriminator: clip_samples is {self.clip_samples}; choose the clips' length."
            )


def _block(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    """Return a convolution that halves the length, dropout if any, batch norm and LeakyReLU."""
    convolution = HalvingConv1d(inputs, outputs, _KERNEL, stride=2, padding=_KERNEL // 2)
    drop = [nn.Dropout(dropout)] if dropout > 0.0 else []
    return nn.Sequential(
        convolution, *drop, nn.BatchNorm1d(outputs), nn.LeakyReLU(_SLOPE, inplace=True)
    )


class Discriminator(nn.Module):
    """Discriminator of the paper's Fig. 3: waveform to one score a clip.

    Eleven blocks (convolution of kernel 31 and stride 2, batch norm, LeakyReLU 0.03), a convolution
    to one channel with LeakyReLU and a fully connected layer. Two thirds of its parameters are in
    the eleventh block. Weights start Xavier-normal (Algorithm 1, line 1), biases at zero.

    The score is raw, as least squares wants it, and high for genuine clips. The paper ends in a
    softmax; over two classes that is the sigmoid of one score, which the log forms in
    :mod:`mondegreen.gan.losses` take themselves, to stay finite.

    Args:
        config: Width, dropout, last kernel and clip length.

    Shape:
        - Input: ``(batch, 1, clip_samples)``
        - Output: ``(batch,)``

    Raises:
        MondegreenError: The clips are not ``clip_samples`` long.

    Example:
        >>> import torch
        >>> net = Discriminator(DiscriminatorConfig(width=0.1))
        >>> net(torch.zeros(2, 1, 16384)).shape
        torch.Size([2])
    """

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        channels = (1, *config.channels)
        self.blocks = nn.Sequential(
            *(
                _block(inputs, outputs, config.dropout if number in _DROPOUT_BLOCKS else 0.0)
                for number, (inputs, outputs) in enumerate(pairwise(channels), start=1)
            )
        )
        last = nn.Conv1d(channels[-1], 1, config.last_kernel, padding=config.last_kernel // 2)
        self.squeeze = nn.Sequential(last, nn.LeakyReLU(_SLOPE))
        self.head = nn.Linear(config.frames, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.xavier_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def judge(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the raw scores and no features: the paper matches none."""
        return self(x), []

    def forward(self, x: Tensor) -> Tensor:
        """Return the raw score of each clip."""
        if x.shape[-1] != self.config.clip_samples:
            raise MondegreenError(
                f"discriminator: clips of {x.shape[-1]} samples given, built for "
                f"{self.config.clip_samples}; set clip_samples to the clips' length."
            )
        score: Tensor = self.head(self.squeeze(self.blocks(x)).squeeze(1))
        return score.squeeze(1)
