"""Kaldi's logarithmic mel spectrum, which several extractors of Transformers begin with."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.classifiers.features import full_precision
from mondegreen.errors import MondegreenError
from mondegreen.framing import framed_spectrum

# The originals fix these in samples, whatever the sample rate (25 ms and 10 ms at 16 kHz).
FRAME, HOP = 400, 160
_FFT = 512
_PREEMPHASIS = 0.97
_LOWEST_HZ = 20.0
_FLOOR = 2.0**-23


class KaldiLogMel(nn.Module):
    """Logarithm of the power in mel bands, as Kaldi computes it (Povey et al. 2011).

    Frames of 400 samples every 160, each without its mean, pre-emphasised and under a symmetric
    window; power spectrum of 512 points; triangles on Kaldi's mel scale; natural logarithm.
    Pre-emphasis is taken of the whole clip and the frames' means are subtracted from the spectrum,
    which is the same: all of it is linear, and the window is zero where the two would differ.

    Args:
        bands: Mel bands between 20 Hz and half of the rate.
        rate: In Hz.
        window: Hann's, or Povey's, which is Hann's to the power of 0.85.

    Shape:
        - Input: ``(batch, time)``, 400 samples or more
        - Output: ``(batch, 1 + (time - 400) // 160, bands)``

    Raises:
        MondegreenError: There is no band, or no room for one.

    Example:
        >>> KaldiLogMel(8, 16_000, "hann")(torch.zeros(1, 560)).shape
        torch.Size([1, 2, 8])
    """

    window: Tensor
    filters: Tensor
    constant: Tensor

    def __init__(self, bands: int, rate: int, window: Literal["hann", "povey"]) -> None:
        super().__init__()
        if bands < 1 or rate < 3 * _LOWEST_HZ:
            raise MondegreenError(
                f"num_mel_bins {bands} and sampling_rate {rate} make no filter bank."
            )
        weights = torch.hann_window(FRAME, periodic=False, dtype=torch.float64)
        if window == "povey":
            weights = weights**0.85
        # What a frame of ones turns into, pre-emphasised.
        constant = torch.view_as_real(torch.fft.rfft((1.0 - _PREEMPHASIS) * weights, n=_FFT))
        # Each bin's weight twice: for the square of its real and of its imaginary part.
        filters = torch.from_numpy(_kaldi_filters(bands, rate).repeat(2, axis=0)).float()
        self.register_buffer("window", weights.float(), persistent=False)
        self.register_buffer("constant", constant.flatten().float(), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logarithm of the bands' power in each frame."""
        with full_precision(x):
            x = x.to(self.window.dtype)
            emphasised = x - _PREEMPHASIS * F.pad(x, (1, 0))[:, :-1]
            means = F.avg_pool1d(x[:, None], FRAME, HOP)[:, 0, :, None]
            spectrum = framed_spectrum(emphasised, self.window, HOP, _FFT) - means * self.constant
            return torch.log((spectrum.square() @ self.filters).clamp_min(_FLOOR))


def _kaldi_filters(bands: int, rate: int) -> npt.NDArray[np.float64]:
    """Return triangles that are straight on the mel scale, ``(257, bands)``."""
    corners = np.linspace(_kaldi_mel(_LOWEST_HZ), _kaldi_mel(float(rate // 2)), bands + 2)
    mels = 1127.0 * np.log1p(np.arange(_FFT // 2 + 1) * (rate / _FFT) / 700.0)[:, None]
    rising = (mels - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - mels) / np.diff(corners)[1:]
    triangles: npt.NDArray[np.float64] = np.clip(np.minimum(rising, falling), 0.0, None)
    return triangles


def _kaldi_mel(hertz: float) -> float:
    return 1127.0 * math.log1p(hertz / 700.0)
