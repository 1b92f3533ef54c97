"""The ablation in pictures: training under each choice of losses (the paper's Figs. 8 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mondegreen.report.paper import ABLATION, COLLAPSE_STEP
from mondegreen.report.reproduction.sounds import Wave, energy_in_tenth, existing, read_pair
from mondegreen.report.reproduction.trainings import READINGS, VARIANTS, Ablation, Training
from mondegreen.report.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    ORANGE,
    PAGE,
    PURPLE,
    YELLOW,
    figure_style,
    plain,
)
from mondegreen.report.waves import draw_envelope

FloatArray = npt.NDArray[np.float64]
Files = dict[tuple[str, str], tuple[Path, Path]]
"""A clip before and after, by variant and reading."""
COLOURS = {
    "hinge": ORANGE,
    "l2": GREEN,
    "both": BLUE,
    "no-discriminator": PURPLE,
    "no-warm-up": YELLOW,
}
DASHES: dict[str, str | tuple[int, tuple[float, ...]]] = {
    "hinge": (0, (4, 1.2)),
    "l2": (0, (1, 1)),
    "both": "-",
    "no-discriminator": (0, (5, 1, 1, 1)),
    "no-warm-up": (0, (3, 1, 1, 1, 1, 1)),
}
PICTURED = ("hinge", "l2", "both")
"""The losses whose perturbations the paper's Fig. 8 shows, from (b) to (d)."""


def training_by_losses(ablation: Ablation) -> Figure:
    """Draw training success and generator loss over steps (the paper's Fig. 9).

    One column a reading of eq. 9. Thick lines are means over the seeds, thin ones single seeds,
    bands their range. The paper's best values stand at the right edge of the upper row.
    """
    readings = ablation.readings
    with figure_style():
        width = PAGE if len(readings) > 1 else COLUMN
        figure = Figure(figsize=(width, 3.5), layout="constrained")
        grid = figure.subplots(2, len(readings), sharex=True, sharey="row", squeeze=False)
        for column, reading in enumerate(readings):
            upper, lower = grid[0, column], grid[1, column]
            _column(upper, lower, ablation, reading)
            upper.set_title(f"eq. 9 as {READINGS[reading]}")
            lower.set_xlabel("step")
        last = max((one.steps for one in ablation.trainings), default=1)
        for axes in grid[0]:
            _reported(axes, last)
        grid[0, 0].set_ylabel("training success (%)")
        grid[1, 0].set_ylabel("generator loss")
        _log_if_positive(grid[1])
        figure.align_ylabels(grid[:, 0])
        handles: dict[str, Artist] = {}
        for axes in grid[0]:
            for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
                handles.setdefault(name, handle)
        figure.legend(
            list(handles.values()),
            list(handles),
            loc="outside upper left",
            ncols=4 if len(readings) > 1 else 2,
            handlelength=2.6,
        )
    return figure


def _column(upper: Axes, lower: Axes, ablation: Ablation, reading: str) -> None:
    for variant in VARIANTS:
        trainings = ablation.of(variant, reading)
        for axes, name, scale in ((upper, "train/success", 100.0), (lower, "generator/total", 1.0)):
            _lines(axes, trainings, variant, name, scale)
    for axes in (upper, lower):
        axes.grid(visible=True)
        axes.axvline(COLLAPSE_STEP, color=GREY, linewidth=0.7, linestyle=":")
    upper.set_ylim(-2, 103)


def _lines(
    axes: Axes, trainings: Sequence[Training], variant: str, name: str, scale: float
) -> None:
    curves = [points for one in trainings if (points := one.points(name))]
    if not curves:
        return
    look: dict[str, Any] = {"color": COLOURS[variant], "linestyle": DASHES[variant]}
    if len(curves) > 1:
        for points in curves:
            steps, values = np.array(points).T
            axes.plot(steps, scale * values, color=COLOURS[variant], linewidth=0.35, alpha=0.6)
    steps, values = over_seeds(curves)
    values = scale * values
    axes.plot(steps, values.mean(axis=0), label=VARIANTS[variant], **look)
    if len(curves) > 1:
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(steps, low, high, color=COLOURS[variant], alpha=0.14, linewidth=0)


