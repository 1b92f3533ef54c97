"""``WhisperFeatureExtractor`` in PyTorch: a logarithmic mel spectrum 80 dB deep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.classifiers.features import full_precision
from mondegreen.errors import MondegreenError
from mondegreen.framing import framed_spectrum

_HIGHEST_HZ = 8_000.0
_FLOOR = 1e-10
_DEPTH = 8.0  # decades of power below the loudest band of the clip


@dataclass(frozen=True)
class WhisperMelConfig:
    """The options of ``WhisperFeatureExtractor``, under its names."""

    sampling_rate: int = 16_000
    """In Hz."""
    feature_size: int = 80
    """Mel filters between 0 and 8,000 Hz."""
    n_fft: int = 400
    """Samples a frame."""
    hop_length: int = 160
    """Samples between frames."""
    chunk_length: int = 30
    """Seconds; shorter clips are filled up."""
    padding_value: float = 0.0
    """What they are filled up with."""

    def __post_init__(self) -> None:
        """Refuse sizes that no spectrum has."""
        sizes = (
            self.sampling_rate,
            self.feature_size,
            self.n_fft - 1,
            self.hop_length,
            self.chunk_length,
        )
        if min(sizes) < 1 or self.hop_length > self.n_fft:
            raise MondegreenError(
                f"n_fft {self.n_fft}, hop_length {self.hop_length}, feature_size "
                f"{self.feature_size}, chunk_length {self.chunk_length} and sampling_rate "
                f"{self.sampling_rate} make no spectrum."
            )

    @property
    def samples(self) -> int:
        """Samples that every clip is filled up to."""
        return self.chunk_length * self.sampling_rate

    @property
    def frames(self) -> int:
        """Frames of the spectrum."""
        return self.samples // self.hop_length


class WhisperMel(nn.Module):
    """Whisper's features (Radford et al. 2022, https://arxiv.org/abs/2212.04356, section 2.2).

    The clip is filled up to ``chunk_length`` seconds; centred frames under a Hann window, power
    spectrum, Slaney's mel filters, decimal logarithm; whatever lies more than 80 dB below the
    loudest band is raised to there; a quarter of it, plus one. Frames that hear nothing of the clip
    are not transformed: their logarithm is known.

    Shape:
        - Input: ``(batch, 1, time)``, at most ``chunk_length`` seconds
        - Output: ``(batch, feature_size, frames)``
    """

    window: Tensor
    filters: Tensor

    def __init__(self, config: WhisperMelConfig) -> None:
        super().__init__()
        self.config = config
        bank = _slaney_filters(config.feature_size, config.n_fft, config.sampling_rate)
        # Each bin's weight twice: for the square of its real and of its imaginary part.
        filters = torch.from_numpy(bank.repeat(2, axis=0)).float()
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of each waveform."""
        with full_precision(x):
            decades = self._decades(x[:, 0].to(self.window.dtype))
            loudest = decades.amax(dim=(1, 2), keepdim=True)
            return (torch.maximum(decades, loudest - _DEPTH) + 4.0) / 4.0

    def _decades(self, x: Tensor) -> Tensor:
        """Return the logarithm of the mel power, ``(batch, feature_size, frames)``."""
        c = self.config
        heard = c.samples if c.padding_value else min(c.samples, x.shape[1] + c.n_fft)
        x = F.pad(x, (0, heard - x.shape[1]), value=c.padding_value)
        x = F.pad(x[:, None], (c.n_fft // 2, c.n_fft // 2), mode="reflect")[:, 0]
        spectrum = framed_spectrum(x, self.window, c.hop_length, c.n_fft)[:, : c.frames]
        decades = (spectrum.square() @ self.filters).clamp_min(_FLOOR).log10().transpose(1, 2)
        return F.pad(decades, (0, c.frames - decades.shape[2]), value=float(np.log10(_FLOOR)))


def _slaney_filters(filters: int, fft: int, rate: int) -> npt.NDArray[np.float64]:
    """Return triangles of equal area on Slaney's mel scale, ``(fft // 2 + 1, filters)``."""
    top = 15.0 + np.log(_HIGHEST_HZ / 1000.0) * 27.0 / np.log(6.4)
    mels = np.linspace(0.0, top, filters + 2)
    above = 1000.0 * np.exp(np.log(6.4) / 27.0 * (mels - 15.0))
    corners = np.where(mels < 15.0, mels * 200.0 / 3.0, above)  # linear up to 1 kHz
    bins = np.linspace(0.0, rate // 2, fft // 2 + 1)[:, None]
    rising = (bins - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - bins) / np.diff(corners)[1:]
    triangles = np.clip(np.minimum(rising, falling), 0.0, None)
    area: npt.NDArray[np.float64] = triangles * (2.0 / (corners[2:] - corners[:-2]))
    return area
