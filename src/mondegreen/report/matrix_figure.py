"""A matrix of success rates, drawn: source by row, target by column."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from mondegreen.report.style import shorten

MATRIX_COLOURS = "YlGnBu"
NUMBERS_UP_TO = 15
NAMES_UP_TO = 60
FloatArray = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


def draw_matrix(
    axes: Axes, labels: Sequence[str], matrix: Sequence[Sequence[float | None]]
) -> AxesImage:
    """Draw the rates of a matrix ``[source][target]`` in percent, for a style that is set."""
    rates = 100.0 * np.array(matrix, dtype=np.float64)  # None becomes NaN
    rows, columns = _tried(rates)
    rates = rates[np.ix_(rows, columns)]
    count = max(rates.shape)
    colours = matplotlib.colormaps[MATRIX_COLOURS].with_extremes(bad=(1.0, 1.0, 1.0, 0.0))
    image = axes.imshow(rates, cmap=colours, vmin=0.0, vmax=100.0, aspect="auto")
    sources, targets = ([shorten(labels[i]) for i in part] for part in (rows, columns))
    upright = max(map(len, targets)) * len(targets) <= 50
    axes.set_xticks(*_spaced(targets), rotation=0 if upright else 90)
    axes.set_yticks(*_spaced(sources))
    axes.tick_params(length=0, labelsize=6.5 if count <= 20 else 5.5)
    axes.set_xlabel(_axis("target label", columns, labels))
    axes.set_ylabel(_axis("source label", rows, labels))
    axes.spines[:].set_visible(False)
    if count <= NAMES_UP_TO:
        axes.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(len(rows) - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=0.8)
        axes.tick_params(which="minor", length=0)
    axes.set_axisbelow(False)
    if len(labels) <= NUMBERS_UP_TO:
        _write_numbers(axes, image, rates)
    return image


def _tried(rates: FloatArray) -> tuple[Ints, Ints]:
    """Return the rows and columns to draw: of many labels only those with a pair."""
    finite = np.isfinite(rates)
    if len(rates) <= NUMBERS_UP_TO or not finite.any():
        finite = np.ones_like(finite)
    return np.flatnonzero(finite.any(axis=1)), np.flatnonzero(finite.any(axis=0))


def _spaced(names: Sequence[str]) -> tuple[range, list[str]]:
    """Return where names stand, and which: beyond 60 they would cover each other."""
    places = range(0, len(names), -(-len(names) // NAMES_UP_TO))
    return places, [names[i] for i in places]


def _axis(title: str, drawn: Ints, labels: Sequence[str]) -> str:
    tried = f" ({len(drawn)} of {len(labels)}, those tried)"
    return title + tried * (len(drawn) < len(labels))


def _write_numbers(axes: Axes, image: AxesImage, rates: FloatArray) -> None:
    decimals = 1 if len(rates) <= 10 else 0
    size = 5.4 if len(rates) <= 12 else 4.5
    for (row, column), rate in np.ndenumerate(rates):
        if not np.isfinite(rate):
            missing = "" if row == column else "–"
            axes.text(column, row, missing, ha="center", va="center", fontsize=size)
        else:
            # 100.0 is wider than its cell, and its decimal says nothing
            text = "100" if rate > 99.95 else f"{rate:.{decimals}f}"
            red, green, blue = image.cmap(float(rate) / 100.0)[:3]
            dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
            colour = "#fefefe" if dark else "#010101"  # the cell's, in both themes of a page
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