def over_seeds(curves: Sequence[Sequence[tuple[float, float]]]) -> tuple[FloatArray, FloatArray]:
    """Return common steps, and the curves' values there, ``(seed, step)``, by straight lines.

    Only the range that all curves cover is returned.

    Example:
        >>> over_seeds([[(0, 0.0), (2, 1.0)], [(1, 3.0), (2, 4.0)]])[1].tolist()
        [[0.5, 1.0], [3.0, 4.0]]
    """
    arrays = [np.array(sorted(points), dtype=np.float64).T for points in curves]
    first = max(array[0, 0] for array in arrays)
    last = min(array[0, -1] for array in arrays)
    every = np.unique(np.concatenate([array[0] for array in arrays]))
    steps = every[(every >= first) & (every <= last)]
    if steps.size == 0:  # one seed ended before another began
        steps = np.array([last])
    return steps, np.stack([np.interp(steps, array[0], array[1]) for array in arrays])


def _reported(axes: Axes, last: float) -> None:
    """Mark the paper's best values at the right edge, and where it saw the collapse."""
    axes.set_xlim(0, 1.06 * max(last, 1))
    for one in ABLATION:
        axes.plot(
            1.03 * last,
            100 * one.best,
            marker="D",
            markersize=4.0,
            markerfacecolor="none",
            markeredgecolor=COLOURS[one.variant],
            linestyle="none",
            label=f"paper, reported best: {VARIANTS[one.variant]}",
            clip_on=False,
        )
    if last > COLLAPSE_STEP:
        axes.annotate(
            "paper: collapse",
            (COLLAPSE_STEP, 2),
            xytext=(2, 0),
            textcoords="offset points",
            fontsize=5.5,
            color=GREY,
        )


def _log_if_positive(row: Sequence[Axes]) -> None:
    values = [np.asarray(line.get_ydata(), float) for axes in row for line in axes.lines[:]]
    curves = [found for found in values if found.size > 2]
    low = min((float(found.min()) for found in curves), default=0.0)
    high = max((float(found.max()) for found in curves), default=0.0)
    if low > 0 and high > 20 * low:
        for axes in row:
            axes.set_yscale("log")


def pictured(ablation: Ablation, folder: Path | None) -> Files:
    """Return the files of one example a variant and reading: of the first seed that has one."""
    found: Files = {}
    for reading in ablation.readings:
        for variant in PICTURED:
            for one in sorted(ablation.of(variant, reading), key=lambda one: one.seed):
                files = existing(folder, one.example) if one.example else None
                if files:
                    found.setdefault((variant, reading), files)
    return found


def perturbations(ablation: Ablation, files: Files) -> Figure:
    """Draw a clip and its perturbations by hinge, L2 and both (the paper's Fig. 8).

    One column a reading of eq. 9. Each perturbation has a scale of its own, since the paper's
    question is where the noise lies; its title has the share of energy in the loudest tenth of its
    samples.

    Args:
        ablation: Whose examples they are.
        files: What :func:`pictured` found: one example at least.

    Raises:
        MondegreenError: A sound is damaged.
    """
    readings = [name for name in ablation.readings if any(name == r for _, r in files)]
    with figure_style():
        width = PAGE if len(readings) > 1 else COLUMN
        figure = Figure(figsize=(width, 4.2), layout="constrained")
        parts = figure.subfigures(1, len(readings), squeeze=False)[0]
        for part, reading in zip(parts, readings, strict=True):
            part.suptitle(f"eq. 9 as {READINGS[reading]}", fontsize=7.5)
            panels = part.subplots(1 + len(PICTURED), 1, sharex=True)
            _perturbations(panels, files, reading, ablation)
            part.align_ylabels(panels)
    return figure


def _perturbations(
    panels: Sequence[Axes],
    files: Files,
    reading: str,
    ablation: Ablation,
) -> None:
    panels[-1].set_xlabel("time (s)")
    panels[0].set_title(f"(a) original “{plain(ablation.source)}”")
    drawn = False
    for axes in panels:
        axes.set_ylabel("amplitude")
    for axes, variant, letter in zip(panels[1:], PICTURED, "bcd", strict=True):
        found = files.get((variant, reading))
        title = f"({letter}) {VARIANTS[variant]}"
        if found is None:
            axes.set_title(title)
            axes.text(0.5, 0.5, "not in this run", ha="center", transform=axes.transAxes)
            continue
        x, x_adv, rate = read_pair(found)
        if not drawn:
            draw_envelope(panels[0], x, rate, BLUE)
            drawn = True
        delta = x_adv - x
        draw_envelope(axes, delta, rate, COLOURS[variant], limit=_limit(delta))
        axes.set_title(f"{title}{_share(delta)}")


def _limit(delta: Wave) -> float:
    return 1.08 * max(float(np.abs(delta).max()), 1e-4)


def _share(delta: Wave) -> str:
    share = energy_in_tenth(delta)
    return "" if share is None else f": {100 * share:.0f} % of the energy in a tenth"
