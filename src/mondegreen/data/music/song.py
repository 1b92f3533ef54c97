"""What the players of one track share: key, scale, chords and grid."""

from __future__ import annotations

from dataclasses import dataclass

from mondegreen.data.music.harmony import Chord
from mondegreen.data.music.rhythm import Grid


@dataclass(frozen=True, kw_only=True)
class Song:
    """The frame of a track.

    Attributes:
        grid: Where the steps lie.
        key: Pitch class of the key's first note, 0 (C) to 11.
        scale: The scale's notes in semitones above the key.
        form: Chords of each bar; it is repeated.
        first_bar: The bar of the form that the track begins with.
        bars: How many bars are played.
    """

    grid: Grid
    key: int
    scale: tuple[int, ...]
    form: list[list[Chord]]
    first_bar: int
    bars: int

    def chord_at(self, bar: int, step: float) -> Chord:
        """Return the chord at a step of a bar; steps beyond the bar lie in the next ones."""
        bar += int(step // self.grid.bar_steps)
        chords = self.form[(self.first_bar + bar) % len(self.form)]
        place = step % self.grid.bar_steps / self.grid.bar_steps
        return chords[int(place * len(chords))]

    def seconds(self, bar: int, start: float, length: float) -> tuple[float, float]:
        """Return when something begins and how long it lasts, from steps of a bar."""
        begin = self.grid.time(bar, start)
        return begin, self.grid.time(bar, start + length) - begin
