"""The fast generator: one small network on the short-time spectrum, for all targets.

Beyond the paper, whose U-Net needs 1.36 GMAC a clip and a network for each target. The perturbation
is drawn relative to the clip's own spectrum (a complex gain for every time-frequency bin), so it
keeps pace with the clip's phase without having to draw it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.errors import MondegreenError

_MAX_BLOCKS = 1_000
_FEW = 2  # clips, up to which a convolution is slower than a sum over shifted copies


@dataclass(frozen=True)
class SpectralConfig:
    """Size and shape of the spectral generator."""

    kind: Literal["spectral"] = "spectral"
    window: int = 512
    """Samples in a frame of the short-time Fourier transform (square-root Hann)."""
    hop: int = 256
    """Samples between frames; half of the window reconstructs perfectly."""
    patch: int = 2
    """Neighbouring frames that the blocks see as one position."""
    width: int = 128
    """Channels of every block."""
    expansion: int = 3
    """Hidden channels of a block's pointwise layers, as a multiple of ``width``."""
    blocks: int = 6
    """ConvNeXt blocks over time."""
    kernel: int = 5
    """Positions that a block's depthwise convolution sees."""
    bands: int = 96
    """Points of the mel scale at which gains are drawn; those of the bins are interpolated. 0 draws
    one for each bin."""
    phase: bool = False
    """Feed the unit phasor of every bin beside its log-magnitude."""
    floor: float = 0.05
    """Added to each bin's magnitude, relative to the clip's mean, so that faint bins can be
    perturbed; digital silence stays silent."""
    relative: bool = True
    """The gains multiply the clip's own spectrum; otherwise they are the perturbation's spectrum,
    which then has to draw the phase itself."""
    dial: bool = False
    """Take a wanted quietness as a second condition beside the budget."""
    template: bool = False
    """Add a waveform that is learned for each target, as long as a clip of the training and
    repeated where a clip is longer."""

    def __post_init__(self) -> None:
        """Refuse sizes that cannot work."""
        if self.window != 2 * self.hop or self.hop < 8:
            raise MondegreenError(
                f"spectral generator: window {self.window} must be twice the hop {self.hop}."
            )
        sizes = (self.width, self.expansion, self.blocks, self.kernel, self.patch)
        if min(sizes) < 1 or self.kernel % 2 == 0:
            raise MondegreenError("spectral generator: sizes must be positive and the kernel odd.")
        if self.bands < 0 or self.bands == 1:
            raise MondegreenError(
                f"spectral generator: bands is {self.bands}; choose 2 or more, or 0 for every bin."
            )
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
        - Spectrum: ``(2, batch, frames, window // 2 + 1)``, real and imaginary part, with
          ``frames = ceil(time / hop) + 1``
    """

    taper: Tensor

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window
        self.hop = window // 2
        self.register_buffer("taper", torch.hann_window(window).sqrt(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the spectrum."""
        tail = -x.shape[1] % self.hop + self.hop
        frames = F.pad(x, (self.hop, tail)).unfold(1, self.window, self.hop)
        spectrum = torch.view_as_real(torch.fft.rfft(frames * self.taper))
        # Two planes: what follows runs several times faster than on interleaved numbers.
        return spectrum.permute(3, 0, 1, 2).contiguous()

    def inverse(self, spectrum: Tensor, time: int) -> Tensor:
        """Overlap-add the frames of ``spectrum`` back to ``time`` samples."""
        planes = torch.complex(*spectrum.unbind())
        frames = torch.fft.irfft(planes, n=self.window) * self.taper
        first, second = frames[..., : self.hop], frames[..., self.hop :]
        halves = first[:, 1:] + second[:, :-1]
        x: Tensor = halves.flatten(1)[:, :time]
        return x


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, modulated layer norm, two pointwise layers, residual.

    After Liu et al., *A ConvNet for the 2020s* (2022), in one dimension, with the norm's scale and
    shift given from outside (FiLM, Perez et al. 2018) and a hard swish (Howard et al. 2019), which
    costs a tenth of a GELU on a CPU. The mean over time is added before the pointwise layers, so
    each position knows the whole clip.

    Shape:
        - Input: ``(batch, positions, width)``, scale and shift ``(batch, 1, width)``
        - Output: ``(batch, positions, width)``
    """

    def __init__(self, width: int, expansion: int, kernel: int) -> None:
        super().__init__()
        # Two dimensions of which one is 1: PyTorch trains it in half the time of a Conv1d.
        self.depthwise = nn.Conv2d(
            width, width, (1, kernel), padding=(0, kernel // 2), groups=width
        )
        self.context = nn.Linear(width, width)
        self.expand = nn.Linear(width, width * expansion)
        self.reduce = nn.Linear(width * expansion, width)
        self.width = width

    def forward(self, h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Return the block's output."""
        y = modulated_norm(self._mix(h), scale, shift)
        y = y + self.context(y.mean(dim=1, keepdim=True))
        out: Tensor = h + self.reduce(F.hardswish(self.expand(y)))
        return out

    def _mix(self, h: Tensor) -> Tensor:
        """Return the depthwise convolution over time."""
        if h.shape[0] <= _FEW and not torch.is_grad_enabled():
            # The same sum, in half the time where the convolution's own preparations outweigh it.
            reach = self.depthwise.kernel_size[1] // 2
            windows = F.pad(h, (0, 0, reach, reach)).unfold(1, 2 * reach + 1, 1)
            y = (windows * self.depthwise.weight[:, 0, 0]).sum(dim=3)
            return y if self.depthwise.bias is None else y + self.depthwise.bias
        return torch.squeeze(self.depthwise(h.transpose(1, 2).unsqueeze(2)), 2).transpose(1, 2)


def modulated_norm(h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalise each position's channels, then scale by ``1 + scale`` and shift."""
    return torch.addcmul(shift, F.layer_norm(h, h.shape[2:]), 1.0 + scale)


class SpectralGenerator(nn.Module):
    """Propose a perturbation from the clip's spectrum, a target and a budget.

    Args:
        config: Size and shape.
        targets: Number of target labels.
        clip_samples: Usual length of a clip, which only a template has to know.

    The target and the wanted signal-to-noise ratio condition every block, so one network serves all
    targets and budgets. Without a dial, the proposal's level is free: the budget's projection sets
    it. With a dial, the proposal has the wanted ratio, or a higher one where quietness asks for it.
    """

    spread: Tensor

    def __init__(self, config: SpectralConfig, targets: int, clip_samples: int) -> None:
        super().__init__()
        self.config = config
        self.targets = targets
        bins = config.window // 2 + 1
        self.spectrum = Spectrum(config.window)
        self.target_embedding = nn.Embedding(targets, config.width)
        self.budget_embedding = nn.Linear(2 if config.dial else 1, config.width)
        planes = 3 if config.phase else 1
        self.encode = nn.Linear(planes * config.patch * bins, config.width)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(config.width, config.expansion, config.kernel)
            for _ in range(config.blocks)
        )
        # Scale and shift of all norms at once, the last pair for the one before the decoder.
        self.modulation = nn.Linear(config.width, 2 * config.width * (config.blocks + 1))
        self.decode = nn.Linear(config.width, 2 * config.patch * (config.bands or bins))
        spread = mel_interpolation(config.bands, bins) if config.bands else None
        self.register_buffer("spread", spread, persistent=False)
        self.attenuate = nn.Linear(config.width, 1) if config.dial else None
        self.template = nn.Embedding(targets, clip_samples) if config.template else None
        if self.template is not None:
            nn.init.zeros_(self.template.weight)

    def propose(
        self, x: Tensor, target: Tensor, snr_db: Tensor, quietness: Tensor | None = None
    ) -> Tensor:
        """Return a perturbation that need not keep a budget yet.

        Args:
            x: Waveforms.
            target: Target indices, ``(batch,)``.
            snr_db: The budget to aim for in dB, ``(batch,)``.
            quietness: How inaudible to be, 0 to 1, ``(batch,)``; for a network with a dial, 0 by
                default.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: ``(batch, 1, time)``
        """
        level = x.square().mean(dim=(1, 2)).add(1e-12).sqrt()[:, None]
        spectrum = self.spectrum(x[:, 0] / level)
        power = spectrum.square().sum(dim=0).add(1e-9)
        magnitude = power.sqrt()
        phasor = spectrum / magnitude
        floor = self.config.floor * magnitude.mean(dim=(1, 2), keepdim=True)
        wanted = [snr_db / 10 - 2]
        if self.config.dial:
            quietness = torch.zeros_like(snr_db) if quietness is None else quietness
            wanted.append(quietness)
        condition = self.target_embedding(target) + self.budget_embedding(torch.stack(wanted, 1))
        features = [power.log() / 6, *(phasor if self.config.phase else ())]
        # GELU written out: PyTorch's own takes a tenth of a millisecond to prepare on a CPU.
        condition = 0.5 * condition * (1.0 + torch.erf(condition * math.sqrt(0.5)))
        gain, attenuation = self._gain(torch.stack(features, 2), condition)
        if self.config.relative:
            gain = complex_product(gain, spectrum + floor * phasor)  # |X| + floor, X's phase
        delta = self.spectrum.inverse(gain, x.shape[2])
        if self.template is not None:
            delta = delta + repeated(self.template(target), x.shape[2])
        if attenuation is not None and quietness is not None:
            delta = _at_ratio(delta, snr_db + quietness * attenuation)
        return (delta * level)[:, None]

    def _gain(self, features: Tensor, condition: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the complex gain of each bin, and by how many dB to stay below the budget.

        Shape:
            - features: ``(batch, frames, planes, bins)``
            - Output: ``(2, batch, frames, bins)``, ``(batch,)``
        """
        batch, frames, planes, bins = features.shape
        patch = self.config.patch
        rest = -frames % patch
        if rest:
            features = F.pad(features, (0, 0, 0, 0, 0, rest))
        h = self.encode(features.reshape(batch, (frames + rest) // patch, patch * planes * bins))
        shifts = self.modulation(condition).unsqueeze(1).chunk(2 * len(self.blocks) + 2, dim=2)
        for block, scale, shift in zip(self.blocks, shifts[2::2], shifts[3::2], strict=True):
            h = block(h, scale, shift)
        h = modulated_norm(h, shifts[0], shifts[1])
        attenuation = None
        if self.attenuate is not None:
            attenuation = F.softplus(self.attenuate(h.mean(dim=1)))[:, 0].float()
        # Mixed precision gives bfloat16, whose 8 bits are too few for a waveform.
        points = self.decode(h).to(features.dtype).reshape(batch, frames + rest, 2, -1)
        gain = points[:, :frames].permute(2, 0, 1, 3)
        if self.config.bands:
            with torch.autocast(gain.device.type, enabled=False):
                gain = gain @ self.spread
        return gain, attenuation


def repeated(x: Tensor, time: int) -> Tensor:
    """Repeat waveforms, or cut them, to ``time`` samples.

    Shape:
        - Input: ``(batch, samples)``
        - Output: ``(batch, time)``

    Example:
        >>> repeated(torch.tensor([[1, 2, 3]]), 5).tolist()
        [[1, 2, 3, 1, 2]]
    """
    return x.repeat(1, -(-time // x.shape[1]))[:, :time]


def complex_product(a: Tensor, b: Tensor) -> Tensor:
    """Multiply complex numbers given as planes, ``(2, ...)``."""
    # Unbound at once: the gradient of a plane picked out would be a tensor full of zeros.
    real, imaginary = a.unbind()
    other_real, other_imaginary = b.unbind()
    return torch.stack(
        [
            real * other_real - imaginary * other_imaginary,
            real * other_imaginary + imaginary * other_real,
        ]
    )


def mel_interpolation(points: int, bins: int) -> Tensor:
    """Return the matrix from values at even steps of the mel scale to values at every bin.

    The steps are those of a transform at 16 kHz; at another rate they are as uneven as there.

    Shape:
        - Output: ``(points, bins)``; each column sums up to 1

    Example:
        >>> mel_interpolation(2, 3)[:, 0]
        tensor([1., 0.])
    """
    # By NumPy: on PyTorch's meta device, where networks are checked, this would take seconds.
    mel = np.log1p(np.linspace(0.0, 8000.0, bins) / 700.0)
    place = mel / mel[-1] * (points - 1)
    weight = 1.0 - np.abs(place - np.arange(points)[:, None])
    return torch.from_numpy(np.clip(weight, 0.0, None).astype(np.float32))


def _at_ratio(delta: Tensor, snr_db: Tensor) -> Tensor:
    """Scale perturbations of clips of unit power to a signal-to-noise ratio.

    Shape:
        - Input: ``(batch, time)``, ``(batch,)``
        - Output: ``(batch, time)``
    """
    power = delta.square().mean(dim=1) + 1e-12
    wanted: Tensor = 10.0 ** (-snr_db / 10.0)
    return delta * (wanted / power).sqrt()[:, None]
