"""A band plays one track: everything that an idiom leaves open is drawn, rendered and mixed."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from mondegreen.data.music.drums import KITS, strike, varied_kit
from mondegreen.data.music.genres import GENRE_IDIOMS
from mondegreen.data.music.grooves import Stroke, strokes
from mondegreen.data.music.harmony import SCALES, progression
from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.instruments import INSTRUMENTS
from mondegreen.data.music.lines import MELODIES, bass, comping, melody
from mondegreen.data.music.production import active_level, echoes, produce, saturate
from mondegreen.data.music.rhythm import Grid
from mondegreen.data.music.song import Song
from mondegreen.data.music.timbres import Instrument, Note, varied
from mondegreen.data.music.tones import RATE, Samples, filtered

_BALANCE_DB: Final = {
    "kick": 0.0,
    "snare": -3.0,
    "hat": -12.0,
    "open": -9.0,
    "ride": -12.0,
    "crash": -10.0,
    "clap": -3.0,
    "tom": -4.0,
    "high-tom": -5.0,
    "shaker": -14.0,
    "tambourine": -12.0,
    "swish": -12.0,
}
"""Loudness of the drums relative to the bass drum; -6 dB where none is given."""


def track(genre: str, seconds: float, rng: np.random.Generator) -> Samples:
    """Return a track of a genre.

    Args:
        genre: One of GTZAN's.
        seconds: Its length.
        rng: Draws everything.

    Returns:
        Samples within full scale at 22,050 Hz, shape ``(round(seconds * 22050),)``.
    """
    idiom = choose_idiom(genre, rng)
    song = compose(idiom, seconds, rng)
    samples = round(seconds * RATE)
    mix = np.zeros(samples)
    if idiom.grooves:
        level = 10 ** (rng.uniform(*idiom.drums_db) / 20)
        mix += level * _levelled(drum_sound(idiom, song, samples, rng))
    for part in idiom.parts:
        if rng.uniform() < part.chance:
            level = 10 ** (rng.uniform(*part.level_db) / 20)
            mix += level * _levelled(part_sound(part, song, idiom.loose_ms, samples, rng))
    return produce(mix, idiom.production, rng)


def choose_idiom(genre: str, rng: np.random.Generator) -> Idiom:
    """Draw one of a genre's idioms by their weights."""
    choices = GENRE_IDIOMS[genre]
    weights = np.asarray([idiom.weight for idiom in choices])
    return choices[int(rng.choice(len(choices), p=weights / weights.sum()))]


def compose(idiom: Idiom, seconds: float, rng: np.random.Generator) -> Song:
    """Draw tempo, swing, key and chords, and where in the song the excerpt begins."""
    grid = Grid(
        bpm=float(rng.uniform(*idiom.bpm)),
        beats=idiom.beats,
        swing=float(rng.uniform(*idiom.swing)),
        swung=idiom.swung,
    )
    bar_seconds = grid.bar_steps * grid.step_seconds
    grid = replace(grid, lead=float(rng.uniform(0.0, bar_seconds)))
    scale, _, chords = str(rng.choice(idiom.harmonies)).partition(": ")
    form = progression(chords)
    return Song(
        grid=grid,
        key=int(rng.integers(12)),
        scale=SCALES[scale],
        form=form,
        first_bar=int(rng.integers(len(form))),
        bars=grid.bars(seconds),
    )


def drum_strokes(idiom: Idiom, song: Song, rng: np.random.Generator) -> list[Stroke]:
    """Draw a groove, perhaps with percussion, and return its strokes."""
    found = strokes(str(rng.choice(idiom.grooves)), song.grid, song.bars, rng)
    for extra in idiom.extras:
        if rng.uniform() < 0.3:
            softer = strokes(extra, song.grid, song.bars, rng)
            found += [s._replace(velocity=0.5 * s.velocity) for s in softer]
    late = rng.normal(0.0, idiom.loose_ms / 2000.0, len(found))
    return [s._replace(time=s.time + shift) for s, shift in zip(found, late, strict=True)]


def drum_sound(idiom: Idiom, song: Song, samples: int, rng: np.random.Generator) -> Samples:
    """Return the drums alone."""
    kit = varied_kit(KITS[str(rng.choice(idiom.kits))], rng)
    sound = np.zeros(samples)
    takes: dict[str, list[Samples]] = {}
    for stroke in drum_strokes(idiom, song, rng):
        if stroke.drum not in takes:
            gain = 10 ** (rng.normal(_BALANCE_DB.get(stroke.drum, -6.0), 2.0) / 20)
            takes[stroke.drum] = [gain * strike(stroke.drum, kit, rng) for _ in range(2)]
        take = takes[stroke.drum][int(rng.integers(2))]
        _add(sound, stroke.velocity * take, stroke.time)
    return sound


def part_notes(part: Part, song: Song, rng: np.random.Generator) -> list[Note]:
    """Return what a player plays, on the grid."""
    style = str(rng.choice(part.styles))
    if part.kind == "bass":
        return bass(song, style, part.centre, rng)
    if part.kind == "comping":
        return comping(song, style, part.centre, part.gate, part.strum, rng)
    return melody(song, MELODIES[style], part.centre + float(rng.integers(-4, 5)), rng)


def part_sound(
    part: Part, song: Song, loose_ms: float, samples: int, rng: np.random.Generator
) -> Samples:
    """Return a player alone."""
    timbre = varied(INSTRUMENTS[str(rng.choice(part.instruments))], rng)
    player = Instrument(timbre, rng)
    sound = np.zeros(samples)
    for note in part_notes(part, song, rng):
        start = note.start + rng.normal(0.0, loose_ms / 1000.0)
        if -note.seconds < start < samples / RATE:
            _add(sound, player.play(note), start)
    if timbre.drive_db:
        sound = saturate(sound, timbre.drive_db - 12.0)
    sound = filtered(sound, timbre.low_hz, timbre.high_hz)
    if timbre.tremolo:
        speed, start = rng.uniform(3.5, 7.0), rng.uniform(0.0, 2 * np.pi)
        time = np.arange(samples) / RATE
        sound *= 1.0 - 0.5 * timbre.tremolo * (1 + np.sin(2 * np.pi * speed * time + start))
    if rng.uniform() < part.echo:
        sound = echoes(sound, 3.0 * song.grid.step_seconds, rng.uniform(0.35, 0.65))
    return sound


def _levelled(sound: Samples) -> Samples:
    return sound / max(active_level(sound), 1e-9)


def _add(mix: Samples, sound: Samples, seconds: float) -> None:
    """Add a sound that begins at some time, perhaps before the beginning."""
    start = round(seconds * RATE)
    piece = sound[max(0, -start) :][: max(0, len(mix) - max(0, start))]
    mix[max(0, start) : max(0, start) + len(piece)] += piece
