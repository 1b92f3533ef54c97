from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from mondegreen.data.music.instruments import INSTRUMENTS
from mondegreen.data.music.timbres import Instrument, Note, Timbre, amplitudes, varied
from mondegreen.data.music.tones import (
    HIGHEST_HZ,
    RATE,
    Samples,
    envelope,
    fft_size,
    filtered,
    hertz,
    period_tables,
    phase_of,
    read_tables,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def play(timbre: Timbre, note: Note) -> Samples:
    return Instrument(timbre, rng()).play(note)


def spectrum_peaks(x: Samples, above: float = 0.05) -> list[float]:
    """Frequencies in Hz of the spectrum's peaks, to a fraction of a Hz."""
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 18))
    places, _ = signal.find_peaks(power, height=above * power.max(), distance=200)
    return [float(place * RATE / (1 << 18)) for place in places]


def level_db(x: Samples) -> float:
    return float(10 * np.log10(np.mean(x**2)))


@pytest.mark.parametrize("pitch", [40, 57, 69, 81])
def test_a_tone_has_its_frequency_and_the_overtones_of_a_string(pitch: float) -> None:
    x = play(Timbre(rolloff=0.5, attack=0.01), Note(0.0, 1.0, pitch))
    wanted = hertz(pitch) * np.arange(1, 6)
    assert spectrum_peaks(x, 0.3)[:5] == pytest.approx(wanted, rel=2e-3)


def test_only_odd_overtones_without_the_even_ones() -> None:
    x = play(Timbre(rolloff=1.0, even=0.0), Note(0.0, 1.0, 60))
    assert spectrum_peaks(x)[:3] == pytest.approx(hertz(60) * np.array([1, 3, 5]), rel=2e-3)


def test_tables_are_read_as_the_sum_of_sines_that_they_hold() -> None:
    levels, phases = np.array([[1.0, 0.5, 0.25], [0.2, 0.0, 0.9]]), np.array([0.3, 1.0, 2.0])
    time = np.arange(4000) / RATE
    phase = 220.0 * time
    place = np.linspace(0.0, 1.0, len(time))
    read = read_tables(period_tables(levels, phases), place, phase)
    mixed = (1 - place)[:, None] * levels[0] + place[:, None] * levels[1]
    angles = 2 * np.pi * phase[:, None] * np.arange(1, 4) + phases
    assert np.abs(read - np.sum(mixed * np.cos(angles), axis=1)).max() < 0.006  # 1 / 4096 period


def test_a_plucked_note_falls_by_sixty_decibels_in_its_decay() -> None:
    x = play(Timbre(rolloff=8.0, decay=0.8, attack=0.001), Note(0.0, 1.0, 69))
    times = np.array([0.05, 0.2, 0.4, 0.6])
    found = [level_db(x[round((t - 0.02) * RATE) : round((t + 0.02) * RATE)]) for t in times]
    fall = np.polyfit(times, found, 1)[0]
    assert fall == pytest.approx(-60.0 / 0.8, rel=0.05)


def test_high_overtones_of_a_string_die_first() -> None:
    levels = amplitudes(Timbre(decay=2.0, damping=0.3), 57)
    brightness = levels @ np.arange(1, levels.shape[1] + 1) / levels.sum(axis=1)
    assert np.all(np.diff(brightness) < 0)


def test_a_string_plucked_in_its_middle_lacks_even_overtones() -> None:
    levels = amplitudes(Timbre(pick=0.5), 57)[0]
    assert np.all(levels[1::2] < 1e-12)
    assert np.all(levels[::2] > 0)


def test_a_vowel_is_loudest_at_its_formants() -> None:
    levels = amplitudes(INSTRUMENTS["man"], 40, vowel=0)[0]
    frequency = hertz(40) * np.arange(1, len(levels) + 1)
    flat = levels * frequency ** INSTRUMENTS["man"].rolloff
    assert frequency[np.argmax(flat)] == pytest.approx(730.0, abs=60.0)


