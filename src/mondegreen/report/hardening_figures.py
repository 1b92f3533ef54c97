"""Before and after hardening as a figure: robustness, targeted success, and what training cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mondegreen.report.comparison_style import COLOURS
from mondegreen.report.hardening_results import Hardened, HardeningResults, Rate
from mondegreen.report.style import GREY, PAGE, figure_style, plain

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")


def hardening_figure(found: HardeningResults) -> Figure:
    """Draw accuracy under attack and targeted success over the ratio, and robustness over cost.

    Lines through marks are rates, vertical lines their 95 % intervals over speakers. In the last
    panel, each mark is an epoch, measured on validation clips.
    """
    panels: list[tuple[str, Callable[[Axes], None]]] = [
        ("untargeted gradient search", lambda axes: _robust(axes, found)),
        ("targeted gradient search", lambda axes: _targeted(axes, found, "pgd targeted")),
    ]
    if any("generator" in one.attacks for one in found.classifiers):
        panels.append(("a generator against it", lambda axes: _targeted(axes, found, "generator")))
    if any(one.training is not None for one in found.after):
        panels.append(("what training costs", lambda axes: _course(axes, found)))
    with figure_style():
        figure = Figure(figsize=(PAGE, 2.4), layout="constrained")
        for axes, (title, draw) in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
        ):
            draw(axes)
            axes.set_title(title, fontweight="normal")
            axes.set_ylim(-2, 102)
            axes.grid(visible=True)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _robust(axes: Axes, found: HardeningResults) -> None:
    for number, one in enumerate(found.classifiers):
        ratios = found.ratios
        _line(axes, ratios, [one.robust(db) for db in ratios], number, one)
        clean = 100 * one.clean.value
        axes.axhline(clean, color=_colour(number), linestyle=":", linewidth=0.7)
    axes.set_ylabel("heard rightly (%)")
    axes.set_xlabel("signal-to-noise ratio (dB)")


def _targeted(axes: Axes, found: HardeningResults, attack: str) -> None:
    for number, one in enumerate(found.classifiers):
        _line(axes, found.ratios, [one.success(db, attack) for db in found.ratios], number, one)
    axes.set_ylabel("heard as the target (%)")
    axes.set_xlabel("signal-to-noise ratio (dB)")


def _course(axes: Axes, found: HardeningResults) -> None:
    for number, one in enumerate(found.classifiers):
        if one.training is None:
            continue
        course = (one.training.before, *one.training.course)
        axes.plot(
            [point.cpu_seconds / 60 for point in course],
            [100 * point.robust for point in course],
            color=_colour(number),
            linewidth=0.8,
            marker=MARKERS[number % len(MARKERS)],
            markersize=2.5,
        )
    axes.set_ylabel("heard rightly under attack (%)")
    axes.set_xlabel("processor time (min)")


def _line(
    axes: Axes, ratios: Sequence[float], rates: Sequence[Rate | None], number: int, one: Hardened
) -> None:
    points = [(db, rate) for db, rate in zip(ratios, rates, strict=True) if rate is not None]
    values = [100 * rate.value for _, rate in points]
    # A bootstrap's interval may end short of the rate by rounding.
    low = [max(0.0, 100 * (rate.value - rate.low)) for _, rate in points]
    high = [max(0.0, 100 * (rate.high - rate.value)) for _, rate in points]
    axes.errorbar(
        [db for db, _ in points],
        values,
        yerr=(low, high),
        color=_colour(number),
        marker=MARKERS[number % len(MARKERS)],
        markersize=3.5,
        elinewidth=0.8,
        label=plain(one.name),
    )


def _colour(number: int) -> str:
    others = [one for one in COLOURS if one != GREY]
    return GREY if number == 0 else others[(number - 1) % len(others)]
