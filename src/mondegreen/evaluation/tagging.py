"""What a tagger hears in untouched clips, and how many of them meet a goal before any attack."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.tag_goals import TagGoals
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.tags import TaggedClips
from mondegreen.errors import MondegreenError
from mondegreen.metrics.tagging import average_precision, best_threshold, f1

MOST = 0.95
"""A goal that a larger share of the clips is heard to meet is nothing to attack for."""
_ORDERS = 20
"""Orders of the clips by which chance is told."""


@dataclass(frozen=True)
class TagRow:
    """One tag, on untouched clips. NaN is None."""

    tag: str
    clips: int
    """How many clips truly have it."""
    threshold: float
    accuracy: float
    """Share of the clips where it is on or off as it should be."""
    f1: float | None
    average_precision: float | None
    """Of any threshold."""


@dataclass(frozen=True)
class GoalRow:
    """One goal, on untouched clips."""

    goal: str
    label: str
    truly_met: float
    """Share of the clips whose true tags meet it."""
    heard_met: float
    """Share of the clips whose tags, as the tagger hears them, meet it."""


@dataclass(frozen=True)
class TaggerReport:
    """What ``goals-report.json`` holds."""

    clips: int
    tags: tuple[TagRow, ...]
    mean_average_precision: float | None
    """Over the tags that some clip has."""
    goals: tuple[GoalRow, ...]
    several: float
    """Share of the clips whose true tags meet several goals: commands leave them out."""


@dataclass(frozen=True)
class TagCheck:
    """How well a tagger's answers fit the tags of some clips."""

    clips: int
    mean_average_precision: float
    chance: float
    """The same where each answer counts for some other clip, on average."""
    above_chance: bool
    """Whether it is more than in every one of these orders of the clips."""

    @property
    def best(self) -> float:
        """What is compared between ways to ask the model."""
        return self.mean_average_precision


def check_tags(answers: Tensor, truth: Tensor) -> TagCheck:
    """Compare what a tagger answers with what clips truly have.

    Args:
        answers: Higher where a tag is more likely.
        truth: Whether the tag is there.

    Shape:
        - Inputs: ``(clips, tags)``

    Raises:
        MondegreenError: No clip has any of the tags.

    Example:
        >>> truth = torch.rand(60, 2, generator=torch.Generator().manual_seed(0)) < 0.5
        >>> check_tags(truth.float(), truth).mean_average_precision
        1.0
    """
    if not truth.any():
        raise MondegreenError(
            f"none of the {len(truth)} clips has a tag that the tagger knows. Are --labels written "
            "as the tags of the clips?"
        )
    rng = torch.Generator().manual_seed(0)
    orders = [torch.randperm(len(truth), generator=rng) for _ in range(_ORDERS)]
    guessed = [_mean_precision(answers, truth[order]) for order in orders]
    found = _mean_precision(answers, truth)
    return TagCheck(len(truth), found, sum(guessed) / _ORDERS, found > max(guessed))


def _mean_precision(answers: Tensor, truth: Tensor) -> float:
    """Return the mean average precision over the tags that some clip has."""
    there = truth.any(dim=0).nonzero()[:, 0].tolist()
    return sum(average_precision(answers[:, tag], truth[:, tag]) for tag in there) / len(there)


@torch.no_grad()
def log_odds(tagger: Classifier, data: ClipDataset) -> Tensor:
    """Return a tagger's log-odds for every tag and clip.

    Shape:
        - Output: ``(clips, tags)``
    """
    parts = data.batches(64, normalization=tagger.normalization)
    return torch.cat([tagger(x.to(tagger.device)).cpu() for x, _ in parts])


def tune(tagger: Classifier, data: ClipDataset, tagged: TaggedClips) -> tuple[float, ...]:
    """Return the threshold of each tag with the highest F1 on validation clips.

    Args:
        tagger: The tagger.
        data: Validation clips.
        tagged: What they truly have.
    """
    probabilities = log_odds(tagger, data).double().sigmoid()
    truth = tagged.truth(data.clips, tagger.labels)
    return tuple(
        best_threshold(probabilities[:, tag], truth[:, tag]) for tag in range(len(tagger.labels))
    )


def measure_tagger(goals: TagGoals, data: ClipDataset, tagged: TaggedClips) -> TaggerReport:
    """Measure a tagger and its goals on untouched clips.

    Args:
        goals: The tagger with its goals.
        data: The clips.
        tagged: What they truly have.
    """
    tags = goals.tagger.labels
    odds, truth = log_odds(goals.tagger, data), tagged.truth(data.clips, tags)
    levels = torch.logit(torch.tensor(goals.thresholds, dtype=torch.float64))
    found = odds.double() > levels
    rows = tuple(
        TagRow(
            tag,
            int(truth[:, i].sum()),
            goals.thresholds[i],
            float((found[:, i] == truth[:, i]).double().mean()),
            _number(f1(found[:, i], truth[:, i])),
            _number(average_precision(odds[:, i], truth[:, i])),
        )
        for i, tag in enumerate(tags)
    )
    known = [row.average_precision for row in rows if row.average_precision is not None]
    truly, heard = _met(goals, tags, truth), _met(goals, tags, found)
    return TaggerReport(
        len(data),
        rows,
        sum(known) / len(known) if known else None,
        tuple(
            GoalRow(goal.text, goal.label, float(t), float(h))
            for goal, t, h in zip(
                goals.goals, truly.double().mean(dim=0), heard.double().mean(dim=0), strict=True
            )
        ),
        float((truly.sum(dim=1) > 1).double().mean()),
    )


def refuse_met(report: TaggerReport) -> None:
    """Refuse goals that nearly every clip is heard to meet before any attack.

    Raises:
        MondegreenError: There is one.
    """
    for row in report.goals:
        if row.heard_met > MOST:
            raise MondegreenError(
                f"the goal {row.goal}: {100 * row.heard_met:.1f} % of the untouched clips are "
                "heard to meet it, so there is nothing to attack. Choose another goal, clips whose "
                "tags differ from it, or other thresholds."
            )


def _met(goals: TagGoals, tags: Sequence[str], found: Tensor) -> Tensor:
    """Return which goals the tags of each clip meet, ``(clips, goals)``."""
    own = [{tag for tag, on in zip(tags, row, strict=True) if on} for row in found.tolist()]
    return torch.tensor([[goal.met_by(each) for goal in goals.goals] for each in own])


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
