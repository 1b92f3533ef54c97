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


@dataclass
class Pairs:
    """One row for every (clip, target): what was heard, whether it was meant, at which quality."""

    clip: Ints
    source: Ints
    target: Ints
    before: Ints
    after: Ints
    before_probability: Floats
    after_probability: Floats
    snr_db: Floats
    pesq_nb: Floats
    pesq_wb: Floats
    stoi: Floats

    @property
    def success(self) -> npt.NDArray[np.bool_]:
        """Whether the classifier hears the target."""
        reached: npt.NDArray[np.bool_] = self.after == self.target
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
        names = [one.name for one in dataclasses.fields(self)]
        return Pairs(*(getattr(self, name)[wanted] for name in names))

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
    """Pairs whose waveforms are kept, to be scored for quality and to be listened to."""

    rows: list[int] = field(default_factory=list)
    x: list[Tensor] = field(default_factory=list)
    x_adv: list[Tensor] = field(default_factory=list)


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
    target, clip = target[wanted], clip[wanted]

    def blank() -> Floats:
        return np.full(len(clip), np.nan)

    def none() -> Ints:
        return np.full(len(clip), -1, dtype=np.int64)

    return Pairs(clip, labels[clip], target, none(), none(), *(blank() for _ in range(6)))


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
    return [*first, *rest[: max(0, count - len(first))]]


def _turns(pairs: Pairs, order: Ints) -> Ints:
    """Return how many rows of the same source and target stand before each one in ``order``."""
    seen: dict[tuple[int, int], int] = {}
    turns = np.zeros(len(order), dtype=np.int64)
    for place, row in enumerate(order.tolist()):
        cell = (int(pairs.source[row]), int(pairs.target[row]))
        turns[place] = seen.get(cell, 0)
        seen[cell] = seen.get(cell, 0) + 1
    return turns
