"""Success through channels: one row a channel, one mark an attack, with intervals."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mondegreen.report.channel_results import ChannelResults, ChannelRow
from mondegreen.report.results import BudgetUsed
from mondegreen.report.style import CYCLE, GREY, PAGE, figure_style, plain, shorten

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""As many as colours, so that attacks can be told apart without them."""

DIRECT = "none"
"""The row of the clips as they are made."""


def channel_figure(found: ChannelResults) -> Figure:
    """Draw the success of every attack through every channel, one panel a budget.

    Marks are rates, lines their 95 % intervals over speakers. A grey tick is how often the
    untouched clips succeed after the channel.
    """
    attacks = list(dict.fromkeys(row.label for row in found.rows))
    height = 0.16 * (len(attacks) + 1)
    rows = len(found.channels) + 1
    with figure_style():
        figure = Figure(figsize=(PAGE, 0.9 + height * rows), layout="constrained")
        panels = figure.subplots(1, len(found.budgets), sharey=True, squeeze=False)[0]
        for axes, budget in zip(panels, found.budgets, strict=True):
            _panel(axes, found, budget, attacks)
        names = [DIRECT, *(channel.name for channel in found.channels)]
        panels[0].set_yticks(range(rows), [shorten(name, 34) for name in names])
        panels[0].set_ylim(rows - 0.5, -0.5)
        panels[0].set_ylabel("channel")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _panel(axes: Axes, found: ChannelResults, budget: BudgetUsed, attacks: list[str]) -> None:
    """Draw the rows of one budget."""
    baselines = [found.baseline_rate, *(one.baseline_rate for one in found.channels)]
    axes.scatter(
        [100 * rate for rate in baselines],
        range(len(baselines)),
        marker="|",
        s=140,
        color=GREY,
        linewidths=1.0,
        label="doing nothing",
    )
    by_label = {row.label: row for row in found.under(budget)}
    for number, label in enumerate(attacks):
        place = 0.7 * ((number + 0.5) / len(attacks) - 0.5)
        row = by_label.get(label)
        if row is not None:
            _attack(axes, row, place, number)
    for line in range(1, len(baselines)):
        axes.axhline(line - 0.5, color="#DDDDDD", linewidth=0.5, zorder=0)
    axes.set_xlim(-2, 102)
    axes.set_xlabel("success (%)")
    axes.set_title(plain(str(budget)), fontweight="normal")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def _attack(axes: Axes, row: ChannelRow, place: float, number: int) -> None:
    """Draw one attack's marks, a little above or below the middle of each row."""
    points = [(row.success_rate, row.success_interval)]
    points += [(cell.success_rate, cell.success_interval) for cell in row.cells]
    rates = [100 * rate for rate, _ in points]
    ends = [(rate, rate) if found is None else found for rate, found in points]
    # A bootstrap's interval may end short of the rate by rounding.
    low = [max(0.0, rate - 100 * end) for rate, (end, _) in zip(rates, ends, strict=True)]
    high = [max(0.0, 100 * end - rate) for rate, (_, end) in zip(rates, ends, strict=True)]
    axes.errorbar(
        rates,
        [line + place for line in range(len(rates))],
        xerr=(low, high),
        fmt=MARKERS[number % len(MARKERS)],
        color=CYCLE[number % len(CYCLE)],
        markersize=3.5,
        elinewidth=1.0,
        label=plain(row.label),
    )
