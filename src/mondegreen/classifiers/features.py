"""Differentiable front ends: mel spectrum, log-mel, MFCC, or the waveform as it is.

They are part of the classifier's module, so gradients reach the waveform. Logarithms are taken of a
power plus a floor and no square root is taken, so values and gradients are finite everywhere,
digital silence included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mondegreen.errors import MondegreenError
from mondegreen.framing import framed_spectrum

_MAX_FFT = 65_536
_MAX_FILTERS = 1_024


@dataclass(frozen=True)
class PaperMFCCConfig:
    """The paper's 32 x 32 MFCC image: 32 frames of 512 samples without overlap."""

    kind: Literal["paper-mfcc"] = "paper-mfcc"
    sample_rate: int = 16_384
    """Nominal rate in Hz: the paper's code takes 16 kHz recordings for 16,384 Hz."""
    window: int = 512
    """Samples a frame, which is also the hop; the window is rectangular."""
    fft: int = 2048
    """Length of the zero-padded transform."""
    filters: int = 32
    """Mel filters, and as many cepstral coefficients."""
    preemphasis: float = 0.97
    """First-order pre-emphasis coefficient."""
    lifter: int = 22
    """Sinusoidal lifter; 0 turns it off."""

    def __post_init__(self) -> None:
        """Refuse sizes that no front end has."""
        _check_sizes(self)
        if self.lifter < 0:
            raise MondegreenError(f"{self.kind}: lifter is {self.lifter}; choose 0 or more.")


@dataclass(frozen=True)
class LogMelConfig:
    """Log-mel spectrum with a Hann window, optionally followed by a DCT (MFCC)."""

    kind: Literal["log-mel"] = "log-mel"
    sample_rate: int = 16_000
    """In Hz."""
    window: int = 480
    """Samples a frame (30 ms at 16 kHz)."""
    hop: int = 160
    """Samples between frames (10 ms at 16 kHz)."""
    fft: int = 512
    """Length of the transform."""
    filters: int = 40
    """Mel filters between ``low`` and ``high``."""
    low: float = 20.0
    """Lowest frequency in Hz."""
    high: float = 7_600.0
    """Highest frequency in Hz."""
    coefficients: int = 40
    """Cepstral coefficients kept after an orthonormal DCT; 0 gives the log-mel spectrum itself."""
    floor: float = 1e-6
    """Added to the mel power before the logarithm."""

    def __post_init__(self) -> None:
        """Refuse sizes that no front end has."""
        _check_sizes(self)
        if not 1 <= self.hop <= self.window:
            raise MondegreenError(
                f"{self.kind}: hop is {self.hop}; choose 1 to {self.window}, the window."
            )
        if not 0 <= self.coefficients <= self.filters:
            raise MondegreenError(
                f"{self.kind}: coefficients is {self.coefficients}; choose 0 to {self.filters}, "
                "the number of filters."
            )
        if not 0.0 <= self.low < self.high <= self.sample_rate / 2:
            raise MondegreenError(
                f"{self.kind}: low {self.low:g} Hz and high {self.high:g} Hz must rise from 0 to "
                f"half of the sample rate, {self.sample_rate / 2:g} Hz."
            )
        if not self.floor > 0.0:
            raise MondegreenError(f"{self.kind}: floor is {self.floor}; choose a positive number.")


@dataclass(frozen=True)
class WaveformConfig:
    """No features: the network hears the samples themselves."""

    kind: Literal["waveform"] = "waveform"
    """Names this front end in configuration files."""


FrontEndConfig = PaperMFCCConfig | LogMelConfig | WaveformConfig


def _check_sizes(config: PaperMFCCConfig | LogMelConfig) -> None:
    if config.sample_rate < 1:
        raise MondegreenError(
            f"{config.kind}: sample_rate is {config.sample_rate}; choose 1 or more."
        )
    if not 1 <= config.window <= config.fft <= _MAX_FFT:
        raise MondegreenError(
            f"{config.kind}: window {config.window} and fft {config.fft} must hold "
            f"1 <= window <= fft <= {_MAX_FFT}."
        )
    if not 1 <= config.filters <= _MAX_FILTERS:
        raise MondegreenError(
            f"{config.kind}: filters is {config.filters}; choose 1 to {_MAX_FILTERS}."
        )


def hertz_to_mel(hertz: float) -> float:
    """Return HTK's mel scale, 2595 log10(1 + f / 700).

    Example:
        >>> round(hertz_to_mel(1000.0), 2)
        999.99
    """
    return 2595.0 * math.log10(1.0 + hertz / 700.0)


def _mel_points(low: float, high: float, filters: int) -> npt.NDArray[np.float64]:
    mels = np.linspace(hertz_to_mel(low), hertz_to_mel(high), filters + 2)
    points: npt.NDArray[np.float64] = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    return points


