"""Several classifiers heard as one, so that an attack can look for what fools all of them.

A perturbation made against one network lives on that network's own weaknesses. One that has to fool
several at once is left with what they have in common, and more of it carries over to a network that
was never asked (Liu et al. 2017, https://arxiv.org/abs/1611.02770).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.consent import refuse_named_by
from mondegreen.classifiers.loading import load_classifier
from mondegreen.classifiers.places import ensemble_file
from mondegreen.configs import from_dict, to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.weights import fingerprint

Combination = Literal["logits", "probabilities"]
"""How the members' answers become one, see :class:`Ensemble`."""


class Ensemble(Classifier):
    """Classifiers of the same labels and clips that answer together.

    * ``probabilities``: the logarithm of the mean probability, as of Liu et al. 2017. A member that
      is fooled adds no more than its share, however sure it is: the others have to be fooled too.
    * ``logits``: the mean of the members' log-probabilities. Up to a number that all labels share
      these are the averaged logits of Dong et al. 2018 (https://arxiv.org/abs/1710.06081). The
      gradient of a member that is sure of its own never fades, but one member that is fooled by a
      wide margin outvotes the others.

    The default was chosen on validation speakers of Speech Commands, four keyword spotters, each
    left out in turn: a gradient search against three (20 steps without stopping, 20 dB, 90 pairs)
    reached the target on the fourth for 69 % of the pairs with ``probabilities`` and 66 % with
    ``logits``; a generator trained on for one epoch, for 39 % and 34 % of 900 pairs on the one left
    out, and for 82 % and 73 % on the most stubborn of its own three.

    Args:
        members: Two or more, each once; they are frozen by :meth:`freeze` with the ensemble.
        combine: How their answers become one.

    Raises:
        MondegreenError: There are fewer than two, one is there twice or is an ensemble itself, or
            they differ in labels, sample rate, clip length or normalization.
    """

    def __init__(
        self, members: Sequence[Classifier], *, combine: Combination = "probabilities"
    ) -> None:
        _refuse_unlike(members)
        first = members[0]
        super().__init__(
            _Together(members, combine),
            labels=first.labels,
            sample_rate=first.sample_rate,
            clip_samples=first.clip_samples,
            name=f"ensemble-of-{len(members)}",
            normalization=first.normalization,
            differentiable=all(member.differentiable for member in members),
        )
        self.members, self.combine = tuple(members), combine

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with any member, but not with their order."""
        parts = sorted(member.fingerprint() for member in self.members)
        return fingerprint(nn.Module(), [self.combine, *parts])


class _Together(nn.Module):
    """The answers of several classifiers as one."""

    def __init__(self, members: Sequence[Classifier], combine: Combination) -> None:
        super().__init__()
        self.members, self.combine = nn.ModuleList(members), combine

    def forward(self, x: Tensor) -> Tensor:
        """Return log-probabilities; those of ``logits`` do not add up to one."""
        logits = torch.stack([member(x).float() for member in self.members])
        each = logits.log_softmax(dim=2)
        if self.combine == "logits":
            return each.mean(dim=0)
        return each.logsumexp(dim=0) - math.log(len(self.members))


def members_of(classifier: Classifier) -> tuple[Classifier, ...]:
    """Return the classifiers that a classifier consists of: itself, unless it is an ensemble."""
    return classifier.members if isinstance(classifier, Ensemble) else (classifier,)


def _refuse_unlike(members: Sequence[Classifier]) -> None:
    if len(members) < 2:
        raise MondegreenError(f"an ensemble needs two or more classifiers, not {len(members)}.")
    if any(isinstance(member, Ensemble) for member in members):
        raise MondegreenError("an ensemble cannot be a member of another; name its own members.")
    first = members[0]
    for number, member in enumerate(members[1:], start=2):
        for what in ("labels", "sample_rate", "clip_samples", "normalization"):
            ours, theirs = getattr(first, what), getattr(member, what)
            if ours != theirs:
                raise MondegreenError(
                    f"classifiers of an ensemble have to be alike: number 1 ({first.name}) and "
                    f"number {number} ({member.name}) differ in {what.replace('_', ' ')}: "
                    f"{_shown(ours)} and {_shown(theirs)}. Leave one out, or train it alike."
                )
    prints = [member.fingerprint() for member in members]
    twice = [
        member.name for member, one in zip(members, prints, strict=True) if prints.count(one) > 1
    ]
    if twice:
        raise MondegreenError(
            f"an ensemble counts each classifier once; {twice[0]} is there twice."
        )


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True)
class Member:
    """Where a member lies, and which it was."""

    folder: Path
    """Run folder, or ``zoo:<name>``."""
    name: str
    fingerprint: str


@dataclass(frozen=True)
class EnsembleConfig:
    """What ``ensemble.json`` holds: the members' weights stay where they are."""

    members: tuple[Member, ...]
    combine: Combination = "probabilities"


def save_ensemble(folder: Path, ensemble: Ensemble, places: Sequence[Path]) -> None:
    """Write ``ensemble.json`` to ``folder``.

    Args:
        folder: Where to.
        ensemble: The ensemble.
        places: The folder of every member, in their order.

    Raises:
        MondegreenError: The folder cannot be written.
    """
    members = tuple(
        Member(place, member.name, member.fingerprint())
        for place, member in zip(places, ensemble.members, strict=True)
    )
    config = EnsembleConfig(members, ensemble.combine)
    write_json(folder / "ensemble.json", {"format": 1, **to_dict(config)})


def read_members(path: Path) -> EnsembleConfig:
    """Read an ``ensemble.json``.

    Raises:
        MondegreenError: It is missing or damaged.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise MondegreenError(f"{path}: expected an object.")
    settings = {key: value for key, value in content.items() if key != "format"}
    return from_dict(EnsembleConfig, settings, str(path))


def load_ensemble(path: Path) -> Ensemble:
    """Load the members that an ``ensemble.json`` lists, frozen.

    Raises:
        MondegreenError: The file is damaged, or a member is gone or is another one now.
    """
    config = read_members(path)
    return Ensemble(
        [_load(member, path) for member in config.members], combine=config.combine
    ).freeze()


def _load(member: Member, path: Path) -> Classifier:
    if ensemble_file(member.folder) is not None:  # before it is opened: a file may list itself
        raise MondegreenError(f"{path}: {member.folder} is an ensemble, which cannot be a member.")
    refuse_named_by(member.folder, path)
    try:
        classifier = load_classifier(member.folder)
    except MondegreenError as error:
        raise MondegreenError(f"{path}: {member.name} cannot be loaded: {error}") from error
    found = classifier.fingerprint()
    if found != member.fingerprint:
        raise MondegreenError(
            f"{path}: the classifier in {member.folder} was {member.name} {member.fingerprint}, "
            f"and is {classifier.name} {found} now. Restore it, or make the ensemble anew."
        )
    return classifier
