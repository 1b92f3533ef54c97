"""Tones with changing spectra: tables of one period, read at a changing place and speed."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

RATE: Final = 22_050
"""Sample rate of everything here in Hz, GTZAN's."""

TABLE: Final = 4096
"""Samples of a table, which holds one period."""

HIGHEST_HZ: Final = 10_500.0
"""No harmonic lies above."""


def hertz(pitch: float) -> float:
    """Return the frequency of a MIDI pitch, equal temperament.

    Example:
        >>> hertz(69), round(hertz(60), 2)
        (440.0, 261.63)
    """
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def period_tables(amplitudes: Samples, phases: Samples) -> Samples:
    """Return one period of a sum of harmonics for each row of amplitudes.

    Args:
        amplitudes: Of the harmonics from the fundamental upwards, shape ``(tables, harmonics)``.
        phases: In radians, shape ``(harmonics,)``.

    Returns:
        Shape ``(tables, TABLE)``.
    """
    spectrum = np.zeros((len(amplitudes), TABLE // 2 + 1), dtype=np.complex128)
    count = min(amplitudes.shape[1], TABLE // 2 - 1)
    spectrum[:, 1 : count + 1] = amplitudes[:, :count] * np.exp(1j * phases[:count])
    return np.asarray(np.fft.irfft(spectrum, TABLE)) * (TABLE / 2)


def read_tables(tables: Samples, place: Samples | None, phase: Samples) -> Samples:
    """Read tables, going over from each to the next.

    Args:
        tables: From :func:`period_tables`.
        place: Which table, as a real number between the tables' numbers, shape ``(time,)``; None
            reads the first.
        phase: In periods, shape ``(time,)``.

    Returns:
        Shape ``(time,)``.
    """
    column = (phase * TABLE).astype(np.int64) % TABLE
    if place is None or len(tables) == 1:
        return np.asarray(tables[0][column])
    row = np.minimum(place.astype(np.int64), len(tables) - 2)
    flat = row * TABLE + column
    values = tables.ravel()
    before = values[flat]
    return np.asarray(before + (place - row) * (values[flat + TABLE] - before))


def phase_of(frequency: Samples | float, samples: int) -> Samples:
    """Return the phase in periods of a tone of constant or changing frequency in Hz."""
    if isinstance(frequency, float):
        return np.asarray(np.arange(samples) * (frequency / RATE))
    return np.asarray(np.cumsum(frequency) / RATE)


def envelope(samples: int, attack: float, held: float, release: float) -> Samples:
    """Return a gain that rises, stays at 1, and falls to zero.

    Args:
        samples: Length.
        attack: Seconds of the rise, a raised cosine.
        held: Seconds from the start until the fall begins.
        release: Seconds of the fall.
    """
    gain = np.ones(samples)
    rise = min(samples, max(1, round(attack * RATE)))
    gain[:rise] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(rise) + 0.5) / rise)
    start = min(samples, round(held * RATE))
    fall = np.arange(samples - start) / max(1.0, release * RATE)
    gain[start:] *= np.clip(1.0 - fall, 0.0, 1.0) ** 2
    return gain


def filtered(
    x: Samples,
    low: float,
    high: float,
    gains_db: npt.ArrayLike = (0.0,),
    hertz_at: npt.ArrayLike = (1000.0,),
) -> Samples:
    """Filter without change of phase; the signal is padded so that nothing comes round.

    Args:
        x: Signal, shape ``(time,)``.
        low: Lower limit in Hz (-3 dB), with a slope of 12 dB an octave.
        high: Upper limit in Hz (-3 dB), with a slope of 24 dB an octave.
        gains_db: Further gains at the frequencies of ``hertz_at``, linear over log frequency.
        hertz_at: Rising.

    Returns:
        Shape ``(time,)``.
    """
    size = fft_size(len(x) + 2048)
    frequencies = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 1.0)
    coarse = np.geomspace(1.0, RATE / 2, 400)  # the gain is smooth; its formula takes longer
    gain = 1 / np.sqrt((1 + (low / coarse) ** 4) * (1 + (coarse / high) ** 8))
    gain *= 10 ** (np.interp(np.log(coarse), np.log(hertz_at), np.asarray(gains_db)) / 20)
    spectrum = np.fft.rfft(x, size) * np.interp(frequencies, coarse, gain)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(x)])


def fft_size(samples: int) -> int:
    """Return the least product of a power of two and 1, 3 or 5 that is not below ``samples``.

    Example:
        >>> fft_size(1000), fft_size(1100), fft_size(1300)
        (1024, 1280, 1536)
    """
    power = 1 << max(0, (samples - 1).bit_length())
    return min(size for size in (power, power * 5 // 8, power * 3 // 4) if size >= samples)
