"""A classifier behind a defence: every clip passes a channel of the defender's before it is heard.

The whole is a classifier like any other, so every attack and measurement works on it, and gradients
pass the defence: its own or, where it has none, straight through (BPDA: Athalye, Carlini and Wagner
2018, https://arxiv.org/abs/1802.00420, section 4.1).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from mondegreen.channels import Channel, Streams, parse_channel
from mondegreen.channels.channel import pass_straight
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.consent import refuse_named_by
from mondegreen.classifiers.loading import load_classifier
from mondegreen.classifiers.places import defended_file
from mondegreen.classifiers.sources import is_source
from mondegreen.configs import from_dict, to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.weights import fingerprint

Combination = Literal["majority", "mean"]
"""How several votes become one answer, see :class:`Defended`."""

_AT_ONCE = 256  # clips that are heard at the same time, votes included


@dataclass(frozen=True)
class Defence:
    """What stands before a classifier."""

    text: str
    """As it was written: its name in tables."""
    channel: Channel
    votes: int = 1
    """How often a clip passes a random channel."""

    def __post_init__(self) -> None:
        """Refuse votes that cannot differ."""
        if self.votes < 1:
            raise MondegreenError(f"defence {self.text!r}: votes is {self.votes}; give 1 or more.")
        if self.votes > 1 and not self.channel.random:
            raise MondegreenError(
                f"defence {self.text!r}: this channel has nothing random, so {self.votes} votes "
                "are the same; leave @ out."
            )


def parse_defence(text: str) -> Defence:
    """Read a defence: a channel or a chain of them and, after ``@``, how many votes are counted.

    Args:
        text: Such as ``median:samples=5``, ``lowpass:hz=4000+quantize:bits=8`` or
            ``gaussian:sigma=0.02@16``; channels as :func:`mondegreen.channels.parse_channel` reads.

    Raises:
        MondegreenError: It is not understood, or several votes are asked of what is not random.

    Example:
        >>> parse_defence("gaussian:sigma=0.02@16").votes
        16
    """
    channel, votes = re.fullmatch(r"(.*?)(?:@(\d+))?", text.strip(), re.DOTALL).groups()  # type: ignore[union-attr]  # matches anything
    return Defence(text.strip(), parse_channel(channel), int(votes or 1))


class Defended(Classifier):
    """A classifier that hears every clip after a channel of the defender's.

    A random channel is passed ``votes`` times, and

    * ``majority``: the label that is heard most often wins, the mean probability breaking ties. The
      answer is ``log((count + mean probability) / (votes + 1))``, with the gradient of ``mean``.
    * ``mean``: the logarithm of the mean probability, which has a gradient of its own. That is what
      an attacker who knows the defence descends (expectation over transformation: Athalye et al.
      2018, https://arxiv.org/abs/1707.07397).

    The draws follow from the clip and the seed: the same clip is heard alike whatever is beside it,
    another one meets other draws.

    Args:
        classifier: Who listens behind the defence.
        channel: What the clips pass.
        votes: How often, of a random channel.
        combine: How the votes become one answer.
        seed: Of the draws; the defender's secret. It is not part of the fingerprint.

    Raises:
        MondegreenError: There are several votes, or none, and the channel is not random.
    """

    def __init__(
        self,
        classifier: Classifier,
        channel: Channel,
        *,
        votes: int = 1,
        combine: Combination = "majority",
        seed: int = 1024,
    ) -> None:
        Defence(repr(channel), channel, votes)
        super().__init__(
            _Behind(classifier, channel, votes, combine, seed),
            labels=classifier.labels,
            sample_rate=classifier.sample_rate,
            clip_samples=classifier.clip_samples,
            name=f"{classifier.name}-defended",
            differentiable=classifier.differentiable,
            normalization=classifier.normalization,
        )
        self.channel, self.votes, self.combine, self.seed = channel, votes, combine, seed

    @property
    def undefended(self) -> Classifier:
        """The classifier behind the defence."""
        found = self.module.classifier
        assert isinstance(found, Classifier)
        return found

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with the classifier, the channel and the votes."""
        settings = [self.undefended.fingerprint(), repr(self.channel), self.votes, self.combine]
        return fingerprint(nn.Module(), settings)

    def refuse_other(self, name: str, fingerprint: str, where: str | Path) -> None:
        """Refuse what was trained neither against this nor against the classifier behind it.

        What was trained against the latter is the attack that does not know of the defence.

        Raises:
            MondegreenError: It was another one.
        """
        if fingerprint != self.undefended.fingerprint():
            super().refuse_other(name, fingerprint, where)

    def known_to_attacker(self, draws: int) -> Defended:
        """Return the defence as whoever knows all but its seed searches through it.

        Args:
            draws: How often a clip passes a random channel for each answer, whose mean counts.
        """
        votes = draws if self.channel.random else 1
        return Defended(
            self.undefended, self.channel, votes=votes, combine="mean", seed=self.seed + 1
        ).freeze()


class _Behind(nn.Module):
    """The channel, the classifier and the count of its votes."""

    def __init__(
        self,
        classifier: Classifier,
        channel: Channel,
        votes: int,
        combine: Combination,
        seed: int,
    ) -> None:
        super().__init__()
        self.classifier, self.channel = classifier, channel
        self.votes, self.combine, self.seed = votes, combine, seed

    def forward(self, x: Tensor) -> Tensor:
        """Return logits or, of several votes, log-probabilities."""
        rate = self.classifier.sample_rate
        if not self.channel.random:
            logits: Tensor = self.classifier(self.channel.through(x, rate, Streams(())))
            return logits
        repeated = x.repeat_interleave(self.votes, dim=0)
        streams = Streams.of_content(x, self.seed, self.votes)
        heard = self.channel.through(repeated, rate, streams)
        logits = torch.cat([self.classifier(part) for part in torch.split(heard, _AT_ONCE)])
        if self.votes == 1:
            return logits
        each = logits.view(len(x), self.votes, -1)
        mean = each.log_softmax(dim=2).logsumexp(dim=1) - math.log(self.votes)
        return mean if self.combine == "mean" else _majority(each, mean)


def _majority(each: Tensor, mean: Tensor) -> Tensor:
    """Return the shares of the votes as log-probabilities, with the gradient of ``mean``.

    Shape:
        - each: ``(batch, votes, labels)``
        - mean, output: ``(batch, labels)``
    """
    with torch.no_grad():
        counts = torch.nn.functional.one_hot(each.argmax(dim=2), each.shape[2]).sum(dim=1)
        shares = (counts + mean.exp()) / (each.shape[1] + 1)
    return pass_straight(mean, shares.log())


@dataclass(frozen=True)
class DefendedConfig:
    """What ``defended.json`` holds: the classifier's weights stay where they are."""

    classifier: Path
    """Run folder of the classifier behind the defence, or ``zoo:<name>``."""
    name: str
    fingerprint: str
    """Of the classifier behind the defence."""
    defence: str
    """As :func:`parse_defence` reads it."""
    seed: int = 1024
    """Of the draws: the defender's secret."""


def save_defended(folder: Path, place: Path, defence: Defence, seed: int) -> Defended:
    """Write ``defended.json`` to ``folder``; return the defended classifier.

    Args:
        folder: Where to.
        place: Folder of the classifier behind the defence, or ``zoo:<name>``.
        defence: What stands before it.
        seed: Of the draws.

    Raises:
        MondegreenError: There is no classifier, it is defended already, it is a program or a
            service that was not adopted, or the folder cannot be written.
    """
    if is_source(place):
        raise MondegreenError(
            f"{place} is a model made elsewhere, which a file may not open by itself: adopt it "
            "first (mondegreen adopt), and defend the folder."
        )
    if defended_file(place) is not None:
        raise MondegreenError(
            f"{place} is defended already; join the channels by + in place of it."
        )
    classifier = load_classifier(place)
    config = DefendedConfig(place, classifier.name, classifier.fingerprint(), defence.text, seed)
    write_json(folder / "defended.json", {"format": 1, **to_dict(config)})
    return _behind(classifier, defence, seed)


def read_defended(path: Path) -> DefendedConfig:
    """Read a ``defended.json``.

    Raises:
        MondegreenError: It is missing or damaged.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise MondegreenError(f"{path}: expected an object.")
    settings = {key: value for key, value in content.items() if key != "format"}
    return from_dict(DefendedConfig, settings, str(path))


def load_defended(path: Path) -> Defended:
    """Load the classifier that a ``defended.json`` names, behind its defence, frozen.

    Raises:
        MondegreenError: The file is damaged, the classifier is gone or another one now, or loading
            it would run code that nobody named.
    """
    config = read_defended(path)
    refuse_named_by(config.classifier, path)
    if defended_file(config.classifier) is not None:  # before it is opened: it may name itself
        raise MondegreenError(f"{path}: {config.classifier} is defended already.")
    classifier = load_classifier(config.classifier)
    found = classifier.fingerprint()
    if found != config.fingerprint:
        raise MondegreenError(
            f"{path}: the classifier in {config.classifier} was {config.name} "
            f"{config.fingerprint}, and is {classifier.name} {found} now. Restore it, or defend it "
            "anew."
        )
    return _behind(classifier, parse_defence(config.defence), config.seed)


def _behind(classifier: Classifier, defence: Defence, seed: int) -> Defended:
    return Defended(classifier, defence.channel, votes=defence.votes, seed=seed).freeze()
