from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from mondegreen.data.music.production import (
    PEAK,
    Production,
    active_level,
    convolve,
    echoes,
    level_spread,
    limit,
    produce,
    reverberation,
    rms,
    saturate,
)
from mondegreen.data.music.tones import RATE, Samples


def rng(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def tone(hertz: float, seconds: float = 1.0) -> Samples:
    return np.asarray(np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE))


def beats(seconds: float = 4.0) -> Samples:
    """Noise that falls by 20 dB in every half second."""
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(rng().standard_normal(len(time)) * 10 ** (-2.0 * (time % 0.5)))


def frame_levels_db(x: Samples) -> Samples:
    frames = x[: len(x) // 1102 * 1102].reshape(-1, 1102)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1)))


def test_saturation_adds_odd_overtones_and_nothing_that_aliases() -> None:
    y = saturate(tone(1000.0), 12.0)
    power = np.abs(np.fft.rfft(y[2000:-2000] * np.hanning(len(y) - 4000))) ** 2
    frequency = np.fft.rfftfreq(len(y) - 4000, 1 / RATE)

    def energy(hertz: float) -> float:
        return float(power[np.abs(frequency - hertz) < 20].sum() / power.sum())

    assert energy(3000.0) > 0.03 and energy(5000.0) > 0.005
    assert energy(2000.0) < 1e-6 and energy(4000.0) < 1e-6
    folded = RATE - 13_000.0  # where the thirteenth would come back at the single rate
    assert energy(folded) < 1e-4


def test_soft_signals_pass_saturation_as_they_are() -> None:
    x = tone(500.0)
    y = saturate(x, -40.0)
    assert np.corrcoef(x[100:-100], y[100:-100])[0, 1] > 0.9999
    assert not saturate(np.zeros(5000), 20.0).any()


def test_a_room_falls_by_sixty_decibels_in_its_time() -> None:
    response = reverberation(1.5, rng())
    assert np.sum(response**2) == pytest.approx(1.0)
    assert not response[: round(0.005 * RATE)].any(), "a gap after the direct sound"
    tail = response[round(0.1 * RATE) : round(1.4 * RATE)]
    level = frame_levels_db(tail)
    fall = np.polyfit(np.arange(len(level)) * 1102 / RATE, level, 1)[0]
    assert fall == pytest.approx(-60.0 / 1.5, rel=0.12)


def test_convolution_agrees_with_scipy() -> None:
    x, response = rng().standard_normal(3000), rng(4).standard_normal(700)
    assert np.allclose(convolve(x, response), signal.fftconvolve(x, response)[:3000])


def test_echoes_come_back_at_equal_distances() -> None:
    x = np.zeros(RATE)
    x[100:200] = tone(800.0)[:100]
    y = echoes(x, 0.15, 0.5) - x
    energy = [np.sum(y[round(0.15 * n * RATE) :][: round(0.1 * RATE)] ** 2) for n in range(5)]
    assert energy[0] < 0.01 * energy[1]
    ratios = np.asarray(energy[2:]) / energy[1:4]
    assert ratios == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("spread", [2.0, 3.5, 5.0])
def test_the_level_gets_its_spread(spread: float) -> None:
    x = beats()
    assert np.std(frame_levels_db(x)) > 5.5
    y = level_spread(x, spread)
    assert np.std(frame_levels_db(y)) == pytest.approx(spread, rel=0.2)


def test_a_steady_sound_is_not_torn_apart() -> None:
    x = rng().standard_normal(4 * RATE)
    assert np.std(frame_levels_db(level_spread(x, 5.0))) < 3.2 * np.std(frame_levels_db(x))
    assert not level_spread(np.zeros(RATE), 3.0).any()


@given(gain=st.floats(0.01, 50.0), seed=st.integers(0, 100))
@settings(deadline=None, max_examples=25)
def test_nothing_passes_the_limiter_and_soft_sounds_do_unchanged(gain: float, seed: int) -> None:
    x = gain * rng(seed).standard_normal(2000)
    y = limit(x)
    assert np.abs(y).max() <= PEAK
    assert np.array_equal(np.sign(x), np.sign(y))
    soft = np.abs(x) < 0.6
    assert np.array_equal(x[soft], y[soft])


def test_records_have_levels_of_one_range_however_loud_the_band_is() -> None:
    levels = []
    for seed in range(12):
        for gain in (0.01, 10.0):
            y = produce(gain * beats(2.0), Production(), rng(seed))
            assert np.isfinite(y).all() and np.abs(y).max() <= PEAK
            levels.append(20 * np.log10(rms(y)))
    assert -25.0 < min(levels) < -21.0 and -17.0 < max(levels) < -13.5
    assert levels[0::2] == pytest.approx(levels[1::2], abs=0.01)


def test_the_active_level_leaves_pauses_out() -> None:
    x = np.concatenate([tone(440.0), np.zeros(RATE)])
    assert active_level(x) == pytest.approx(np.sqrt(0.5), rel=0.05)
    assert active_level(np.zeros(RATE)) == 0.0
