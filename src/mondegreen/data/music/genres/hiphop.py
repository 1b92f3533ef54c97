"""Hip hop: sampled loops under a rapper on swung sixteenths, or half-time over a deep bass."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.idiom import Idiom, Part
from mondegreen.data.music.production import Production

_SAMPLER: Final = Production(
    room_s=(0.2, 0.7),
    wet_db=(-28.0, -15.0),
    glue_db=(-3.0, 8.0),
    tilt_db=(-2.0, 0.5),
    high_hz=(5000.0, 10_000.0),
    crackle=0.3,
)

_LOOPS: Final = (
    "minor: i7 i7 iv7 i7",
    "dorian: i9 i9 iv7 V7",
    "minor: i bVI i bVII",
    "phrygian: i i bII i",
    "minor: i9 bVImaj7 i9 v7",
)

IDIOMS: Final = (
    Idiom(
        bpm=(80.0, 102.0),
        swing=(0.52, 0.62),
        swung=1,
        kits=("sampled", "sampled", "machine"),
        grooves=("boom-bap", "boom-bap-busy"),
        drums_db=(-2.0, 3.0),
        loose_ms=2.0,
        harmonies=_LOOPS,
        production=_SAMPLER,
        weight=1.5,
        parts=(
            Part(
                kind="bass",
                instruments=("upright-bass", "dub-bass", "sub-bass"),
                styles=("syncopated", "808", "roots"),
                centre=36,
            ),
            Part(
                kind="comping",
                instruments=("electric-piano", "piano", "jazz-guitar", "strings", "vibraphone"),
                styles=("stabs", "hold", "charleston", "arpeggio"),
                level_db=(-11.0, -5.0),
            ),
            Part(
                kind="melody",
                instruments=("flute", "trumpet", "strings", "clean-guitar"),
                styles=("fills", "hook"),
                centre=70,
                chance=0.35,
                level_db=(-12.0, -6.0),
            ),
            Part(
                kind="melody",
                instruments=("rapper",),
                styles=("rap",),
                centre=50,
                chance=0.9,
                level_db=(-3.0, 3.0),
            ),
        ),
    ),
    Idiom(
        bpm=(128.0, 156.0),
        kits=("machine",),
        grooves=("trap", "trap-sparse"),
        drums_db=(-3.0, 2.0),
        loose_ms=0.5,
        harmonies=_LOOPS,
        production=_SAMPLER,
        parts=(
            Part(
                kind="bass",
                instruments=("sub-bass",),
                styles=("808",),
                centre=33,
                level_db=(-1.0, 4.0),
            ),
            Part(
                kind="comping",
                instruments=("piano", "pad", "synth-pluck", "strings"),
                styles=("arpeggio", "hold", "quarters"),
                level_db=(-10.0, -4.0),
            ),
            Part(
                kind="melody",
                instruments=("square-lead", "flute", "synth-pluck"),
                styles=("hook",),
                centre=74,
                chance=0.4,
                level_db=(-12.0, -6.0),
            ),
            Part(
                kind="melody",
                instruments=("rapper", "rapper", "man"),
                styles=("rap",),
                centre=50,
                chance=0.9,
                level_db=(-6.0, -1.0),
            ),
        ),
    ),
)
