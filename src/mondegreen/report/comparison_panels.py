"""Curves of a comparison with one panel a budget: success over time and over queries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mondegreen.report.comparison_cells import CellResult, Point, family_title
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_style import (
    Layout,
    colour,
    columns_of_names,
    log_axis,
    look,
    untouched,
)
from mondegreen.report.style import COLUMN, PAGE, figure_style, plain

PANELS_A_ROW = 4
_MOST_NUMBERED = 4  # families whose marks carry their steps; of more, the first and the last do


def success_over_time(comparison: Comparison) -> Figure:
    """Draw success over mean milliseconds a clip at batch 1, one panel a budget, with its front.

    Cells of a family are joined by their steps and labelled with them; pale bars are the 95 %
    intervals of a bootstrap over speakers. Marks are hollow where the time is that of the run
    itself, in batches. The Pareto front joins the cells that no other beats
    in both time and success.
    """
    panels = timed(comparison)
    families = list(dict.fromkeys(cell.family for _, cells in panels for cell in cells))
    titles = [_family_title(family, panels) for family in families]
    with figure_style():
        figure, grid, layout = _grid(titles, len(panels))
        for axes, (db, cells) in zip(grid, panels, strict=False):
            _time_panel(axes, cells, dict(zip(families, titles, strict=True)))
            axes.set_title(f"SNR ≥ {db:g} dB", fontweight="normal")
        times = [_moment(cell)[0] for _, cells in panels for cell in cells]
        log_axis(grid[0], min(times), max(times))
        _label(figure, grid, "mean milliseconds a clip, batch 1 (log scale)")
        handles, names = grid[0].get_legend_handles_labels()
        if any(cell.mean_ms is None for _, cells in panels for cell in cells):
            handles.append(Line2D([], [], **_HOLLOW))
            names.append("hollow: time of the run itself, in batches")
        layout.name(figure, handles, names)
    return figure


def success_over_queries(comparison: Comparison) -> Figure:
    """Draw the share of pairs that have succeeded within so many queries, one panel a budget.

    Attacks are shown that take no gradients and count their queries clip by clip. A line ends where
    the last pair succeeded that did, and goes on level from there.
    """
    cells = searching(comparison)
    budgets = list(dict.fromkeys(str(cell.budget) for cell in cells))
    labels = list(dict.fromkeys(cell.label for cell in cells))
    titles = [plain(next(c.title for c in cells if c.label == label)) for label in labels]
    most = max(max(1.0, cell.over_queries[-1][0]) for cell in cells)
    least = min(max(1.0, cell.over_queries[0][0]) for cell in cells)
    with figure_style():
        figure, grid, layout = _grid(titles, len(budgets))
        for axes, budget in zip(grid, budgets, strict=False):
            for cell in cells:
                if str(cell.budget) == budget:
                    place = labels.index(cell.label)
                    _query_curve(axes, cell, titles[place], place, most)
            axes.axhline(100 * comparison.baseline_rate, **untouched())
            axes.set_title(plain(budget), fontweight="normal")
        log_axis(grid[0], least, most)
        _label(figure, grid, "queries a clip (log scale)")
        handles = [Line2D([], [], **look(place)) for place in range(len(titles))]
        still = untouched()
        name = str(still.pop("label"))
        layout.name(figure, [*handles, Line2D([], [], **still)], [*titles, name])
    return figure


def searching(comparison: Comparison) -> list[CellResult]:
    """Return the cells of attacks that only query, and count it."""
    return [
        cell
        for cell in comparison.cells
        if cell.over_queries and not cell.gradients and cell.kind != "generator"
    ]


def timed(comparison: Comparison) -> list[tuple[float, list[CellResult]]]:
    """Return the timed cells of every budget in dB that has at least two, without quietness."""
    found = []
    for db in comparison.budgets_db:
        cells = [cell for cell in comparison.cells if cell.budget_db == db and not cell.quietness]
        cells = [cell for cell in cells if cell.clip_ms]
        if len(cells) > 1:
            found.append((db, cells))
    return found


def _grid(titles: Sequence[str], count: int) -> tuple[Figure, list[Axes], Layout]:
    """Return a figure with so many panels, alike in their axes, and where the names stand."""
    across = min(count, PANELS_A_ROW)
    down = math.ceil(count / across)
    # Beside two narrow panels long names have room; more panels take the width, names the height.
    layout = Layout.of(titles) if count == 1 else Layout(beside=False)
    width = PAGE if across > 2 or layout.beside or len(titles) > 4 else COLUMN
    rows_of_names = 0 if layout.beside else (len(titles) + 2) // columns_of_names(width, titles)
    height = 0.55 + (2.6 if count == 1 else 1.75) * down + 0.12 * rows_of_names
    figure = Figure(figsize=(width, height), layout="constrained")
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    for axes in grid.flat[:count]:
        axes.xaxis.set_tick_params(labelbottom=True)
        axes.grid(visible=True, axis="y")
    grid[0, 0].set_ylim(-2, 108)
    for axes in grid[:, 0]:
        axes.set_ylabel("success rate (%)")
    return figure, list(grid.flat[:count]), layout


def _label(figure: Figure, grid: Sequence[Axes], text: str) -> None:
    """Name the horizontal axis: of the one panel, or of all of them."""
    if len(grid) == 1:
        grid[0].set_xlabel(text)
    else:
        figure.supxlabel(text, fontsize=7)


_LABEL = 6.0  # percent that a number beside a mark is high
_INTERVAL: dict[str, Any] = {"linewidth": 2.0, "alpha": 0.25, "zorder": 2}
_FRONT: dict[str, Any] = {"color": "#BBBBBB", "linewidth": 3.0}
_HOLLOW: dict[str, Any] = {
    "color": "#4D4D4D",
    "linestyle": "none",
    "marker": "o",
    "markersize": 4.0,
    "markeredgewidth": 0.8,
    "markerfacecolor": "white",
}


def _time_panel(axes: Axes, cells: Sequence[CellResult], families: Mapping[str, str]) -> None:
    """Draw the cells of one budget; a family without a cell has a line without points."""
    taken: list[Point] = []
    for place, (family, title) in enumerate(families.items()):
        mine = sorted((c for c in cells if c.family == family), key=lambda cell: cell.steps or 0)
        points = [_moment(cell) for cell in mine]
        x, y = ([point[axis] for point in points] for axis in (0, 1))
        style = look(place)
        axes.plot(x, y, label=title, zorder=3, **style)
        for cell, moment in zip(mine, x, strict=True):
            if cell.success_interval is not None:
                low, high = (100 * end for end in cell.success_interval)
                axes.vlines(moment, low, high, color=style["color"], **_INTERVAL)
        own = [point for cell, point in zip(mine, points, strict=True) if cell.mean_ms is None]
        for point in own:
            hollow = {**style, **_HOLLOW, "color": style["color"], "marker": style["marker"]}
            axes.plot(*point, zorder=4, **hollow)
        if len({cell.steps for cell in mine}) > 1:
            _number(axes, mine, points, place, taken, ends=len(families) > _MOST_NUMBERED)
    front = pareto_front([_moment(cell) for cell in cells])
    front.append((1e9, front[-1][1]))  # nothing that takes longer is better
    x, y = ([point[axis] for point in front] for axis in (0, 1))
    axes.step(x, y, where="post", zorder=1, label="Pareto front", **_FRONT)


def _number(
    axes: Axes,
    cells: Sequence[CellResult],
    points: Sequence[Point],
    place: int,
    taken: list[Point],
    *,
    ends: bool,
) -> None:
    """Write the steps beside the marks, as far as there is room between those ``taken`` already."""
    below = place % 2 == 1
    lift = -_LABEL if below else _LABEL
    some = _apart(cells, points)
    if ends:
        some = some[:1] + some[1:][-1:]
    for cell, point in some:
        spot = (point[0], point[1] + lift)
        if any(_crowd(spot, other) for other in taken):
            continue
        taken.append(spot)
        axes.annotate(
            str(cell.steps or 0),
            point,
            xytext=(0, -3 if below else 3),
            textcoords="offset points",
            fontsize=5,
            ha="center",
            va="top" if below else "bottom",
            color=colour(place),
        )


def _apart(cells: Sequence[CellResult], points: Sequence[Point]) -> list[tuple[CellResult, Point]]:
    """Return the points whose labels do not fall on one another; the last of a crowd has its own.

    Points are (milliseconds, success in percent).
    """
    kept: list[tuple[CellResult, Point]] = []
    for cell, point in reversed(list(zip(cells, points, strict=True))):
        if not any(_crowd(point, other) for _, other in kept):
            kept.append((cell, point))
    return kept[::-1]


def _crowd(one: Point, other: Point) -> bool:
    near = abs(math.log10(one[0] / other[0])) < 0.07
    return near and abs(one[1] - other[1]) < _LABEL


def _family_title(family: str, panels: Sequence[tuple[float, list[CellResult]]]) -> str:
    """Return a family's name: with ``k steps`` where a panel shows several numbers of steps."""
    shown = [[cell for cell in cells if cell.family == family] for _, cells in panels]
    if any(len({cell.steps for cell in mine}) > 1 for mine in shown):
        joint = " +" if family.startswith("generator") else ","
        return plain(family_title(family)) + f"{joint} k steps"
    return plain(next(mine[0].title for mine in shown if mine))


def _query_curve(axes: Axes, cell: CellResult, title: str, place: int, most: float) -> None:
    x = [max(1.0, queries) for queries, _ in cell.over_queries]
    y = [100 * share for _, share in cell.over_queries]
    style = look(place)
    every = max(1, len(x) // 6)
    axes.plot([x[0], *x], [0.0, *y], label=title, markevery=(1, every), **style)
    level = {**style, "marker": "", "alpha": 0.5}
    axes.plot([x[-1], 2.0 * most], [y[-1], y[-1]], **level)


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


def _moment(cell: CellResult) -> Point:
    return cell.clip_ms or math.nan, 100.0 * cell.success_rate
