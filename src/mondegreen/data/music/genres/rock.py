"""Rock: a backbeat, guitars in crunch, a voice and a solo."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_LIVE: Final = Production(room_s=(0.3, 1.0), wet_db=(-20.0, -9.0), glue_db=(-4.0, 7.0))

_RIFFS: Final = (
    "mixolydian: I bVII IV I",
    "minor-pentatonic: I5 bIII5 IV5 I5",
    "major: I V IV IV",
    "minor: i bVI bVII i",
    "blues: I7 I7 IV7 I7",
)

IDIOMS: Final = (
    Idiom(
        bpm=(92.0, 170.0),
        kits=("rock", "rock", "acoustic"),
        grooves=("backbeat", "driving", "ride-rock", "tom-rock"),
        extras=("tambourine",),
        loose_ms=6.0,
        harmonies=_RIFFS,
        production=_LIVE,
        parts=(
            Part(
                kind="bass",
                instruments=("picked-bass", "finger-bass"),
                styles=("eighths", "roots", "syncopated"),
                centre=36,
            ),
            Part(
                kind="comping",
                instruments=("crunch-guitar", "crunch-guitar", "distorted-guitar"),
                styles=("power", "eighths", "strum", "shuffle-riff"),
                centre=52,
                strum=0.006,
                level_db=(-5.0, 1.0),
            ),
            Part(
                kind="comping",
                instruments=("clean-guitar", "acoustic-guitar", "organ", "piano"),
                styles=("eighths", "strum", "hold", "arpeggio"),
                chance=0.4,
                strum=0.008,
                level_db=(-10.0, -4.0),
            ),
            Part(
                kind="melody",
                instruments=("crunch-guitar", "distorted-guitar", "clean-guitar"),
                styles=("solo", "bent", "lines"),
                centre=69,
                chance=0.45,
                level_db=(-6.0, 0.0),
            ),
            Part(
                kind="melody",
                instruments=("man", "man", "woman"),
                styles=("song", "hook"),
                centre=65,
                chance=0.85,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
)
