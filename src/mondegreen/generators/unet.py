"""The paper's generator: an encoder-decoder on the waveform with skip connections."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.errors import MondegreenError
from mondegreen.generators.conditioning import TargetModulation
from mondegreen.generators.narrow import DoublingConv1d, HalvingConv1d

_ENCODER = (16, 32, 32, 64, 64, 128, 128, 256)
_KERNEL, _PADDING = 32, 15
_STEP = 2 ** len(_ENCODER)


@dataclass(frozen=True, kw_only=True)
class UNetConfig:
    """Size of the paper's generator; width 1 is the paper's, of 5,196,464 parameters."""

    kind: Literal["unet"] = "unet"
    """Names this generator in configuration files."""
    width: float = 1.0
    """Factor on all channel counts, none of which falls below 4."""
    clamp: float | None = 0.3
    """Largest sample of the perturbation, full scale 1; 0.3 as in the authors' code."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels after each of the eight encoder layers."""
        return tuple(max(4, round(count * self.width)) for count in _ENCODER)

    def __post_init__(self) -> None:
        """Refuse sizes that no network has."""
        if not (math.isfinite(self.width) and self.width > 0.0):
            raise MondegreenError(f"unet: width is {self.width}; choose a positive factor.")
        if self.clamp is not None and not 0.0 < self.clamp <= 1.0:
            raise MondegreenError(
                f"unet: clamp is {self.clamp}; choose a level above 0 and up to 1, or none."
            )


class UNetGenerator(nn.Module):
    """Generator of the paper's Fig. 2: one forward pass from waveform to perturbation.

    Eight convolutions (kernel 32, stride 2) take the clip down to 1/256 of its length, and eight
    transposed ones up again. Each decoder layer but the first is fed ``[decoder, encoder]``, the
    encoder's output before its activation; a PReLU follows the concatenation. No normalisation,
    tanh at the end. At width 1, for one target: 5,196,464 parameters and 1.355 G
    multiply-accumulates for 16,384 samples. Weights start Xavier-normal, biases at zero.

    The paper trains one network a target. With more ``targets`` one network serves them all: each
    layer but the last has a :class:`TargetModulation` behind it.

    Args:
        config: Width and clamp.
        targets: Number of targets; 1 is the paper's network, which knows one target and so ignores
            the argument ``target``.
        clip_samples: Usual length of a clip in samples. Other lengths work: a clip that is no
            multiple of 256 long is padded with zeros at its end and its perturbation cut back.

    Shape:
        - x: ``(batch, 1, time)``
        - target: ``(batch,)``, int64, each in ``0 .. targets - 1``
        - Output: ``(batch, 1, time)``

    Example:
        >>> generator = UNetGenerator(UNetConfig(), targets=1)
        >>> sum(p.numel() for p in generator.parameters())
        5196464
    """

    def __init__(self, config: UNetConfig, targets: int, clip_samples: int = 16_384) -> None:
        super().__init__()
        if targets < 1:
            raise MondegreenError(f"unet: {targets} targets; choose at least one target label.")
        self.config, self.targets, self.clip_samples = config, targets, clip_samples
        down = config.channels
        up = (*reversed(down[:-1]), 1)
        # The first decoder layer is fed the bottleneck, the others their equals' skips too.
        fed = (down[-1], *(2 * channels for channels in up[:-1]))
        self.encoder = nn.ModuleList(
            HalvingConv1d(inputs, outputs, _KERNEL, 2, _PADDING)
            for inputs, outputs in zip((1, *down[:-1]), down, strict=True)
        )
        self.decoder = nn.ModuleList(
            DoublingConv1d(inputs, outputs, _KERNEL, 2, _PADDING)
            for inputs, outputs in zip(fed, up, strict=True)
        )
        self.encoder_activations = nn.ModuleList(nn.PReLU() for _ in down)
        self.decoder_activations = nn.ModuleList(nn.PReLU() for _ in up[:-1])
        self.encoder_modulations = self._modulations(down)
        self.decoder_modulations = self._modulations(up[:-1])
        for module in (*self.encoder, *self.decoder):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)

    def _modulations(self, channels: tuple[int, ...]) -> nn.ModuleList:
        """Return a modulation for each layer, or identities where there is but one target."""
        if self.targets == 1:
            return nn.ModuleList(_Unmodulated() for _ in channels)
        return nn.ModuleList(TargetModulation(count, self.targets) for count in channels)

    def propose(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the perturbation for each clip, within ``config.clamp`` but under no budget yet.

        Args:
            x: Waveforms in [-1, 1].
            target: Which target each clip should be taken for.
        """
        padded = F.pad(x, (0, -x.shape[-1] % _STEP))
        hidden, skips = padded, []
        for convolution, modulation, activation in zip(
            self.encoder, self.encoder_modulations, self.encoder_activations, strict=True
        ):
            skips.append(modulation(convolution(hidden), target))
            hidden = activation(skips[-1])
        skips.pop()  # the bottleneck goes on by itself
        for convolution, modulation, activation in zip(
            self.decoder, self.decoder_modulations, self.decoder_activations, strict=False
        ):
            decoded = modulation(convolution(hidden), target)
            hidden = activation(torch.cat([decoded, skips.pop()], dim=1))
        delta = torch.tanh(self.decoder[-1](hidden))[..., : x.shape[-1]]
        limit = self.config.clamp
        return delta if limit is None else delta.clamp(-limit, limit)

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return :meth:`propose`'s perturbation."""
        return self.propose(x, target)


class _Unmodulated(nn.Module):
    """Stands where a modulation would, in a network of one target."""

    def forward(self, h: Tensor, target: Tensor) -> Tensor:
        """Return ``h``."""
        return h
