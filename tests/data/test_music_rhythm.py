from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mondegreen.data.gtzan import GENRES
from mondegreen.data.music.drums import DRUMS, KITS, strike, varied_kit
from mondegreen.data.music.genres import GENRE_IDIOMS
from mondegreen.data.music.grooves import GROOVES, LOUDNESS, strokes
from mondegreen.data.music.rhythm import Grid, Step, steps
from mondegreen.data.music.tones import RATE


def times_of(groove: str, drum: str, grid: Grid, bars: int = 2) -> list[float]:
    found = strokes(groove, grid, bars, np.random.default_rng(3))
    return sorted(stroke.time for stroke in found if stroke.drum == drum)


def test_a_pattern_is_read_letter_by_letter() -> None:
    assert steps("x--.Xo.-") == [Step(0, 3, "x"), Step(4, 1, "X"), Step(5, 1, "o")]
    assert steps("....") == []


def test_straight_sixteenths_are_even() -> None:
    grid = Grid(bpm=120.0)
    times = [grid.time(0, step) for step in range(16)] + [grid.time(1, 0)]
    assert np.allclose(np.diff(times), 0.125)


def test_swung_eighths_fall_on_the_triplet() -> None:
    grid = Grid(bpm=90.0, swing=2 / 3)
    beat = 60.0 / 90.0
    times = [grid.time(1, step) for step in (0, 2, 4, 6, 8)]
    assert times == pytest.approx([beat * t for t in (4, 4 + 2 / 3, 5, 5 + 2 / 3, 6)])
    assert grid.time(0, 1) == pytest.approx(beat / 3), "the triplet's second note"


def test_swung_sixteenths_leave_the_eighths_alone() -> None:
    grid = Grid(bpm=90.0, swing=0.6, swung=1)
    eighth = 30.0 / 90.0
    assert [grid.time(0, step) for step in (2, 4, 6)] == pytest.approx(
        [eighth, 2 * eighth, 3 * eighth]
    )
    assert grid.time(0, 3) == pytest.approx(eighth + 0.6 * eighth)


@given(
    bpm=st.floats(50, 240),
    swing=st.floats(0.5, 0.7),
    swung=st.sampled_from([1, 2]),
    beats=st.sampled_from([3, 4]),
    lead=st.floats(0.0, 3.0),
)
@settings(deadline=None, max_examples=60)
def test_time_runs_forward_and_bars_have_their_length(
    bpm: float, swing: float, swung: int, beats: int, lead: float
) -> None:
    grid = Grid(bpm=bpm, beats=beats, swing=swing, swung=swung, lead=lead)
    times = [grid.time(bar, step) for bar in range(3) for step in range(grid.bar_steps)]
    assert np.all(np.diff(times) > 0)
    assert times[0] == pytest.approx(-lead)
    assert grid.time(2, 0) - grid.time(1, 0) == pytest.approx(beats * 60.0 / bpm)
    assert grid.time(0, grid.bar_steps) == pytest.approx(grid.time(1, 0))
    assert grid.time(grid.bars(8.0), 0) >= 8.0 - 1e-9
    assert grid.time(grid.bars(8.0) - 1, 0) < 8.0


@pytest.mark.parametrize("groove", GROOVES)
def test_grooves_fill_their_bar(groove: str) -> None:
    for drum, pattern in GROOVES[groove].items():
        assert drum in DRUMS
        assert len(pattern) == (12 if groove == "waltz" else 16), (groove, drum)
        assert set(pattern) <= {*LOUDNESS, "."}


@pytest.mark.parametrize("groove", ["four-floor", "four-floor-16", "dance-pop", "steppers"])
def test_four_on_the_floor(groove: str) -> None:
    assert times_of(groove, "kick", Grid(bpm=120.0)) == pytest.approx(np.arange(8) * 0.5)


@pytest.mark.parametrize("groove", ["four-floor", "dance-pop"])
def test_disco_opens_the_hat_between_the_beats(groove: str) -> None:
    half_beats = np.asarray(times_of(groove, "open", Grid(bpm=120.0))) / 0.25
    assert len(half_beats) > 3
    assert np.allclose(half_beats % 2, 1)


