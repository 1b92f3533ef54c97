"""A tagger and goals as one classifier: whoever attacks wants tags switched on or off.

A tagger answers for each tag on its own whether it is heard. An attack on it wishes for a set of
tags to be on and a set to be off. With these goals as labels it is a classifier like any other, so
that every attack, training and measurement of this package works on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mondegreen.classifiers.adopted import Adopted
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.goals import Goal, check_goals, labels_of, parse_goal
from mondegreen.errors import MondegreenError
from mondegreen.weights import fingerprint


class TagGoals(Classifier):
    """Hears which goal the tags that a tagger hears meet.

    The margin of a tag is its log-odds less those of its threshold: above 0, the tag is on. The
    logit of a goal is the smallest of its tags' margins, with the sign turned for tags that are to
    be off; that of ``none`` is 0. So the arg-max is a goal exactly where all its tags are as
    wished and, of several such goals, the one that is met most clearly. The minimum is the margin
    of the worst tag, which has to give way last: attacks that follow it work at that tag.

    Args:
        tagger: Gives one log-odds a tag; its labels are the tags.
        goals: What attacks want, as :class:`~mondegreen.data.goals.Goal` or as text.
        thresholds: The probability above which a tag is on: one for all, one for each tag in the
            order of the tags, or some by their names and 0.5 for the others.

    Raises:
        MondegreenError: There are no goals, two are alike, one names an unknown tag, a threshold
            is not between 0 and 1, or the tagger is a classifier of one label a clip.

    Example:
        >>> told = nn.Linear(2, 2)
        >>> _ = told.load_state_dict({"weight": torch.eye(2), "bias": torch.zeros(2)})
        >>> tagger = Classifier(
        ...     nn.Sequential(nn.Flatten(), told),
        ...     labels=("rain", "dog"), sample_rate=8000, clip_samples=2, name="tagger",
        ... )
        >>> goals = TagGoals(tagger, ["+rain", "hush=-rain-dog"]).freeze()
        >>> goals.labels, goals(torch.tensor([[[0.9, -0.2]]]))
        (('none', '+rain', 'hush'), tensor([[ 0.0000,  0.9000, -0.9000]]))
    """

    def __init__(
        self,
        tagger: Classifier,
        goals: Sequence[Goal | str],
        thresholds: float | Sequence[float] | Mapping[str, float] = 0.5,
    ) -> None:
        found = tuple(parse_goal(goal) if isinstance(goal, str) else goal for goal in goals)
        check_goals(found)
        _refuse_unfit(tagger)
        levels = one_a_tag(tagger.labels, thresholds)
        super().__init__(
            _Margins(tagger, _signs(found, tagger), levels),
            labels=labels_of(found),
            sample_rate=tagger.sample_rate,
            clip_samples=tagger.clip_samples,
            name=f"{tagger.name}-goals",
            normalization=tagger.normalization,
            differentiable=tagger.differentiable,
        )
        self.goals, self.thresholds = found, levels

    @property
    def tagger(self) -> Classifier:
        """Who hears the tags."""
        found = self.module.tagger
        assert isinstance(found, Classifier)
        return found

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with the tagger, a goal or a threshold."""
        texts = [goal.text for goal in self.goals]
        return fingerprint(nn.Module(), [self.tagger.fingerprint(), texts, self.thresholds])


def goals_of(classifier: Classifier) -> tuple[str, ...]:
    """Return the goals of a tagger as they are written, also of one behind a defence; else none."""
    for part in classifier.modules():
        if isinstance(part, TagGoals):
            return tuple(goal.text for goal in part.goals)
    return ()


class _Margins(nn.Module):
    """The tagger, and how far its answer is from each goal."""

    signs: Tensor
    levels: Tensor

    def __init__(self, tagger: Classifier, signs: Tensor, thresholds: Sequence[float]) -> None:
        super().__init__()
        self.tagger = tagger
        levels = [math.log(t) - math.log1p(-t) for t in thresholds]
        self.register_buffer("signs", signs)
        self.register_buffer("levels", torch.tensor(levels))

    def forward(self, x: Tensor) -> Tensor:
        """Return 0 for ``none``, and the smallest margin of each goal.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: ``(batch, 1 + goals)``
        """
        margins = self.tagger(x) - self.levels
        signed = margins[:, None] * self.signs
        worst = signed.masked_fill(self.signs == 0, math.inf).amin(dim=2)
        return nn.functional.pad(worst, (1, 0))


def _signs(goals: Sequence[Goal], tagger: Classifier) -> Tensor:
    """Return 1 for tags that are to be on, -1 for those to be off, 0 for others.

    Shape:
        - Output: ``(goals, tags)``
    """
    signs = torch.zeros(len(goals), len(tagger.labels))
    for row, goal in enumerate(goals):
        for sign, tags in ((1.0, goal.on), (-1.0, goal.off)):
            for tag in tags:
                if tag not in tagger.labels:
                    raise MondegreenError(
                        f"the goal {goal.text}: {tagger.name} has no tag {tag!r}; it knows: "
                        f"{', '.join(tagger.labels)}."
                    )
                signs[row, tagger.labels.index(tag)] = sign
    return signs


def one_a_tag(
    tags: Sequence[str], thresholds: float | Sequence[float] | Mapping[str, float]
) -> tuple[float, ...]:
    """Return one threshold a tag.

    Args:
        tags: The tags.
        thresholds: As of :class:`TagGoals`.

    Raises:
        MondegreenError: There is one too many or too few, for an unknown tag, or not between 0
            and 1.

    Example:
        >>> one_a_tag(("rain", "dog"), {"dog": 0.2})
        (0.5, 0.2)
    """
    if isinstance(thresholds, Mapping):
        unknown = sorted(set(thresholds) - set(tags))
        if unknown:
            raise MondegreenError(
                f"thresholds name the tags {', '.join(unknown)}, and the tagger knows: "
                f"{', '.join(tags)}."
            )
        found = tuple(float(thresholds.get(tag, 0.5)) for tag in tags)
    elif isinstance(thresholds, Sequence):
        found = tuple(map(float, thresholds))
    else:
        found = (float(thresholds),) * len(tags)
    if len(found) != len(tags):
        raise MondegreenError(f"{len(found)} thresholds are given for {len(tags)} tags.")
    for tag, threshold in zip(tags, found, strict=True):
        if not 0.0 < threshold < 1.0:
            raise MondegreenError(
                f"the threshold of {tag} is {threshold}; it lies between 0 and 1."
            )
    return found


def _refuse_unfit(tagger: Classifier) -> None:
    """Refuse classifiers whose answers are no log-odds."""
    module, output = tagger.module, "logits"
    if isinstance(module, Adopted):
        output = module.config.contract.output
    elif getattr(tagger, "problem_type", "") == "single_label_classification":
        output = "probabilities"
    if output in ("probabilities", "log-probabilities"):
        raise MondegreenError(
            f"{tagger.name} answers with the {output} of labels that exclude each other, so it is "
            "no tagger; attack it as it is. If each label is judged on its own, say so when it is "
            "adopted: --output sigmoid."
        )
