from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mondegreen.data.music.genres import GENRE_IDIOMS
from mondegreen.data.music.harmony import SCALES, chord, ladder, near, progression, voicing
from mondegreen.data.music.instruments import INSTRUMENTS
from mondegreen.data.music.lines import BASS, COMPING, MELODIES, bass, comping, melody
from mondegreen.data.music.rhythm import Grid
from mondegreen.data.music.song import Song
from mondegreen.errors import MondegreenError

C = 0


def song_of(text: str, scale: str = "major", key: int = C, bars: int = 4, beats: int = 4) -> Song:
    return Song(
        grid=Grid(bpm=60.0, beats=beats),
        key=key,
        scale=SCALES[scale],
        form=progression(text),
        first_bar=0,
        bars=bars,
    )


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def names(pitches: list[int]) -> set[str]:
    return {
        ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"][pitch % 12]
        for pitch in pitches
    }


@pytest.mark.parametrize(
    ("numeral", "wanted"),
    [
        ("I", "C E G"),
        ("vi", "A C E"),
        ("iv", "F Ab C"),
        ("V7", "G B D F"),
        ("ii7", "D F A C"),
        ("Imaj7", "C E G B"),
        ("bVII", "Bb D F"),
        ("bIII5", "Eb Bb"),
        ("iih7", "D F Ab C"),
        ("vi9", "A C E G B"),
        ("viio7", "B D F Ab"),
        ("IV6", "F A C D"),
    ],
)
def test_chords_have_their_notes(numeral: str, wanted: str) -> None:
    assert names(voicing(C, chord(numeral), 60.0)) == set(wanted.split())


@pytest.mark.parametrize("numeral", ["", "H", "viii", "Iv", "Imaj", "V77", "#IV", "iV"])
def test_what_is_no_chord_is_named(numeral: str) -> None:
    with pytest.raises(MondegreenError, match="is no chord"):
        chord(numeral)


@given(
    key=st.integers(0, 11),
    numeral=st.sampled_from(["I", "ii7", "V13", "bVI", "iio", "Imaj9"]),
    centre=st.floats(40, 80),
)
def test_voicings_are_close_about_their_centre(key: int, numeral: str, centre: float) -> None:
    pitches = voicing(key, chord(numeral), centre)
    assert pitches == sorted(pitches)
    assert all(abs(pitch - centre) <= 6 for pitch in pitches)
    assert {(pitch - key) % 12 for pitch in pitches} <= {
        (chord(numeral).root + tone) % 12 for tone in chord(numeral).tones
    }


@given(pitch_class=st.integers(0, 11), centre=st.floats(20, 100))
def test_the_nearest_pitch_of_a_class(pitch_class: int, centre: float) -> None:
    pitch = near(pitch_class, centre)
    assert pitch % 12 == pitch_class
    assert abs(pitch - centre) <= 6


def test_scales_on_a_ladder() -> None:
    assert ladder(7, SCALES["major"], 55, 67) == [55, 57, 59, 60, 62, 64, 66, 67]


def test_chords_share_their_bar_and_the_form_comes_round() -> None:
    song = song_of("I ii7+V7", bars=5)
    roots = [song.chord_at(bar, step).root for bar in range(3) for step in (0, 7, 8, 15)]
    assert roots == [0, 0, 0, 0, 2, 2, 7, 7, 0, 0, 0, 0]
    assert song.chord_at(0, 16).root == 2, "beyond the bar lies the next one"


def test_every_idiom_can_be_played() -> None:
    for genre, idioms in GENRE_IDIOMS.items():
        for idiom in idioms:
            for harmony in idiom.harmonies:
                scale, _, text = harmony.partition(": ")
                assert scale in SCALES and progression(text), (genre, harmony)
            for part in idiom.parts:
                known = {"bass": set(BASS), "comping": set(COMPING), "melody": set(MELODIES)}
                assert set(part.styles) <= known[part.kind], (genre, part)
                assert set(part.instruments) <= set(INSTRUMENTS), (genre, part)


