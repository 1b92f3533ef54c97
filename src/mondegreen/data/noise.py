"""Background noise for augmentation: crops of long recordings, or generated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mondegreen.audio import float_to_pcm16, pcm16_to_float, read_mono
from mondegreen.errors import MondegreenError

GENERATED_RMS = 0.1


class NoiseBank:
    """Random crops of noise; white and pink noise are generated where there are no recordings.

    Args:
        paths: Long recordings, decoded once and held as 16-bit PCM; may be empty.
        sample_rate: In Hz; recordings are resampled to it.

    Raises:
        MondegreenError: A recording cannot be read.
    """

    def __init__(self, paths: Sequence[Path], sample_rate: int) -> None:
        if sample_rate <= 0:
            raise MondegreenError(f"the sample rate must be positive, not {sample_rate} Hz.")
        self.sample_rate = sample_rate
        self._recordings = [float_to_pcm16(read_mono(path, sample_rate)) for path in paths]

    def __repr__(self) -> str:
        """Show where the noise comes from."""
        source = f"recordings={len(self._recordings)}" if self._recordings else "generated"
        return f"NoiseBank({source}, sample_rate={self.sample_rate})"

    def crop(self, n: int, samples: int, generator: torch.Generator) -> Tensor:
        """Return random pieces of noise, each from a recording chosen at random.

        Recordings shorter than ``samples`` are repeated. Recorded noise keeps its level;
        generated noise, by turns white and pink, has a root mean square of 0.1 (-20 dBFS).

        Args:
            n: How many.
            samples: Length of each.
            generator: The source of randomness, on the CPU.

        Shape:
            - Output: ``(n, 1, samples)``, float32 in [-1, 1]
        """
        if n == 0:
            return torch.zeros(0, 1, samples)
        if self._recordings:
            pieces = [self._piece(samples, generator) for _ in range(n)]
            return pcm16_to_float(torch.stack(pieces)[:, None])
        x = white_noise(n, samples, generator)
        if n > 1:
            x[: n // 2] = pink_noise(n // 2, samples, generator)
        return x[torch.randperm(n, generator=generator)]

    def _piece(self, samples: int, generator: torch.Generator) -> Tensor:
        choice = int(torch.randint(len(self._recordings), (), generator=generator))
        recording = self._recordings[choice]
        if recording.numel() < samples:
            recording = recording.repeat(-(-samples // recording.numel()))
        start = int(torch.randint(recording.numel() - samples + 1, (), generator=generator))
        return recording[start : start + samples]


def white_noise(n: int, samples: int, generator: torch.Generator) -> Tensor:
    """Return Gaussian noise of equal power at all frequencies, RMS 0.1, clipped to [-1, 1].

    Shape:
        - Output: ``(n, 1, samples)``
    """
    return _level(torch.randn(n, 1, samples, generator=generator))


def pink_noise(n: int, samples: int, generator: torch.Generator) -> Tensor:
    """Return Gaussian noise whose power falls by 3 dB an octave, RMS 0.1, clipped to [-1, 1].

    Shape:
        - Output: ``(n, 1, samples)``
    """
    spectrum = torch.fft.rfft(torch.randn(n, 1, samples, generator=generator))
    bins = torch.arange(spectrum.shape[-1], dtype=torch.float32)
    gain = bins.clamp(min=1.0).rsqrt()
    if gain.numel() > 1:
        gain[0] = 0.0  # no constant offset
    return _level(torch.fft.irfft(spectrum * gain, n=samples))


def _level(x: Tensor) -> Tensor:
    rms = x.square().mean(dim=-1, keepdim=True).sqrt().clamp(min=1e-12)
    return (x * (GENERATED_RMS / rms)).clamp(-1.0, 1.0)
