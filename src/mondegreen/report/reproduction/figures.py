"""Success of a reproduction's generators: the paper's Figs. 4 to 6, and one network beside many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mondegreen.report.matrix_figure import draw_matrix
from mondegreen.report.paper import ReportedSetting
from mondegreen.report.reproduction.generators import GeneratorScores
from mondegreen.report.reproduction.results import KINDS, Reproduction, Setting
from mondegreen.report.results import TargetScore
from mondegreen.report.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    ORANGE,
    PAGE,
    colour_bar,
    figure_style,
    plain,
    shorten,
)

COLOURS = {"single": BLUE, "unified": ORANGE, "spectral": GREEN}
MARKS = {"single": "o", "unified": "s", "spectral": "^"}
BOX = 0.62


def success_matrices(setting: Setting, kinds: Sequence[str]) -> Figure:
    """Draw success by source and target, one panel a kind of generator (the paper's Figs. 4, 5).

    Args:
        setting: One that was measured.
        kinds: Which of its generators; those that are missing are left out.
    """
    measured = setting.measured()
    shown = [kind for kind in kinds if kind in measured]
    many = len(setting.labels) > 10
    with figure_style():
        width = PAGE if len(shown) > 1 or many else COLUMN
        figure = Figure(figsize=(width, 2.95), layout="constrained")
        panels = figure.subplots(1, max(len(shown), 1), sharey=True, squeeze=False)[0]
        for axes, kind in zip(panels, shown, strict=True):
            image = draw_matrix(axes, setting.labels, measured[kind].success_matrix)
            mean = 100 * measured[kind].success_rate
            axes.set_title(f"{KINDS[kind]}: {mean:.1f} % of all pairs")
            if axes is not panels[0]:
                axes.set_ylabel("")
        colour_bar(figure, image, panels[-1], "success rate (%)")
    return figure


def error_rates(reproduction: Reproduction) -> Figure:
    """Draw the error rates over the cells off the diagonal as box plots (the paper's Fig. 6).

    Whiskers end at 1.5 quartile ranges; the paper's range, mean and standard deviation stand in
    grey beside the boxes of the same setting.
    """
    with figure_style():
        figure = Figure(figsize=(COLUMN, 2.75), layout="constrained")
        axes = figure.add_subplot()
        place, ticks, names = 0.0, [], []
        kinds: dict[str, None] = {}
        for setting in reproduction.settings:
            first = place
            if setting.reported is not None:
                _reported_range(axes, place, setting.reported)
                place += 1
            for kind, scores in setting.measured().items():
                if not scores.errors:
                    continue
                _box(axes, place, scores, COLOURS[kind])
                kinds[kind] = None
                place += 1
            if place > first:
                ticks.append((first + place - 1) / 2)
                names.append(plain(setting.key))
                place += 0.6
        axes.set_xticks(ticks, names)
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(-0.7, max(place - 0.9, 0.7))
        axes.set_ylim(bottom=0.0)
        axes.set_ylabel("error rate of a source and target (%)")
        axes.grid(visible=True, axis="y")
        _legend(figure, kinds)
    return figure


def _box(axes: Axes, place: float, scores: GeneratorScores, colour: str) -> None:
    errors = [100 * error for error in scores.errors]
    axes.boxplot(
        [errors],
        positions=[place],
        widths=BOX,
        patch_artist=True,
        showmeans=True,
        boxprops={"facecolor": colour, "alpha": 0.35, "edgecolor": colour, "linewidth": 0.8},
        medianprops={"color": colour, "linewidth": 1.4},
        whiskerprops={"color": colour, "linewidth": 0.8},
        capprops={"color": colour, "linewidth": 0.8},
        meanprops={
            "marker": "D",
            "markersize": 3.0,
            "markerfacecolor": "white",
            "markeredgecolor": "black",
            "markeredgewidth": 0.6,
        },
        flierprops={
            "marker": "o",
            "markersize": 2.4,
            "markerfacecolor": "none",
            "markeredgecolor": colour,
            "markeredgewidth": 0.6,
        },
    )


def _reported_range(axes: Axes, place: float, setting: ReportedSetting) -> None:
    """Draw what section V-B gives: the range, and mean and standard deviation."""
    low, high = (100 * end for end in setting.error_range)
    mean, deviation = 100 * setting.error_mean, 100 * setting.error_deviation
    axes.plot([place, place], [low, high], color=GREY, linewidth=0.8, linestyle=(0, (2, 1.5)))
    for end in (low, high):
        axes.plot([place - 0.18, place + 0.18], [end, end], color=GREY, linewidth=0.8)
    axes.plot([place, place], [mean - deviation, mean + deviation], color=GREY, linewidth=3.0)
    axes.plot(place, mean, marker="D", markersize=3.4, color="white", markeredgecolor="black")


def _legend(figure: Figure, kinds: Sequence[str] | dict[str, None]) -> None:
    handles: list[Patch | Line2D] = [
        Patch(facecolor=COLOURS[kind], alpha=0.5, label=KINDS[kind]) for kind in kinds
    ]
    dashes: tuple[int, tuple[float, float]] = (0, (2, 1.5))
    handles.append(
        Line2D([], [], color=GREY, linestyle=dashes, linewidth=0.8, label="paper, reported: range")
    )
    handles.append(Line2D([], [], color=GREY, linewidth=3.0, label="paper: mean ± std. deviation"))
    diamond: dict[str, Any] = {
        "marker": "D",
        "linestyle": "none",
        "markersize": 3.0,
        "color": "white",
    }
    handles.append(Line2D([], [], markeredgecolor="black", label="mean", **diamond))
    figure.legend(handles=handles, loc="outside upper left", ncols=2, handlelength=1.6)


def by_target(setting: Setting) -> Figure:
    """Draw success and SNR of every target, one mark a kind of generator, and what is reported."""
    measured, labels = setting.measured(), setting.labels
    with figure_style():
        height = 0.95 + 0.17 * max(len(labels), 4)
        figure = Figure(figsize=(COLUMN, height), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        _reported_dots(left, right, setting)
        for number, (kind, scores) in enumerate(measured.items()):
            shift = 0.2 * (number - (len(measured) - 1) / 2)
            found = [scores.per_target.get(label) for label in labels]
            _dots(left, [_success(one) for one in found], kind, shift)
            _dots(right, [_snr(one) for one in found], kind, shift)
        left.set_yticks(range(len(labels)), [shorten(label) for label in labels])
        left.set_ylim(len(labels) - 0.4, -0.6)
        left.set_ylabel("target label")
        left.set_xlabel("success rate (%)")
        right.set_xlabel("SNR, mean (dB)")
        for axes in (left, right):
            axes.grid(visible=True, axis="both")
        handles, names = right.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=2, handlelength=1.0)
    return figure


def _reported_dots(left: Axes, right: Axes, setting: Setting) -> None:
    paper = setting.reported_by_target
    if paper is None:
        return
    found = [paper.target(label) for label in setting.labels]
    success = [
        np.nan if one is None or one.success_rate is None else 100 * one.success_rate
        for one in found
    ]
    snr = [np.nan if one is None else one.snr_db for one in found]
    look: dict[str, Any] = {
        "linestyle": "none",
        "marker": "D",
        "markersize": 4.2,
        "markerfacecolor": "none",
    }
    for axes, values in ((left, success), (right, snr)):
        axes.plot(values, range(len(values)), color=GREY, label="paper, reported", **look)


def _dots(axes: Axes, values: Sequence[float], kind: str, shift: float) -> None:
    axes.plot(
        values,
        np.arange(len(values)) + shift,
        linestyle="none",
        marker=MARKS[kind],
        markersize=3.4,
        color=COLOURS[kind],
        label=KINDS[kind],
    )


def _success(score: TargetScore | None) -> float:
    return np.nan if score is None or score.success_rate is None else 100 * score.success_rate


def _snr(score: TargetScore | None) -> float:
    return np.nan if score is None or score.snr_db is None else score.snr_db
