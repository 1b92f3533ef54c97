from __future__ import annotations

import numpy as np
import pytest

from mondegreen.data.gtzan import GENRES
from mondegreen.data.music.band import choose_idiom, compose, drum_sound, track
from mondegreen.data.music.genres import GENRE_IDIOMS
from mondegreen.data.music.rhythm import Grid
from mondegreen.data.music.tones import RATE, Samples

HOP = 256
SECONDS = 6.0


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def onset_strength(x: Samples, low: float = 0.0) -> Samples:
    """Rise of the log spectrum above ``low`` Hz, summed: what beat trackers begin with."""
    frames = np.lib.stride_tricks.sliding_window_view(x, 1024)[::HOP] * np.hanning(1024)
    spectrum = np.log1p(100.0 * np.abs(np.fft.rfft(frames)))
    spectrum = spectrum[:, np.fft.rfftfreq(1024, 1 / RATE) >= low]
    return np.asarray(np.maximum(np.diff(spectrum, axis=0), 0.0).mean(axis=1))


def period(strength: Samples, around: float) -> float:
    """The lag in seconds, within a sixth of ``around``, at which the strength repeats itself."""
    centred = strength - strength.mean()
    found = np.correlate(centred, centred, "full")[len(centred) - 1 :]
    lags = np.arange(len(found)) * HOP / RATE
    near = (lags > around * 5 / 6) & (lags < around * 7 / 6)
    return float(lags[near][np.argmax(found[near])])


def grid_of(genre: str, seed: int) -> Grid:
    """The grid that :func:`track` draws from the same numbers."""
    random = rng(seed)
    return compose(choose_idiom(genre, random), SECONDS, random).grid


@pytest.mark.parametrize("genre", ["disco", "pop", "rock"])
def test_the_tempo_is_heard(genre: str) -> None:
    errors = []
    for seed in range(4):
        beat = 60.0 / grid_of(genre, seed).bpm
        x = track(genre, SECONDS, rng(seed))
        errors.append(abs(period(onset_strength(x), beat) / beat - 1.0))
    assert np.median(errors) < 0.025, errors


def test_tempi_lie_in_the_range_of_their_idiom() -> None:
    for genre in GENRES:
        for seed in range(20):
            random = rng(seed)
            idiom = choose_idiom(genre, random)
            grid = compose(idiom, SECONDS, random).grid
            assert idiom in GENRE_IDIOMS[genre]
            assert idiom.bpm[0] <= grid.bpm <= idiom.bpm[1]
            assert idiom.swing[0] <= grid.swing <= idiom.swing[1]


def test_disco_is_faster_than_reggae_and_hip_hop_swings_sixteenths() -> None:
    tempo = {g: np.median([grid_of(g, seed).bpm for seed in range(15)]) for g in GENRES}
    assert tempo["reggae"] < 96 < 106 < tempo["disco"]
    swung = [grid_of("hiphop", seed) for seed in range(20)]
    assert any(grid.swung == 1 and grid.swing > 0.52 for grid in swung)


def test_keys_and_excerpts_differ_from_track_to_track() -> None:
    songs = []
    for seed in range(24):
        random = rng(seed)
        songs.append(compose(choose_idiom("pop", random), SECONDS, random))
    assert len({song.key for song in songs}) >= 9
    assert len({song.grid.bpm for song in songs}) == 24
    assert len({(song.first_bar, song.grid.lead) for song in songs}) == 24


def percussive_onsets(x: Samples) -> float:
    """The largest rise above 4 kHz over the typical one: strokes of a drum stand out."""
    strength = onset_strength(x, 4000.0)
    return float(np.percentile(strength, 98) - np.median(strength))


def test_classical_music_has_no_drums() -> None:
    calm = [percussive_onsets(track("classical", SECONDS, rng(seed))) for seed in range(5)]
    drummed = [percussive_onsets(track("disco", SECONDS, rng(seed))) for seed in range(5)]
    assert np.median(calm) < 0.6 * np.median(drummed), (calm, drummed)


def test_drums_begin_on_the_grid() -> None:
    random = rng(4)
    idiom = choose_idiom("disco", random)
    song = compose(idiom, SECONDS, random)
    x = drum_sound(idiom, song, round(SECONDS * RATE), random)
    low = np.abs(np.convolve(x, np.ones(40) / 40, "same"))  # the bass drum
    for bar in range(1, song.bars - 1):
        for beat in range(4):
            at = round(song.grid.time(bar, 4 * beat) * RATE)
            if 2000 < at < len(x) - 2000:
                assert low[at : at + 1500].max() > 3 * low[at - 700 : at - 300].max()


@pytest.mark.parametrize("genre", GENRES)
def test_tracks_sound_throughout_and_do_not_clip(genre: str) -> None:
    for seed in range(2):
        x = track(genre, 3.0, rng(seed))
        assert x.shape == (round(3.0 * RATE),)
        assert np.isfinite(x).all()
        assert np.abs(x).max() < 0.98
        seconds = x[: 3 * RATE].reshape(3, RATE)
        level = 10 * np.log10(np.mean(seconds**2, axis=1))
        assert np.all(level > -45.0) and np.all(level < -10.0)
        assert abs(np.mean(x)) < 0.002, "no constant part"


def test_the_same_numbers_give_the_same_track_and_others_another() -> None:
    one, again, other = (track("jazz", 1.5, rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert np.abs(np.corrcoef(one, other)[0, 1]) < 0.2
