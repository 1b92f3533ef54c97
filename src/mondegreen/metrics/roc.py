"""How well a score tells two kinds apart: curve, area, and how sure one can be of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def roc_curve(negative: npt.ArrayLike, positive: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the false and the true alarm rates of every threshold, from (0, 0) to (1, 1).

    Args:
        negative: Scores of what is not to be found.
        positive: Scores of what is.

    Example:
        >>> [rates.tolist() for rates in roc_curve([0.0, 1.0], [2.0, 0.5])]
        [[0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0]]
    """
    low, high = _both(negative, positive)
    cuts = np.unique(np.concatenate([low, high]))[::-1]

    def above(scores: Floats) -> Floats:
        ordered = np.sort(scores)
        share: Floats = 1.0 - np.searchsorted(ordered, cuts, side="left") / len(ordered)
        return np.concatenate([[0.0], share])

    return above(low), above(high)


def auc(negative: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """Return the area under the curve: how often a positive outscores a negative (ties half).

    That is the statistic of Mann and Whitney (1947) as a share (Hanley and McNeil 1982).

    Example:
        >>> auc([0.0, 1.0], [2.0, 0.5])
        0.75
    """
    low, high = _both(negative, positive)
    ordered = np.sort(low)
    below = np.searchsorted(ordered, high, side="left")
    through = np.searchsorted(ordered, high, side="right")
    return float((below + through).mean() / (2 * len(low)))


def auc_interval(
    negative: tuple[npt.ArrayLike, npt.ArrayLike],
    positive: tuple[npt.ArrayLike, npt.ArrayLike],
    random: np.random.Generator,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
) -> tuple[float, float]:
    """Return a percentile interval of the area that draws whole groups again (Efron, 1979).

    A speaker is drawn with all of their clips of both kinds; a single one gives (0, 1).

    Args:
        negative: Scores, and the speaker or track of each.
        positive: The same of what is to be found.
        random: Draws the groups.
        confidence: How often the interval is to cover the area.
        resamples: How often to draw; draws without a clip of either kind are left out.

    Example:
        >>> auc_interval(([0.0, 0.1], [1, 2]), ([1.0, 1.1], [1, 2]), np.random.default_rng(0))
        (1.0, 1.0)
    """
    low, high = _both(negative[0], positive[0])
    names = np.concatenate([np.asarray(negative[1]), np.asarray(positive[1])])
    if len(names) != len(low) + len(high):
        raise ValueError("every score needs a group")
    _, member = np.unique(names, return_inverse=True)
    groups = int(member.max()) + 1
    if groups == 1:
        return 0.0, 1.0  # one speaker tells nothing of others
    wins = _wins(low, high)
    areas = []
    for _ in range(resamples):
        times = np.bincount(random.integers(groups, size=groups), minlength=groups)[member]
        first, second = times[: len(low)], times[len(low) :]
        total = first.sum() * second.sum()
        if total:
            areas.append(float(second @ wins @ first) / total)
    if not areas:
        return 0.0, 1.0
    ends = np.quantile(areas, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(ends[0]), float(ends[1])


def _wins(low: Floats, high: Floats) -> Floats:
    """Return for each pair of scores 1 where the positive one is larger, a half where equal."""
    wins: Floats = np.heaviside(high[:, None] - low, 0.5)
    return wins


def _both(negative: npt.ArrayLike, positive: npt.ArrayLike) -> tuple[Floats, Floats]:
    low, high = (np.asarray(one, dtype=np.float64) for one in (negative, positive))
    if not low.size or not high.size or low.ndim != 1 or high.ndim != 1:
        raise ValueError("a curve needs scores of both kinds")
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError("scores must be finite")
    return low, high
