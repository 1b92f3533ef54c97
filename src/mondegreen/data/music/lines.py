"""Lines: basses and accompaniments from patterns, and melodies from a random walk."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from mondegreen.data.music.harmony import Chord, ladder, near, voicing
from mondegreen.data.music.rhythm import steps
from mondegreen.data.music.song import Song
from mondegreen.data.music.timbres import Note

BASS: Final[dict[str, tuple[str, ...]]] = {
    "roots": ("1---------------", "1-------5-------", "1-------1-----5-"),
    "eighths": ("1.1.1.1.1.1.1.1.", "1.1.1.1.1.1.5.7.", "1-1-1-1-1-1-3-5-"),
    "syncopated": ("1--1--1.1--1--5.", "1..1..5.1..1..8.", "1-..1.1...5.7.8."),
    "octaves": ("1.8.1.8.1.8.1.8.", "1.881.881.881.88", "1.8.1.8.5.8.7.8."),
    "two-beat": ("1---....5---....", "1---..1.5---..5."),
    "boogie": ("1.3.5.6.7.6.5.3.", "1.1.3.3.5.5.6.5.", "1.5.6.5.1.5.6.5."),
    "walking": ("w---w---w---a---", "w---w-w-w---a---"),
    "dub": ("..1.1.3-..5-..1.", "1-..5-..1-3-5-..", "....1-1-....5-3-", "1-.1.5-.......8."),
    "808": ("1-------..1-....", "1------1--......", "1-----....1-..1-"),
    "chug": ("1.111.111.111.11", "1111111111111111", "1-......1-..1-1-"),
    "waltz": ("1---........", "1-------5---"),
}
"""Patterns by name: 1, 3, 5, 6, 7 and 8 are notes of the chord, ``w`` one that walks on, ``a`` the
semitone below the next root."""

COMPING: Final[dict[str, tuple[str, ...]]] = {
    "hold": ("x---------------", "x-------x-------"),
    "quarters": ("x---x---x---x---", "x-.x-..xx-.x-..."),
    "eighths": ("x-x-x-x-x-x-x-x-", "X-x-x-X-x-x-X-x-"),
    "stabs": ("x.....x.........", "..x...x...x...x.", "x..x..x.........", "......x.......xx"),
    "strum": ("X---x-xx--xxx-xx", "X-x-X-xxx-x-X-xx", "X---x---X-x-x-x-"),
    "boom-chick": ("b---x-..b---x-..", "b---x-x-b---x-x-"),
    "waltz": ("b---x-..x-..", "b---x---x-x-"),
    "chop": ("..x...x...x...x.", "x.xxx.xxx.xxx.xx", "..x..xx...x.xxx."),
    "skank": ("..x...x...x...x.", "..xx..x...xx..x."),
    "bubble": (".xx..xx..xx..xx.", "..xx..xx..xx..xx"),
    "charleston": ("x-....x-........", "......x-......x-", "..x-......x-x...", "x.......x-....x."),
    "triplets": ("xxx.xxx.xxx.xxx.", "x.x.x.x.x.x.xxx."),
    "shuffle-riff": ("s.s.t.t.s.s.t.t.", "s.s.t.s.s.s.t.s."),
    "arpeggio": ("0-1-2-3-2-1-2-1-", "0-2-1-2-3-2-1-2-", "0123210123210123"),
    "alberti": ("0-2-1-2-0-2-1-2-", "0212021202120212"),
    "roll": ("0213021302130213", "0123012301230132", "02132013021320.."),
    "chug": ("pmm.mmm.pmm.mmmm", "m.mmm.mmm.mmm.pp", "mmmmmmmmp---p---", "p-mmp-mmp-mmp-p-"),
    "power": ("p-------p---p-p-", "p-p-p-p-p-p-p-p-", "p---..p-p---..p-", "p---------------"),
}
"""Patterns by name: ``x`` is the chord, ``b`` its root, 0 to 4 one of its notes, ``p`` root, fifth
and octave, ``m`` the same damped by the palm, ``s`` root and fifth, ``t`` root and sixth."""

_DEGREES: Final = {"1": (0,), "3": (3, 4), "5": (7, 6), "6": (9, 8), "7": (10, 11), "8": (12,)}


@dataclass(frozen=True, kw_only=True)
class Melody:
    """How a melody moves.

    Attributes:
        density: Chance of a note on an eighth.
        sixteenths: The same on the sixteenths between.
        leap: Chance of a leap of more than a second.
        gate: Share of the time until the next note that a note is held.
        slide: Chance of sliding into a note from a tone below.
        rest: Chance that a bar is silent.
        repeat: Chance that a bar repeats the rhythm of the one two before.
        span: Half of its range in semitones.
        spoken: Whether pitches lie close together on no scale and fall, as in speech.
    """

    density: float = 0.55
    sixteenths: float = 0.04
    leap: float = 0.25
    gate: float = 0.9
    slide: float = 0.1
    rest: float = 0.2
    repeat: float = 0.7
    span: int = 9
    spoken: bool = False


MELODIES: Final = {
    "song": Melody(),
    "hook": Melody(density=0.65, sixteenths=0.12, repeat=0.9, rest=0.1),
    "legato": Melody(density=0.35, sixteenths=0.0, gate=1.0, slide=0.0, rest=0.08),
    "ornate": Melody(density=0.8, sixteenths=0.35, slide=0.0, rest=0.1),
    "solo": Melody(density=0.75, sixteenths=0.15, leap=0.35, span=12, repeat=0.4),
    "bent": Melody(density=0.6, sixteenths=0.08, slide=0.5, repeat=0.4, rest=0.25),
    "bebop": Melody(density=0.9, sixteenths=0.1, leap=0.3, gate=0.8, repeat=0.2, span=11),
    "shred": Melody(density=1.0, sixteenths=0.9, leap=0.15, repeat=0.3, span=14, rest=0.25),
    "fills": Melody(density=0.6, sixteenths=0.2, slide=0.4, rest=0.5, repeat=0.3),
    "lines": Melody(density=0.7, sixteenths=0.3, leap=0.2, rest=0.35, repeat=0.8),
    "rap": Melody(density=0.9, sixteenths=0.6, gate=0.7, rest=0.08, span=4, spoken=True),
    "growl": Melody(density=0.5, sixteenths=0.1, rest=0.3, span=4, spoken=True),
}
"""Ways of moving, by name."""


def bass(song: Song, style: str, centre: float, rng: np.random.Generator) -> list[Note]:
    """Return a bass line.

    Args:
        song: The frame.
        style: One of :data:`BASS`.
        centre: MIDI pitch that roots lie nearest to.
        rng: Chooses patterns, and where a line walks.
    """
    notes: list[Note] = []
    pattern = str(rng.choice(BASS[style]))
    for bar in range(song.bars):
        if rng.uniform() < 0.15:
            pattern = str(rng.choice(BASS[style]))
        for step in steps(pattern[: song.grid.bar_steps]):
            chord = song.chord_at(bar, step.start)
            root = near((song.key + chord.root) % 12, centre)
            if step.symbol == "a":
                following = song.chord_at(bar, song.grid.bar_steps)
                pitch = near((song.key + following.root) % 12, centre) + int(rng.choice([-1, 1]))
            elif step.symbol == "w":
                pitch = root + (0 if step.start == 0 else int(rng.choice(chord.tones[1:4])))
            else:
                pitch = root + _degree(chord, step.symbol)
            start, seconds = song.seconds(bar, step.start, step.length)
            notes.append(Note(start, 0.92 * seconds, pitch, rng.uniform(0.7, 0.95)))
    return notes


def _degree(chord: Chord, symbol: str) -> int:
    """Return the semitones above the root: the chord's own third, fifth, sixth or seventh."""
    choices = _DEGREES[symbol]
    own = {tone % 12 for tone in chord.tones}
    return next((choice for choice in choices if choice in own), choices[0])


