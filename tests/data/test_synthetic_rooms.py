from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from mondegreen.data.synthetic_rooms import (
    CLIP_SAMPLES,
    MARGIN,
    SAMPLE_RATE,
    Samples,
    channel_gain,
    coloured_noise,
    echo_response,
    mains_hum,
    record,
    resample_fourier,
    trim_silence,
)
from mondegreen.data.synthetic_speakers import ACCENTS, VARIANTS, Speaker, sample_speakers

SPEAKERS = sample_speakers(12, 5, {*ACCENTS, *VARIANTS})
ANECHOIC = dataclasses.replace(SPEAKERS[0], reflections_db=-200.0, tilt_db=0.0)


def pulse(time: Samples) -> Samples:
    """A tone of 440 Hz under a bell, silent at both ends of a quarter second."""
    bell = np.exp(-(((time - 0.125) / 0.025) ** 2))
    return np.asarray(bell * np.sin(2 * np.pi * 440.0 * time))


@given(ratio=st.floats(0.5, 2.0))
@settings(deadline=None, max_examples=40)
def test_resampling_reads_the_signal_between_its_samples(ratio: float) -> None:
    x = pulse(np.arange(4000) / SAMPLE_RATE)
    y = resample_fourier(x, ratio)
    assert len(y) == round(4000 * ratio)
    truth = pulse(np.arange(len(y)) / (SAMPLE_RATE * ratio))
    assert np.abs(y - truth).max() < 0.04  # the ratio is rounded to one sample in 8,192


def test_resampling_agrees_with_scipy() -> None:
    x = np.zeros(8192)
    x[:4096] = pulse(np.arange(4096) / SAMPLE_RATE)
    for ratio in (0.5, 0.75, 1.25):
        ours = resample_fourier(x[:4096], ratio)
        scipys = signal.resample(x, round(8192 * ratio))[: len(ours)]
        assert np.allclose(ours, scipys, atol=1e-9)


def test_trimming() -> None:
    x = np.zeros(100)
    x[40], x[60], x[80] = 1.0, -0.5, 0.009
    assert np.array_equal(trim_silence(x), x[40:61])
    assert np.array_equal(trim_silence(x, threshold_db=-42.0), x[40:81])
    assert np.array_equal(trim_silence(x, margin=30), x[10:91])
    assert np.array_equal(trim_silence(x, margin=50), x)
    assert np.array_equal(trim_silence(np.zeros(7)), np.zeros(7))


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_has_its_colour(slope: float) -> None:
    noise = coloured_noise(20 * SAMPLE_RATE, slope, np.random.default_rng(1))
    assert np.mean(noise**2) == pytest.approx(1.0)
    hertz, power = signal.welch(noise, SAMPLE_RATE, nperseg=4096)
    band = (hertz > 100) & (hertz < 7000)
    fitted = np.polyfit(np.log(hertz[band]), np.log(power[band]), 1)[0]
    assert fitted == pytest.approx(-slope, abs=0.05)


def test_hum_is_made_of_multiples_of_the_mains() -> None:
    hum = mains_hum(SAMPLE_RATE, 60.0, np.random.default_rng(1))
    power = np.abs(np.fft.rfft(hum)) ** 2  # bins of 1 Hz
    assert np.mean(hum**2) == pytest.approx(1.0)
    assert set(np.flatnonzero(power > 1e-9 * power.max())) == set(range(60, 481, 60))


def test_echo_has_its_energy_and_decay() -> None:
    speaker = dataclasses.replace(ANECHOIC, reflections_db=-20.0, decay_s=0.2)
    echo = echo_response(speaker, np.random.default_rng(3))
    assert echo[0] == 1.0
    assert 10 * np.log10(np.sum(echo[1:] ** 2)) == pytest.approx(-20.0, abs=1e-6)
    tail = 10 * np.log10(np.mean(echo[800:6400].reshape(7, 800) ** 2, axis=1))
    slope = np.polyfit(np.arange(7) * 0.05, tail, 1)[0]
    assert slope == pytest.approx(-60.0 / 0.2, rel=0.03)


def test_microphone_is_3_db_down_at_its_limits() -> None:
    gain_db = 20 * np.log10(np.abs(channel_gain(ANECHOIC)))
    hertz = np.fft.rfftfreq(2 * (len(gain_db) - 1), 1 / SAMPLE_RATE)
    at = np.interp([ANECHOIC.low_cut_hz, 1500.0, ANECHOIC.high_cut_hz], hertz, gain_db)
    assert at == pytest.approx([-3.0, 0.0, -3.0], abs=0.1)
    tilted = channel_gain(dataclasses.replace(ANECHOIC, tilt_db=2.0))
    octave = 20 * np.log10(np.abs(tilted)) - gain_db
    assert np.interp([500.0, 1000.0, 4000.0], hertz, octave) == pytest.approx([-2.0, 0.0, 4.0])


@given(
    speaker=st.sampled_from(SPEAKERS),
    samples=st.integers(2_000, CLIP_SAMPLES - 2 * MARGIN),
    seed=st.integers(0, 10_000),
)
@settings(deadline=None, max_examples=40)
def test_a_recording_keeps_its_level_and_place(speaker: Speaker, samples: int, seed: int) -> None:
    word = np.sin(2 * np.pi * 600.0 * np.arange(samples) / SAMPLE_RATE) * np.hanning(samples)
    clip = record(word, speaker, channel_gain(speaker), np.random.default_rng(seed))
    assert clip.shape == (CLIP_SAMPLES,)
    assert clip.dtype == np.float32
    peak_db = 20 * np.log10(np.abs(clip).max())
    assert abs(peak_db - speaker.level_db) < 2.01
    assert -30.0 < peak_db < -2.99
    # The tone stands out of the room tone, and its centre of gravity is where a word may be.
    tone = signal.sosfiltfilt(
        signal.butter(4, (560, 640), "bandpass", fs=16000, output="sos"), clip
    )
    centre = np.sum(np.arange(CLIP_SAMPLES) * tone**2) / np.sum(tone**2)
    slack = 0.1 * CLIP_SAMPLES
    assert MARGIN + samples / 2 - slack < centre < CLIP_SAMPLES - MARGIN - samples / 2 + slack


@pytest.mark.parametrize("snr_db", [15.0, 30.0, 45.0])
def test_a_recording_has_its_signal_to_noise_ratio(snr_db: float) -> None:
    speaker = dataclasses.replace(ANECHOIC, snr_db=snr_db, noise_slope=0.0)
    word = np.sin(2 * np.pi * 1000.0 * np.arange(4000) / SAMPLE_RATE)
    clip = record(word, speaker, channel_gain(speaker), np.random.default_rng(4)).astype(float)
    envelope = np.convolve(clip**2, np.ones(4000), "valid")
    onset = int(np.argmax(envelope))
    speech = envelope[onset] / 4000
    outside = np.ones(CLIP_SAMPLES, dtype=bool)
    outside[max(0, onset - 1000) : onset + 5000] = False
    measured = 10 * np.log10(speech / np.mean(clip[outside] ** 2))
    assert abs(measured - snr_db) < 2.5  # takes vary by 2 dB


def test_a_recording_is_repeatable() -> None:
    word = np.hanning(5000)
    gain = channel_gain(SPEAKERS[1])
    first, again, other = (
        record(word, SPEAKERS[1], gain, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
