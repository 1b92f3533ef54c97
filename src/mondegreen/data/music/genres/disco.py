"""Disco: four on the floor, open hi-hats between, basses in octaves, strings."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_SEVENTIES: Final = Production(room_s=(0.4, 1.1), wet_db=(-22.0, -11.0), tilt_db=(-0.5, 1.2))

_VAMPS: Final = (
    "dorian: i7 IV9 i7 IV9",
    "minor: i7 bVII bVImaj7 V7",
    "major: Imaj7 vi7 ii7 V7",
    "minor: i7 i7 iv7 iv7 bVI bVII i7 i7",
)

IDIOMS: Final = (
    Idiom(
        bpm=(106.0, 132.0),
        kits=("disco", "disco", "pop"),
        grooves=("four-floor", "four-floor", "four-floor-16"),
        extras=("congas", "tambourine", "shaker"),
        drums_db=(-3.0, 2.0),
        loose_ms=3.0,
        harmonies=_VAMPS,
        production=_SEVENTIES,
        parts=(
            Part(
                kind="bass",
                instruments=("finger-bass", "synth-bass", "picked-bass"),
                styles=("octaves", "octaves", "syncopated"),
                centre=36,
            ),
            Part(
                kind="comping",
                instruments=("clean-guitar",),
                styles=("chop",),
                gate=0.45,
                strum=0.006,
                chance=0.85,
                level_db=(-10.0, -4.0),
                centre=64,
            ),
            Part(
                kind="comping",
                instruments=("electric-piano", "piano", "strings", "organ"),
                styles=("stabs", "eighths", "hold"),
                gate=0.8,
                level_db=(-10.0, -3.0),
            ),
            Part(
                kind="melody",
                instruments=("strings", "brass"),
                styles=("lines", "hook"),
                centre=74,
                chance=0.8,
                level_db=(-8.0, -1.0),
            ),
            Part(
                kind="melody",
                instruments=("woman", "man"),
                styles=("hook", "song"),
                centre=67,
                chance=0.7,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
)
