"""Grooves: what the drums of each style play, one character a sixteenth, ``X`` loud to ``o`` soft.

On a grid whose eighths swing as triplets, ``xxx.`` is a triplet.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from mondegreen.data.music.rhythm import Grid, steps

LOUDNESS: Final = {"X": 1.0, "x": 0.7, "o": 0.35}
"""Velocity of a stroke by its letter."""

GROOVES: Final[dict[str, dict[str, str]]] = {
    # Swung eighths.
    "shuffle": {
        "kick": "X.....x.X.......",
        "snare": "....X.......X...",
        "hat": "x.o.x.o.x.o.x.o.",
    },
    "slow-blues": {
        "kick": "X.....x.X.x.....",
        "snare": "....X.......X...",
        "hat": "xooxxoo.xoo.xoo.",
    },
    "texas-shuffle": {
        "kick": "X...X...X...X...",
        "snare": "o.o.X.o.o.o.X.o.",
        "ride": "x.o.x.o.x.o.x.o.",
    },
    "ride-swing": {
        "ride": "x...X.o.x...X.o.",
        "hat": "....x.......x...",
        "kick": "o.......o.......",
        "snare": "......o.......o.",
    },
    "ride-bop": {
        "ride": "x...X.o.x...X.o.",
        "hat": "....x.......x...",
        "kick": "......o.........",
        "snare": "..o.......o...o.",
    },
    "brush-swing": {
        "swish": "x...x...x...x...",
        "snare": "....x.o.....x.o.",
        "kick": "o...o...o...o...",
    },
    # Straight.
    "bossa": {
        "kick": "X..xX..xX..xX..x",
        "rim": "x..x..x...x..x..",
        "hat": "o.o.o.o.o.o.o.o.",
    },
    "train": {
        "kick": "X...x...X...x...",
        "snare": "ooXoooXoooXoooXo",
    },
    "two-step": {
        "kick": "X.......X.......",
        "snare": "....X.......X...",
        "hat": "x.o.x.o.x.o.x.o.",
    },
    "country-rock": {
        "kick": "X.....x.X.......",
        "rim": "....X.......X...",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "backbeat": {
        "kick": "X.......X.x.....",
        "snare": "....X.......X...",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "driving": {
        "kick": "X.x...x.X.x...x.",
        "snare": "....X.......X...",
        "hat": "X.x.X.x.X.x.X.x.",
    },
    "ride-rock": {
        "kick": "X..x..x.X..x....",
        "snare": "....X.......X...",
        "ride": "X...X...X...X...",
        "crash": "x...............",
    },
    "tom-rock": {
        "kick": "X...X...X...X...",
        "tom": "x.xxx.x.x.xxx.x.",
        "snare": "....X.......X...",
    },
    "four-floor": {
        "kick": "X...X...X...X...",
        "snare": "....X.......X...",
        "open": "..x...x...x...x.",
        "hat": "x..xx..xx..xx..x",
    },
    "four-floor-16": {
        "kick": "X...X...X...X...",
        "clap": "....X.......X...",
        "hat": "xoXoxoXoxoXoxoXo",
    },
    "dance-pop": {
        "kick": "X...X...X...X...",
        "clap": "....x.......x...",
        "open": "..x...x...x...x.",
    },
    "electro-pop": {
        "kick": "X.....x.x.......",
        "clap": "....X.......X...",
        "hat": "x.x.x.x.x.x.x.xx",
    },
    "ballad": {
        "kick": "X......x........",
        "snare": "........X.......",
        "hat": "x.o.x.o.x.o.x.o.",
    },
    "boom-bap": {
        "kick": "X..x......X..x..",
        "snare": "....X.......X...",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "boom-bap-busy": {
        "kick": "X.x....x..X.....",
        "snare": "....X..o.o..X...",
        "hat": "x.xox.x.x.xox.x.",
    },
    "trap": {
        "kick": "X......x..x.....",
        "clap": "........X.......",
        "hat": "x.x.xxx.x.x.xxxx",
    },
    "trap-sparse": {
        "kick": "X..........x....",
        "snare": "........X.......",
        "hat": "xxx.x.x.xoxox.x.",
    },
    "one-drop": {
        "kick": "........X.......",
        "rim": "........X.......",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "rockers": {
        "kick": "X.......X.......",
        "rim": "....o...X.....o.",
        "hat": "..x...x...x...x.",
    },
    "steppers": {
        "kick": "X...X...X...X...",
        "snare": "........X.......",
        "hat": "x.xox.xox.xox.xo",
    },
    "double-kick": {
        "kick": "xxxxxxxxxxxxxxxx",
        "snare": "....X.......X...",
        "crash": "x.......x.......",
    },
    "gallop": {
        "kick": "x.xxx.xxx.xxx.xx",
        "snare": "....X.......X...",
        "hat": "X...X...X...X...",
    },
    "thrash": {
        "kick": "X.x.X.x.X.x.X.x.",
        "snare": "..X...X...X...X.",
        "hat": "X.X.X.X.X.X.X.X.",
    },
    "blast": {
        "kick": "X.X.X.X.X.X.X.X.",
        "snare": ".X.X.X.X.X.X.X.X",
        "ride": "X.X.X.X.X.X.X.X.",
    },
    "doom": {
        "kick": "X.....x...x.....",
        "snare": "........X.......",
        "crash": "x...x...x...x...",
    },
    # Three quarters a bar.
    "waltz": {
        "kick": "X...........",
        "snare": "....x...x...",
        "hat": "x...x...x...",
    },
    # Percussion that joins a kit.
    "shaker": {"shaker": "xoxoxoxoxoxoxoxo"},
    "tambourine": {"tambourine": "..x...x...x...x."},
    "congas": {"conga": "x..x..x...x.xx..", "low-conga": "......x.......xx"},
}
"""Patterns by groove and drum."""

_FILLS: Final = ("............tttt", "........ssstttkk", "............ssss", "..............ss")
_FILL_DRUMS: Final = {"t": "tom", "s": "snare", "k": "high-tom"}


class Stroke(NamedTuple):
    """One stroke of a drum: when, in seconds, which, and how loud, 0 to 1."""

    time: float
    drum: str
    velocity: float


def strokes(groove: str, grid: Grid, bars: int, rng: np.random.Generator) -> list[Stroke]:
    """Return what the drums play: the pattern in every bar, with small changes.

    Now and then a stroke that is not a loud one is left out; every fourth bar may end in a fill.

    Args:
        groove: One of :data:`GROOVES`.
        grid: Where the steps lie. Patterns are cut to the bar's length.
        bars: How many.
        rng: Source of randomness.
    """
    found: list[Stroke] = []
    fill = str(rng.choice(_FILLS)) if "snare" in GROOVES[groove] else ""
    for bar in range(bars):
        filled = bool(fill) and bar % 4 == 3 and grid.beats == 4 and rng.uniform() < 0.6
        begin = len(fill) - len(fill.lstrip(".")) if filled else grid.bar_steps
        for drum, pattern in GROOVES[groove].items():
            for step in steps(pattern[: grid.bar_steps]):
                soft = step.symbol != "X"
                if (step.start < begin or drum == "kick") and not (soft and rng.uniform() < 0.06):
                    velocity = LOUDNESS[step.symbol] * rng.uniform(0.88, 1.0)
                    found.append(Stroke(grid.time(bar, step.start), drum, velocity))
        if filled:
            for step in steps(fill):
                time = grid.time(bar, step.start)
                found.append(Stroke(time, _FILL_DRUMS[step.symbol], rng.uniform(0.6, 0.9)))
            found.append(Stroke(grid.time(bar + 1, 0), "crash", 0.6))
    return found
