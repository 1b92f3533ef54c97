"""Rhythm: patterns written as text, and where their steps lie in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

STEPS_A_BEAT = 4


class Step(NamedTuple):
    """One onset of a pattern.

    Attributes:
        start: Its place, in sixteenths from the bar's beginning.
        length: For how many sixteenths it is held.
        symbol: The letter that was written.
    """

    start: int
    length: int
    symbol: str


def steps(pattern: str) -> list[Step]:
    """Read a pattern: a letter starts, ``-`` holds, ``.`` is silent; one character a sixteenth.

    Example:
        >>> steps("x-.o")
        [Step(start=0, length=2, symbol='x'), Step(start=3, length=1, symbol='o')]
    """
    found: list[Step] = []
    for place, symbol in enumerate(pattern):
        if symbol == "-" and found and found[-1].start + found[-1].length == place:
            found[-1] = found[-1]._replace(length=found[-1].length + 1)
        elif symbol not in ".-":
            found.append(Step(place, 1, symbol))
    return found


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the sixteenths of a piece lie in time.

    Attributes:
        bpm: Quarter notes a minute.
        beats: Quarter notes a bar.
        swing: Where the second of two equal notes falls between the first and the next pair: 0.5 is
            straight, 2/3 is a triplet.
        swung: How many sixteenths one of the swung notes has: 2 for eighths, 1 for sixteenths.
        lead: Seconds of the piece that lie before the excerpt.
    """

    bpm: float
    beats: int = 4
    swing: float = 0.5
    swung: int = 2
    lead: float = 0.0

    @property
    def bar_steps(self) -> int:
        """Sixteenths a bar."""
        return self.beats * STEPS_A_BEAT

    @property
    def step_seconds(self) -> float:
        """Mean duration of a sixteenth."""
        return 60.0 / self.bpm / STEPS_A_BEAT

    def time(self, bar: int, step: float) -> float:
        """Return when a step begins, in seconds from the excerpt's beginning.

        Example:
            >>> Grid(bpm=60.0, swing=2 / 3).time(0, 2)  # the second eighth of a triplet feel
            0.6666666666666666
        """
        pair = 2 * self.swung
        whole, inside = divmod(bar * self.bar_steps + step, pair)
        turned = float(np.interp(inside, (0.0, self.swung, pair), (0.0, self.swing * pair, pair)))
        return (whole * pair + turned) * self.step_seconds - self.lead

    def bars(self, seconds: float) -> int:
        """Return how many bars reach over an excerpt."""
        return int(np.ceil((seconds + self.lead) / (self.bar_steps * self.step_seconds)))
