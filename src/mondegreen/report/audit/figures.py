"""The figures of an audit: success and robust accuracy over the ratio, and what gives way."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mondegreen.report.audit.results import AuditResults, Cell
from mondegreen.report.comparison_style import Layout, colour, look, success_axis, untouched
from mondegreen.report.matrix_figure import NUMBERS_UP_TO, draw_matrix
from mondegreen.report.style import COLUMN, PAGE, colour_bar, figure_style

X_LABEL = "signal-to-noise ratio kept (dB); quieter to the right"


def draw_audit(found: AuditResults) -> dict[str, Figure]:
    """Return the figures that there are numbers for, by name."""
    drawn = {}
    if found.of("targeted"):
        drawn["success_over_snr"] = success_over_snr(found)
    if found.of("untargeted"):
        drawn["robust_accuracy"] = robust_accuracy(found)
    if found.confusions is not None:
        drawn["confusions"] = confusions(found)
    return drawn


def success_over_snr(found: AuditResults) -> Figure:
    """Draw how often each attack reaches a chosen label, with 95 % intervals."""
    lines = _lines(found.of("targeted"))
    layout = Layout.of([cells[0].title for cells in lines])
    with figure_style():
        figure = layout.figure()
        axes = figure.add_subplot()
        for place, cells in enumerate(lines):
            x = [cell.budget_db for cell in cells]
            shown = [100 * cell.success for cell in cells]
            axes.plot(x, shown, label=cells[0].title, **look(place))
            low, high = zip(*(cell.interval for cell in cells), strict=True)
            ends = [100 * v for v in low], [100 * v for v in high]
            axes.fill_between(x, *ends, color=colour(place), alpha=0.12, linewidth=0)
        axes.axhline(100 * found.baseline_rate, **untouched())
        _ratio_axis(axes, found)
        success_axis(axes)
        layout.legend(figure, axes)
    return figure


def robust_accuracy(found: AuditResults) -> Figure:
    """Draw how many clips are still heard rightly under attacks that want any mistake."""
    lines = _lines(found.of("untargeted"))
    layout = Layout.of([cells[0].title for cells in lines])
    with figure_style():
        figure = layout.figure()
        axes = figure.add_subplot()
        for place, cells in enumerate(lines):
            x = [cell.budget_db for cell in cells]
            shown = [100 * (1.0 - cell.success) for cell in cells]
            axes.plot(x, shown, label=cells[0].title, **look(place))
            low, high = zip(*(cell.interval for cell in cells), strict=True)
            ends = [100 * (1.0 - v) for v in high], [100 * (1.0 - v) for v in low]
            axes.fill_between(x, *ends, color=colour(place), alpha=0.12, linewidth=0)
        axes.axhline(100 * found.clean_accuracy, **untouched())
        _ratio_axis(axes, found)
        success_axis(axes)
        axes.set_ylabel("clips heard rightly (%)")
        layout.legend(figure, axes)
    return figure


def _ratio_axis(axes: Axes, found: AuditResults) -> None:
    axes.set_xlabel(X_LABEL)
    axes.set_xticks(sorted({cell.budget_db for cell in found.cells}))
    axes.xaxis.set_major_formatter("{x:g}")


def _lines(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Return the cells of each attack, by rising ratio."""
    labels = dict.fromkeys(cell.label for cell in cells)
    return [[cell for cell in cells if cell.label == label] for label in labels]


def confusions(found: AuditResults) -> Figure:
    """Draw which label was turned into which how often."""
    assert found.confusions is not None, "draw_audit asks before"
    labels = found.classifier.labels
    width = COLUMN if len(labels) <= NUMBERS_UP_TO else PAGE
    with figure_style():
        figure = Figure(figsize=(width, 0.85 * width), layout="constrained")
        axes = figure.add_subplot()
        image = draw_matrix(axes, labels, found.confusions.rates)
        colour_bar(figure, image, axes, "success rate (%)")
    return figure
