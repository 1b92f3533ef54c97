"""What a channel leaves of an attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mondegreen.classifiers.classifier import predict
from mondegreen.errors import MondegreenError
from mondegreen.live.attacking import Answer
from mondegreen.live.pictures import Track, draw, scale_of, to_wave

MAX_CHANNELS_AT_ONCE = 16
MAX_TEXT = 200


@dataclass(frozen=True)
class Passage:
    """A clip's way through a channel."""

    channel: str
    about: str
    """What the channel does, in a sentence; empty for one that somebody typed."""
    reason: str = ""
    """Why it could not be tried; empty where it was."""
    original: str = ""
    """What is heard in the original behind the channel."""
    adversarial: str = ""
    """What is heard in the adversarial clip behind it."""
    share: float = 0.0
    """The target's probability there, in percent."""
    survives: bool = False
    """Whether the target is still heard."""
    track: Track | None = None
    """The adversarial clip behind the channel."""


def channel_examples() -> tuple[tuple[str, str], ...]:
    """Return the channels that the page offers, each with a sentence about it."""
    from mondegreen.channels import CHANNEL_EXAMPLES

    return tuple(CHANNEL_EXAMPLES)


def pass_channels(answer: Answer, channels: Sequence[str], seed: int = 0) -> list[Passage]:
    """Send original and adversarial clip through channels, each with the same random numbers.

    Args:
        answer: The attack whose clips are sent.
        channels: Texts that :func:`mondegreen.channels.parse_channel` reads.
        seed: Of the channels' noise.

    Raises:
        MondegreenError: There are more channels than a page tries at once.
    """
    if len(channels) > MAX_CHANNELS_AT_ONCE:
        raise MondegreenError(
            f"{len(channels)} channels are too many at once; choose up to {MAX_CHANNELS_AT_ONCE}."
        )
    about = dict(channel_examples())
    return [_pass(answer, text, about.get(text, ""), seed) for text in channels]


def _pass(answer: Answer, text: str, about: str, seed: int) -> Passage:
    from mondegreen.channels import parse_channel

    classifier = answer.model.classifier
    try:
        if len(text) > MAX_TEXT:
            raise MondegreenError(f"a channel of {len(text)} characters is too long.")
        channel = parse_channel(text)
        original, adversarial = (
            channel(
                x,
                sample_rate=classifier.sample_rate,
                generator=torch.Generator().manual_seed(seed),
            )
            for x in (answer.x, answer.x_adv)
        )
        heard = predict(classifier, torch.cat([original, adversarial]))
    except MondegreenError as error:
        return Passage(text[:MAX_TEXT], about, reason=str(error))
    labels = [classifier.labels[int(one.argmax())] for one in heard]
    wave = to_wave(adversarial, classifier.normalization)
    return Passage(
        text,
        about,
        original=labels[0],
        adversarial=labels[1],
        share=100 * float(heard[1, classifier.label_index(answer.request.target)]),
        survives=labels[1] == answer.request.target,
        track=draw(text, "adversarial", wave, scale_of([wave], classifier.sample_rate)),
    )