def test_a_bass_in_octaves_and_one_in_fifths() -> None:
    song = song_of("I IV")
    octaves = bass(song, "octaves", 36, rng())
    assert {note.pitch % 12 for note in octaves} <= {0, 5, 7, 10, 4, 3}
    two_beat = [n for n in bass(song, "two-beat", 36, rng()) if n.start % 2 == 0]
    assert [note.pitch for note in two_beat[:4]] == [36, 43, 41, 48]


def test_a_bass_walks_in_quarters_on_chord_tones_towards_the_next_root() -> None:
    song = song_of("ii7 V7 Imaj7 Imaj7", bars=4)
    notes = bass(song, "walking", 38, rng())
    beats = [note for note in notes if note.start % 1 == 0]
    assert len(beats) == 16
    for bar in range(3):
        root = near(song.chord_at(bar, 0).root, 38)
        following = near(song.chord_at(bar + 1, 0).root, 38)
        assert beats[4 * bar].pitch == root
        assert (beats[4 * bar + 1].pitch - root) in song.chord_at(bar, 0).tones
        assert abs(beats[4 * bar + 3].pitch - following) == 1


def test_skanks_fall_between_the_beats() -> None:
    for note in comping(song_of("I IV"), "skank", 64, 0.4, 0.0, rng()):
        assert note.start % 1 >= 0.5
        assert note.seconds < 0.15


def test_strums_go_through_the_strings_down_and_up() -> None:
    notes = comping(song_of("I"), "strum", 57, 0.9, 0.01, rng())
    first = [note for note in notes if note.start < 0.05]
    assert np.allclose(np.diff([note.start for note in first]), 0.01)
    assert np.all(np.diff([note.pitch for note in first]) > 0), "down: from the lowest string"
    up = [note for note in notes if 0.5 <= note.start % 1 < 0.525]
    assert len(up) >= 3
    assert all(high.pitch > low.pitch for high, low in zip(up[0::3], up[1::3], strict=False))


def test_power_chords_are_fifths_and_palm_muted_ones_are_damped() -> None:
    notes = comping(song_of("I5 bII5", "phrygian"), "chug", 47, 0.9, 0.0, rng())
    starts = sorted({note.start for note in notes})
    for start in starts:
        pitches = sorted(note.pitch for note in notes if note.start == start)
        assert np.diff(pitches).tolist() == [7, 5]
    assert {note.muted for note in notes} == {True, False}


@pytest.mark.parametrize("style", [name for name in MELODIES if not MELODIES[name].spoken])
def test_melodies_stay_in_their_scale_and_on_chords_at_beats(style: str) -> None:
    song = song_of("I vi ii V7", key=9, bars=40)
    notes = melody(song, MELODIES[style], 70, rng())
    assert len(notes) > 20
    scale = {(9 + step) % 12 for step in SCALES["major"]}
    for note in notes:
        assert abs(note.pitch - 70) <= MELODIES[style].span + 6
        assert note.pitch % 12 in scale
        if note.start % 1 == 0:
            bar, beat = divmod(note.start, 4)
            tones = song.chord_at(int(bar), 4 * beat).tones
            root = 9 + song.chord_at(int(bar), 4 * beat).root
            assert (note.pitch - root) % 12 in {tone % 12 for tone in tones}


def test_speech_moves_about_one_pitch_and_falls() -> None:
    notes = melody(song_of("i", "minor", bars=20), MELODIES["rap"], 50, rng())
    assert len(notes) / 20 > 8, "syllables a bar"
    assert np.std([note.pitch for note in notes]) < 2.0
    assert all(note.slide <= 0 for note in notes)


@pytest.mark.parametrize("beats", [3, 4])
@pytest.mark.parametrize("style", [*BASS, *COMPING])
def test_patterns_fit_their_bar(style: str, beats: int) -> None:
    patterns = (BASS | COMPING)[style] if style not in ("chug", "waltz") else COMPING[style]
    assert all(len(pattern) == (12 if style == "waltz" else 16) for pattern in patterns)
    song = song_of("I7 V7", beats=beats)
    notes = (
        bass(song, style, 36, rng()) if style in BASS else comping(song, style, 60, 0.9, 0.0, rng())
    )
    assert notes
    assert all(0.0 <= note.start < 4.0 * beats and note.seconds > 0 for note in notes)
