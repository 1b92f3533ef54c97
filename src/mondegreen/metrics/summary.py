"""Statistics of a measure over many pairs."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import numpy.typing as npt


class Summary(TypedDict):
    """Statistics of the finite values, and how many values there were."""

    mean: float | None
    median: float | None
    min: float | None
    failed: int
    pairs: int


def summarize(values: npt.ArrayLike) -> Summary:
    """Return mean, median and worst of the finite values; the others are counted, not averaged.

    For all measures here less is worse, so ``min`` is the worst pair.

    Args:
        values: One number a pair; NaN where the measure failed. An infinite value (the
            signal-to-noise ratio of a clip left alone) counts as failed as well: it has no mean.

    Returns:
        ``mean``, ``median`` and ``min`` (None where no value is finite), ``failed`` (how many are
        not finite) and ``pairs`` (how many values in all). Ready for JSON.

    Example:
        >>> summarize([1.0, 2.0, 6.0, float("nan")])
        {'mean': 3.0, 'median': 2.0, 'min': 1.0, 'failed': 1, 'pairs': 4}
    """
    every = np.asarray(values, dtype=np.float64).ravel()
    finite = every[np.isfinite(every)]
    some = finite.size > 0
    return {
        "mean": float(finite.mean()) if some else None,
        "median": float(np.median(finite)) if some else None,
        "min": float(finite.min()) if some else None,
        "failed": int(every.size - finite.size),
        "pairs": int(every.size),
    }
