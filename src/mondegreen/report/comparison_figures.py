"""Curves of a comparison: success over budget and over PESQ; and which other curves there are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.comparison_panels import (
    searching,
    success_over_queries,
    success_over_time,
    timed,
)
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_style import (
    MOST_BANDS,
    MOST_LINES,
    Layout,
    colour,
    look,
    success_axis,
    untouched,
)
from mondegreen.report.style import figure_style, plain


def figure_names(comparison: Comparison) -> list[str]:
    """Return the names of the figures that the comparison has the numbers for.

    ``success_over_snr`` needs two budgets in dB or an attack that seeks the smallest perturbation,
    ``success_over_pesq`` a PESQ, ``success_over_time`` a budget in dB under which two attacks were
    timed, ``success_over_queries`` an attack without gradients that counts its queries.
    """
    found = {
        "success_over_snr": len(comparison.budgets_db) > 1 or bool(_smallest(comparison)),
        "success_over_pesq": any(cell.pesq_nb.mean is not None for cell in comparison.cells),
        "success_over_time": bool(timed(comparison)),
        "success_over_queries": bool(searching(comparison)),
    }
    return [name for name, known in found.items() if known]


def draw_comparison(comparison: Comparison) -> dict[str, Figure]:
    """Return the figures of :func:`figure_names`, by name."""
    drawings = {
        "success_over_snr": success_over_snr,
        "success_over_pesq": success_over_pesq,
        "success_over_time": success_over_time,
        "success_over_queries": success_over_queries,
    }
    return {name: drawings[name](comparison) for name in figure_names(comparison)}


def success_over_snr(comparison: Comparison) -> Figure:
    """Draw success over the signal-to-noise ratio that was to be kept, one line an attack.

    Bands are the 95 % intervals of a bootstrap over speakers; beyond seven attacks they would hide
    each other and are left out. Beyond a dozen, of each family those of fewest and most steps are
    shown. An attack that seeks the smallest perturbation has a line of its one run: the share of
    pairs that succeed at a ratio or a better one.
    """
    labels, smallest = _lines(comparison), _smallest(comparison)
    titles = [_title(comparison.of(label)) for label in labels]
    titles += [f"{_title([cell])}, smallest" for cell in smallest]
    layout = Layout.of(titles)
    with figure_style():
        figure = layout.figure()
        axes = figure.add_subplot()
        for place, label in enumerate(labels):
            cells = comparison.of(label)
            x = [cell.budget_db or 0.0 for cell in cells]
            axes.plot(x, [_percent(cell) for cell in cells], label=titles[place], **look(place))
            if len(titles) <= MOST_BANDS:
                _band(axes, cells, place)
        edges = _edges(comparison)
        for place, cell in enumerate(smallest, start=len(labels)):
            _curve(axes, cell, titles[place], place, edges)
        axes.axhline(100 * comparison.baseline_rate, **untouched())
        _ticks(axes, comparison.budgets_db, edges[1])
        margin = 0.04 * (edges[1] - edges[0])
        axes.set_xlim(edges[0] - margin, edges[1] + margin)
        axes.set_xlabel("signal-to-noise ratio kept (dB); quieter to the right")
        success_axis(axes)
        layout.legend(figure, axes)
    return figure


def _band(axes: Axes, cells: Sequence[CellResult], place: int) -> None:
    known = [cell for cell in cells if cell.success_interval is not None]
    ends = [cell.success_interval or (0.0, 1.0) for cell in known]
    axes.fill_between(
        [cell.budget_db or 0.0 for cell in known],
        [100 * low for low, _ in ends],
        [100 * high for _, high in ends],
        color=colour(place),
        alpha=0.12,
        linewidth=0,
    )


def _edges(comparison: Comparison) -> tuple[float, float]:
    """Return the lowest and the highest ratio to show: all budgets, and curves down to a tenth."""
    curves = [cell.over_snr for cell in _smallest(comparison)]
    budgets = list(comparison.budgets_db)
    lowest = budgets[:1] or [db for curve in curves for db, _ in curve]
    shown = []
    for curve in curves:
        few = [db for db, share in curve if share <= 0.1]
        shown.append(min(few) if few else curve[0][0])
    low, high = min(lowest, default=0.0), max([*budgets[-1:], *shown], default=1.0)
    return low, max(high, low + 1.0)


def _ticks(axes: Axes, budgets: Sequence[float], high: float) -> None:
    """Mark the budgets and, where curves go on beyond them, every ten decibels."""
    if not budgets:
        return
    first = 10 * (math.floor(budgets[-1] / 10) + 1)
    ticks = [*budgets, *(float(db) for db in range(first, math.floor(high) + 1, 10))]
    axes.set_xticks(ticks, [f"{db:g}" for db in ticks])


def _curve(
    axes: Axes, cell: CellResult, title: str, place: int, edges: tuple[float, float]
) -> None:
    """Draw the success of smallest perturbations, as far as the axis goes."""
    rising = sorted(cell.over_snr)
    share = {db: 100 * rate for db, rate in rising}
    x = [db for db in share if edges[0] <= db <= edges[1]]
    y = [share[db] for db in x]
    beyond = [rate for db, rate in share.items() if db > edges[1]]
    if rising and rising[0][0] > edges[0]:  # who succeeds at a better ratio does so here too
        x, y = [edges[0], *x], [100 * rising[0][1], *y]
    if beyond and x[-1:] != [edges[1]]:
        x, y = [*x, edges[1]], [*y, beyond[0]]
    every = max(1, len(x) // 8)
    axes.plot(x, y, label=title, markevery=every, **look(place))


def success_over_pesq(comparison: Comparison) -> Figure:
    """Draw success over mean narrow-band PESQ; the budgets of an attack are joined.

    Cells without PESQ are left out. The generator's quietness makes a line of its own, under one
    budget. An attack that seeks the smallest perturbation is a mark.
    """
    heard = [
        [cell for cell in comparison.of(label) if cell.pesq_nb.mean is not None]
        for label in _lines(comparison)
    ]
    heard = [cells for cells in heard if cells]
    single = [[cell] for cell in _smallest(comparison) if cell.pesq_nb.mean is not None]
    dials = _dials(comparison)
    titles = [_title(cells) for cells in heard] + [f"{_title(c)}, smallest" for c in single]
    titles += [f"its quietness, at {cells[0].budget_db:g} dB" for cells in dials]
    layout = Layout.of(titles)
    with figure_style():
        figure = layout.figure()
        axes = figure.add_subplot()
        for place, cells in enumerate([*heard, *single, *dials]):
            x = [cell.pesq_nb.mean or 0.0 for cell in cells]
            axes.plot(x, [_percent(cell) for cell in cells], label=titles[place], **look(place))
        for cell in (heard[0][0], heard[0][-1]) if heard else ():
            _note(axes, cell, f"{cell.budget_db:g} dB", 0)
        for place, cells in enumerate(dials, start=len(heard) + len(single)):
            _note_dial(axes, cells, place)
        axes.axhline(100 * comparison.baseline_rate, **untouched())
        axes.set_xlabel("PESQ nb, mean (P.862, −0.5 to 4.5); less audible to the right")
        success_axis(axes)
        layout.legend(figure, axes)
    return figure


def _note_dial(axes: Axes, cells: Sequence[CellResult], place: int) -> None:
    """Write the quietness beside the marks, where there is room."""
    noted = -math.inf
    for cell in cells:
        quality = cell.pesq_nb.mean or 0.0
        if cell.quietness and quality - noted > 0.06:  # or the labels would overlap
            _note(axes, cell, f"{cell.quietness:g}", place, below=True)
            noted = quality


def _note(axes: Axes, cell: CellResult, text: str, place: int, *, below: bool = False) -> None:
    axes.annotate(
        text,
        (cell.pesq_nb.mean or 0.0, _percent(cell)),
        xytext=(-2, -4) if below else (2, 4),
        textcoords="offset points",
        fontsize=5.5,
        ha="right" if below else "left",
        va="top" if below else "bottom",
        color=colour(place),
    )


def _dials(comparison: Comparison) -> list[list[CellResult]]:
    """Return the cells that differ in quietness only, with the plain one first, by budget."""
    groups: dict[tuple[str, int | None, float], list[CellResult]] = {}
    for cell in comparison.cells:
        known = cell.pesq_nb.mean is not None and cell.budget_db is not None
        if known and cell.family.startswith("generator"):
            groups.setdefault((cell.family, cell.steps, cell.budget_db or 0.0), []).append(cell)
    return [
        sorted(group, key=lambda cell: cell.quietness or 0.0)
        for group in groups.values()
        if len(group) > 1 and any(cell.quietness is not None for cell in group)
    ]


def _smallest(comparison: Comparison) -> list[CellResult]:
    return [cell for cell in comparison.cells if cell.smallest and cell.over_snr]


def _lines(comparison: Comparison) -> list[str]:
    """Return the attacks that get a line: without quietness, and not more than can be told apart.

    Raises no error where many are left: colours then repeat with other marks.
    """
    plain_cells = [cell for cell in comparison.cells if cell.quietness is None]
    labels = dict.fromkeys(c.label for c in plain_cells if c.budget_db is not None)
    if len(labels) + len(_smallest(comparison)) <= MOST_LINES:
        return list(labels)
    kept = []
    for family in dict.fromkeys(cell.family for cell in plain_cells):
        steps = {c.label: c.steps or 0 for c in plain_cells if c.family == family}
        ends = (min(steps, key=lambda k: steps[k]), max(steps, key=lambda k: steps[k]))
        kept += [label for label in dict.fromkeys(ends) if label in labels]
    return kept


def _title(cells: Sequence[CellResult]) -> str:
    return plain(cells[0].title)


def _percent(cell: CellResult) -> float:
    return 100.0 * cell.success_rate