def test_a_slide_begins_below_and_arrives() -> None:
    x = play(Timbre(rolloff=8.0, slide_seconds=0.1), Note(0.0, 1.0, 69, slide=2.0))
    turns = np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0))
    frequency = RATE / np.diff(turns)
    assert 440.0 * 2 ** (-2 / 12) - 3 < frequency[0] < 420.0
    assert np.median(frequency[-50:]) == pytest.approx(440.0, rel=0.005)


def test_a_palm_damps_a_string() -> None:
    timbre = INSTRUMENTS["distorted-guitar"]
    free, damped = (play(timbre, Note(0.0, 0.5, 40, muted=muted)) for muted in (False, True))
    late = slice(RATE // 4, RATE // 2)
    assert level_db(damped[late]) < level_db(free[late]) - 15.0


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_instrument_sounds_in_its_register_and_does_not_alias(name: str) -> None:
    timbre = varied(INSTRUMENTS[name], rng())
    pitch = 36 if "bass" in name else 62
    x = play(dataclasses.replace(timbre, breath=0.0), Note(0.0, 0.6, pitch, 0.8))
    assert len(x) == round((0.6 + timbre.release) * RATE)
    assert np.isfinite(x).all()
    assert -30.0 < level_db(x[: RATE // 4]) < 0.0
    assert abs(x[0]) < 0.2 and abs(x[-1]) < 0.02, "no click at the ends"
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    above = np.fft.rfftfreq(len(x), 1 / RATE) > HIGHEST_HZ + 200
    assert power[above].sum() < 1e-4 * power.sum()


@pytest.mark.parametrize("name", ["strings", "piano", "violin"])
def test_the_same_player_repeats_itself_and_another_does_not(name: str) -> None:
    note = Note(0.0, 0.3, 64)
    one, again = (Instrument(INSTRUMENTS[name], rng()).play(note) for _ in range(2))
    other = Instrument(INSTRUMENTS[name], np.random.default_rng(8)).play(note)
    assert np.array_equal(one, again)
    assert not np.allclose(one, other)


def test_an_envelope_rises_holds_and_falls() -> None:
    gain = envelope(RATE, attack=0.1, held=0.5, release=0.2)
    assert gain[0] < 0.01 and gain[round(0.05 * RATE)] == pytest.approx(0.5, abs=0.01)
    assert np.all(gain[round(0.1 * RATE) : round(0.5 * RATE)] == 1.0)
    assert gain[round(0.6 * RATE)] == pytest.approx(0.25, abs=0.01)
    assert np.all(gain[round(0.7 * RATE) + 1 :] == 0.0)


def test_the_phase_of_a_changing_tone_agrees_with_that_of_a_constant_one() -> None:
    steady, summed = phase_of(330.0, 5000), phase_of(np.full(5000, 330.0), 5000)
    assert np.allclose(np.diff(steady), np.diff(summed))


def test_a_filter_has_its_gains() -> None:
    impulse = np.zeros(8192)
    impulse[4096] = 1.0
    y = filtered(impulse, 100.0, 5000.0, (6.0, 6.0, -6.0, -6.0), (100.0, 500.0, 2000.0, 9000.0))
    frequency = np.fft.rfftfreq(8192, 1 / RATE)
    gain = 20 * np.log10(np.abs(np.fft.rfft(y)) + 1e-9)
    at = np.interp([100.0, 400.0, 1000.0, 3000.0, 5000.0], frequency, gain)
    assert at == pytest.approx([6.0 - 3.0, 6.0, 0.0, -6.0, -6.0 - 3.0], abs=0.25)
    assert np.allclose(y[4096 + 1 :][:3000], y[:4096][::-1][:3000]), "no change of phase"


@given(samples=st.integers(1, 2_000_000))
@settings(deadline=None)
def test_sizes_of_transforms_are_just_large_enough(samples: int) -> None:
    size = fft_size(samples)
    assert samples <= size < 1.35 * samples + 8
    while size % 2 == 0:
        size //= 2
    assert size in (1, 3, 5)
