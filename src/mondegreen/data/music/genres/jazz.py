"""Jazz: swung ride cymbals, walking basses, chords of four notes and more; or a bossa nova."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_CLUB: Final = Production(room_s=(0.5, 1.3), wet_db=(-18.0, -8.0), glue_db=(-10.0, 2.0))

_TURNS: Final = (
    "bebop: ii7 V7 Imaj7 vi7 ii7 V7 Imaj7 Imaj7",
    "bebop: Imaj7+vi7 ii7+V7 iii7+vi7 ii7+V7",
    "dorian: i7 i7 iv7 iv7 ii7 V7 i6 i6",
    "blues: I9 IV9 I9 I9 IV9 IV9 I9 vi7 ii7 V13 I9 V13",
    "harmonic: iih7 V7 i6 i6 iv7 V7 i6 i6",
)

IDIOMS: Final = (
    Idiom(
        bpm=(95.0, 230.0),
        swing=(0.57, 0.67),
        kits=("jazz", "brushes"),
        grooves=("ride-swing", "ride-bop", "brush-swing"),
        drums_db=(-10.0, -3.0),
        loose_ms=10.0,
        harmonies=_TURNS,
        production=_CLUB,
        weight=4.0,
        parts=(
            Part(kind="bass", instruments=("upright-bass",), styles=("walking",), centre=38),
            Part(
                kind="comping",
                instruments=("piano", "piano", "jazz-guitar", "vibraphone"),
                styles=("charleston", "charleston", "quarters"),
                centre=60,
                chance=0.85,
                gate=0.7,
                level_db=(-10.0, -4.0),
            ),
            Part(
                kind="melody",
                instruments=(
                    "saxophone",
                    "trumpet",
                    "piano",
                    "vibraphone",
                    "jazz-guitar",
                    "clarinet",
                ),
                styles=("bebop", "bebop", "song"),
                centre=67,
                level_db=(-3.0, 2.0),
            ),
            Part(
                kind="melody",
                instruments=("brass",),
                styles=("hook",),
                centre=65,
                chance=0.15,
                level_db=(-6.0, 0.0),
            ),
        ),
    ),
    Idiom(
        bpm=(110.0, 150.0),
        kits=("jazz", "brushes"),
        grooves=("bossa",),
        extras=("shaker",),
        drums_db=(-12.0, -5.0),
        harmonies=_TURNS[:3],
        production=_CLUB,
        parts=(
            Part(
                kind="bass",
                instruments=("upright-bass",),
                styles=("syncopated", "two-beat"),
                centre=38,
            ),
            Part(
                kind="comping",
                instruments=("nylon-guitar", "electric-piano"),
                styles=("stabs", "charleston"),
                gate=0.8,
            ),
            Part(
                kind="melody",
                instruments=("saxophone", "flute", "woman", "trumpet"),
                styles=("song", "bebop"),
                centre=68,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
)
