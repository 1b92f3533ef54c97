"""What a channel leaves of an attack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Event

import torch
from torch import Tensor

from mondegreen.channels import CHANNEL_EXAMPLES, Channel, parse_channel
from mondegreen.classifiers.classifier import predict
from mondegreen.errors import MondegreenError
from mondegreen.live.attacking import Answer
from mondegreen.live.pictures import Track, draw, scale_of, to_wave

MAX_CHAIN = 4
"""Channels that may follow each other."""


@dataclass(frozen=True)
class Passage:
    """A clip's way through a channel."""

    channel: str
    about: str
    """What the channel does, in a sentence."""
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


class Channels:
    """The channels of the page, each read once: rooms take seconds when they are first needed.

    Visitors choose among them and write none of their own, as some channels read folders.

    Args:
        examples: Pairs of a channel's text and a sentence about it.
        seed: Of the channels' noise: both clips meet the same.
    """

    def __init__(
        self, examples: Sequence[tuple[str, str]] = CHANNEL_EXAMPLES, seed: int = 0
    ) -> None:
        self.about = dict(examples)
        self.unavailable: dict[str, str] = {}
        self._ready: dict[str, Channel] = {}
        self._seed = seed
        for text in self.about:
            try:
                self._ready[text] = parse_channel(text)
            except MondegreenError as error:  # an extra is missing
                self.unavailable[text] = str(error)

    @property
    def available(self) -> tuple[str, ...]:
        """The channels that can be tried."""
        return tuple(self._ready)

    def warm_up(self, sample_rate: int, ended: Event) -> None:
        """Send noise through every channel, so that the first visitor waits no longer.

        Args:
            sample_rate: In Hz.
            ended: No further channel is tried once it is set.
        """
        noise = 0.1 * torch.randn(1, 1, sample_rate, generator=torch.Generator().manual_seed(0))
        for text in self._ready:
            if ended.is_set():
                return
            try:
                self._through(text, noise.clamp(-1.0, 1.0), sample_rate)
            except MondegreenError as error:  # such as an FFmpeg without the coder
                self.unavailable[text] = str(error)

    def passages(self, answer: Answer, chosen: Sequence[str], *, chain: bool) -> Iterator[Passage]:
        """Send original and adversarial clip through channels.

        Args:
            answer: The attack whose clips are sent.
            chosen: Some of :attr:`available`.
            chain: Send them through one after the other, instead of through each alone.

        Raises:
            MondegreenError: None, or one that is not on the page, was chosen, or too many in a row.
        """
        unknown = [text for text in chosen if text not in self.about]
        if unknown or not chosen:
            raise MondegreenError(
                f"this page has no channel {unknown[0]!r}." if unknown else "Choose a channel."
            )
        if chain and len(chosen) > MAX_CHAIN:
            raise MondegreenError(
                f"{len(chosen)} channels in a row are too many; choose up to {MAX_CHAIN}."
            )
        if chain and len(chosen) > 1:
            yield self._pass(answer, "+".join(chosen), "One after the other.", chosen)
            return
        for text in chosen:
            yield self._pass(answer, text, self.about[text], [text])

    def _pass(self, answer: Answer, text: str, about: str, links: Sequence[str]) -> Passage:
        classifier = answer.model.classifier
        pair = [answer.x, answer.x_adv]
        try:
            for link in links:
                pair = [self._through(link, x, classifier.sample_rate) for x in pair]
        except MondegreenError as error:
            return Passage(text, about, reason=str(error))
        heard = predict(classifier, torch.cat(pair))
        labels = [classifier.labels[int(one.argmax())] for one in heard]
        wave = to_wave(pair[1], classifier.normalization)
        return Passage(
            text,
            about,
            original=labels[0],
            adversarial=labels[1],
            share=100 * float(heard[1, classifier.label_index(answer.request.target)]),
            survives=labels[1] == answer.request.target,
            track=draw(
                "What arrives", "adversarial", wave, scale_of([wave], classifier.sample_rate)
            ),
        )

    def _through(self, text: str, x: Tensor, sample_rate: int) -> Tensor:
        if text in self.unavailable:
            raise MondegreenError(self.unavailable[text])
        generator = torch.Generator().manual_seed(self._seed)
        return self._ready[text](x, sample_rate=sample_rate, generator=generator)
