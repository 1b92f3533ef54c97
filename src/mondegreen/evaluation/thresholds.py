"""How quiet an attack can be made before it fails: the SNR at which it still succeeds so often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

LEVELS = (0.5, 0.9, 0.99)
"""Shares of the pairs that have to succeed."""

CURVE_POINTS = 60
"""Points of a curve in a result file, at most."""

_AT_ONCE = 100  # resamples, so that memory stays small

Side = Literal["within", "above", "below"]


@dataclass(frozen=True)
class Threshold:
    """The highest signal-to-noise ratio at which a share of the pairs still succeeds."""

    level: float
    """The share."""
    db: float | None
    """In dB. Out of the range measured its nearer end; None where there is none."""
    side: Side
    """``above`` the range measured, or ``below``, or ``within``."""
    interval: tuple[float | None, float | None] | None = None
    """95 % interval by a bootstrap over groups; None for an end beyond the range measured."""


def of_budgets(
    db: Sequence[float],
    success: npt.ArrayLike,
    groups: npt.ArrayLike,
    random: np.random.Generator,
    *,
    levels: Sequence[float] = LEVELS,
    resamples: int = 2000,
) -> list[Threshold]:
    """Interpolate the success of one attack over the budgets that it was measured at.

    Rates are first made to fall with the ratio (isotonic regression, each budget weighing the
    same), then joined by straight lines over dB.

    Args:
        db: Two or more signal-to-noise ratios, rising.
        success: Truth values, ``(budgets, pairs)``; the same pairs under every budget.
        groups: The speaker, track or clip of every pair.
        random: Draws the groups for the interval.
        levels: The shares to look for.
        resamples: How often to draw.

    Example:
        >>> heard = [[True] * 10, [True] * 5 + [False] * 5]
        >>> found = of_budgets([20.0, 30.0], heard, range(10), np.random.default_rng(0))
        >>> [(one.db, one.side) for one in found]
        [(30.0, 'above'), (22.0, 'within'), (20.2, 'within')]
    """
    outcomes = np.asarray(success, dtype=np.float64)
    ratios = np.asarray(db, dtype=np.float64)
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(member).astype(np.float64)
    hits = np.stack([np.bincount(member, row) for row in outcomes], axis=1)
    drawn = random.integers(len(sizes), size=(resamples, len(sizes)))
    rates = hits[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)[:, None]
    falling, resampled = decreasing(outcomes.mean(axis=1)[None]), decreasing(rates)
    ends = (float(ratios[0]), float(ratios[-1]))
    return [
        _threshold(
            level,
            float(crossing(ratios, falling, level)[0]),
            crossing(ratios, resampled, level) if len(sizes) > 1 else None,
            ends,
        )
        for level in levels
    ]


def of_rates(
    db: Sequence[float], rates: Sequence[float], levels: Sequence[float] = LEVELS
) -> list[Threshold]:
    """Return what :func:`of_budgets` does, from rates alone: without intervals.

    Example:
        >>> of_rates([20.0, 30.0], [1.0, 0.8], [0.9])[0].db
        25.0
    """
    ratios = np.asarray(db, dtype=np.float64)
    falling = decreasing(np.asarray(rates, dtype=np.float64)[None])
    ends = (float(ratios[0]), float(ratios[-1]))
    return [
        _threshold(level, float(crossing(ratios, falling, level)[0]), None, ends)
        for level in levels
    ]


def of_pairs(
    reach: npt.ArrayLike,
    groups: npt.ArrayLike,
    random: np.random.Generator,
    *,
    levels: Sequence[float] = LEVELS,
    resamples: int = 2000,
) -> list[Threshold]:
    """Read the thresholds off the pairs of an attack that seeks the smallest perturbation.

    Args:
        reach: For every pair the highest ratio at which it succeeds, see :func:`reach_db`.
        groups: The speaker, track or clip of every pair.
        random: Draws the groups for the interval.
        levels: The shares to look for.
        resamples: How often to draw.

    Example:
        >>> found = of_pairs([10.0, 20.0, 30.0, -np.inf], range(4), np.random.default_rng(0))
        >>> [(one.db, one.side) for one in found]
        [(20.0, 'within'), (None, 'below'), (None, 'below')]
    """
    values = np.asarray(reach, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    values = values[order]
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    member = member[order]
    count = int(member.max()) + 1
    found = _weighted(values, np.ones((1, len(values))), levels)[0]
    resampled = []
    for begin in range(0, resamples, _AT_ONCE):
        size = min(_AT_ONCE, resamples - begin)
        drawn = random.integers(count, size=(size, count))
        often = np.stack([np.bincount(row, minlength=count) for row in drawn])
        resampled.append(_weighted(values, often[:, member].astype(np.float64), levels))
    spread = np.concatenate(resampled)
    return [
        _threshold(
            level, float(found[place]), spread[:, place] if count > 1 else None, (None, None)
        )
        for place, level in enumerate(levels)
    ]


def reach_db(snr_db: npt.ArrayLike, success: npt.ArrayLike) -> Floats:
    """Return for every pair the highest ratio at which it succeeded, in dB.

    Infinite where the clip succeeds as it is, minus infinity where the pair failed, and for a clip
    without energy, which has no ratio.

    Args:
        snr_db: The ratio of every pair.
        success: Whether it succeeded.
    """
    ratio = np.asarray(snr_db, dtype=np.float64)
    reached = np.asarray(success, dtype=bool) & ~np.isnan(ratio)
    return np.where(reached, ratio, -np.inf)


def decreasing(rates: Floats) -> Floats:
    """Return the nearest rates, in the sense of least squares, that never rise along the last axis.

    By the min-max formula of isotonic regression (Robertson, Wright and Dykstra, Order Restricted
    Statistical Inference, 1988, section 1.4).

    Shape:
        - Input, output: ``(resamples, budgets)``

    Example:
        >>> decreasing(np.array([[1.0, 0.25, 0.75]])).tolist()
        [[1.0, 0.5, 0.5]]
    """
    count = rates.shape[1]
    total = np.concatenate([np.zeros((len(rates), 1)), np.cumsum(rates, axis=1)], axis=1)
    fitted = np.full(rates.shape, np.inf)
    for place in range(count):
        for start in range(place + 1):
            means = [
                (total[:, stop + 1] - total[:, start]) / (stop + 1 - start)
                for stop in range(place, count)
            ]
            fitted[:, place] = np.minimum(fitted[:, place], np.max(means, axis=0))
    return fitted


def crossing(db: Floats, rates: Floats, level: float) -> Floats:
    """Return the highest ratio at which falling rates still reach a level.

    Args:
        db: Ratios, rising, ``(budgets,)``.
        rates: Falling, ``(resamples, budgets)``.
        level: The rate to reach.

    Returns:
        One ratio a resample: infinite where the last rate reaches the level still, minus infinity
        where not even the first one does.
    """
    enough = rates >= level - 1e-9
    last = enough.sum(axis=1) - 1
    left = np.clip(last, 0, len(db) - 2)
    rows = np.arange(len(rates))
    high, low = rates[rows, left], rates[rows, left + 1]
    share = (high - level) / np.where(high > low, high - low, 1.0)
    found = db[left] + np.clip(share, 0.0, 1.0) * (db[left + 1] - db[left])
    found = np.where(last < 0, -np.inf, found)
    return np.where(last == len(db) - 1, np.inf, found)


def success_curve(values: npt.ArrayLike, *, falling: bool) -> tuple[list[float], list[float]]:
    """Return the share of pairs that have succeeded by a value, at some of the values.

    Args:
        values: One number a pair; the worst infinity where it failed. At the best infinity a pair
            succeeds at once: it counts and has no point of its own.
        falling: Whether large values are good, as ratios are; of queries few are.

    Returns:
        Values and shares, from the best value to the worst; at most :data:`CURVE_POINTS`.

    Example:
        >>> success_curve([30.0, 20.0, -np.inf, 40.0], falling=True)
        ([40.0, 30.0, 20.0], [0.25, 0.5, 0.75])
    """
    every = np.asarray(values, dtype=np.float64)
    ordered = np.sort(-every if falling else every)
    shares = np.arange(1, len(ordered) + 1) / max(1, len(ordered))
    known = np.isfinite(ordered)
    ordered, shares = ordered[known], shares[known]
    # Of equal values only the last share holds.
    last = np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)]
    ordered, shares = ordered[last], shares[last]
    some = np.linspace(0, len(ordered) - 1, min(CURVE_POINTS, len(ordered))).round().astype(int)
    found = -ordered[some] if falling else ordered[some]
    return [float(value) for value in found], [float(share) for share in shares[some]]


def _weighted(values: Floats, weights: Floats, levels: Sequence[float]) -> Floats:
    """Return for each row of weights the values down to which the levels are reached.

    Shape:
        - values: ``(pairs,)``, falling; weights: ``(resamples, pairs)``
        - Output: ``(resamples, levels)``
    """
    gathered = np.cumsum(weights, axis=1)
    shares = gathered / gathered[:, -1:]
    found = []
    for level in levels:
        first = np.argmax(shares >= level - 1e-9, axis=1)
        found.append(values[first])
    return np.stack(found, axis=1)


def _threshold(
    level: float, found: float, spread: Floats | None, ends: tuple[float | None, float | None]
) -> Threshold:
    interval = None
    if spread is not None:
        ordered = np.sort(spread)
        low, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.025, 0.975))
        interval = (_finite(float(low)), _finite(float(high)))
    if found == np.inf:
        return Threshold(level, ends[1], "above", interval)
    if found == -np.inf:
        return Threshold(level, ends[0], "below", interval)
    return Threshold(level, found, "within", interval)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
