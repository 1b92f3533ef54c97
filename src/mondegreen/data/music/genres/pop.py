"""Pop: four chords, a voice in front, synthesisers and machines."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_GLOSSY: Final = Production(room_s=(0.5, 1.6), wet_db=(-20.0, -9.0), tilt_db=(-0.3, 1.5))

_AXES: Final = (
    "major: I V vi IV",
    "major: vi IV I V",
    "major: I vi IV V",
    "major: IV I V vi",
    "minor: i bVI bIII bVII",
)

IDIOMS: Final = (
    Idiom(
        bpm=(88.0, 130.0),
        kits=("pop", "pop", "machine", "acoustic"),
        grooves=("electro-pop", "dance-pop", "backbeat", "four-floor", "ballad"),
        extras=("tambourine", "shaker"),
        loose_ms=2.5,
        harmonies=_AXES,
        production=_GLOSSY,
        parts=(
            Part(
                kind="bass",
                instruments=("synth-bass", "finger-bass", "sub-bass"),
                styles=("eighths", "roots", "syncopated", "octaves"),
                centre=36,
                level_db=(-7.0, -2.0),
            ),
            Part(
                kind="comping",
                instruments=("pad", "piano", "strings"),
                styles=("hold", "quarters", "eighths"),
                level_db=(-10.0, -4.0),
            ),
            Part(
                kind="comping",
                instruments=("synth-pluck", "acoustic-guitar", "clean-guitar", "electric-piano"),
                styles=("arpeggio", "eighths", "strum"),
                centre=65,
                chance=0.85,
                level_db=(-10.0, -3.0),
                strum=0.006,
            ),
            Part(
                kind="melody",
                instruments=("saw-lead", "square-lead", "synth-brass"),
                styles=("hook",),
                centre=74,
                chance=0.35,
                level_db=(-9.0, -3.0),
            ),
            Part(
                kind="melody",
                instruments=("woman", "woman", "man"),
                styles=("song", "hook"),
                centre=67,
                chance=0.95,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
)