def mel_filters(filters: int, fft: int, rate: int, low: float, high: float) -> Tensor:
    """Return triangular filters on HTK's mel scale with unit peak, evaluated at every bin.

    Shape:
        - Output: ``(fft // 2 + 1, filters)``
    """
    points = _mel_points(low, high, filters)
    bins = np.arange(fft // 2 + 1)[:, None] * (rate / fft)
    rising = (bins - points[:-2]) / (points[1:-1] - points[:-2])
    falling = (points[2:] - bins) / (points[2:] - points[1:-1])
    return torch.from_numpy(np.clip(np.minimum(rising, falling), 0.0, None)).float()


def binned_mel_filters(filters: int, fft: int, rate: int, low: float, high: float) -> Tensor:
    """Return triangular mel filters whose corners are rounded down to whole bins.

    This is the older convention (python_speech_features), which the paper's front end follows.

    Shape:
        - Output: ``(fft // 2 + 1, filters)``
    """
    corners = np.floor((fft + 1) * _mel_points(low, high, filters) / rate).astype(int)
    bank = np.zeros((fft // 2 + 1, filters))
    for index in range(filters):
        left, centre, right = corners[index : index + 3]
        bank[left:centre, index] = (np.arange(left, centre) - left) / max(centre - left, 1)
        bank[centre:right, index] = (right - np.arange(centre, right)) / max(right - centre, 1)
    return torch.from_numpy(bank).float()


def dct_matrix(coefficients: int, filters: int) -> Tensor:
    """Return the orthonormal DCT-II as a matrix ``(filters, coefficients)``."""
    n = np.arange(filters)[:, None] + 0.5
    matrix = np.cos(np.pi / filters * n * np.arange(coefficients)) * np.sqrt(2.0 / filters)
    matrix[:, :1] /= np.sqrt(2.0)
    return torch.from_numpy(matrix).float()


def full_precision(x: Tensor) -> torch.autocast:
    """Return a context without mixed precision: logarithms of power need float32's mantissa."""
    return torch.autocast(x.device.type, enabled=False)


class PaperMFCC(nn.Module):
    """The paper's MFCC (section V-A; layer facts of the authors' front end).

    Pre-emphasis, frames of 512 samples without overlap or window, ``|rfft 2048|^2 / 2048``, 32 mel
    filters over 0..8192 Hz, natural logarithm, orthonormal DCT-II, lifter 22, and coefficient 0
    replaced by the logarithm of the frame's energy.

    Shape:
        - Input: ``(batch, 1, time)``
        - Output: ``(batch, 1, coefficients, frames)``, 32 x 32 for 16,384 samples
    """

    filters: Tensor
    dct: Tensor

    def __init__(self, config: PaperMFCCConfig) -> None:
        super().__init__()
        self.config = config
        bank = binned_mel_filters(
            config.filters, config.fft, config.sample_rate, 0.0, config.sample_rate / 2
        )
        n = np.arange(config.filters)
        lift = 1.0 + config.lifter / 2 * np.sin(np.pi * n / max(config.lifter, 1))
        dct = dct_matrix(config.filters, config.filters) * torch.from_numpy(lift).float()
        self.register_buffer("filters", bank, persistent=False)
        self.register_buffer("dct", dct, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the MFCC image of each waveform."""
        with full_precision(x):
            return self._image(x.to(self.dct.dtype))

    def _image(self, x: Tensor) -> Tensor:
        c = self.config
        x = x[:, 0]
        x = torch.cat([x[:, :1], x[:, 1:] - c.preemphasis * x[:, :-1]], dim=1)
        pad = -x.shape[1] % c.window
        frames = nn.functional.pad(x, (0, pad)).unfold(1, c.window, c.window)
        spectrum = torch.fft.rfft(frames, n=c.fft)
        power = (spectrum.real.square() + spectrum.imag.square()) / c.fft
        eps = torch.finfo(torch.float32).eps
        cepstrum = torch.log(power @ self.filters + eps) @ self.dct
        energy = torch.log(power.sum(dim=2, keepdim=True) + eps)
        return torch.cat([energy, cepstrum[:, :, 1:]], dim=2).transpose(1, 2).unsqueeze(1)


class LogMel(nn.Module):
    """Log-mel spectrum or, with ``coefficients`` > 0, MFCC, standardised by running statistics.

    Frames are centred (the clip is padded by half a window of zeros on both sides). Each
    coefficient is standardised with the mean and variance seen in training (a batch normalisation
    without parameters).

    Shape:
        - Input: ``(batch, 1, time)``
        - Output: ``(batch, coefficients or filters, frames)``, ``frames = 1 + time // hop``
    """

    window: Tensor
    filters: Tensor
    dct: Tensor

    def __init__(self, config: LogMelConfig) -> None:
        super().__init__()
        self.config = config
        bank = mel_filters(config.filters, config.fft, config.sample_rate, config.low, config.high)
        self.register_buffer("window", torch.hann_window(config.window), persistent=False)
        # Each bin's weight twice: for the square of its real and of its imaginary part.
        self.register_buffer("filters", bank.repeat_interleave(2, dim=0), persistent=False)
        dct = dct_matrix(config.coefficients, config.filters)
        self.register_buffer("dct", dct, persistent=False)
        features = config.coefficients or config.filters
        self.standardize = nn.BatchNorm1d(features, affine=False)

    def raw(self, x: Tensor) -> Tensor:
        """Return the features before standardisation, ``(batch, features, frames)``."""
        with full_precision(x):
            return self._features(x.to(self.dct.dtype))

    def _features(self, x: Tensor) -> Tensor:
        c = self.config
        padded = nn.functional.pad(x[:, 0], (c.window // 2, c.window - c.window // 2))
        spectrum = framed_spectrum(padded, self.window, c.hop, c.fft)
        features = torch.log(spectrum.square() @ self.filters + c.floor)
        if c.coefficients:
            features = features @ self.dct
        return features.transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the standardised features of each waveform."""
        standardized: Tensor = self.standardize(self.raw(x))
        return standardized


class Waveform(nn.Module):
    """Hands the waveform on, for networks on the samples.

    Shape:
        - Input: ``(batch, 1, time)``
        - Output: the same
    """

    def __init__(self, config: WaveformConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, x: Tensor) -> Tensor:
        """Return the waveforms."""
        return x


def build_front_end(config: FrontEndConfig) -> PaperMFCC | LogMel | Waveform:
    """Build the front end that ``config`` describes."""
    if isinstance(config, PaperMFCCConfig):
        return PaperMFCC(config)
    return LogMel(config) if isinstance(config, LogMelConfig) else Waveform(config)
