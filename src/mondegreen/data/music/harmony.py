"""Harmony: chords written as Roman numerals, scales, and voicings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from mondegreen.errors import MondegreenError

_NUMERALS: Final = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}

_MAJOR: Final = {
    "": (0, 4, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "7": (0, 4, 7, 10),
    "9": (0, 4, 7, 10, 14),
    "13": (0, 4, 10, 14, 21),
    "maj7": (0, 4, 7, 11),
    "maj9": (0, 4, 7, 11, 14),
    "sus": (0, 5, 7),
    "add9": (0, 4, 7, 14),
}
_MINOR: Final = {
    "": (0, 3, 7),
    "6": (0, 3, 7, 9),
    "7": (0, 3, 7, 10),
    "9": (0, 3, 7, 10, 14),
    "add9": (0, 3, 7, 14),
    "o": (0, 3, 6),
    "o7": (0, 3, 6, 9),
    "h7": (0, 3, 6, 10),
}

SCALES: Final = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "minor-pentatonic": (0, 3, 5, 7, 10),
    "major-pentatonic": (0, 2, 4, 7, 9),
    "bebop": (0, 2, 4, 5, 7, 9, 10, 11),
}
"""Semitones above the key's first note."""


class Chord(NamedTuple):
    """A chord of a key.

    Attributes:
        root: Semitones above the key's first note, 0 to 11.
        tones: Semitones above the root, the root first.
    """

    root: int
    tones: tuple[int, ...]


def chord(numeral: str) -> Chord:
    """Read a Roman numeral: lower case is minor, ``b`` a semitone lower, then the added notes.

    ``o``, ``o7`` and ``h7`` after a lower-case numeral are diminished and half-diminished.

    Raises:
        MondegreenError: It is no such numeral.

    Example:
        >>> chord("bVII"), chord("ii7")
        (Chord(root=10, tones=(0, 4, 7)), Chord(root=2, tones=(0, 3, 7, 10)))
    """
    match = re.fullmatch(r"(b?)(IV|VI{0,2}|I{1,3}|iv|vi{0,2}|i{1,3})([a-z0-9]*)", numeral)
    kinds = _MINOR if match and match[2].islower() else _MAJOR
    if match is None or match[3] not in kinds:
        raise MondegreenError(f"{numeral!r} is no chord; write such as I, vi, bVII, ii7 or Vmaj7.")
    root = (_NUMERALS[match[2].lower()] - len(match[1])) % 12
    return Chord(root, kinds[match[3]])


def progression(text: str) -> list[list[Chord]]:
    """Read a progression, one word a bar; chords joined by ``+`` share a bar equally.

    Example:
        >>> [[c.root for c in bar] for bar in progression("I vi ii7+V7")]
        [[0], [9], [2, 7]]
    """
    return [[chord(word) for word in bar.split("+")] for bar in text.split()]


def near(pitch_class: int, centre: float) -> int:
    """Return the MIDI pitch of a pitch class that lies nearest to ``centre``.

    Example:
        >>> near(9, 60), near(0, 66.5)
        (57, 72)
    """
    return round((centre - pitch_class) / 12.0) * 12 + pitch_class


def voicing(key: int, chord: Chord, centre: float, most: int = 5) -> list[int]:
    """Return a chord as MIDI pitches in close position about a centre, sorted.

    Args:
        key: Pitch class of the key's first note.
        chord: The chord.
        centre: MIDI pitch about which the notes are put.
        most: Notes at most; of longer chords the root is left out first, for the bass plays it.
    """
    tones = chord.tones if len(chord.tones) <= most else chord.tones[1:]
    return sorted(near((key + chord.root + tone) % 12, centre) for tone in tones[:most])


def ladder(key: int, scale: Sequence[int], low: float, high: float) -> list[int]:
    """Return the pitches of a scale between two MIDI pitches, both included.

    Example:
        >>> ladder(0, SCALES["major-pentatonic"], 60, 72)
        [60, 62, 64, 67, 69, 72]
    """
    wanted = {(key + step) % 12 for step in scale}
    return [p for p in range(int(low), int(high) + 1) if p % 12 in wanted]
