"""``ASTFeatureExtractor`` in PyTorch: Kaldi's logarithmic mel filter bank."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.classifiers.features import full_precision
from mondegreen.errors import MondegreenError
from mondegreen.framing import framed_spectrum

# The original fixes these in samples, whatever the sample rate (25 ms and 10 ms at 16 kHz).
_FRAME, _HOP, _FFT = 400, 160, 512
_PREEMPHASIS = 0.97
_LOWEST_HZ = 20.0
_FLOOR = 2.0**-23


@dataclass(frozen=True)
class KaldiFbankConfig:
    """The options of ``ASTFeatureExtractor``, under its names."""

    sampling_rate: int = 16_000
    """In Hz."""
    num_mel_bins: int = 128
    """Mel filters between 20 Hz and half of the rate."""
    max_length: int = 1_024
    """Frames; what is missing is filled with zeros before the standardisation, the rest is cut."""
    do_normalize: bool = True
    """Subtract ``mean`` and divide by twice ``std``."""
    mean: float = -4.2677393
    """Mean of the features over the training data."""
    std: float = 4.5689974
    """Their standard deviation."""

    def __post_init__(self) -> None:
        """Refuse sizes that no filter bank has."""
        if self.num_mel_bins < 1 or self.max_length < 1 or self.sampling_rate < 2 * _LOWEST_HZ:
            raise MondegreenError(
                f"num_mel_bins {self.num_mel_bins}, max_length {self.max_length} and sampling_rate "
                f"{self.sampling_rate} make no filter bank."
            )
        if self.do_normalize and not self.std > 0.0:
            raise MondegreenError(f"std is {self.std}; it must be positive.")


class KaldiFbank(nn.Module):
    """Kaldi's filter bank as ``ASTFeatureExtractor`` computes it.

    Frames of 400 samples every 160, each without its mean, pre-emphasised and under a symmetric
    Hann window; power spectrum of 512 points; triangles on Kaldi's mel scale; natural logarithm.
    Pre-emphasis is taken of the whole clip and the frames' means are subtracted from the spectrum,
    which is the same: all of it is linear, and the window is zero where the two would differ.

    Shape:
        - Input: ``(batch, 1, time)``, 400 samples or more
        - Output: ``(batch, max_length, num_mel_bins)``
    """

    window: Tensor
    filters: Tensor
    constant: Tensor

    def __init__(self, config: KaldiFbankConfig) -> None:
        super().__init__()
        self.config = config
        window = torch.hann_window(_FRAME, periodic=False, dtype=torch.float64)
        # What a frame of ones turns into, pre-emphasised.
        constant = torch.view_as_real(torch.fft.rfft((1.0 - _PREEMPHASIS) * window, n=_FFT))
        bank = _kaldi_filters(config.num_mel_bins, config.sampling_rate)
        # Each bin's weight twice: for the square of its real and of its imaginary part.
        filters = torch.from_numpy(bank.repeat(2, axis=0)).float()
        self.register_buffer("window", window.float(), persistent=False)
        self.register_buffer("constant", constant.flatten().float(), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the standardised filter bank of each waveform."""
        with full_precision(x):
            features = self._features(x[:, 0].to(self.window.dtype))
        c = self.config
        return (features - c.mean) / (2.0 * c.std) if c.do_normalize else features

    def _features(self, x: Tensor) -> Tensor:
        x = x[:, : (self.config.max_length - 1) * _HOP + _FRAME]  # what lies behind is cut anyway
        emphasised = x - _PREEMPHASIS * F.pad(x, (1, 0))[:, :-1]
        means = F.avg_pool1d(x[:, None], _FRAME, _HOP)[:, 0, :, None]
        spectrum = framed_spectrum(emphasised, self.window, _HOP, _FFT) - means * self.constant
        features = torch.log((spectrum.square() @ self.filters).clamp_min(_FLOOR))
        return F.pad(features, (0, 0, 0, self.config.max_length - features.shape[1]))


def _kaldi_filters(filters: int, rate: int) -> npt.NDArray[np.float64]:
    """Return triangles that are straight on the mel scale, ``(257, filters)``."""
    low, high = _kaldi_mel(_LOWEST_HZ), _kaldi_mel(float(rate // 2))
    corners = np.linspace(low, high, filters + 2)
    mels = 1127.0 * np.log1p(np.arange(_FFT // 2 + 1) * (rate / _FFT) / 700.0)[:, None]
    rising = (mels - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - mels) / np.diff(corners)[1:]
    triangles: npt.NDArray[np.float64] = np.clip(np.minimum(rising, falling), 0.0, None)
    return triangles


def _kaldi_mel(hertz: float) -> float:
    return 1127.0 * math.log1p(hertz / 700.0)
