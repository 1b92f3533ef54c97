"""Long background noises for the synthetic speech corpus: room, fan, hum, rain, clatter, babble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mondegreen.data.speech_engine import ESPEAK_RATE, SpeechEngine, Utterance
from mondegreen.data.synthetic_rooms import (
    SAMPLE_RATE,
    Samples,
    coloured_noise,
    mains_hum,
    resample_fourier,
    trim_silence,
)
from mondegreen.data.synthetic_speakers import ACCENTS, voice_name

_LEVEL = 0.06
_PEAK = 0.9


def background_noises(
    words: Sequence[str], seconds: int, *, seed: int, engine: SpeechEngine
) -> dict[str, npt.NDArray[np.float32]]:
    """Return noises by name, each with a root mean square of 0.06 (-24 dBFS) or a peak of 0.9.

    Args:
        words: What the babble is made of; there is none without words.
        seconds: Length of each.
        seed: Of everything random.
        engine: Speaks the babble, in plain accents that no speaker of the corpus has.

    Returns:
        Float32 arrays of shape ``(seconds * 16000,)``.

    Raises:
        MondegreenError: The synthesiser failed.
    """
    samples = seconds * SAMPLE_RATE
    rng = np.random.default_rng([seed, samples])
    noises = {
        "room_tone": coloured_noise(samples, 1.6, rng) * _slow_swell(samples, 4.0, rng),
        "pink_noise": coloured_noise(samples, 1.0, rng),
        "white_noise": coloured_noise(samples, 0.0, rng),
        "mains_hum": mains_hum(samples, 50.0, rng) + 0.3 * coloured_noise(samples, 1.0, rng),
        "clatter": _clatter(samples, rng),
    }
    if words:
        noises["babble"] = _babble(words, samples, engine, rng)
    return {name: _scaled(noise) for name, noise in noises.items()}


def _scaled(noise: Samples) -> npt.NDArray[np.float32]:
    gain = min(_LEVEL / np.sqrt(np.mean(noise**2)), _PEAK / np.abs(noise).max())
    return np.asarray(noise * gain, dtype=np.float32)


def _slow_swell(samples: int, depth_db: float, rng: np.random.Generator) -> Samples:
    """Return a gain that wanders by some decibels within seconds."""
    knots = rng.normal(0.0, depth_db / 2, samples // SAMPLE_RATE + 2)
    places = np.linspace(0.0, len(knots) - 1.0, samples)
    return np.asarray(10 ** (np.interp(places, np.arange(len(knots)), knots) / 20))


def _clatter(samples: int, rng: np.random.Generator) -> Samples:
    """Return short resonant knocks, about six a second, over faint pink noise."""
    clatter = 0.02 * coloured_noise(samples, 1.0, rng)
    time = np.arange(SAMPLE_RATE // 10) / SAMPLE_RATE
    for onset in rng.integers(0, samples - len(time), size=max(1, 6 * samples // SAMPLE_RATE)):
        decay = np.exp(-time / rng.uniform(0.004, 0.02))
        knock = rng.standard_normal(len(time)) * decay**2
        knock += np.sin(2 * np.pi * rng.uniform(300.0, 4000.0) * time) * decay
        clatter[onset : onset + len(time)] += rng.uniform(0.1, 1.0) * knock
    return clatter


def _babble(
    words: Sequence[str], samples: int, engine: SpeechEngine, rng: np.random.Generator
) -> Samples:
    """Return words of no label all over one another, about eight at any time."""
    babble = 0.003 * coloured_noise(samples, 1.0, rng)
    for word in words:
        for accent in sorted(engine.voices.intersection(ACCENTS)):
            utterance = Utterance(
                text=word,
                voice=voice_name(accent),
                rate=int(rng.integers(120, 220)),
                pitch=int(rng.integers(20, 80)),
                seed=int(rng.integers(1, 2**31 - 1)),
            )
            dry = trim_silence(engine.speak(utterance) / 32768.0)
            spoken = resample_fourier(dry, SAMPLE_RATE / (ESPEAK_RATE * rng.uniform(0.9, 1.15)))
            spoken /= np.abs(spoken).max()
            copies = max(1, 20 * samples // (SAMPLE_RATE * len(words) * len(ACCENTS)))
            for onset in rng.integers(0, samples - len(spoken), size=copies):
                babble[onset : onset + len(spoken)] += rng.uniform(0.2, 1.0) * spoken
    return babble
