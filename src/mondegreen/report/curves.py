"""Curves over the steps of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mondegreen.errors import MondegreenError
from mondegreen.report.style import COLUMN, figure_style

Row = Mapping[str, float | None]


def training_curves(rows: Sequence[Row]) -> Figure:
    """Draw losses, success and SNR of a training over its steps, from ``metrics.jsonl``.

    Raises:
        MondegreenError: The rows hold none of these.
    """
    found = {name for row in rows for name, value in row.items() if value is not None}
    losses = sorted(
        name
        for name in found
        if name.startswith(("generator/", "discriminator/")) and "gradient" not in name
    )
    success = sorted(name for name in found if name.endswith("/success"))
    snr = sorted(name for name in found if name.endswith("/snr_db"))
    panels = [
        ("loss", losses, 1.0),
        ("success rate (%)", success, 100.0),
        ("SNR (dB)", snr, 1.0),
    ]
    panels = [panel for panel in panels if panel[1]]
    if not panels:
        raise MondegreenError(
            "metrics.jsonl holds no losses, success or SNR yet; train for an epoch first."
        )
    with figure_style():
        figure = Figure(figsize=(COLUMN, 0.5 + 1.5 * len(panels)), layout="constrained")
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (label, names, scale) in zip(grid, panels, strict=True):
            for name in names:
                _curve(axes, rows, name, scale)
            axes.set_ylabel(label)
            axes.grid(visible=True, axis="y")
            above = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.98)}
            axes.legend(**above, ncols=2, handlelength=1.2, borderaxespad=0.0)
            _log_if_wide(axes)
        grid[-1].set_xlabel("step")
        figure.align_ylabels(list(grid))
    return figure


def _curve(axes: Axes, rows: Sequence[Row], name: str, scale: float) -> None:
    points = [(row.get("step"), row.get(name)) for row in rows]
    known = [(step, scale * y) for step, y in points if step is not None and y is not None]
    steps, values = zip(*known, strict=True)
    axes.plot(steps, values, label=name, marker="o" if len(known) < 4 else "", markersize=2.5)


def _log_if_wide(axes: Axes) -> None:
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > 200 * values.min():
        axes.set_yscale("log")
