"""Reggae: chords off the beat, the drum on the third beat, a bass that sings."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_KINGSTON: Final = Production(
    room_s=(0.4, 1.3),
    wet_db=(-20.0, -9.0),
    tilt_db=(-2.0, 0.3),
    high_hz=(4800.0, 9500.0),
    hiss_db=(-54.0, -32.0),
    crackle=0.1,
)

_ONE_DROPS: Final = (
    "major: I IV I IV",
    "minor-pentatonic: i bVII i bVII",
    "minor: i iv i V",
    "major: I V ii IV",
    "major-pentatonic: I I IV V",
)

IDIOMS: Final = (
    Idiom(
        bpm=(66.0, 96.0),
        swing=(0.5, 0.6),
        swung=1,
        kits=("reggae", "reggae", "acoustic"),
        grooves=("one-drop", "one-drop", "rockers", "steppers"),
        extras=("congas", "shaker"),
        drums_db=(-7.0, -1.0),
        loose_ms=7.0,
        harmonies=_ONE_DROPS,
        production=_KINGSTON,
        parts=(
            Part(
                kind="bass",
                instruments=("dub-bass", "dub-bass", "finger-bass"),
                styles=("dub",),
                centre=35,
                level_db=(-3.0, 2.0),
            ),
            Part(
                kind="comping",
                instruments=("clean-guitar", "piano"),
                styles=("skank",),
                gate=0.4,
                strum=0.005,
                level_db=(-6.0, 0.0),
                centre=64,
                echo=0.3,
            ),
            Part(
                kind="comping",
                instruments=("organ",),
                styles=("bubble",),
                gate=0.5,
                chance=0.8,
                level_db=(-11.0, -5.0),
            ),
            Part(
                kind="melody",
                instruments=("brass", "trumpet", "clean-guitar", "organ"),
                styles=("fills", "hook"),
                centre=67,
                chance=0.4,
                level_db=(-9.0, -3.0),
                echo=0.4,
            ),
            Part(
                kind="melody",
                instruments=("man", "man", "woman"),
                styles=("song",),
                centre=62,
                chance=0.85,
                level_db=(-6.0, -1.0),
                echo=0.25,
            ),
        ),
    ),
)
