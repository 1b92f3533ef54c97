"""Production: saturation, echo, reverberation, compression, equaliser, noise and level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mondegreen.data.music.tones import RATE, Samples, fft_size, filtered

_FRAME: Final = RATE // 20
"""Samples of a frame of which the level is taken, 50 ms."""

_REACH: Final = 8
_HALF_BAND: Final = np.sinc(np.arange(-_REACH, _REACH) + 0.5) * np.hanning(2 * _REACH + 2)[1:-1]
"""Weights of the samples about a point half-way between two of them."""

PEAK: Final = 0.97
"""No sample is larger, in full scale."""

EQ_HZ: Final = (60.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0)
"""Where the equaliser's bands lie."""

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Production:
    """How tracks of a kind are produced; each draws its own values from these ranges.

    Attributes:
        room_s: Time in which the reverberation falls by 60 dB.
        wet_db: Energy of the reverberation relative to the dry sound.
        glue_db: How far the mix is driven into saturation.
        tilt_db: Slope of the spectrum in dB an octave.
        high_hz: Upper limit of the recording.
        low_hz: Lower limit of the recording.
        hiss_db: Noise relative to the music.
        crackle: Chance of a worn record.
    """

    room_s: Range = (0.3, 1.0)
    wet_db: Range = (-22.0, -10.0)
    glue_db: Range = (-6.0, 6.0)
    tilt_db: Range = (-1.0, 1.0)
    high_hz: Range = (6000.0, 10_500.0)
    low_hz: Range = (25.0, 60.0)
    hiss_db: Range = (-60.0, -38.0)
    crackle: float = 0.0


def rms(x: Samples) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(x**2)))


