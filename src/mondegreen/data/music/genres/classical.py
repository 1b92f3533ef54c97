"""Classical music: no drums; an orchestra, a piano, or dances in three."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_HALL: Final = Production(
    room_s=(1.2, 2.8),
    wet_db=(-12.0, -1.0),
    glue_db=(-16.0, -6.0),
    tilt_db=(-1.5, 0.5),
    hiss_db=(-58.0, -36.0),
    crackle=0.1,
)

_CADENCES: Final = (
    "major: I IV V I vi ii V I",
    "major: I V vi iii IV I IV V",
    "harmonic: i iv V i bVI iv V i",
    "harmonic: i V i iv i iio V i",
    "major: I+V I ii+V I vi+ii V7 I+IV I",
)

IDIOMS: Final = (
    Idiom(
        bpm=(55.0, 130.0),
        loose_ms=14.0,
        harmonies=_CADENCES,
        production=_HALL,
        weight=2.0,
        parts=(
            Part(
                kind="bass",
                instruments=("cello",),
                styles=("roots", "two-beat", "eighths"),
                centre=43,
            ),
            Part(
                kind="comping",
                instruments=("strings", "strings", "choir"),
                styles=("hold", "quarters", "eighths"),
                level_db=(-8.0, -1.0),
            ),
            Part(
                kind="comping",
                instruments=("harp", "harpsichord", "horn"),
                styles=("arpeggio", "alberti", "hold"),
                chance=0.45,
                level_db=(-10.0, -4.0),
            ),
            Part(
                kind="melody",
                instruments=("violin", "flute", "oboe", "clarinet", "strings"),
                styles=("legato", "ornate", "song"),
                centre=74,
                level_db=(-5.0, 2.0),
            ),
            Part(
                kind="melody",
                instruments=("horn", "trumpet", "violin", "cello"),
                styles=("legato",),
                centre=60,
                chance=0.35,
                level_db=(-8.0, -2.0),
            ),
        ),
    ),
    Idiom(
        bpm=(60.0, 140.0),
        loose_ms=14.0,
        harmonies=_CADENCES,
        production=_HALL,
        weight=1.5,
        parts=(
            Part(
                kind="comping",
                instruments=("piano", "piano", "nylon-guitar", "harpsichord"),
                styles=("alberti", "arpeggio", "hold", "quarters"),
                centre=52,
            ),
            Part(
                kind="melody",
                instruments=("piano",),
                styles=("ornate", "legato", "song"),
                centre=74,
                level_db=(-3.0, 2.0),
            ),
        ),
    ),
    Idiom(
        bpm=(80.0, 160.0),
        beats=3,
        loose_ms=12.0,
        harmonies=_CADENCES[:4],
        production=_HALL,
        parts=(
            Part(kind="bass", instruments=("cello",), styles=("waltz",), centre=43),
            Part(kind="comping", instruments=("strings", "piano"), styles=("waltz",), gate=0.6),
            Part(
                kind="melody",
                instruments=("violin", "flute", "oboe", "strings"),
                styles=("legato", "ornate"),
                centre=74,
                level_db=(-3.0, 2.0),
            ),
        ),
    ),
)