def test_one_drop_leaves_the_first_beat_empty() -> None:
    grid = Grid(bpm=60.0)
    assert times_of("one-drop", "kick", grid) == pytest.approx([2.0, 6.0])
    assert times_of("one-drop", "rim", grid) == pytest.approx([2.0, 6.0])


def test_half_time_claps_on_the_third_beat() -> None:
    assert times_of("trap", "clap", Grid(bpm=60.0)) == pytest.approx([2.0, 6.0])


@pytest.mark.parametrize("groove", ["shuffle", "backbeat", "boom-bap", "double-kick"])
def test_the_backbeat_is_on_two_and_four(groove: str) -> None:
    loud = [time for time in times_of(groove, "snare", Grid(bpm=60.0)) if time % 1 == 0]
    assert loud[:4] == pytest.approx([1.0, 3.0, 5.0, 7.0])


def test_jazz_rides_on_triplets() -> None:
    grid = Grid(bpm=60.0, swing=2 / 3)
    beats = np.asarray(times_of("ride-swing", "ride", grid, 20)) % 4
    wanted = np.array([0, 1, 1 + 2 / 3, 2, 3, 3 + 2 / 3])
    assert np.abs(beats[:, None] - wanted).min(axis=1).max() < 1e-9
    assert {int(np.abs(wanted - beat).argmin()) for beat in beats} == set(range(6))


def test_swing_and_drums_are_where_they_belong() -> None:
    assert set(GENRE_IDIOMS) == set(GENRES)
    for genre, idioms in GENRE_IDIOMS.items():
        for idiom in idioms:
            if genre == "classical":
                assert not idiom.grooves and not idiom.kits and not idiom.extras
            low = idiom.swing[0]
            if any(name.startswith("ride-swing") or "shuffle" in name for name in idiom.grooves):
                assert low > 0.55, genre
            if genre in ("disco", "metal", "rock", "pop"):
                assert idiom.swing == (0.5, 0.5)
            assert set(idiom.kits) <= set(KITS)
            assert {*idiom.grooves, *idiom.extras} <= set(GROOVES)
            assert bool(idiom.kits) == bool(idiom.grooves)
            for groove in (*idiom.grooves, *idiom.extras):
                lengths = {len(pattern) for pattern in GROOVES[groove].values()}
                assert lengths == {4 * idiom.beats}, (genre, groove)


@pytest.mark.parametrize("drum", DRUMS)
@pytest.mark.parametrize("name", ["acoustic", "machine", "brushes"])
def test_strokes_are_short_and_as_loud_as_one(drum: str, name: str) -> None:
    sound = strike(drum, varied_kit(KITS[name], np.random.default_rng(1)), np.random.default_rng(2))
    assert np.abs(sound).max() == pytest.approx(1.0)
    assert len(sound) <= 1.25 * RATE
    energy = np.cumsum(sound**2) / np.sum(sound**2)
    assert np.searchsorted(energy, 0.5) < 0.3 * RATE, "most of it comes at once"


@pytest.mark.parametrize("name", ["acoustic", "machine", "metal"])
def test_a_kick_settles_at_its_frequency(name: str) -> None:
    kit = KITS[name]
    sound = strike("kick", kit, np.random.default_rng(2))
    tail = sound[round(0.1 * RATE) :]
    power = np.abs(np.fft.rfft(tail * np.hanning(len(tail)), 1 << 17))
    assert np.argmax(power) * RATE / (1 << 17) == pytest.approx(kit.kick_hz, rel=0.06)


@pytest.mark.parametrize(("drum", "low"), [("hat", 4500.0), ("shaker", 4000.0), ("kick", 0.0)])
def test_where_the_energy_of_a_drum_lies(drum: str, low: float) -> None:
    sound = strike(drum, KITS["acoustic"], np.random.default_rng(2))
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    high = 250.0 if drum == "kick" else 11_025.0
    inside = (frequency >= low) & (frequency <= high)
    assert power[inside].sum() > 0.85 * power.sum()
