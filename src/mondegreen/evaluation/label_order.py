"""Whether the labels that were given to a model are in the order of its answers.

A model that is right, but whose labels are named in another order, looks as bad as one that was
never trained. What it answers to labelled clips tells the two apart: a wrong order is always wrong
in the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_SIGMAS = 3.0
_GAIN = 0.2


@dataclass(frozen=True)
class LabelCheck:
    """How well a model's answers fit the labels of some clips."""

    clips: int
    accuracy: float
    """Share of the clips that are heard as their label."""
    chance: float
    """Share of the commonest label: what always answering with it would reach."""
    order: tuple[int, ...] | None
    """For each of the model's answers the label that it should have been given, where the clips
    speak for another order."""
    accuracy_in_order: float | None
    """In that order, of those clips that it was not found on."""
    enough: bool = True
    """Whether there were clips enough to tell another order, if the answers were perfect in it."""

    @property
    def best(self) -> float:
        """The accuracy in the order that fits best."""
        return max(self.accuracy, self.accuracy_in_order or 0.0)

    @property
    def above_chance(self) -> bool:
        """Whether the accuracy is beyond what guessing reaches, by three standard deviations."""
        return self.accuracy > self.chance + _deviation(self.chance, self.clips)


def check_labels(label: Ints, heard: Ints, labels: int) -> LabelCheck:
    """Compare what clips are with what a model hears.

    The order is looked for on every second clip of each label and tried on the others, so that
    guesses do not look better for being sorted. It is told only where it hears a fifth of all clips
    more rightly than the one given, and more than chance.

    Args:
        label: Of each clip, ``(clips,)``.
        heard: Index of the model's largest answer, ``(clips,)``.
        labels: Number of labels.

    Example:
        >>> is_ = np.repeat(np.arange(3), 20)
        >>> found = check_labels(is_, (is_ + 1) % 3, 3)  # each answer stands one place too late
        >>> found.accuracy, found.order, found.accuracy_in_order
        (0.0, (2, 0, 1), 1.0)
    """
    clips = len(label)
    accuracy = float((label == heard).mean())
    chance = float(np.bincount(label, minlength=labels).max() / clips)
    place = np.zeros(clips, dtype=np.int64)
    for one in np.unique(label):
        rows = np.flatnonzero(label == one)
        place[rows] = np.arange(len(rows))
    looked, tried = place % 2 == 0, place % 2 == 1
    order = _best_order(label[looked], heard[looked], labels)
    if not tried.any():
        return LabelCheck(clips, accuracy, chance, None, None, enough=False)
    before = float((label[tried] == heard[tried]).mean())
    after = float((label[tried] == order[heard[tried]]).mean())
    least = max(before + _GAIN, chance + _deviation(chance, int(tried.sum())))
    if after < least:
        return LabelCheck(clips, accuracy, chance, None, None, enough=least <= 1.0)
    return LabelCheck(clips, accuracy, chance, tuple(order.tolist()), after)


def _deviation(share: float, clips: int) -> float:
    return _SIGMAS * math.sqrt(max(share * (1.0 - share), 1e-12) / clips)


def _best_order(label: Ints, heard: Ints, labels: int) -> Ints:
    """Give each answer the label that it stands for oftenest, each label once, greedily."""
    counts = np.zeros((labels, labels), dtype=np.int64)
    np.add.at(counts, (heard, label), 1)
    order = np.full(labels, -1, dtype=np.int64)
    free = np.ones(labels, dtype=np.bool_)
    own = np.eye(labels) * 0.5  # of equal counts, an answer keeps the label that it has
    for cell in np.argsort(-(counts + own), axis=None, kind="stable").tolist():
        answer, wanted = divmod(cell, labels)
        if order[answer] < 0 and free[wanted]:
            order[answer], free[wanted] = wanted, False
    return order
