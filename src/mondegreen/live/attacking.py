"""One attack on one clip, with everything that the live page shows of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import SNR
from mondegreen.classifiers.classifier import predict
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.specs import Sources, build_attack, parse_spec
from mondegreen.live.clips import Clip
from mondegreen.live.models import LiveModel
from mondegreen.live.quality import Pesq
from mondegreen.metrics.snr import snr_db
from mondegreen.progress import hidden

MIN_DB, MAX_DB = 15, 40
MAX_STEPS = 40

KINDS = {
    "generator": "Generator: one forward pass",
    "refined": "Generator, then gradient steps",
    "pgd": "Gradient search (PGD)",
    "fgsm": "One gradient step (FGSM)",
}
"""Attacks that every model offers; those with steps have :data:`STEPPED`."""

UNIVERSAL_KINDS = {
    "universal": "Universal perturbation",
    "filter": "Universal filter",
}
"""Attacks that models have where a run was given."""

STEPPED = ("refined", "pgd")


@dataclass(frozen=True)
class Request:
    """What somebody asks for."""

    target: str
    """The label to reach."""
    snr_db: float = 20.0
    """The budget: signal-to-noise ratio, in dB."""
    kind: str = "generator"
    """One of :data:`KINDS`, or of the model's universal attacks."""
    steps: int = 10
    """Gradient steps of those attacks that take them."""
    quietness: float = 0.0
    """0 to 1, for generators that know it."""

    def __post_init__(self) -> None:
        """Refuse numbers that the page's sliders cannot give, such as NaN.

        Raises:
            MondegreenError: A number is out of range.
        """
        limits = {"snr_db": (MIN_DB, MAX_DB), "steps": (1, MAX_STEPS), "quietness": (0, 1)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise MondegreenError(f"{name} is {value}; choose from {low} to {high}.")


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Shape:
        - ``x``, ``x_adv``: ``(1, 1, clip_samples)``, on the 16-bit grid
        - ``before``, ``after``: ``(labels,)``, probabilities
    """

    model: LiveModel
    clip: Clip
    request: Request
    attack: str
    """The attack, as ``compare`` would be asked for it."""
    x: Tensor
    x_adv: Tensor
    before: Tensor
    after: Tensor
    snr_db: float
    pesq_nb: float | None
    milliseconds: float
    """The attack's own time: perturbing, projecting, rounding, scoring again."""

    @property
    def heard_before(self) -> str:
        """The label that the classifier hears in the original."""
        return self.model.classifier.labels[int(self.before.argmax())]

    @property
    def heard_after(self) -> str:
        """The label that it hears in the adversarial clip."""
        return self.model.classifier.labels[int(self.after.argmax())]

    @property
    def success(self) -> bool:
        """Whether that is the target."""
        return self.heard_after == self.request.target

    @property
    def needless(self) -> bool:
        """Whether the target was heard before the attack."""
        return self.heard_before == self.request.target

    @property
    def changed(self) -> bool:
        """Whether any sample is another one: of a clip too quiet for noise at the ratio none is."""
        return math.isfinite(self.snr_db)

    def numbers(self) -> dict[str, Any]:
        """Return what a program would ask for, as plain values."""
        return {
            "model": self.model.name,
            "attack": self.attack,
            "before": self.heard_before,
            "after": self.heard_after,
            "target": self.request.target,
            "success": self.success,
            "needless": self.needless,
            "snr_db": round(self.snr_db, 3) if self.changed else None,
            "pesq_nb": None if self.pesq_nb is None else round(self.pesq_nb, 3),
            "milliseconds": round(self.milliseconds, 2),
            "start_s": round(self.clip.start, 3),
            "seconds": round(self.clip.seconds, 3),
        }


def spec_text(request: Request, model: LiveModel) -> str:
    """Return the attack in the words of :func:`mondegreen.evaluation.specs.parse_spec`.

    Raises:
        MondegreenError: The model has no such attack.
    """
    quiet = f":quietness={request.quietness:g}" if request.quietness and model.has_dial else ""
    texts = {
        "generator": f"generator{quiet}",
        "refined": f"generator+{request.steps}{quiet}",
        "pgd": f"pgd:steps={request.steps}",
        "fgsm": "fgsm",
        **{kind: kind for kind in model.universal},
    }
    if request.kind not in texts:
        raise MondegreenError(
            f"{model.name} has no attack {request.kind!r}; it has: {', '.join(texts)}."
        )
    return texts[request.kind]


def _attack(text: str, model: LiveModel) -> Attack:
    ready = model.universal.get(text)
    if ready is not None:
        return ready
    return build_attack(parse_spec(text), model.classifier, Sources(generator=model.generator))


def attack_clip(model: LiveModel, clip: Clip, request: Request, pesq: Pesq | None = None) -> Answer:
    """Attack one clip.

    Args:
        model: The classifier and its generator.
        clip: As :func:`mondegreen.live.clips.read_clip` returns it for this classifier.
        request: What is asked for.
        pesq: Computes PESQ; without it, none is given.

    Raises:
        MondegreenError: The clip is silent, the target is no target of the model, or the model has
            no such attack.
    """
    if request.target not in model.targets:
        raise MondegreenError(
            f"{model.name} has no target {request.target!r}; it has: {', '.join(model.targets)}."
        )
    text = spec_text(request, model)
    if clip.silent:
        raise MondegreenError(
            "The clip is silent, and a signal-to-noise ratio allows no noise beside silence. "
            "Record again, closer to the microphone."
        )
    attack = _attack(text, model)
    with hidden():
        before = predict(model.classifier, clip.x)[0]
        start = time.perf_counter()
        result = attack(model.classifier, clip.x, [request.target], budget=SNR(request.snr_db))
        milliseconds = 1e3 * (time.perf_counter() - start)
    score = pesq(result.x, result.x_adv, model.classifier.sample_rate) if pesq else None
    return Answer(
        model=model,
        clip=clip,
        request=request,
        attack=text,
        x=result.x,
        x_adv=result.x_adv,
        before=before,
        after=torch.softmax(result.logits, dim=1)[0],
        snr_db=float(snr_db(result.x, result.x_adv)[0]),
        pesq_nb=score,
        milliseconds=milliseconds,
    )


def warm_up(models: Iterable[LiveModel], pesq: Pesq) -> None:
    """Attack noise with every model, so that the first visitor waits no longer than the others."""
    for model in models:
        random = torch.Generator().manual_seed(0)
        noise = 0.1 * torch.randn(1, 1, model.classifier.clip_samples, generator=random)
        clip = Clip(noise.clamp(-1.0, 1.0), 0.0, model.clip_seconds)
        for kind in ("generator", "fgsm"):
            attack_clip(model, clip, Request(model.targets[0], kind=kind), pesq)
