"""The few statistics that the figures and the claims of a reproduction share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from statistics import fmean

import numpy as np


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


def mean_of(values: Mapping[str, float], names: Collection[str]) -> float:
    """Return the mean over some names."""
    return fmean(values[name] for name in names)
