"""Curves of a comparison: success over budget, over PESQ and over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mondegreen.report.comparison_results import CellResult, Comparison, family_title
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
    figure_style,
    plain,
)

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, GREY)
MARKERS = "osD^vPX"
DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", "--", "-.", (0, (4, 1, 1, 1)), ":")
"""Colour, mark and dash change together, so lines are told apart in any vision and in print."""

MOST_LINES = len(COLOURS)
PANELS_A_ROW = 4
Point = tuple[float, float]


def draw_comparison(comparison: Comparison) -> dict[str, Figure]:
    """Return the figures that the comparison has the numbers for, by name.

    ``success_over_snr`` needs two budgets in dB, ``success_over_pesq`` a PESQ,
    ``success_over_time`` a budget in dB under which two attacks were timed.
    """
    figures: dict[str, Figure] = {}
    if len(comparison.budgets_db) > 1:
        figures["success_over_snr"] = success_over_snr(comparison)
    if any(cell.pesq_nb.mean is not None for cell in comparison.cells):
        figures["success_over_pesq"] = success_over_pesq(comparison)
    if _timed(comparison):
        figures["success_over_time"] = success_over_time(comparison)
    return figures


def success_over_snr(comparison: Comparison) -> Figure:
    """Draw success over the signal-to-noise ratio that was to be kept, one line an attack.

    Bands are the 95 % intervals of a bootstrap over speakers. Beyond seven attacks, of each family
    those of fewest and most steps are shown.
    """
    with figure_style():
        figure = Figure(figsize=(COLUMN, 2.9), layout="constrained")
        axes = figure.add_subplot()
        for place, label in enumerate(_lines(comparison)):
            cells = comparison.of(label)
            x = [cell.budget_db or 0.0 for cell in cells]
            axes.plot(x, [_percent(cell) for cell in cells], label=_title(cells), **_look(place))
            known = [cell for cell in cells if cell.success_interval is not None]
            ends = [cell.success_interval or (0.0, 1.0) for cell in known]
            axes.fill_between(
                [cell.budget_db or 0.0 for cell in known],
                [100 * low for low, _ in ends],
                [100 * high for _, high in ends],
                color=COLOURS[place % len(COLOURS)],
                alpha=0.12,
                linewidth=0,
            )
        axes.axhline(100 * comparison.baseline_rate, **_untouched())
        axes.set_xticks(comparison.budgets_db, [f"{db:g}" for db in comparison.budgets_db])
        axes.set_xlabel("signal-to-noise ratio kept (dB); quieter to the right")
        _finish(figure, axes)
    return figure


def success_over_pesq(comparison: Comparison) -> Figure:
    """Draw success over mean narrow-band PESQ; the budgets of an attack are joined.

    Cells without PESQ are left out. The generator's quietness makes a line of its own, under one
    budget.
    """
    with figure_style():
        figure = Figure(figsize=(COLUMN, 2.9), layout="constrained")
        axes = figure.add_subplot()
        place = 0
        for label in _lines(comparison):
            cells = [cell for cell in comparison.of(label) if cell.pesq_nb.mean is not None]
            if cells:
                _joined(axes, cells, _title(cells), place)
                for cell in (cells[0], cells[-1]) if place == 0 else ():
                    _note(axes, cell, f"{cell.budget_db:g} dB", place)
                place += 1
        for cells in _dials(comparison):
            _joined(axes, cells, f"its quietness, at {cells[0].budget_db:g} dB", place)
            noted = -math.inf
            for cell in cells:
                quality = cell.pesq_nb.mean or 0.0
                if cell.quietness and quality - noted > 0.06:  # or the labels would overlap
                    _note(axes, cell, f"{cell.quietness:g}", place, below=True)
                    noted = quality
            place += 1
        axes.axhline(100 * comparison.baseline_rate, **_untouched())
        axes.set_xlabel("PESQ nb, mean (P.862, −0.5 to 4.5); less audible to the right")
        _finish(figure, axes)
    return figure


def _joined(axes: Axes, cells: Sequence[CellResult], title: str, place: int) -> None:
    x = [cell.pesq_nb.mean or 0.0 for cell in cells]
    axes.plot(x, [_percent(cell) for cell in cells], label=title, **_look(place))


def _note(axes: Axes, cell: CellResult, text: str, place: int, *, below: bool = False) -> None:
    axes.annotate(
        text,
        (cell.pesq_nb.mean or 0.0, _percent(cell)),
        xytext=(-2, -4) if below else (2, 4),
        textcoords="offset points",
        fontsize=5.5,
        ha="right" if below else "left",
        va="top" if below else "bottom",
        color=COLOURS[place % len(COLOURS)],
    )


def _dials(comparison: Comparison) -> list[list[CellResult]]:
    """Return the cells that differ in quietness only, with the plain one first, by budget."""
    groups: dict[tuple[str, int | None, float], list[CellResult]] = {}
    for cell in comparison.cells:
        if cell.pesq_nb.mean is not None and cell.budget_db is not None:
            groups.setdefault((cell.family, cell.steps, cell.budget_db), []).append(cell)
    groups = {
        key: [cell for cell in group if cell.family.startswith("generator")]
        for key, group in groups.items()
    }
    return [
        sorted(group, key=lambda cell: cell.quietness or 0.0)
        for group in groups.values()
        if len(group) > 1 and any(cell.quietness is not None for cell in group)
    ]


def success_over_time(comparison: Comparison) -> Figure:
    """Draw success over mean milliseconds a clip at batch 1, one panel a budget, with its front.

    Cells of a family are joined by their steps and labelled with them. The Pareto front joins the
    cells that no other beats in both time and success.
    """
    panels = _timed(comparison)
    families = list(dict.fromkeys(cell.family for _, cells in panels for cell in cells))
    count = len(panels)
    across = min(count, PANELS_A_ROW)
    down = math.ceil(count / across)
    with figure_style():
        width = PAGE if across > 2 else COLUMN
        figure = Figure(figsize=(width, 0.55 + 1.75 * down), layout="constrained")
        grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        for axes, (db, cells) in zip(grid.flat, panels, strict=False):
            _time_panel(axes, cells, families)
            axes.set_title(f"SNR ≥ {db:g} dB", fontweight="normal")
            axes.xaxis.set_tick_params(labelbottom=True)
        for axes in grid.flat[count:]:
            axes.set_visible(False)
        _log_axis(grid[0, 0], [_moment(cell)[0] for _, cells in panels for cell in cells])
        grid[0, 0].set_ylim(-2, 108)
        for axes in grid[:, 0]:
            axes.set_ylabel("success rate (%)")
        figure.supxlabel("mean milliseconds a clip, batch 1 (log scale)", fontsize=7)
        handles, names = grid[0, 0].get_legend_handles_labels()
        figure.legend(
            handles, names, loc="outside upper center", ncols=min(4, len(names)), handlelength=3.0
        )
    return figure


def _timed(comparison: Comparison) -> list[tuple[float, list[CellResult]]]:
    """Return the timed cells of every budget that has at least two, without quietness."""
    found = []
    for db in comparison.budgets_db:
        cells = [cell for cell in comparison.cells if cell.budget_db == db and not cell.quietness]
        cells = [cell for cell in cells if cell.mean_ms]
        if len(cells) > 1:
            found.append((db, cells))
    return found


def _apart(
    cells: Sequence[CellResult], points: Sequence[tuple[float, float]]
) -> list[tuple[CellResult, tuple[float, float]]]:
    """Return the points whose labels do not fall on one another; the last of a crowd has its own.

    Points are (milliseconds, success in percent).
    """
    kept: list[tuple[CellResult, tuple[float, float]]] = []
    for cell, point in reversed(list(zip(cells, points, strict=True))):
        crowd = any(
            abs(math.log10(point[0] / other[0])) < 0.07 and abs(point[1] - other[1]) < 6.0
            for _, other in kept
        )
        if not crowd:
            kept.append((cell, point))
    return kept[::-1]


def _time_panel(axes: Axes, cells: Sequence[CellResult], families: Sequence[str]) -> None:
    for place, family in enumerate(families):
        mine = sorted((c for c in cells if c.family == family), key=lambda cell: cell.steps or 0)
        stepped = len({cell.steps for cell in mine}) > 1
        points = [_moment(cell) for cell in mine]
        joint = " +" if family.startswith("generator") else ","
        several = plain(family_title(family)) + f"{joint} k steps"
        title = several if stepped or not mine else _title(mine)
        x, y = ([point[axis] for point in points] for axis in (0, 1))
        axes.plot(x, y, label=title, zorder=3, **_look(place))
        for cell, point in _apart(mine, points) if stepped else ():
            below = place % 2 == 1
            axes.annotate(
                str(cell.steps or 0),
                point,
                xytext=(0, -3 if below else 3),
                textcoords="offset points",
                fontsize=5,
                ha="center",
                va="top" if below else "bottom",
                color=COLOURS[place % len(COLOURS)],
            )
    front = pareto_front([_moment(cell) for cell in cells])
    front.append((1e9, front[-1][1]))  # nothing that takes longer is better
    x, y = ([point[axis] for point in front] for axis in (0, 1))
    axes.step(x, y, where="post", color="#BBBBBB", linewidth=3.0, zorder=1, label="Pareto front")
    axes.grid(visible=True, axis="y")


def _log_axis(axes: Axes, times: Sequence[float]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(min(times) / 1.4, max(times) * 1.4)
    wide = max(times) > 100 * min(times)
    axes.xaxis.set_major_locator(LogLocator(10, (1.0,) if wide else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """Return the points (time, success) that no other beats in both, by rising time.

    Example:
        >>> pareto_front([(1.0, 50.0), (2.0, 40.0), (3.0, 90.0), (3.0, 80.0)])
        [(1.0, 50.0), (3.0, 90.0)]
    """
    front: list[Point] = []
    for time, success in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or success > front[-1][1]:
            front.append((time, success))
    return front


def _lines(comparison: Comparison) -> list[str]:
    """Return the attacks that get a line: without quietness, and not more than can be told apart.

    Raises no error where many are left: colours then repeat with other marks.
    """
    plain_cells = [cell for cell in comparison.cells if cell.quietness is None]
    labels = dict.fromkeys(c.label for c in plain_cells if c.budget_db is not None)
    if len(labels) <= MOST_LINES:
        return list(labels)
    kept = []
    for family in dict.fromkeys(cell.family for cell in plain_cells):
        steps = {c.label: c.steps or 0 for c in plain_cells if c.family == family}
        ends = (min(steps, key=lambda k: steps[k]), max(steps, key=lambda k: steps[k]))
        kept += [label for label in dict.fromkeys(ends) if label in labels]
    return kept


def _title(cells: Sequence[CellResult]) -> str:
    return plain(cells[0].title)


def _look(place: int) -> dict[str, Any]:
    return {
        "color": COLOURS[place % len(COLOURS)],
        "marker": MARKERS[place % len(MARKERS)],
        "linestyle": DASHES[place % len(DASHES)],
        "markersize": 3.0,
    }


def _untouched() -> dict[str, Any]:
    return {"color": "#888888", "linestyle": ":", "linewidth": 0.8, "label": "untouched clips"}


def _percent(cell: CellResult) -> float:
    return 100.0 * cell.success_rate


def _moment(cell: CellResult) -> Point:
    return cell.mean_ms or math.nan, _percent(cell)


def _finish(figure: Figure, axes: Axes) -> None:
    axes.set_ylim(-2, 103)
    axes.set_ylabel("success rate (%)")
    axes.grid(visible=True)
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=2, handlelength=3.0)
