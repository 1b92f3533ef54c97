"""The fast generator: one small network on the short-time spectrum, for all targets.

Beyond the paper, whose U-Net needs 1.36 GMAC a clip and a network for each target. The perturbation
is drawn relative to the clip's own spectrum (a complex gain for every time-frequency bin), so it
keeps pace with the clip's phase without having to draw it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.errors import MondegreenError

_MAX_BLOCKS = 1_000


@dataclass(frozen=True)
class SpectralConfig:
    """Size and shape of the spectral generator."""

    kind: Literal["spectral"] = "spectral"
    window: int = 512
    """Samples in a frame of the short-time Fourier transform (square-root Hann)."""
    hop: int = 256
    """Samples between frames; half of the window reconstructs perfectly."""
    width: int = 128
    """Channels of every block."""
    expansion: int = 3
    """Hidden channels of a block's pointwise layers, as a multiple of ``width``."""
    blocks: int = 6
    """ConvNeXt blocks over time."""
    kernel: int = 7
    """Frames that a block's depthwise convolution sees."""
    phase: bool = True
    """Feed the unit phasor of every bin beside its log-magnitude."""
    floor: float = 0.05
    """Added to each bin's magnitude, relative to the clip's mean, so that faint bins can be
    perturbed; digital silence stays silent."""
    dial: bool = False
    """Take a wanted quietness as a second condition beside the budget."""

    def __post_init__(self) -> None:
        """Refuse sizes that cannot work."""
        if self.window != 2 * self.hop or self.hop < 8:
            raise MondegreenError(
                f"spectral generator: window {self.window} must be twice the hop {self.hop}."
            )
        if min(self.width, self.expansion, self.blocks, self.kernel) < 1 or self.kernel % 2 == 0:
            raise MondegreenError("spectral generator: sizes must be positive and the kernel odd.")
        if self.blocks > _MAX_BLOCKS:
            raise MondegreenError(
                f"spectral generator: blocks is {self.blocks}; choose 1 to {_MAX_BLOCKS}."
            )
        if not (math.isfinite(self.floor) and self.floor >= 0.0):
            raise MondegreenError(f"spectral generator: floor is {self.floor}; choose 0 or more.")


