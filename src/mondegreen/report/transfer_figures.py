"""The matrix of a transfer: who was attacked, by row, and who heard what, by column."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mondegreen.report.style import ORANGE, PAGE, figure_style, plain, shorten
from mondegreen.report.transfer_results import Transfer

COLOURS = "YlGnBu"
"""One hue of falling lightness: read in any colour vision and in grey."""

GAP = 0.75
"""Room above each group of rows for its name, in rows."""

Cells = Sequence[tuple[float | None, bool]]
"""Of each column the rate, and whether the classifier was asked."""

TITLES = ("heard as the target (%)", "no longer heard as what it is (%)")


def transfer_matrix(found: Transfer) -> Figure:
    """Draw both readings side by side: heard as the target, and merely misheard, in percent.

    Rows of one attack stand together, by what they were made against. A frame marks a classifier
    that the attack, or its training, asked; a dash a rate that there is none of.
    """
    groups = [(name, list(rows)) for name, rows in groupby(found.rows, lambda row: row.label)]
    height = 1 + sum(GAP + len(rows) for _, rows in groups)
    names = [listener.name for listener in found.listeners]
    with figure_style():
        figure = Figure(figsize=(PAGE, 0.75 + 0.2 * height), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, title, reading in zip(panels, TITLES, (0, 1), strict=True):
            untouched = [
                (listener.baseline_rate if reading == 0 else 0.0, False)
                for listener in found.listeners
            ]
            places = {0.0: "untouched clips"}
            _row(axes, 0.0, untouched)
            top = 1.0
            for name, rows in groups:
                _heading(axes, top, name)
                top += GAP
                for row in rows:
                    rates = [
                        (cell.success_rate if reading == 0 else cell.untargeted_rate, cell.seen)
                        for cell in row.cells
                    ]
                    _row(axes, top, rates)
                    places[top] = row.against
                    top += 1
            _axes(axes, title, names, places, height)
        panels[0].set_ylabel("made against")
    return figure


def _row(axes: Axes, top: float, rates: Cells) -> None:
    """Draw the cells of a row, each a coloured field with its number."""
    colours = matplotlib.colormaps[COLOURS]
    for column, (rate, seen) in enumerate(rates):
        colour = "white" if rate is None else colours(float(rate))
        axes.add_patch(Rectangle((column, top), 1, 1, facecolor=colour, edgecolor="white"))
        if seen:
            inner = (column + 0.04, top + 0.08)
            frame = Rectangle(inner, 0.92, 0.84, fill=False, edgecolor=ORANGE, linewidth=1.4)
            axes.add_patch(frame)
        red, green, blue = (1.0, 1.0, 1.0) if rate is None else colours(float(rate))[:3]
        dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
        text = "–" if rate is None else "100" if rate > 0.9995 else f"{100 * rate:.1f}"
        axes.text(
            column + 0.5,
            top + 0.52,
            text,
            ha="center",
            va="center",
            fontsize=6,
            color="white" if dark else "black",
            zorder=4,
        )


def _heading(axes: Axes, top: float, name: str) -> None:
    axes.text(0.0, top + 0.62 * GAP, plain(name), fontsize=6.5, va="center", fontweight="bold")


def _axes(
    axes: Axes, title: str, names: Sequence[str], places: dict[float, str], height: float
) -> None:
    count = len(names)
    axes.set_xlim(0, count)
    axes.set_ylim(height, 0)
    axes.set_title(title, fontweight="normal")
    level = max(map(len, names)) * count < 48
    axes.set_xticks(
        [place + 0.5 for place in range(count)],
        [shorten(name, 20) for name in names],
        rotation=0 if level else 30,
        ha="center" if level else "right",
        rotation_mode="anchor" if not level else "default",
    )
    axes.set_yticks([top + 0.5 for top in places], [shorten(text, 40) for text in places.values()])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("heard by")
