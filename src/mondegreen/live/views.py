"""The page's answers as HTML; what people typed or uploaded is escaped by the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from torch import Tensor

from mondegreen.live.attacking import Answer
from mondegreen.live.channels import Passage
from mondegreen.live.clips import Clip
from mondegreen.live.models import LiveModel
from mondegreen.live.pictures import draw, draw_attack, scale_of, to_wave

SHOWN = 12
"""Probabilities that are shown where a classifier has more labels: the highest ones."""


@dataclass(frozen=True)
class Bar:
    """A label with its probabilities, in percent."""

    label: str
    before: float
    after: float | None
    target: bool = False


class Views:
    """The templates, read once."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )

    def answer(self, answer: Answer) -> str:
        """Return what became of an attack: verdict, numbers, sounds, pictures, probabilities."""
        classifier = answer.model.classifier
        tracks = draw_attack(
            answer.x, answer.x_adv, classifier.sample_rate, classifier.normalization
        )
        return self._render(
            "answer",
            answer=answer,
            tracks=tracks,
            bars=bars(classifier.labels, answer.before, answer.after, answer.request.target),
            kilohertz=classifier.sample_rate / 2000,
            download=f"{answer.heard_before}.{answer.request.target}.wav".replace("/", "-"),
            used=_used(answer.clip, answer.model),
        )

    def heard(self, model: LiveModel, clip: Clip, probabilities: Tensor) -> str:
        """Return what a classifier hears in a recording."""
        classifier = model.classifier
        wave = to_wave(clip.x, classifier.normalization)
        track = draw("Your recording", "original", wave, scale_of([wave], classifier.sample_rate))
        return self._render(
            "heard",
            label=classifier.labels[int(probabilities.argmax())],
            share=100 * float(probabilities.max()),
            track=track,
            bars=bars(classifier.labels, probabilities, None, None),
            kilohertz=classifier.sample_rate / 2000,
            used=_used(clip, model),
        )

    def passages(self, answer: Answer, passages: Sequence[Passage]) -> str:
        """Return what survives of an adversarial clip in each channel."""
        return self._render("channels", answer=answer, passages=passages)

    def notice(self, text: str, *, wrong: bool = True) -> str:
        """Return a sentence in place of an answer; ``wrong`` where it refuses something."""
        return self._render("notice", text=text, wrong=wrong)

    def text(self, name: str, **values: object) -> str:
        """Return a part of the page that does not change while it is served."""
        return self._render(name, **values)

    def _render(self, name: str, **values: object) -> str:
        return self._templates.get_template(f"{name}.html.j2").render(**values)


def bars(
    labels: Sequence[str], before: Tensor, after: Tensor | None, target: str | None
) -> list[Bar]:
    """Return a bar for each label; of more than :data:`SHOWN`, those of the highest probability.

    Args:
        labels: All labels.
        before: Their probabilities in the original, ``(labels,)``.
        after: Those in the adversarial clip; None where there is none.
        target: Always shown.
    """
    highest = before if after is None else before.maximum(after)
    order = highest.argsort(descending=True).tolist()
    chosen = set(order[:SHOWN]) if len(labels) > SHOWN else set(order)
    if target is not None:
        chosen.add(labels.index(target))
    return [
        Bar(
            label,
            100 * float(before[i]),
            None if after is None else 100 * float(after[i]),
            label == target,
        )
        for i, label in enumerate(labels)
        if i in chosen
    ]


def _used(clip: Clip, model: LiveModel) -> str:
    """Return what of a recording was used, where that is not all of it."""
    if clip.seconds <= model.clip_seconds:
        return ""
    return (
        f"The classifier hears {model.clip_seconds:g} s at once: of your {clip.seconds:.2f} s the "
        f"loudest part was used, from {clip.start:.2f} s on."
    )