class Spectrum(nn.Module):
    """Short-time Fourier transform and its inverse, by overlapping square-root Hann frames.

    Shape:
        - Waveform: ``(batch, time)``, any length
        - Spectrum: ``(batch, frames, window // 2 + 1)``, ``frames = ceil(time / hop) + 1``
    """

    taper: Tensor

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window
        self.hop = window // 2
        self.register_buffer("taper", torch.hann_window(window).sqrt(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the complex spectrum."""
        tail = -x.shape[1] % self.hop + self.hop
        frames = F.pad(x, (self.hop, tail)).unfold(1, self.window, self.hop)
        spectrum: Tensor = torch.fft.rfft(frames * self.taper)
        return spectrum

    def inverse(self, spectrum: Tensor, time: int) -> Tensor:
        """Overlap-add the frames of ``spectrum`` back to ``time`` samples."""
        frames = torch.fft.irfft(spectrum, n=self.window) * self.taper
        first, second = frames[..., : self.hop], frames[..., self.hop :]
        halves = first[:, 1:] + second[:, :-1]
        x: Tensor = halves.flatten(1)[:, :time]
        return x


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, modulated layer norm, two pointwise layers, residual.

    After Liu et al., *A ConvNet for the 2020s* (2022), in one dimension, with the norm's scale and
    shift computed from the condition (FiLM, Perez et al. 2018). The mean over time is added before
    the pointwise layers, so each frame knows the whole clip.

    Shape:
        - Input: ``(batch, frames, width)`` and condition ``(batch, condition)``
        - Output: ``(batch, frames, width)``
    """

    def __init__(self, width: int, expansion: int, kernel: int, condition: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.modulation = nn.Linear(condition, 2 * width)
        self.context = nn.Linear(width, width)
        self.expand = nn.Linear(width, width * expansion)
        self.reduce = nn.Linear(width * expansion, width)
        self.width = width

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        """Return the block's output."""
        y = self.depthwise(h.transpose(1, 2)).transpose(1, 2)
        scale, shift = self.modulation(condition)[:, None].chunk(2, dim=2)
        y = F.layer_norm(y, (self.width,)) * (1.0 + scale) + shift
        y = y + self.context(y.mean(dim=1, keepdim=True))
        out: Tensor = h + self.reduce(F.gelu(self.expand(y), approximate="tanh"))
        return out


class SpectralGenerator(nn.Module):
    """Propose a perturbation from the clip's spectrum, a target and a budget.

    Args:
        config: Size and shape.
        targets: Number of target labels.

    The target and the wanted signal-to-noise ratio condition every block, so one network serves all
    targets and budgets. The proposal's level is free: the budget's projection sets it.
    """

    def __init__(self, config: SpectralConfig, targets: int) -> None:
        super().__init__()
        self.config = config
        self.targets = targets
        bins = config.window // 2 + 1
        self.spectrum = Spectrum(config.window)
        self.target_embedding = nn.Embedding(targets, config.width)
        self.budget_embedding = nn.Linear(2 if config.dial else 1, config.width)
        self.encode = nn.Linear(bins * (3 if config.phase else 1), config.width)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(config.width, config.expansion, config.kernel, config.width)
            for _ in range(config.blocks)
        )
        self.modulation = nn.Linear(config.width, 2 * config.width)
        self.decode = nn.Linear(config.width, 2 * bins)

    def propose(
        self, x: Tensor, target: Tensor, snr_db: Tensor, quietness: Tensor | None = None
    ) -> Tensor:
        """Return an unscaled perturbation.

        Args:
            x: Waveforms.
            target: Target indices, ``(batch,)``.
            snr_db: The budget to aim for in dB, ``(batch,)``.
            quietness: How inaudible to be, 0 to 1, ``(batch,)``; for a network with a dial.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: ``(batch, 1, time)``
        """
        level = x.square().mean(dim=(1, 2)).add(1e-12).sqrt()[:, None]
        spectrum = self.spectrum(x[:, 0] / level)
        power = spectrum.real.square() + spectrum.imag.square()
        magnitude = power.add(1e-9).sqrt()
        floor = self.config.floor * magnitude.mean(dim=(1, 2), keepdim=True)
        wanted = [snr_db / 10 - 2] if quietness is None else [snr_db / 10 - 2, quietness]
        condition = self.target_embedding(target) + self.budget_embedding(torch.stack(wanted, 1))
        gain = self._gain(spectrum, magnitude, F.gelu(condition))
        reference = spectrum * (1.0 + floor / magnitude)  # |X| + floor, with the clip's phase
        delta = self.spectrum.inverse(gain * reference, x.shape[2])
        return (delta * level)[:, None]

    def _gain(self, spectrum: Tensor, magnitude: Tensor, condition: Tensor) -> Tensor:
        """Return a complex gain for each bin, ``(batch, frames, bins)``."""
        features = magnitude.log() / 3
        if self.config.phase:
            phasor = torch.view_as_real(spectrum / magnitude)
            features = torch.cat([features, phasor[..., 0], phasor[..., 1]], dim=2)
        h = self.encode(features)
        for block in self.blocks:
            h = block(h, condition)
        scale, shift = self.modulation(condition)[:, None].chunk(2, dim=2)
        h = F.layer_norm(h, (self.config.width,)) * (1.0 + scale) + shift
        real, imaginary = self.decode(h).chunk(2, dim=2)
        kind = magnitude.dtype  # mixed precision gives bfloat16, which has no complex form
        return torch.complex(real.to(kind), imaginary.to(kind))
