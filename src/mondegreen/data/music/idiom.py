"""What an idiom is made of: its tempo, its grooves, its players and its harmony."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mondegreen.data.music.production import Production, Range


@dataclass(frozen=True, kw_only=True)
class Part:
    """One player's part. A track draws an instrument and a style.

    Attributes:
        kind: What is played.
        instruments: Names among the instruments.
        styles: Names among the bass lines, accompaniments or melodies.
        chance: Of taking part.
        level_db: Loudness in the mix.
        centre: MIDI pitch about which it plays.
        gate: Share of its time that a chord is held.
        strum: Seconds from one string to the next.
        echo: Chance of echoes.
    """

    kind: Literal["bass", "comping", "melody"]
    instruments: tuple[str, ...]
    styles: tuple[str, ...]
    chance: float = 1.0
    level_db: Range = (-8.0, -2.0)
    centre: float = 60.0
    gate: float = 0.9
    strum: float = 0.0
    echo: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Idiom:
    """One way to make music; a genre has several.

    Attributes:
        bpm: Range of the tempo.
        swing: Range of the swing, 0.5 straight to 2/3.
        swung: Sixteenths of a swung note.
        beats: Quarter notes a bar.
        kits: Names of drum kits; none where there are no drums.
        grooves: Names of grooves.
        extras: Percussion that may join, names of grooves.
        drums_db: Loudness of the drums in the mix.
        loose_ms: Standard deviation of the players' timing.
        harmonies: Scale and progression, as ``"scale: numerals"``.
        parts: The players.
        production: How it is recorded.
        weight: How often a genre's tracks are of this idiom, relative to its others.
    """

    bpm: Range
    harmonies: tuple[str, ...]
    parts: tuple[Part, ...]
    swing: Range = (0.5, 0.5)
    swung: int = 2
    beats: int = 4
    kits: tuple[str, ...] = ()
    grooves: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    drums_db: Range = (-4.0, 1.0)
    loose_ms: float = 6.0
    production: Production = Production()
    weight: float = 1.0
