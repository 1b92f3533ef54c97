"""Waveforms in figures, drawn by their envelope: as the eye sees them, and small as a file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

COLUMNS = 400
"""Of a panel: at 300 dots an inch, a panel of 1.3 inches has no more."""


def draw_envelope(
    axes: Axes,
    x: npt.NDArray[np.float64],
    sample_rate: int,
    colour: str,
    *,
    limit: float | None = None,
) -> None:
    """Draw least and greatest amplitude of each of 400 stretches.

    Args:
        axes: Where.
        x: One waveform, ``(time,)``.
        sample_rate: In Hz.
        colour: Of the area.
        limit: Amplitude at the upper edge; by default just above the greatest.
    """
    parts = np.array_split(x, min(COLUMNS, x.size))
    times = np.linspace(0.0, x.size / sample_rate, len(parts))
    low, high = (np.array([end(part) for part in parts]) for end in (np.min, np.max))
    axes.fill_between(times, low, high, color=colour, linewidth=0.35)
    axes.set_xlim(0.0, x.size / sample_rate)
    top = limit if limit is not None else 1.05 * max(float(np.abs(x).max()), 1e-3)
    axes.set_ylim(-top, top)
