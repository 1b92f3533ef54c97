"""Spectrograms for the eye."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def spectrogram_db(
    x: npt.NDArray[np.floating], *, window: int, hop: int, floor_db: float = -120.0
) -> FloatArray:
    """Return the short-time spectrum in dB relative to a full-scale sine.

    The signal is padded with half a window of silence on both sides, so that frame ``i`` is centred
    on sample ``i * hop``.

    Args:
        x: One waveform, ``(time,)``, in [-1, 1].
        window: Length of the Hann window in samples.
        hop: Samples from one frame to the next.
        floor_db: Anything quieter, silence too, is shown as this.

    Shape:
        - Output: ``(window // 2 + 1, 1 + time // hop)``

    Example:
        >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
        >>> float(spectrogram_db(tone, window=512, hop=128)[32, 50].round(2))
        0.0
    """
    shape = np.hanning(window + 1)[:-1]
    padded = np.pad(x.astype(np.float64), (window // 2, window - window // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][: 1 + len(x) // hop]
    magnitude = 2.0 / shape.sum() * np.abs(np.fft.rfft(frames * shape, axis=1)).T
    decibels: FloatArray = 20.0 * np.log10(np.maximum(magnitude, 10.0 ** (floor_db / 20.0)))
    return decibels
