"""Country: two-beat basses, strummed guitars, steel and fiddle; a train beat, or a waltz."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_NASHVILLE: Final = Production(tilt_db=(-0.5, 1.2), wet_db=(-22.0, -9.0))

_THREE_CHORDS: Final = (
    "major-pentatonic: I I IV IV V V I I",
    "major-pentatonic: I IV I V I IV V I",
    "major: I I V V IV IV I V",
    "mixolydian: I bVII IV I I bVII IV I",
    "major: I vi IV V I iii IV V",
)

IDIOMS: Final = (
    Idiom(
        bpm=(84.0, 150.0),
        swing=(0.5, 0.58),
        kits=("acoustic", "brushes", "rock"),
        grooves=("train", "two-step", "country-rock", "backbeat"),
        harmonies=_THREE_CHORDS,
        production=_NASHVILLE,
        weight=4.0,
        parts=(
            Part(
                kind="bass",
                instruments=("finger-bass", "upright-bass"),
                styles=("two-beat", "two-beat", "roots", "eighths"),
                centre=38,
            ),
            Part(
                kind="comping",
                instruments=("acoustic-guitar",),
                styles=("strum", "boom-chick"),
                centre=57,
                strum=0.014,
                level_db=(-7.0, -1.0),
            ),
            Part(
                kind="comping",
                instruments=("banjo", "mandolin", "clean-guitar"),
                styles=("roll", "chop", "arpeggio"),
                centre=64,
                chance=0.6,
                level_db=(-10.0, -4.0),
            ),
            Part(
                kind="melody",
                instruments=("pedal-steel", "fiddle", "clean-guitar"),
                styles=("fills", "bent"),
                centre=69,
                chance=0.75,
                level_db=(-8.0, -2.0),
            ),
            Part(
                kind="melody",
                instruments=("man", "woman", "fiddle"),
                styles=("song",),
                centre=62,
                chance=0.85,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
    Idiom(
        bpm=(90.0, 140.0),
        beats=3,
        kits=("brushes", "acoustic"),
        grooves=("waltz",),
        harmonies=_THREE_CHORDS[:3],
        production=_NASHVILLE,
        parts=(
            Part(
                kind="bass",
                instruments=("upright-bass", "finger-bass"),
                styles=("waltz",),
                centre=38,
            ),
            Part(kind="comping", instruments=("acoustic-guitar",), styles=("waltz",), strum=0.015),
            Part(
                kind="melody",
                instruments=("pedal-steel", "fiddle"),
                styles=("legato", "bent"),
                centre=69,
                level_db=(-7.0, -1.0),
            ),
            Part(
                kind="melody",
                instruments=("man", "woman"),
                styles=("song",),
                centre=62,
                chance=0.8,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
)
