"""What is measured as a defence: a classifier behind a channel, or one that rejects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.defended import Defended, parse_defence
from mondegreen.data.dataset import ClipDataset
from mondegreen.detection.consistency import Consistency
from mondegreen.detection.detector import Detector, scores, threshold_for
from mondegreen.detection.guarded import Guarded
from mondegreen.detection.residual import Residual
from mondegreen.errors import MondegreenError
from mondegreen.progress import task

CONSISTENCY, RESIDUAL = "consistency", "residual"
"""Names of the detectors: ``consistency:CHANNEL`` and ``residual``."""

_AIM = 0.5  # the share of benign clips that an attacker's clips shall look like, or better


@dataclass(frozen=True)
class Watch:
    """A detector with its threshold, and what was found on clips that it is not measured on."""

    detector: Detector
    threshold: float
    chosen_on: int
    """Benign validation clips that chose the threshold."""
    trained_on: int
    """Adversarial training clips; 0 of a detector that learns nothing."""


@dataclass(frozen=True)
class Shield:
    """A defence as it is deployed, and as an attacker who knows it sees it."""

    name: str
    """As it was asked for."""
    classifier: Classifier
    """As it is deployed. A detector's has one label more: see :class:`Guarded`."""
    known: Classifier
    """The same without the defender's random draws, with gradients: what is searched through."""
    about: dict[str, Any]
    """What identifies it, as result files state it."""
    watch: Watch | None = None
    """Of a detector."""


@dataclass(frozen=True)
class ShieldOptions:
    """How defences are made and known."""

    draws: int = 4
    """How often an attacker who knows a random defence passes it for each gradient."""
    false_alarms: float = 0.05
    """Share of benign validation clips that a detector may suspect; it sets the threshold."""
    training_clips: int = 300
    """Training clips that a detector which learns hears, each with and without an attack."""
    secret: int = 1024
    """Seeds the draws of the defender; those of an attacker are others."""

    def __post_init__(self) -> None:
        """Refuse numbers that nothing can be made with."""
        if min(self.draws, self.training_clips) < 1 or not 0.0 < self.false_alarms < 1.0:
            raise MondegreenError(
                "draws and training-clips must be 1 or more, false-alarms between 0 and 1."
            )


@dataclass(frozen=True)
class Lessons:
    """What a detector may learn from: never what it is measured on."""

    train: ClipDataset
    validation: ClipDataset
    attacks: Sequence[tuple[Attack, Budget | None]]
    """Made against the classifier alone, on the training clips in turn."""


def defence_shield(text: str, classifier: Classifier, options: ShieldOptions) -> Shield:
    """Return a classifier behind a channel.

    Args:
        text: As :func:`~mondegreen.classifiers.defended.parse_defence` reads it.
        classifier: Who listens.
        options: How it is made.

    Raises:
        MondegreenError: The text is not understood.
    """
    defence = parse_defence(text)
    deployed = Defended(
        classifier, defence.channel, votes=defence.votes, seed=options.secret
    ).freeze()
    about = {
        "name": text,
        "kind": "defence",
        "settings": repr(defence.channel),
        "votes": defence.votes,
        "random": defence.channel.random,
        "straight_through": defence.channel.straight_through,
    }
    return Shield(text, deployed, deployed.known_to_attacker(options.draws), about)


def detector_shield(
    text: str, classifier: Classifier, options: ShieldOptions, lessons: Lessons
) -> Shield:
    """Return a classifier that rejects what a detector suspects.

    The threshold is that of so many false alarms on the validation clips. An attacker who knows it
    aims lower, at the median of benign clips, so that little is left to tell them apart by.

    Args:
        text: ``residual``, or ``consistency:CHANNEL`` with a channel as a defence has it.
        classifier: Who listens.
        options: How it is made.
        lessons: What it may learn from.

    Raises:
        MondegreenError: The text is not understood.
    """
    detector, known, trained = _detectors(text, classifier, options, lessons)
    x = lessons.validation.waveforms(None, classifier.normalization).to(classifier.device)
    found = scores(detector, x)
    threshold = threshold_for(found, options.false_alarms)
    aim = float(found.quantile(_AIM))
    spread = max(threshold - aim, 1e-6)
    about = {
        "name": text,
        "kind": "detector",
        "settings": detector.describe(),
        "votes": 1,
        "random": False,
        "straight_through": False,
    }
    return Shield(
        text,
        Guarded(classifier, detector, threshold=threshold, spread=spread).freeze(),
        Guarded(classifier, known, threshold=aim, spread=spread).freeze(),
        about,
        Watch(detector, threshold, len(x), trained),
    )


def _detectors(
    text: str, classifier: Classifier, options: ShieldOptions, lessons: Lessons
) -> tuple[Detector, Detector, int]:
    """Return a detector, the attacker's copy of it, and from how many adversarial clips it learned.

    Raises:
        MondegreenError: The text is not understood, or there is nothing to learn from.
    """
    kind, _, rest = text.partition(":")
    if kind == CONSISTENCY and rest:
        behind = defence_shield(rest, classifier, options)
        assert isinstance(behind.classifier, Defended) and isinstance(behind.known, Defended)
        copies = (Consistency(classifier, one) for one in (behind.classifier, behind.known))
        first, second = copies
        return first, second, 0
    if kind != RESIDUAL or rest:
        raise MondegreenError(
            f"detector {text!r} is not understood; write {RESIDUAL}, or {CONSISTENCY}:CHANNEL such "
            f"as {CONSISTENCY}:quantize:bits=7."
        )
    benign, adversarial = adversarial_lessons(classifier, lessons, options)
    if not len(adversarial):
        raise MondegreenError(
            f"detector {text!r}: no attack of --lessons fools the classifier on a training clip; "
            "name stronger ones, or louder budgets."
        )
    learned = Residual().to(classifier.device).fit(benign, adversarial)
    return learned, learned, len(adversarial)


def adversarial_lessons(
    classifier: Classifier, lessons: Lessons, options: ShieldOptions
) -> tuple[Tensor, Tensor]:
    """Return training clips as they are, and what the attacks make of them, each clip by one.

    Targets are drawn evenly among the other labels. Clips that the attack fails with are left out:
    nobody needs to detect them.

    Shape:
        - Output: ``(clips, 1, time)`` twice
    """
    random = torch.Generator().manual_seed(options.secret)
    x, labels = lessons.train.sample(
        min(options.training_clips, len(lessons.train)),
        random,
        normalization=classifier.normalization,
    )
    count = len(classifier.labels)
    targets = (labels + torch.randint(1, count, labels.shape, generator=random)) % count
    parts = []
    with task("clips for the detector", len(lessons.attacks)) as step:
        for number, (attack, budget) in enumerate(lessons.attacks):
            rows = slice(number, None, len(lessons.attacks))
            if len(x[rows]):
                here = x[rows].to(classifier.device)
                wanted = targets[rows].to(classifier.device)
                found = attack(classifier, here, wanted, budget=budget)
                parts.append(found.x_adv[found.success])
            step()
    return x.to(classifier.device), torch.cat(parts) if parts else x[:0]
