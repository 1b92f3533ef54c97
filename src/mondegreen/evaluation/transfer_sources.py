"""Who is in a transfer: the classifiers that listen, and the attacks with what they asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.ensemble import members_of
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import Cell
from mondegreen.evaluation.evaluate import all_pairs, describe
from mondegreen.evaluation.pairs import Pairs, draw_pairs
from mondegreen.evaluation.results import describe_budget
from mondegreen.runs import environment


@dataclass(frozen=True)
class TransferOptions:
    """How much is measured; the same for every row."""

    pairs: int = 900
    """Pairs of a clip and a target, drawn evenly over source and target; -1 all."""
    batch_size: int = 64
    """Clips attacked at once."""
    seed: int = 1024
    """Seeds the draws of pairs and intervals."""

    def __post_init__(self) -> None:
        """Refuse numbers that nothing can be measured with."""
        if self.pairs == 0 or self.batch_size < 1 or self.seed < 0:
            raise MondegreenError("batch-size must be 1 or more, seed 0 or more, pairs not 0.")


@dataclass(frozen=True)
class Asked:
    """A classifier that an attack asks, or that its training asked."""

    name: str
    fingerprint: str


def asked_of(classifier: Classifier) -> tuple[Asked, ...]:
    """Return what is asked where a classifier is: itself or, of an ensemble, its members."""
    return tuple(Asked(one.name, one.fingerprint()) for one in members_of(classifier))


@dataclass(frozen=True)
class Column:
    """A classifier that hears the clips of every row."""

    name: str
    """Its name in tables."""
    classifier: Classifier
    asked: tuple[Asked, ...]
    """Itself or its members, see :func:`asked_of`."""


@dataclass(frozen=True)
class Source:
    """A row: an attack, what it asks while it perturbs, and all that it ever asked."""

    label: str
    """The attack's name in tables."""
    attack: Attack
    classifier: Classifier
    """What the attack is given; an ensemble where it is made against several."""
    asked: tuple[Asked, ...]
    """That or its members and, of a trained attack, what was asked in its training."""
    against: str
    """The same in words, see :func:`describe_asked`."""

    def cell(self, budget: Budget) -> Cell:
        """Return the row under a budget, for the name of its file."""
        return Cell(f"{self.label} against {self.against}", self.attack, budget)

    def saw(self, column: Column) -> bool:
        """Tell whether a classifier, or a member of it, was asked."""
        return bool(
            {one.fingerprint for one in self.asked} & {one.fingerprint for one in column.asked}
        )


@dataclass(frozen=True)
class TransferBench:
    """What all rows have in common."""

    columns: tuple[Column, ...]
    data: ClipDataset
    split: str
    split_kind: str
    budget: Budget
    options: TransferOptions
    targets: tuple[str, ...] = ()
    """Labels to reach; all by default."""

    def __post_init__(self) -> None:
        """Refuse classifiers that cannot hear the same clips."""
        refuse_unlike(self.columns)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that all classifiers share."""
        return self.columns[0].classifier.labels

    def available(self) -> Pairs:
        """Return every pair of the data."""
        return all_pairs(self.columns[0].classifier, self.data, self.targets)

    def draw(self) -> Pairs:
        """Return the pairs of every row, the same at each call."""
        random = np.random.default_rng(self.options.seed)
        return draw_pairs(self.available(), self.options.pairs, random)

    def settings(self, source: Source, pairs: Pairs) -> dict[str, Any]:
        """Return what has to be the same for a measured row to count."""
        return {
            "attack": describe(source.attack),
            "asked": [one.fingerprint for one in source.asked],
            "classifier": source.classifier.fingerprint(),
            "budget": describe_budget(self.budget),
            "columns": [[one.fingerprint for one in column.asked] for column in self.columns],
            "pairs": pairs.fingerprint(self.data.names(), self.labels),
            "batch_size": self.options.batch_size,
            "seed": self.options.seed,
            "device": str(source.classifier.device),
            "environment": environment(),
        }


def refuse_unlike(columns: Sequence[Column]) -> None:
    """Refuse classifiers that cannot hear the same clips.

    Raises:
        MondegreenError: There are fewer than two, two have one name, are one, or differ in labels,
            sample rate or clip length.
    """
    names = [column.name for column in columns]
    if len(columns) < 2:
        raise MondegreenError("a transfer needs two or more classifiers; --classifiers A B.")
    if len(set(names)) < len(names):
        raise MondegreenError(f"classifiers need different names, not {', '.join(names)}: --names.")
    first = columns[0].classifier
    for column in columns[1:]:
        for what in ("labels", "sample_rate", "clip_samples"):
            ours, theirs = getattr(first, what), getattr(column.classifier, what)
            if ours != theirs:
                raise MondegreenError(
                    f"{columns[0].name} and {column.name} differ in {what.replace('_', ' ')} "
                    f"({ours} and {theirs}), so no clip can be given to both. Leave one out."
                )
    prints = {column.asked: column.name for column in reversed(columns)}
    for column in columns:
        if prints[column.asked] != column.name:
            raise MondegreenError(
                f"{prints[column.asked]} and {column.name} are the same classifier; name it once."
            )


def describe_asked(asked: Sequence[Asked], columns: Sequence[Column]) -> str:
    """Return in few words what was asked: names, or ``all but`` the one that was not.

    Args:
        asked: What was asked.
        columns: The classifiers of the matrix; others have the names they give themselves.
    """
    names = {one.fingerprint: column.name for column in columns for one in column.asked}
    found = dict.fromkeys(names.get(one.fingerprint, one.name) for one in asked)
    rest = [column.name for column in columns if column.name not in found]
    known = {column.name for column in columns}
    if len(found) > 2 and set(found) <= known and len(rest) < 2:
        return f"all but {rest[0]}" if rest else "all"
    told = list(found)
    if len(told) > 4:  # the text also names a file
        told = [*told[:3], f"{len(told) - 3} others"]
    return " + ".join(told)
