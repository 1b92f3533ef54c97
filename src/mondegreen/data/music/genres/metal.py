"""Metal: distorted fifths, damped or held, over drums that double them."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_LOUD: Final = Production(
    room_s=(0.3, 0.9),
    wet_db=(-26.0, -13.0),
    glue_db=(0.0, 9.0),
    tilt_db=(-0.5, 1.3),
)

_FIFTHS: Final = (
    "phrygian: I5 bII5 I5 bIII5",
    "minor: I5 I5 bVI5 bVII5",
    "phrygian: I5 I5 bII5 bV5+IV5",
    "harmonic: I5 bVI5 IV5 V5",
)

IDIOMS: Final = (
    Idiom(
        bpm=(96.0, 200.0),
        kits=("metal", "metal", "rock"),
        grooves=("double-kick", "gallop", "thrash", "blast", "doom"),
        drums_db=(-5.0, 0.0),
        loose_ms=3.0,
        harmonies=_FIFTHS,
        production=_LOUD,
        parts=(
            Part(
                kind="bass",
                instruments=("picked-bass",),
                styles=("chug", "eighths"),
                centre=31,
                level_db=(-8.0, -3.0),
            ),
            Part(
                kind="comping",
                instruments=("distorted-guitar",),
                styles=("chug", "chug", "power"),
                centre=47,
                level_db=(-2.0, 2.0),
            ),
            Part(
                kind="comping",
                instruments=("distorted-guitar",),
                styles=("power", "chug"),
                centre=52,
                chance=0.5,
                level_db=(-6.0, 0.0),
            ),
            Part(
                kind="melody",
                instruments=("distorted-guitar",),
                styles=("shred", "lines", "legato"),
                centre=72,
                chance=0.45,
                level_db=(-5.0, 0.0),
            ),
            Part(
                kind="melody",
                instruments=("growler", "growler", "man"),
                styles=("growl", "song"),
                centre=48,
                chance=0.6,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
)
