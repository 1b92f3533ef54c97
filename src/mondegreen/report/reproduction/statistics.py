"""The few statistics that the figures and the claims of a reproduction share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from math import hypot
from statistics import fmean

import numpy as np

from mondegreen.metrics.success import wilson_interval


def outliers(values: Sequence[float]) -> list[float]:
    """Return the values beyond a box plot's whiskers: 1.5 quartile ranges from the box (Tukey).

    Example:
        >>> outliers([1.0, 2.0, 3.0, 4.0, 100.0])
        [100.0]
    """
    if not values:
        return []
    first, third = np.percentile(values, (25, 75))
    reach = 1.5 * (third - first)
    return [value for value in values if value < first - reach or value > third + reach]


def as_high_by_chance(values: Mapping[str, float], chosen: Collection[str]) -> float:
    """Return how often as many names, drawn at random, have at least the mean of those chosen.

    An exact permutation test, one-sided.

    Args:
        values: One number a name.
        chosen: Some of the names.

    Example:
        >>> as_high_by_chance({"a": 3.0, "b": 2.0, "c": 1.0}, ["a"])
        0.3333333333333333
    """
    wanted = sum(values[name] for name in chosen)
    sums = [sum(drawn) for drawn in combinations(values.values(), len(chosen))]
    return sum(one >= wanted - 1e-12 for one in sums) / len(sums)


def as_low_by_chance(values: Mapping[str, float], chosen: Collection[str]) -> float:
    """Return how often as many names, drawn at random, have at most the mean of those chosen.

    The other side of :func:`as_high_by_chance`.

    Args:
        values: One number a name.
        chosen: Some of the names.

    Example:
        >>> as_low_by_chance({"a": 3.0, "b": 2.0, "c": 1.0}, ["b"])
        0.6666666666666666
    """
    return as_high_by_chance({name: -value for name, value in values.items()}, chosen)


def of_units(rate: float, units: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate as if every unit counted once (Wilson, 1927).

    Clips of one recording go right or wrong together. Taking recordings for units is the other
    extreme to taking clips: as if those of one recording were always heard alike.

    Args:
        rate: In [0, 1].
        units: How many recordings, tracks or speakers there are.

    Example:
        >>> [round(end, 3) for end in of_units(0.5, 10)]
        [0.237, 0.763]
    """
    return wilson_interval(round(rate * units), units)


def difference_interval(first: tuple[float, int], second: tuple[float, int]) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two rates, each with its number of units.

    Newcombe's from two score intervals (Statistics in Medicine 17, 1998, method 10); it takes the
    two for independent.

    Example:
        >>> [round(end, 2) for end in difference_interval((0.9, 100), (0.5, 100))]
        [0.28, 0.51]
    """
    gap = first[0] - second[0]
    low, high = of_units(*first)
    below, above = of_units(*second)
    return (
        gap - hypot(first[0] - low, above - second[0]),
        gap + hypot(high - first[0], second[0] - below),
    )


def mean_of(values: Mapping[str, float], names: Collection[str]) -> float:
    """Return the mean over some names."""
    return fmean(values[name] for name in names)
