"""Success against each defence, plain and knowing, and the curves of the detectors."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mondegreen.report.defence_results import DefenceResults, DefenceRow, DefenceUsed, Rates
from mondegreen.report.defence_verdicts import HELD, judge
from mondegreen.report.results import BudgetUsed
from mondegreen.report.style import BLUE, CYCLE, GREY, ORANGE, PAGE, figure_style, plain, shorten


def defence_figure(found: DefenceResults) -> Figure:
    """Draw the strongest plain and the strongest knowing attack on every defence.

    One panel a budget; lines are 95 % intervals over speakers. A grey tick is the accuracy on clips
    that nobody attacked, the dotted line what a defence that holds must not let pass.
    """
    rows = len(found.defences)
    with figure_style():
        figure = Figure(figsize=(PAGE, 1.1 + 0.27 * rows), layout="constrained")
        panels = figure.subplots(1, len(found.budgets), sharey=True, squeeze=False)[0]
        for axes, budget in zip(panels, found.budgets, strict=True):
            _panel(axes, found, budget)
        panels[0].set_yticks(range(rows), [shorten(one.name, 36) for one in found.defences])
        panels[0].set_ylim(rows - 0.5, -0.5)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _panel(axes: Axes, found: DefenceResults, budget: BudgetUsed) -> None:
    axes.scatter(
        [100 * one.clean_accuracy for one in found.defences],
        range(len(found.defences)),
        marker="|",
        s=140,
        color=GREY,
        label="accuracy, nobody attacks",
    )
    plain_ones: list[tuple[float, Rates]] = []
    knowing: list[tuple[float, Rates]] = []
    for line, defence in enumerate(found.defences):
        verdict = judge(found, defence, budget)
        for row, marks, shift in (
            (verdict.plain, plain_ones, -0.16),
            (verdict.knowing, knowing, 0.16),
        ):
            if row is not None:
                marks.append((line + shift, row.cells[defence.name]))
    _marks(axes, plain_ones, BLUE, "o", "strongest plain attack")
    _marks(axes, knowing, ORANGE, "s", "strongest attack that knows the defence")
    axes.axvline(100 * HELD, color=GREY, linewidth=0.6, linestyle=":")
    axes.set_xlim(-2, 102)
    axes.set_xlabel("success, accuracy (%)")
    axes.set_title(plain(str(budget)), fontweight="normal")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def _marks(
    axes: Axes, marks: list[tuple[float, Rates]], colour: str, marker: str, label: str
) -> None:
    rates = [100 * rate.success_rate for _, rate in marks]
    # A bootstrap's interval may end short of the rate by rounding.
    low = [max(0.0, 100 * (r.success_rate - r.success_interval[0])) for _, r in marks]
    high = [max(0.0, 100 * (r.success_interval[1] - r.success_rate)) for _, r in marks]
    axes.errorbar(
        rates,
        [place for place, _ in marks],
        xerr=(low, high),
        fmt=marker,
        color=colour,
        markersize=3.5,
        elinewidth=1.0,
        label=label,
    )


def roc_figure(found: DefenceResults) -> Figure | None:
    """Draw the curves of the detectors, a panel each, one line an attack; None without detectors.

    Solid lines are plain attacks, dashed those that know the detector, under the first budget.
    """
    detectors = [one for one in found.defences if one.alarms is not None]
    if not detectors:
        return None
    with figure_style():
        figure = Figure(figsize=(PAGE, 2.6), layout="constrained")
        panels = figure.subplots(1, len(detectors), sharey=True, squeeze=False)[0]
        for axes, detector in zip(panels, detectors, strict=True):
            _curves(axes, found, detector)
        panels[0].set_ylabel("found (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _curves(axes: Axes, found: DefenceResults, detector: DefenceUsed) -> None:
    for number, row in enumerate(found.meeting(detector, found.budgets[0])):
        seen = row.detections.get(detector.name)
        if seen is None:
            continue
        steps = len(seen.roc) - 1
        axes.plot(
            [100 * step / steps for step in range(steps + 1)],
            [100 * rate for rate in seen.roc],
            color=CYCLE[number % len(CYCLE)],
            linestyle="--" if row.knows == detector.name else "-",
            label=_label(row, detector),
        )
    axes.plot([0, 100], [0, 100], color=GREY, linewidth=0.6, linestyle=":")
    axes.set_xlabel("false alarms (%)")
    axes.set_title(shorten(detector.name, 34), fontweight="normal")


def _label(row: DefenceRow, detector: DefenceUsed) -> str:
    return plain(f"{row.label}, knowing" if row.knows == detector.name else row.label)
