"""How well a tagger hears each tag, and where its thresholds are best."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_LEAST = 1e-9
"""Thresholds lie as far from 0 and 1, so that their log-odds are finite."""


def average_precision(scores: Tensor, truth: Tensor) -> float:
    """Return the area under the curve of precision over recall, as a sum of steps.

    The mean of the precision at each level of the score, weighted by the recall that is gained
    there; clips of equal scores are taken together (Manning, Raghavan and Schütze 2008,
    "Introduction to Information Retrieval", section 8.4).

    Args:
        scores: Higher where the tag is more likely.
        truth: Whether the tag is there.

    Shape:
        - Inputs: ``(clips,)``

    Returns:
        A number from 0 to 1; NaN where no clip has the tag.

    Example:
        >>> average_precision(torch.tensor([0.9, 0.8, 0.7]), torch.tensor([True, False, True]))
        0.8333333333333333
    """
    hits, taken, total = _curve(scores, truth)
    if not total:
        return math.nan
    gained = torch.diff(hits, prepend=hits.new_zeros(1)) / total
    return float((gained * hits / taken).sum())


def best_threshold(probabilities: Tensor, truth: Tensor) -> float:
    """Return the threshold above which a tag is on that gives the highest F1.

    F1 is ``2 hits / (on + there)``. The threshold lies in the middle between the probabilities of
    the last clip that is on and the first that is off.

    Args:
        probabilities: Of the tag, in [0, 1].
        truth: Whether the tag is there.

    Shape:
        - Inputs: ``(clips,)``

    Returns:
        A number between 0 and 1; 0.5 where no clip has the tag.

    Example:
        >>> told = best_threshold(torch.tensor([0.9, 0.6, 0.4]), torch.tensor([True, True, False]))
        >>> round(told, 6)
        0.5
    """
    hits, taken, total = _curve(probabilities, truth)
    if not total:
        return 0.5
    levels = torch.unique(probabilities.double()).flip(0)
    reached = (2 * hits / (taken + total)).where(levels > _LEAST, 0.0)  # no threshold is below 0
    best = int(reached.argmax())
    below = float(levels[best + 1]) if best + 1 < len(levels) else 0.0
    middle = (float(levels[best]) + below) / 2
    return min(max(middle, _LEAST), 1.0 - _LEAST)


def f1(found: Tensor, truth: Tensor) -> float:
    """Return F1, the harmonic mean of precision and recall; NaN where nothing is there or found.

    Shape:
        - Inputs: ``(clips,)``, bool

    Example:
        >>> f1(torch.tensor([True, True, False]), torch.tensor([True, False, False]))
        0.6666666666666666
    """
    both = int(found.sum()) + int(truth.sum())
    return 2 * int((found & truth).sum()) / both if both else math.nan


def _curve(scores: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return, from the highest level down, how many clips of the tag and in all reach it."""
    _, place = torch.unique(scores.double(), return_inverse=True)
    count = int(place.max()) + 1 if len(place) else 0
    taken = torch.bincount(place, minlength=count).flip(0).cumsum(0).double()
    weights = truth.double()
    hits = torch.bincount(place, weights=weights, minlength=count).flip(0).cumsum(0)
    return hits, taken, int(truth.sum())