def comping(
    song: Song, style: str, centre: float, gate: float, strum: float, rng: np.random.Generator
) -> list[Note]:
    """Return an accompaniment.

    Args:
        song: The frame.
        style: One of :data:`COMPING`.
        centre: MIDI pitch about which chords lie.
        gate: Share of its time that a chord is held.
        strum: Seconds from one string to the next.
        rng: Chooses patterns and loudness.
    """
    notes: list[Note] = []
    pattern = str(rng.choice(COMPING[style]))
    for bar in range(song.bars):
        if rng.uniform() < 0.12:
            pattern = str(rng.choice(COMPING[style]))
        for step in steps(pattern[: song.grid.bar_steps]):
            chord = song.chord_at(bar, step.start)
            start, seconds = song.seconds(bar, step.start, step.length)
            loud = rng.uniform(0.65, 0.85) + 0.15 * step.symbol.isupper()
            pitches = _pitches(song.key, chord, step.symbol.lower(), centre)
            if strum and step.start % 4 == 2:
                pitches = pitches[::-1]  # up-strokes on the off-beats
            for string, pitch in enumerate(pitches):
                begin = start + string * strum
                muted = step.symbol == "m"
                notes.append(Note(begin, gate * seconds, pitch, loud, muted=muted))
    return notes