def active_level(x: Samples) -> float:
    """Return the root mean square of the louder half of the frames of 50 ms; 0 for silence."""
    power = np.mean(x[: len(x) // _FRAME * _FRAME].reshape(-1, _FRAME) ** 2, axis=1)
    return float(np.sqrt(np.mean(np.sort(power)[len(power) // 2 :])))


def saturate(x: Samples, drive_db: float) -> Samples:
    """Send a signal through an amplifier that gives in softly, at twice the rate.

    Args:
        x: Signal, shape ``(time,)``.
        drive_db: Gain of the signal's active level over the level where saturation sets in.

    Returns:
        Shape ``(time,)``; silence stays silence.
    """
    level = active_level(x)
    if not level:
        return x
    loud = x * (2.0 * 10 ** (drive_db / 20) / level)
    between = np.convolve(loud, _HALF_BAND)[_REACH : _REACH + len(x)]
    # Of the doubled rate's half-band low-pass only every second sample is needed.
    shifted = np.convolve(np.tanh(between), _HALF_BAND)[_REACH - 1 : _REACH - 1 + len(x)]
    return np.asarray(0.5 * (np.tanh(loud) + shifted))


def reverberation(seconds: float, rng: np.random.Generator) -> Samples:
    """Return a room's impulse response without its direct sound, of unit energy.

    Exponentially falling noise whose highs fall faster, after a gap of 5 to 30 ms.

    Args:
        seconds: Time of a fall by 60 dB.
        rng: Of the noise and the gap.
    """
    samples = round(min(seconds, 3.0) * RATE)
    time = np.arange(samples) / RATE
    noise = rng.standard_normal(samples)
    dull = filtered(noise, 100.0, rng.uniform(1500.0, 3000.0))
    bright = noise * 10 ** (-3.0 * time / (0.6 * seconds))
    tail = (bright + 2.0 * dull * 10 ** (-3.0 * time / seconds)) * (time > 0)
    response = np.concatenate([np.zeros(round(rng.uniform(0.005, 0.03) * RATE)), tail])
    return np.asarray(response / np.sqrt(np.sum(response**2)))


def convolve(x: Samples, response: Samples) -> Samples:
    """Return the convolution, cut to the length of ``x``."""
    size = fft_size(len(x) + len(response))
    product = np.fft.rfft(x, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(product, size)[: len(x)])


def echoes(x: Samples, delay: float, feedback: float) -> Samples:
    """Add four echoes ``delay`` seconds apart, each softer by ``feedback``, all of them dull."""
    gap, mix, copy = round(delay * RATE), x.copy(), x
    for number in range(1, 5):
        if number * gap >= len(x):
            break
        copy = feedback * (copy if number > 1 else filtered(copy, 200.0, 2500.0))
        mix[number * gap :] += copy[: len(x) - number * gap]
    return mix


def level_spread(x: Samples, spread_db: float) -> Samples:
    """Compress or expand until the level of frames of 50 ms has a given spread.

    Args:
        x: Signal, shape ``(time,)``.
        spread_db: Wanted standard deviation of the level in dB. Levels of 30 dB below the mean and
            less are taken for as loud as that, and differences are at most tripled.

    Returns:
        Shape ``(time,)``; silence stays silence.
    """
    frames = -(-len(x) // _FRAME)
    power = np.mean(np.pad(x**2, (0, frames * _FRAME - len(x))).reshape(frames, _FRAME), axis=1)
    mean = np.mean(power)
    if not mean:
        return x
    decibel = 10 * np.log10(np.maximum(power / mean, 1e-3))
    factor = min(spread_db / max(float(np.std(decibel)), 1e-3), 3.0)
    centres = (np.arange(frames) + 0.5) * _FRAME
    gain = np.interp(np.arange(len(x)), centres, (factor - 1.0) * (decibel - np.mean(decibel)))
    return np.asarray(x * 10 ** (gain / 20))


def crackling(samples: int, rng: np.random.Generator) -> Samples:
    """Return the crackle of a worn record, about a dozen clicks a second, of unit power."""
    clicks = np.zeros(samples)
    count = rng.poisson(12.0 * samples / RATE) + 1
    clicks[rng.integers(0, samples, count)] = rng.standard_normal(count) ** 3
    noise = filtered(clicks, 700.0, 6000.0)
    return noise / max(rms(noise), 1e-12)


def produce(x: Samples, production: Production, rng: np.random.Generator) -> Samples:
    """Turn the sum of the players into a record.

    Neither the level nor how it varies depends on the production, so that they do not give a genre
    away: the level is drawn at -24 to -14 dB of full scale, its spread at 2 to 5 dB.

    Args:
        x: The players' sum, shape ``(time,)``.
        production: Ranges of everything.
        rng: Draws from them.

    Returns:
        Shape ``(time,)``, within full scale.
    """
    p = production
    level = max(rms(x), 1e-9)
    wet = convolve(x, reverberation(rng.uniform(*p.room_s), rng))
    x = x + 10 ** (rng.uniform(*p.wet_db) / 20) * wet * (level / max(rms(wet), 1e-9))
    x = saturate(x, rng.uniform(*p.glue_db) - 9.0)
    x = equalise(x, rng.uniform(*p.tilt_db), rng.uniform(*p.low_hz), rng.uniform(*p.high_hz), rng)
    x = level_spread(x, rng.uniform(2.0, 5.0))
    x /= max(rms(x), 1e-9)
    white = rng.standard_normal(len(x) + 1)
    hiss = white[1:] + rng.uniform(-0.3, 0.9) * white[:-1]
    x += 10 ** (rng.uniform(*p.hiss_db) / 20) * hiss / rms(hiss)
    if rng.uniform() < p.crackle:
        x += 10 ** (rng.uniform(-35.0, -20.0) / 20) * crackling(len(x), rng)
    x *= 10 ** (rng.uniform(-24.0, -14.0) / 20) / rms(x)
    return limit(x)


def equalise(
    x: Samples, tilt_db: float, low: float, high: float, rng: np.random.Generator
) -> Samples:
    """Filter by random gains of six bands (2 dB of standard deviation), a slope, and two limits.

    Args:
        x: Signal, shape ``(time,)``.
        tilt_db: Slope in dB an octave.
        low: Lower limit in Hz.
        high: Upper limit in Hz.
        rng: Of the bands' gains.
    """
    octaves = np.log2(np.asarray(EQ_HZ) / 600.0)
    gains = rng.normal(0.0, 2.0, len(EQ_HZ)) + tilt_db * octaves
    return filtered(x, low, high, gains, EQ_HZ)


def limit(x: Samples) -> Samples:
    """Bend down what lies above two thirds of :data:`PEAK`, so that nothing is above it."""
    knee = PEAK * 2 / 3
    over = np.maximum(np.abs(x) - knee, 0.0)
    room = PEAK - knee
    return np.asarray(np.sign(x) * (np.minimum(np.abs(x), knee) + room * np.tanh(over / room)))
