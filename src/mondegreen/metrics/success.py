"""How often an attack succeeds, and how sure one can be of it.

A *pair* is a clip and a target that is not its label. It succeeds when the classifier hears the
target. In an untargeted pair the target is the clip's own label, and any other label is a success.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SuccessRates:
    """Success over all pairs, and the rates that keep it honest; NaN where there are no pairs."""

    rate: float
    """Pairs heard as the target (paper: eq. 14, read for a targeted attack)."""
    correct: float
    """The same over the pairs whose clip the classifier had heard rightly before."""
    baseline: float
    """Pairs that succeed without any perturbation."""
    pairs: int
    correct_pairs: int


def success_rate(success: npt.ArrayLike, where: npt.ArrayLike | None = None) -> float:
    """Return the share of successful pairs (paper: eq. 14); NaN where there are none.

    Args:
        success: A truth value for every pair.
        where: Which pairs to look at; all by default.

    Example:
        >>> success_rate([True, True, False, False], where=[True, True, True, False])
        0.6666666666666666
    """
    chosen = np.asarray(success, dtype=bool)
    if where is not None:
        chosen = chosen[np.asarray(where, dtype=bool)]
    return float(chosen.mean()) if chosen.size else math.nan


def success_rates(
    source: npt.ArrayLike,
    target: npt.ArrayLike,
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    *,
    untargeted: bool = False,
) -> SuccessRates:
    """Return the success rate beside the rate over correct clips and the rate without attack.

    Args:
        source: The clip's label, one index a pair.
        target: The wanted label or, of untargeted pairs, the clip's own.
        before: What the classifier hears in the unperturbed clip.
        after: What it hears in the perturbed one.
        untargeted: Whether any label but ``target`` is a success; the rate without attack is then
            the classifier's own error.

    Raises:
        ValueError: The lengths differ, or a target is its clip's label, or of untargeted pairs
            another one.

    Example:
        >>> success_rates(source=[0, 0], target=[1, 2], before=[0, 2], after=[1, 2])
        SuccessRates(rate=1.0, correct=1.0, baseline=0.5, pairs=2, correct_pairs=1)
    """
    sources, targets = _pairs(source, target, untargeted)
    was, now = np.asarray(before, dtype=np.int64), np.asarray(after, dtype=np.int64)
    if not sources.shape == was.shape == now.shape:
        raise ValueError("source, target, before and after must have one entry a pair")
    correct = was == sources
    hit = (now == targets) != untargeted
    return SuccessRates(
        rate=success_rate(hit),
        correct=success_rate(hit, correct),
        baseline=success_rate((was == targets) != untargeted),
        pairs=len(sources),
        correct_pairs=int(correct.sum()),
    )


def success_matrix(
    source: npt.ArrayLike, target: npt.ArrayLike, success: npt.ArrayLike, labels: int
) -> tuple[Floats, Ints]:
    """Return the success rate of every source and target (paper: figs. 4 and 5).

    Args:
        source: The clip's label, one index a pair.
        target: The wanted label.
        success: A truth value for every pair.
        labels: How many labels there are.

    Returns:
        The rates, source by row and target by column, NaN on the diagonal and wherever there is no
        pair; and the number of pairs in every cell.

    Raises:
        ValueError: The lengths differ, an index is no label, or a target is its clip's label.

    Example:
        >>> success_matrix([0, 0, 1], [1, 1, 0], [True, False, True], 2)[0].tolist()
        [[nan, 0.5], [1.0, nan]]
    """
    sources, targets = _pairs(source, target)
    successes = np.asarray(success, dtype=bool)
    if successes.shape != sources.shape:
        raise ValueError(f"{len(sources)} pairs, but {successes.size} outcomes")
    both = np.concatenate([sources, targets])
    if both.size and not (both.min() >= 0 and both.max() < labels):
        raise ValueError(f"label indices must lie in 0..{labels - 1}")
    counts, hits = np.zeros((2, labels, labels), dtype=np.int64)
    np.add.at(counts, (sources, targets), 1)
    np.add.at(hits, (sources, targets), successes)
    with np.errstate(invalid="ignore"):
        return hits / counts, counts


def escape_matrix(source: npt.ArrayLike, after: npt.ArrayLike, labels: int) -> tuple[Floats, Ints]:
    """Return where untargeted pairs went: the share of every source that is heard as each label.

    Args:
        source: The clip's label, one index a pair.
        after: What the classifier hears in the perturbed clip.
        labels: How many labels there are.

    Returns:
        The shares, source by row and heard label by column, NaN on the diagonal and in the rows of
        labels without a clip: a row adds up to the source's success rate. And the number of clips
        behind every share.

    Raises:
        ValueError: The lengths differ, or an index is no label.

    Example:
        >>> escape_matrix([0, 0, 1], [1, 0, 1], 2)[0].tolist()
        [[nan, 0.5], [0.0, nan]]
    """
    sources, heard = np.asarray(source, dtype=np.int64), np.asarray(after, dtype=np.int64)
    if sources.shape != heard.shape or sources.ndim != 1:
        raise ValueError("source and after must have one entry a pair")
    both = np.concatenate([sources, heard])
    if both.size and not (both.min() >= 0 and both.max() < labels):
        raise ValueError(f"label indices must lie in 0..{labels - 1}")
    hits = np.zeros((labels, labels), dtype=np.int64)
    np.add.at(hits, (sources, heard), 1)
    counts = np.repeat(hits.sum(axis=1, keepdims=True), labels, axis=1)
    np.fill_diagonal(counts, 0)
    np.fill_diagonal(hits, 0)
    with np.errstate(invalid="ignore"):
        return hits / counts, counts


def wilson_interval(successes: int, pairs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a rate (Wilson, JASA 22, 1927).

    It takes the pairs for independent. Pairs of one clip or speaker are not, so the true interval
    is wider: see :func:`bootstrap_interval`.

    Args:
        successes: How many pairs succeeded.
        pairs: Out of how many.
        confidence: How often the interval is to cover the rate.

    Returns:
        The lower and upper end; (0, 1) where there are no pairs.

    Example:
        >>> [round(end, 4) for end in wilson_interval(5, 10)]
        [0.2366, 0.7634]
    """
    if not 0 <= successes <= pairs:
        raise ValueError(f"{successes} successes out of {pairs} pairs make no sense")
    if pairs == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate, extra = successes / pairs, z * z / pairs
    centre = (rate + extra / 2) / (1 + extra)
    half = z / (1 + extra) * math.sqrt(rate * (1 - rate) / pairs + extra / (4 * pairs))
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_interval(
    success: npt.ArrayLike,
    groups: npt.ArrayLike,
    random: np.random.Generator,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    least: float = 0.0,
) -> tuple[float, float]:
    """Return a percentile interval of the rate that draws whole groups again (Efron, 1979).

    Pairs of one speaker stand or fall together. Drawing speakers (or clips) instead of pairs keeps
    that dependence, so the interval is as wide as the number of speakers asks for; a single one
    tells nothing of others. Where all pairs succeed, or none, every draw is alike; the far end is
    then the exact one of as many independent pairs (Clopper and Pearson, 1934), and Wilson's ends
    hold where groups are alike in another way.

    Args:
        success: A truth value for every pair, or a difference of two.
        groups: The pair's speaker, track or clip: anything that can be compared.
        random: Draws the groups.
        confidence: How often the interval is to cover the rate.
        resamples: How often to draw.
        least: What an outcome may be at the least: 0, or -1 for differences.

    Returns:
        The lower and upper end; (``least``, 1) where there are no pairs, or only one group.

    Raises:
        ValueError: The lengths differ.

    Example:
        >>> low, high = bootstrap_interval([True] * 60, [1, 2] * 30, np.random.default_rng(0))
        >>> round(low, 3), high
        (0.94, 1.0)
    """
    outcomes, names = np.asarray(success, dtype=np.float64), np.asarray(groups)
    if outcomes.shape != names.shape:
        raise ValueError(f"{outcomes.size} outcomes, but {names.size} groups")
    _, member = np.unique(names, return_inverse=True)
    if outcomes.size == 0 or not member.any():
        return least, 1.0
    beyond = 1.0 - (0.5 - confidence / 2) ** (1.0 / outcomes.size)
    if outcomes.min() == outcomes.max() and outcomes[0] in (least, 1.0):
        return (least, least + beyond) if outcomes[0] == least else (1.0 - beyond, 1.0)
    hits, sizes = np.bincount(member, outcomes), np.bincount(member)
    drawn = random.integers(len(sizes), size=(resamples, len(sizes)))
    rates = hits[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(rates, [0.5 - confidence / 2, 0.5 + confidence / 2])
    if low == high and least < 0.0:
        return max(least, float(low) - beyond), min(1.0, float(high) + beyond)
    if low == high:
        return wilson_interval(int(hits.sum()), outcomes.size, confidence)
    return float(low), float(high)


def _pairs(
    source: npt.ArrayLike, target: npt.ArrayLike, untargeted: bool = False
) -> tuple[Ints, Ints]:
    """Return both as arrays, checked."""
    sources, targets = np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64)
    if sources.shape != targets.shape or sources.ndim != 1:
        raise ValueError("source and target must have one entry a pair")
    if untargeted:
        if bool((sources != targets).any()):
            raise ValueError("an untargeted pair gets away from its clip's own label")
    elif bool((sources == targets).any()):
        raise ValueError("a pair whose target is the clip's own label is no attack")
    return sources, targets
