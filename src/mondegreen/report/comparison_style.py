"""How the lines of a comparison look, so that a dozen of them are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mondegreen.report.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    ORANGE,
    PAGE,
    PURPLE,
    SKY,
    YELLOW,
)

COLOURS = (
    *(BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, GREY),
    *("#882255", "#999933", "#332288", "#CC6677", "#117733"),
)
"""Okabe and Ito's colours, and where they end those of Paul Tol's muted scheme."""
MARKERS = "osD^vPX<>ph*"
DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", "--", "-.", (0, (4, 1, 1, 1)), ":")
"""Colour, mark and dash change together, so lines are told apart in any vision and in print."""

MOST_LINES = len(COLOURS)
MOST_BANDS = 7
"""More intervals than these would hide each other."""
_MOST_ABOVE = 8  # names above a figure; more, or longer ones, stand beside it
_LONGEST_ABOVE = 27


def look(place: int) -> dict[str, Any]:
    """Return how the line at a place looks; from the thirteenth on, colours meet other marks."""
    turn, within = divmod(place, len(COLOURS))
    return {
        "color": COLOURS[within],
        "marker": MARKERS[(within + turn) % len(MARKERS)],
        "linestyle": DASHES[(within + turn) % len(DASHES)],
        "markersize": 3.0,
    }


def colour(place: int) -> str:
    """Return the colour of the line at a place."""
    return COLOURS[place % len(COLOURS)]


@dataclass(frozen=True)
class Layout:
    """Where the names of the lines stand: above a narrow figure, or beside a wide one."""

    beside: bool

    @classmethod
    def of(cls, titles: Sequence[str], *, beside: bool = False) -> Layout:
        """Choose by how many names there are, and how long they are."""
        long = max(map(len, titles), default=0) > _LONGEST_ABOVE
        return cls(beside or long or len(titles) > _MOST_ABOVE)

    def figure(self, height: float = 2.9) -> Figure:
        """Return an empty figure of the right width."""
        width = PAGE if self.beside else COLUMN
        return Figure(figsize=(width, height), layout="constrained")

    def legend(self, figure: Figure, axes: Axes) -> None:
        """Name the lines of ``axes``."""
        self.name(figure, *axes.get_legend_handles_labels())

    def name(self, figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> None:
        """Name some lines."""
        place: Literal["outside right upper", "outside upper left"]
        place = "outside right upper" if self.beside else "outside upper left"
        count = 1 if self.beside else columns_of_names(figure.get_figwidth(), names)
        figure.legend(list(handles), list(names), loc=place, ncols=count, handlelength=3.2)


def columns_of_names(width: float, names: Sequence[str]) -> int:
    """Return how many columns of names fit above a figure of so many inches.

    Example:
        >>> columns_of_names(7.0, ["generator", "gradient search, 20 steps"])
        2
    """
    letters, line = 0.05, 0.5  # inches at the size of a legend's text
    longest = max(map(len, names), default=0)
    return max(1, min(len(names), 4, int(width / (line + letters * longest))))


def log_axis(axes: Axes, low: float, high: float) -> None:
    """Make the horizontal axis logarithmic, with plain numbers."""
    axes.set_xscale("log")
    axes.set_xlim(low / 1.4, high * 1.4)
    wide = high > 100 * low
    axes.xaxis.set_major_locator(LogLocator(10, (1.0,) if wide else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def success_axis(axes: Axes) -> None:
    """Scale the vertical axis to rates in percent."""
    axes.set_ylim(-2, 103)
    axes.set_ylabel("success rate (%)")
    axes.grid(visible=True)


def untouched() -> dict[str, Any]:
    """Return how the line of the clips as they are looks."""
    return {"color": "#888888", "linestyle": ":", "linewidth": 0.8, "label": "untouched clips"}
