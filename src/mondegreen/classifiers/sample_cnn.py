"""SampleCNN: a deep convolutional network on the samples of the waveform themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from mondegreen.errors import MondegreenError

_POOLED = (128, 128, 256, 256, 256, 256, 256, 256, 512)
_DROPOUT_AFTER = (4, 9)  # of the blocks after the first: the sixth and the eleventh convolution


@dataclass(frozen=True, kw_only=True)
class SampleCNNConfig:
    """Size of a SampleCNN; the defaults are the paper's, 2,445,322 parameters for ten labels."""

    kind: Literal["sample-cnn"] = "sample-cnn"
    """Names this classifier in configuration files."""
    width: float = 1.0
    """Factor on all channel counts (128, 256, 512)."""
    dropout: float = 0.5
    """Probability of zeroing an activation after the sixth and the eleventh convolution."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels after each of the eleven convolutions."""
        return tuple(max(4, round(count * self.width)) for count in (128, *_POOLED, 512))

    def __post_init__(self) -> None:
        """Refuse sizes that no network has."""
        if not (math.isfinite(self.width) and self.width > 0.0):
            raise MondegreenError(f"sample-cnn: width is {self.width}; choose a positive factor.")
        if not 0.0 <= self.dropout < 1.0:
            raise MondegreenError(
                f"sample-cnn: dropout is {self.dropout}; choose a probability from 0 to below 1."
            )


def _convolution(inputs: int, outputs: int, stride: int, padding: int) -> list[nn.Module]:
    """Return a convolution of three samples with its batch norm and ReLU.

    Samples are the columns of an image of one row: its channels may then lie side by side in
    memory, which makes the passes on a CPU up to three times as fast as one-dimensional ones.
    """
    return [
        nn.Conv2d(inputs, outputs, (1, 3), (1, stride), (0, padding)),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


class SampleCNN(nn.Module):
    """SampleCNN on 16,384 samples (Lee et al., SMC 2017, arXiv 1703.01789), the paper's for music.

    A convolution of stride 2 (unpadded), nine convolutions each followed by the maximum of three
    samples every two, a last convolution, and a linear layer on all that is left: 512 channels of
    15 frames. Every convolution spans three samples and has batch norm and ReLU after it.

    Args:
        config: Width and dropout.
        labels: Number of classes.
        samples: Samples in a clip, 2,047 or more.

    Shape:
        - Input: waveforms ``(batch, 1, samples)``
        - Output: logits ``(batch, labels)``

    Raises:
        MondegreenError: The clips are too short.

    Example:
        >>> import torch
        >>> net = SampleCNN(SampleCNNConfig(), labels=10)
        >>> sum(p.numel() for p in net.parameters())
        2445322
        >>> net.eval()(torch.zeros(1, 1, 16_384)).shape
        torch.Size([1, 10])
    """

    def __init__(self, config: SampleCNNConfig, labels: int, samples: int = 16_384) -> None:
        super().__init__()
        frames = (samples - 3) // 2 + 1
        for _ in _POOLED:
            frames = (frames - 3) // 2 + 1
        if frames < 1:
            raise MondegreenError(
                f"sample-cnn: clips of {samples} samples are too short; 2,047 are needed."
            )
        self.config = config
        first, *rest = config.channels
        self.stem = nn.Sequential(*_convolution(1, first, 2, 0))
        blocks: list[nn.Module] = []
        inputs = first
        for index, outputs in enumerate(rest):
            layers = _convolution(inputs, outputs, 1, 1)
            if index < len(_POOLED):  # ahead of the ReLU, which commutes with it: half the work
                layers.insert(2, nn.MaxPool2d((1, 3), (1, 2)))
            if index in _DROPOUT_AFTER:
                layers.append(nn.Dropout(config.dropout))
            blocks.append(nn.Sequential(*layers))
            inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(inputs * frames, labels)
        self._initialize()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _initialize(self) -> None:
        """He-normal convolutions and zero biases; batch norm starts as identity."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of ``x``."""
        logits: Tensor = self.head(self.blocks(self.stem(x[:, :, None])).flatten(1))
        return logits
