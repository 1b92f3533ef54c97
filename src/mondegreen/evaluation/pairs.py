"""Pairs of a clip and a target: all of them, or a fair draw; and what became of each."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from torch import Tensor

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


MOST_KEPT = 1_000
"""Pairs kept as samples, where no more are wanted for their quality: hundreds of labels have tens
of thousands of sources and targets."""


@dataclass
class Pairs:
    """One row for every (clip, target): what was heard, whether it was meant, and what it cost.

    Untargeted pairs have the clip's own label as their target: whatever else is heard is a success.
    """

    clip: Ints
    source: Ints
    target: Ints
    untargeted: bool
    before: Ints
    after: Ints
    before_probability: Floats
    """Of the target, in the unperturbed clip."""
    after_probability: Floats
    """Of the target, in the perturbed clip."""
    snr_db: Floats
    pesq_nb: Floats
    pesq_wb: Floats
    stoi: Floats
    queries: Floats
    """Forward passes of the classifier; the mean over its batch where the attack counts none."""
    gradients: Floats
    """Gradients, in the same way."""
    seconds: Floats
    """Time that the perturbation took: that of its batch, divided by the clips."""

    @property
    def success(self) -> npt.NDArray[np.bool_]:
        """Whether the classifier hears the target or, untargeted, anything else."""
        reached: npt.NDArray[np.bool_] = (self.after == self.target) != self.untargeted
        return reached

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """Whether the classifier had heard the unperturbed clip rightly."""
        right: npt.NDArray[np.bool_] = self.before == self.source
        return right

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.clip)

    def take(self, rows: npt.ArrayLike) -> Pairs:
        """Return a copy of some of the rows, in the order given."""
        wanted = np.asarray(rows, dtype=np.int64)
        columns = {name: getattr(self, name)[wanted] for name in self._columns()}
        return dataclasses.replace(self, **columns)

    def _columns(self) -> list[str]:
        names = [one.name for one in dataclasses.fields(self)]
        return [name for name in names if name != "untargeted"]

    def fingerprint(self, names: Sequence[str], labels: Sequence[str]) -> str:
        """Return 16 hex digits that change with a clip, a target or their order.

        Args:
            names: Names of the data set's clips.
            labels: Names of the labels.
        """
        lines = [
            f"{names[clip]}\t{labels[target]}\n"
            for clip, target in zip(self.clip.tolist(), self.target.tolist(), strict=True)
        ]
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


@dataclass
class Kept:
    """Pairs whose waveforms are kept, to be scored for quality and to be listened to.

    With them what the classifier heard, before and after: probabilities in the order of its labels;
    and what measures from outside say of each.
    """

    rows: list[int] = field(default_factory=list)
    x: list[Tensor] = field(default_factory=list)
    x_adv: list[Tensor] = field(default_factory=list)
    heard_before: list[Tensor] = field(default_factory=list)
    heard_after: list[Tensor] = field(default_factory=list)
    scores: dict[str, Floats] = field(default_factory=dict)


def every_pair(labels: Ints, targets: Ints) -> Pairs:
    """Lay out all pairs, ordered by target and then by clip, so batches share a target.

    Args:
        labels: The label of every clip.
        targets: The labels to reach.

    Example:
        >>> pairs = every_pair(np.array([0, 1]), np.array([0, 1]))
        >>> pairs.clip.tolist(), pairs.target.tolist()
        ([1, 0], [0, 1])
    """
    clip = np.tile(np.arange(len(labels), dtype=np.int64), len(targets))
    target = np.repeat(targets, len(labels))
    wanted = labels[clip] != target
    return _unmeasured(clip[wanted], labels[clip[wanted]], target[wanted], untargeted=False)


def every_clip(labels: Ints, sources: Ints) -> Pairs:
    """Lay out the untargeted pairs, each clip with its own label, ordered by label.

    Args:
        labels: The label of every clip.
        sources: The labels to get away from.

    Example:
        >>> pairs = every_clip(np.array([1, 0, 1]), np.array([0, 1]))
        >>> pairs.clip.tolist(), pairs.target.tolist()
        ([1, 0, 2], [0, 1, 1])
    """
    clip = np.concatenate([np.flatnonzero(labels == source) for source in sources])
    clip = clip.astype(np.int64)
    return _unmeasured(clip, labels[clip], labels[clip], untargeted=True)


def _unmeasured(clip: Ints, source: Ints, target: Ints, *, untargeted: bool) -> Pairs:
    # Nothing is laid out for what will not be drawn; :meth:`Pairs.take` copies.
    unheard = np.broadcast_to(np.int64(-1), len(clip))
    blank = [np.broadcast_to(np.float64(np.nan), len(clip))] * 9
    return Pairs(clip, source, target, untargeted, unheard, unheard, *blank)


def draw_pairs(pairs: Pairs, count: int, random: np.random.Generator) -> Pairs:
    """Draw pairs at random, spread as evenly as possible over source and target.

    Every (source, target) gives one pair before any gives its second.

    Args:
        pairs: All pairs.
        count: How many to draw; all where it is negative or exceeds their number.
        random: Draws.

    Returns:
        The pairs drawn, in the order they had.
    """
    if count < 0 or count >= len(pairs):
        return pairs.take(np.arange(len(pairs)))
    order = random.permutation(len(pairs))
    turn = _turns(pairs, order)
    first = order[np.argsort(turn, kind="stable")]
    return pairs.take(np.sort(first[:count]))


def draw_kept(pairs: Pairs, count: int, samples: int, random: np.random.Generator) -> list[int]:
    """Choose the rows to keep: some of every source and target, and more at random.

    Args:
        pairs: The pairs.
        count: How many in all, if ``samples`` does not ask for more; all where it is negative.
        samples: How many of every source and target come first.
        random: Draws.
    """
    order = random.permutation(len(pairs))
    if count < 0:
        return [int(row) for row in order]
    turn = _turns(pairs, order)
    first, rest = order[turn < samples].tolist(), order[turn >= samples].tolist()
    first = first[: max(count, MOST_KEPT)]
    return [*first, *rest[: max(0, count - len(first))]]


def _turns(pairs: Pairs, order: Ints) -> Ints:
    """Return how many rows of the same source and target stand before each one in ``order``."""
    cell = pairs.source[order] * (int(pairs.target.max(initial=0)) + 1) + pairs.target[order]
    grouped = np.argsort(cell, kind="stable")
    place = np.arange(len(order), dtype=np.int64)
    starts = np.r_[True, np.diff(cell[grouped]) != 0] if len(order) else np.zeros(0, dtype=np.bool_)
    turns = np.empty_like(place)
    turns[grouped] = place - np.maximum.accumulate(np.where(starts, place, 0))
    return turns
