"""How figures look, and how they are saved: one style, reproducible to the byte."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from mondegreen.files import atomic_write

COLUMN = 3.5
"""Width in inches of one column of a two-column paper."""

PAGE = 7.16
"""Width in inches of both columns."""

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#4D4D4D"
SKY, YELLOW = "#56B4E9", "#E69F00"
"""Okabe and Ito's colours, told apart with any colour vision."""

CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, GREY)


@contextmanager
def figure_style() -> Iterator[None]:
    """Set matplotlib's defaults for a block and restore what was there before."""
    style: Any = {
        "font.family": "DejaVu Sans",
        "font.size": 7.0,
        "axes.titlesize": 7.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 7.0,
        "xtick.labelsize": 6.5,
        "ytick.labelsize": 6.5,
        "legend.fontsize": 6.5,
        "legend.frameon": False,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=CYCLE),
        "grid.color": "#DDDDDD",
        "grid.linewidth": 0.5,
        "lines.linewidth": 1.2,
        "image.interpolation": "nearest",
        "savefig.dpi": 300,
        "svg.hashsalt": "mondegreen",
        "pdf.fonttype": 42,
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style)
        yield


def colour_bar(figure: Figure, image: AxesImage, axes: Axes, label: str) -> None:
    """Add a slim colour bar to the right of ``axes``, exactly as high as they are."""
    bar = figure.colorbar(image, cax=axes.inset_axes((1.03, 0.0, 0.04, 1.0)), label=label)
    bar.ax.tick_params(length=2.0)
    bar.ax.spines[:].set_visible(False)


def plain(text: str) -> str:
    r"""Return ``text`` so that matplotlib draws it as it is: a dollar sign starts no mathematics.

    Example:
        >>> print(plain("A$AP"))
        A\$AP
    """
    return text.replace("$", r"\$")


def shorten(label: str, longest: int = 14) -> str:
    """Cut a long label for an axis."""
    return plain(label if len(label) <= longest else label[: longest - 1] + "…")


def save_figure(
    figure: Figure, path: Path, formats: tuple[str, ...] = ("png", "svg")
) -> tuple[Path, ...]:
    """Write a figure once a format, atomically; the same figure gives the same bytes.

    Args:
        figure: The figure.
        path: Folder and name; each format appends its suffix.
        formats: Of ``png``, ``svg`` and ``pdf``.

    Returns:
        The files written.

    Raises:
        MondegreenError: A file cannot be written.
    """
    dates = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    written = []
    for kind in formats:
        target = path.with_name(f"{path.name}.{kind}")
        with figure_style(), atomic_write(target) as temporary:
            figure.savefig(os.fspath(temporary), format=kind, metadata=dates[kind])
        written.append(target)
    return tuple(written)
