"""Wide residual network on a one-channel time-frequency image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.errors import MondegreenError


@dataclass(frozen=True, kw_only=True)
class WideResNetConfig:
    """Size of a wide residual network; the defaults are the paper's WRN-28-10."""

    kind: Literal["wide-resnet"] = "wide-resnet"
    """Names this classifier in configuration files."""
    depth: int = 28
    """Convolutions, the three of the shortcuts included: 10, 16, 22, 28, ... (6 n + 4)."""
    width: int = 10
    """Channels are 16, 32 and 64 times this."""
    dropout: float = 0.0
    """Probability of zeroing an activation between the two convolutions of a block."""

    @property
    def blocks(self) -> int:
        """Residual blocks in each of the three groups."""
        return (self.depth - 4) // 6

    def __post_init__(self) -> None:
        """Refuse sizes that no network has."""
        if not 10 <= self.depth <= 1000 or self.depth % 6 != 4:
            raise MondegreenError(
                f"wide-resnet: depth is {self.depth}; choose 6 n + 4, such as 10, 16, 22 or 28."
            )
        if self.width < 1:
            raise MondegreenError(f"wide-resnet: width is {self.width}; choose 1 or more.")
        if not 0.0 <= self.dropout < 1.0:
            raise MondegreenError(
                f"wide-resnet: dropout is {self.dropout}; choose a probability from 0 to below 1."
            )


class PreActivationBlock(nn.Module):
    """Two 3x3 convolutions, each after batch norm and ReLU, added to a shortcut (Zagoruyko 2016).

    Where the shape changes, the shortcut is a 1x1 convolution of the *activated* input.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        stride: Of the first convolution and of the shortcut.
        dropout: Probability of zeroing an activation between the convolutions.

    Shape:
        - Input: ``(batch, inputs, height, width)``
        - Output: ``(batch, outputs, ceil(height / stride), ceil(width / stride))``
    """

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        changes_shape = stride != 1 or inputs != outputs
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if changes_shape else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        activated = F.relu(self.norm1(x), inplace=True)
        residual = F.relu(self.norm2(self.conv1(activated)), inplace=True)
        residual = self.conv2(self.dropout(residual))
        shortcut = x if self.shortcut is None else self.shortcut(activated)
        total: Tensor = shortcut + residual
        return total


class WideResNet(nn.Module):
    """Wide residual network (Zagoruyko and Komodakis 2016), the paper's speech classifier.

    A 3x3 convolution to 16 channels, three groups of pre-activation blocks with 16, 32 and 64 times
    ``width`` channels and strides 1, 2 and 2, batch norm, ReLU, the mean over the map and a linear
    layer. WRN-28-10 with ten labels has 36,478,906 parameters.

    Args:
        config: Depth, width and dropout.
        labels: Number of classes.

    Shape:
        - Input: features ``(batch, 1, height, width)``, 32 x 32 in the paper; others work too.
        - Output: logits ``(batch, labels)``

    Example:
        >>> import torch
        >>> net = WideResNet(WideResNetConfig(depth=10, width=1), labels=10)
        >>> net(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(self, config: WideResNetConfig, labels: int) -> None:
        super().__init__()
        self.config = config
        channels = 16
        self.stem = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        blocks: list[nn.Module] = []
        for base, first_stride in ((16, 1), (32, 2), (64, 2)):
            for index in range(config.blocks):
                outputs, stride = base * config.width, first_stride if index == 0 else 1
                blocks.append(PreActivationBlock(channels, outputs, stride, config.dropout))
                channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(channels)
        self.head = nn.Linear(channels, labels)
        self._initialize()

    def _initialize(self) -> None:
        """He-normal convolutions (fan-out), a zero head bias; batch norm starts as identity."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of ``features``."""
        hidden = F.relu(self.norm(self.blocks(self.stem(features))), inplace=True)
        logits: Tensor = self.head(hidden.mean(dim=(2, 3)))
        return logits
