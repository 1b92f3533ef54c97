"""What lies between a synthetic voice and its file: vocal tract, room, microphone, noise, level.

All filters are gains on the spectrum, so they need no more than NumPy.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from mondegreen.data.synthetic_speakers import Speaker

Samples = npt.NDArray[np.float64]

SAMPLE_RATE: Final = 16_000
CLIP_SAMPLES: Final = 16_000

MARGIN: Final = 480
"""No word begins or ends closer to an end of its clip than this (30 ms)."""

# Twice the clip: the filters' tails die out before they come round to the front again.
_PADDED: Final = 2 * CLIP_SAMPLES
_LEAD: Final = 4_000


def resample_fourier(x: Samples, ratio: float) -> Samples:
    """Resample by any ratio, by cutting or extending the spectrum of the padded signal.

    Exact, but for rounding the ratio to whole samples of the padded signal, where the signal is
    silent at both ends, as an isolated word is.

    Args:
        x: Signal, shape ``(time,)``.
        ratio: New sample rate over old sample rate.

    Returns:
        Shape ``(round(time * ratio),)``.
    """
    padded = 1 << (3 * len(x) // 2).bit_length()
    length = round(padded * ratio)
    spectrum = np.fft.rfft(x, padded)[: length // 2 + 1]
    return np.fft.irfft(spectrum, length)[: round(len(x) * ratio)] * (length / padded)


def trim_silence(x: Samples, threshold_db: float = -40.0, margin: int = 0) -> Samples:
    """Cut off both ends as long as they stay below the peak by ``threshold_db``.

    Args:
        x: Signal, shape ``(time,)``.
        threshold_db: Relative to the largest magnitude, negative.
        margin: Samples to keep before and after.

    Returns:
        A part of ``x``; all of it when it is silent.
    """
    loud = np.flatnonzero(np.abs(x) > np.abs(x).max(initial=0.0) * 10 ** (threshold_db / 20))
    return x[max(0, loud[0] - margin) : loud[-1] + 1 + margin] if len(loud) else x


def coloured_noise(samples: int, slope: float, rng: np.random.Generator) -> Samples:
    """Return Gaussian noise of unit power whose power falls as frequency to the ``-slope``.

    Args:
        samples: Length.
        slope: 0 white, 1 pink, 2 brown; flat below 40 Hz.
        rng: Source of randomness.
    """
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequencies = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 40.0)
    noise = np.fft.irfft(spectrum * frequencies ** (-slope / 2), samples)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


def mains_hum(samples: int, hertz: float, rng: np.random.Generator) -> Samples:
    """Return a hum of unit power: ``hertz`` and its first seven overtones at random levels."""
    time = np.arange(samples) / SAMPLE_RATE
    levels = rng.uniform(0.1, 1.0, 8) / np.arange(1, 9)
    phases = rng.uniform(0.0, 2 * np.pi, 8)
    tones = [
        level * np.sin(2 * np.pi * hertz * overtone * time + phase)
        for overtone, level, phase in zip(range(1, 9), levels, phases, strict=True)
    ]
    hum = np.sum(tones, axis=0)
    return np.asarray(hum / np.sqrt(np.mean(hum**2)))


def echo_response(speaker: Speaker, rng: np.random.Generator) -> Samples:
    """Return a room's impulse response: the direct sound, a few reflections and a decaying tail.

    The energy of all but the direct sound is ``speaker.reflections_db``.
    """
    samples = int(0.4 * SAMPLE_RATE)
    response = np.zeros(samples)
    delays = rng.integers(24, 560, size=rng.integers(4, 10))  # 1.5 to 35 ms
    response[delays] += rng.uniform(0.2, 1.0, len(delays)) * rng.choice([-1.0, 1.0], len(delays))
    time = np.arange(samples) / SAMPLE_RATE
    response[320:] += 0.1 * rng.standard_normal(samples - 320)
    response *= 10 ** (-3 * time / speaker.decay_s)
    response *= 10 ** (speaker.reflections_db / 20) / np.sqrt(np.sum(response**2))
    response[0] = 1.0
    return response


def channel_gain(speaker: Speaker) -> npt.NDArray[np.complex128]:
    """Return room and microphone as one complex gain a bin of a real FFT of two seconds."""
    rng = np.random.default_rng([*speaker.entropy, 1])
    room = np.fft.rfft(echo_response(speaker, rng), _PADDED)
    frequencies = np.maximum(np.fft.rfftfreq(_PADDED, 1 / SAMPLE_RATE), 1.0)
    low = 1 / np.sqrt(1 + (speaker.low_cut_hz / frequencies) ** 4)
    high = 1 / np.sqrt(1 + (frequencies / speaker.high_cut_hz) ** 8)
    octaves = np.log2(np.clip(frequencies, 100.0, 8000.0) / 1000.0)
    gain: npt.NDArray[np.complex128] = room * low * high * 10 ** (speaker.tilt_db * octaves / 20)
    return gain


def record(
    word: Samples,
    speaker: Speaker,
    gain: npt.NDArray[np.complex128],
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Place a word in a second of the speaker's room tone, as the speaker's microphone hears it.

    The word begins at random where it fits with :data:`MARGIN` to spare; the peak is within 2 dB of
    the speaker's level, the signal-to-noise ratio (over the word's duration) of the speaker's.

    Args:
        word: Dry speech at 16 kHz, shape ``(time,)``, at most 15,040 samples.
        speaker: Who speaks and where.
        gain: From :func:`channel_gain`.
        rng: Source of randomness of this take.

    Returns:
        Shape ``(16000,)``, in [-1, 1].
    """
    onset = int(rng.integers(MARGIN, CLIP_SAMPLES - MARGIN - len(word) + 1))
    dry = np.zeros(_PADDED)
    dry[_LEAD + onset : _LEAD + onset + len(word)] = word
    heard = np.fft.irfft(np.fft.rfft(dry) * gain, _PADDED)[_LEAD : _LEAD + CLIP_SAMPLES]
    noise = coloured_noise(CLIP_SAMPLES, speaker.noise_slope, rng)
    if speaker.hum_hz:
        noise = noise + rng.uniform(0.3, 1.0) * mains_hum(CLIP_SAMPLES, speaker.hum_hz, rng)
    power = np.mean(heard[onset : onset + len(word)] ** 2)
    snr_db = speaker.snr_db + rng.uniform(-2.0, 2.0)
    noise *= np.sqrt(power / np.mean(noise**2) * 10 ** (-snr_db / 10))
    clip = heard + noise
    peak = 10 ** (min(speaker.level_db + rng.uniform(-2.0, 2.0), -3.0) / 20)
    return np.asarray(clip * (peak / np.abs(clip).max()), dtype=np.float32)
