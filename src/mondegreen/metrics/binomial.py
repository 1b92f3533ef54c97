"""Exact statements about a share of which only draws are known."""

from __future__ import annotations

import math


def binomial_tail(successes: int, draws: int, share: float) -> float:
    """Return the probability of so many successes or more, if each has the probability ``share``.

    Example:
        >>> round(binomial_tail(2, 3, 0.5), 6)
        0.5
    """
    if not 0 <= successes <= draws or not 0.0 <= share <= 1.0:
        raise ValueError(f"{successes} of {draws} with probability {share} make no sense")
    if successes == 0 or share == 1.0:
        return 1.0
    if share == 0.0:
        return 0.0
    one, other = math.log(share), math.log1p(-share)
    terms = [
        math.lgamma(draws + 1)
        - math.lgamma(count + 1)
        - math.lgamma(draws - count + 1)
        + count * one
        + (draws - count) * other
        for count in range(successes, draws + 1)
    ]
    return min(1.0, math.fsum(map(math.exp, terms)))


def clopper_pearson_lower(successes: int, draws: int, alpha: float) -> float:
    """Return the lower end of the exact one-sided interval of a share (Clopper, Pearson 1934).

    The share is below it with probability ``alpha`` at most: it is the share with which so many
    successes or more have the probability ``alpha``.

    Args:
        successes: How many draws succeeded.
        draws: Out of how many.
        alpha: How often the end may be wrong.

    Example:
        >>> round(clopper_pearson_lower(100, 100, 0.001), 6) == round(0.001 ** 0.01, 6)
        True
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is {alpha}; choose between 0 and 1")
    if successes == 0:
        return 0.0
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        if binomial_tail(successes, draws, middle) < alpha:
            low = middle
        else:
            high = middle
    return low


def two_sided_half(successes: int, draws: int) -> float:
    """Return the two-sided p-value of a fair coin: so far from a half, or farther.

    Example:
        >>> round(two_sided_half(3, 3), 9)
        0.25
    """
    return min(1.0, 2.0 * binomial_tail(max(successes, draws - successes), draws, 0.5))
