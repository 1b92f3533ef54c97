"""Blues: twelve bars, shuffled; a band, or one guitar and a voice."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_OLD: Final = Production(
    room_s=(0.3, 0.9),
    wet_db=(-22.0, -10.0),
    tilt_db=(-1.5, 0.5),
    high_hz=(4500.0, 9500.0),
    low_hz=(40.0, 110.0),
    hiss_db=(-50.0, -32.0),
    crackle=0.25,
)

_TWELVE_BARS: Final = (
    "blues: I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",
    "blues: I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7+IV7 I7+V7",
    "minor-pentatonic: i7 i7 i7 i7 iv7 iv7 i7 i7 bVI7 V7 i7 V7",
)

IDIOMS: Final = (
    Idiom(
        bpm=(72.0, 132.0),
        swing=(0.6, 0.68),
        kits=("acoustic", "rock", "jazz"),
        grooves=("shuffle", "slow-blues", "texas-shuffle"),
        loose_ms=9.0,
        harmonies=_TWELVE_BARS,
        production=_OLD,
        weight=3.0,
        parts=(
            Part(
                kind="bass",
                instruments=("finger-bass", "upright-bass"),
                styles=("boogie", "walking", "eighths"),
                centre=36,
            ),
            Part(
                kind="comping",
                instruments=("clean-guitar", "crunch-guitar"),
                styles=("shuffle-riff",),
                centre=52,
                chance=0.75,
                level_db=(-7.0, -2.0),
            ),
            Part(
                kind="comping",
                instruments=("piano", "organ"),
                styles=("triplets", "charleston", "hold"),
                chance=0.5,
                level_db=(-10.0, -4.0),
            ),
            Part(
                kind="melody",
                instruments=("crunch-guitar", "clean-guitar", "harmonica", "man", "man"),
                styles=("bent", "solo"),
                centre=64,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
    Idiom(
        bpm=(70.0, 120.0),
        swing=(0.55, 0.67),
        loose_ms=14.0,
        harmonies=_TWELVE_BARS,
        production=_OLD,
        parts=(
            Part(
                kind="bass",
                instruments=("acoustic-guitar",),
                styles=("boogie", "eighths", "roots"),
                centre=43,
                level_db=(-6.0, -2.0),
            ),
            Part(
                kind="comping",
                instruments=("acoustic-guitar",),
                styles=("shuffle-riff", "strum", "triplets"),
                centre=57,
                strum=0.012,
            ),
            Part(
                kind="melody",
                instruments=("man", "harmonica", "acoustic-guitar", "woman"),
                styles=("bent", "fills"),
                centre=62,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
)