def _pitches(key: int, chord: Chord, symbol: str, centre: float) -> list[int]:
    root = near((key + chord.root) % 12, centre - 5)
    if symbol in "pmst":
        return [root + step for step in {"s": (0, 7), "t": (0, 9)}.get(symbol, (0, 7, 12))]
    if symbol == "b":
        return [root - 12 if root > centre - 7 else root]
    pitches = voicing(key, chord, centre)
    if symbol == "x":
        return pitches
    octave, place = divmod(int(symbol), len(pitches))
    return [pitches[place] + 12 * octave]


def melody(song: Song, style: Melody, centre: float, rng: np.random.Generator) -> list[Note]:
    """Return a melody: rhythms that come back, and a random walk on the scale.

    Notes on a beat go to the nearest note of the chord.

    Args:
        song: The frame.
        style: How it moves.
        centre: The middle of its range, a MIDI pitch.
        rng: Source of randomness.
    """
    notes: list[Note] = []
    rungs = ladder(song.key, song.scale, centre - style.span, centre + style.span)
    place = len(rungs) // 2
    rhythms: list[list[int]] = []
    for bar in range(song.bars):
        if len(rhythms) < 2 or rng.uniform() > style.repeat:
            rhythm = _rhythm(song, style, rng)
        else:
            rhythm = rhythms[bar - 2]
        rhythms.append(rhythm)
        if rng.uniform() < style.rest:
            continue
        for start, end in pairwise([*rhythm, song.grid.bar_steps]):
            reach = 4 if rng.uniform() < style.leap else 1
            place = int(np.clip(place + rng.integers(-reach, reach + 1), 0, len(rungs) - 1))
            pitch: float = rungs[place]
            if start % 4 == 0 and not style.spoken:
                pitch = _chord_tone(song, bar, start, pitch)
            begin, seconds = song.seconds(bar, start, min(end - start, 8))
            slide = float(rng.choice([1.0, 2.0])) if rng.uniform() < style.slide else 0.0
            if style.spoken:
                pitch, slide = centre + rng.normal(0.0, 1.2), -rng.uniform(0.0, 4.0)
            notes.append(Note(begin, style.gate * seconds, pitch, rng.uniform(0.6, 0.95), slide))
    return notes


def _rhythm(song: Song, style: Melody, rng: np.random.Generator) -> list[int]:
    chance = np.where(np.arange(song.grid.bar_steps) % 2, style.sixteenths, style.density)
    chance[0] = max(chance[0], 0.6)
    return [int(step) for step in np.flatnonzero(rng.uniform(size=len(chance)) < chance)]


def _chord_tone(song: Song, bar: int, step: int, pitch: float) -> int:
    chord = song.chord_at(bar, step)
    tones = [near((song.key + chord.root + tone) % 12, pitch) for tone in chord.tones]
    return min(tones, key=lambda tone: abs(tone - pitch))
