"""Models that strangers wrote, adopted: what is found out, and that they answer as before."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.classifiers.strangers.raw import LABELS, RATE, SAMPLES, Raw
from tests.classifiers.strangers.spotter import WORDS, build
from tests.classifiers.strangers.wrapped_zoo import InNumPy, Reversed
from torch import Tensor, nn

import mondegreen
from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.attacks.square import SquareAttack
from mondegreen.audio import quantize
from mondegreen.classifiers.adopted import Adopted
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.contract import Contract
from mondegreen.errors import MondegreenError


def adopted(module: Callable[..., Any], **options: Any) -> Classifier:
    given = {"labels": LABELS, "sample_rate": RATE, "clip_samples": SAMPLES, **options}
    return Classifier.from_module(module, **given)


def contract(classifier: Classifier) -> Contract:
    assert isinstance(classifier.module, Adopted)
    return classifier.module.config.contract


def found(classifier: Classifier, what: str) -> str:
    assert isinstance(classifier.module, Adopted)
    (one,) = [one for one in classifier.module.findings if one.what == what]
    return one.found


def clips(count: int = 4, samples: int = SAMPLES) -> Tensor:
    return quantize(
        0.2 * torch.randn(count, 1, samples, generator=torch.Generator().manual_seed(1))
    )


class Around(nn.Module):
    """The tone spotter behind a function before and one after it."""

    def __init__(
        self,
        before: Callable[[Tensor], Tensor] = lambda x: x,
        after: Callable[[Tensor], Any] = lambda x: x,
    ) -> None:
        super().__init__()
        self.raw, self.before, self.after = Raw(), before, after

    def forward(self, audio: Tensor) -> Any:
        return self.after(self.raw(self.before(audio)))


def of_rank(rank: int, last: int | None = None) -> Callable[[Tensor], Tensor]:
    """Take only clips of so many axes, and return them as ``(batch, 1, time)``."""

    def take(audio: Tensor) -> Tensor:
        assert audio.dim() == rank and last in (None, audio.shape[-1])
        return audio.reshape(len(audio), 1, -1)

    return take


def stereo(audio: Tensor) -> Tensor:
    assert audio.dim() == 3 and audio.shape[1] == 2
    return audio.mean(dim=1, keepdim=True)


@pytest.mark.parametrize(
    ("before", "layout"),
    [
        (lambda x: x, "batch-1-time"),
        (of_rank(2), "batch-time"),
        (of_rank(3, 1), "batch-time-1"),
        (stereo, "batch-channels-time"),
    ],
)
def test_layouts_are_found(before: Callable[[Tensor], Tensor], layout: str) -> None:
    classifier = adopted(Around(before))
    assert contract(classifier) == Contract(layout=layout)  # type: ignore[arg-type]
    torch.testing.assert_close(classifier(clips()), Raw()(clips()))
    assert classifier.differentiable and not classifier.training


@pytest.mark.parametrize(
    ("after", "output", "field"),
    [
        (lambda y: y.softmax(1), "probabilities", None),
        (lambda y: y.log_softmax(1), "log-probabilities", None),
        (lambda y: {"loss": None, "logits": y}, "logits", "logits"),
        (lambda y: (y.new_zeros(len(y), 7), y.softmax(1)), "probabilities", "1"),
        (lambda y: SimpleNamespace(logits=y[:, :, None]), "logits", "logits"),
    ],
)
def test_answers_are_understood(after: Callable[[Tensor], Any], output: str, field: str) -> None:
    classifier = adopted(Around(after=after))
    assert contract(classifier) == Contract(output=output, field=field)  # type: ignore[arg-type]
    torch.testing.assert_close(classifier(clips()).softmax(1), Raw()(clips()).softmax(1))
    x = clips().requires_grad_()
    (slope,) = torch.autograd.grad((classifier(x)[:, 0] - classifier(x)[:, 1]).sum(), x)
    (own,) = torch.autograd.grad((Raw()(x)[:, 0] - Raw()(x)[:, 1]).sum(), x)
    torch.testing.assert_close(slope, own, rtol=1e-2, atol=1e-2 * float(own.abs().max()))


def test_scaling_and_rate_are_as_told() -> None:
    seen: list[Tensor] = []

    def look(audio: Tensor) -> Tensor:
        seen.append(audio)
        return audio

    loud = adopted(Around(look), scaling="int16")
    loud(clips())
    assert torch.equal(seen[-1], (clips() * 32768.0).round())
    even = adopted(Around(look), scaling="standard")
    even(clips())
    torch.testing.assert_close(seen[-1].mean(2), torch.zeros(4, 1), atol=1e-5, rtol=0.0)
    torch.testing.assert_close(seen[-1].std(2, correction=0), torch.ones(4, 1), rtol=1e-3, atol=0.0)
    fast = adopted(Around(look), sample_rate=16_000, clip_samples=2 * SAMPLES, model_rate=RATE)
    time = torch.arange(2 * SAMPLES) / 16_000.0
    tone = 0.3 * torch.sin(2 * torch.pi * 900.0 * time)[None, None]
    assert fast(tone).argmax() == 1 and seen[-1].shape == (1, 1, SAMPLES)
    assert fast.differentiable


def test_a_stranger_with_everything_of_its_own() -> None:
    """Log-mel, two dimensions, dropout, batch norm, softmax: in evaluation mode, with gradients."""
    classifier = Classifier.from_module(build(), labels=WORDS, sample_rate=8000, clip_samples=4000)
    assert contract(classifier) == Contract(layout="batch-time", output="probabilities")
    x = clips(5, 4000)
    together = classifier(x)
    torch.testing.assert_close(together, torch.cat([classifier(one[None]) for one in x]))
    torch.testing.assert_close(together.softmax(1), build().eval()(x[:, 0]))
    assert found(classifier, "clips at once") == "any number"
    target = (together.argmax(1) + 1) % 3
    pgd = ProjectedGradient(steps=5)
    result = pgd(classifier, x, target, budget=mondegreen.SNR(0))
    before = together.gather(1, target[:, None])
    assert bool((result.logits.gather(1, target[:, None]) > before).all())


def test_clips_that_change_each_other_are_asked_about_alone() -> None:
    class Batchwise(Raw):
        def forward(self, audio: Tensor) -> Tensor:
            return super().forward(audio / audio.std() * 0.1)

    classifier = adopted(Batchwise())
    assert contract(classifier).batch == 1
    torch.testing.assert_close(classifier(clips())[2:3], Batchwise()(clips()[2:3]))


def test_a_model_of_one_clip_at_a_time_is_asked_so() -> None:
    class Lone(Raw):
        def forward(self, audio: Tensor) -> Tensor:
            assert audio.shape == (1, 1, SAMPLES)
            return super().forward(audio)[0]

    classifier = adopted(Lone())
    assert contract(classifier).batch == 1
    torch.testing.assert_close(classifier(clips()), Raw()(clips()))


@pytest.mark.parametrize(
    "before",
    [
        lambda x: torch.from_numpy(x.numpy()),
        lambda x: x.detach(),
        lambda x: (x * 32768.0).round() / 32768.0,
    ],
)
def test_a_model_without_gradients_is_a_black_box(before: Callable[[Tensor], Tensor]) -> None:
    classifier = adopted(Around(before))
    assert not classifier.differentiable
    assert found(classifier, "gradient").startswith("none: ")
    x = clips()
    torch.testing.assert_close(classifier(x.requires_grad_()), Raw()(clips()))
    target = (Raw()(clips()).argmax(1) + 1) % 3
    with pytest.raises(MondegreenError, match=r"pgd-5 needs .* gradients.*genetic, pso and square"):
        ProjectedGradient(steps=5)(classifier, clips(), target, budget=mondegreen.SNR(20))
    assert isinstance(classifier.module, Adopted)
    before_ = classifier.module.sent.clips
    result = SquareAttack(queries=30)(classifier, clips(), target, budget=mondegreen.SNR(10))
    assert result.queries is not None
    sent = classifier.module.sent.clips - before_
    assert sent == int(result.queries.sum()) + 4  # the protocol looks once more


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(MondegreenError, match=r"3 numbers for each clip, but 4 labels"):
        adopted(Raw(), labels=("a", "b", "c", "d"))
    with pytest.raises(MondegreenError, match=r"(?s)none of the layouts.*--clip-samples"):
        adopted(nn.Linear(77, 3))
    flat = nn.Sequential(nn.Flatten(), nn.Linear(SAMPLES, 3))
    assert contract(adopted(flat)).layout == "batch-1-time"  # all are taken, and answered alike

    class Either(Raw):
        def forward(self, audio: Tensor) -> Tensor:
            return super().forward(audio if audio.dim() == 3 else 0.5 * audio[:, None].abs())

    with pytest.raises(MondegreenError, match=r"batch-1-time and as batch-time.*--layout"):
        adopted(Either())
    assert contract(adopted(Either(), layout="batch-time")).layout == "batch-time"
    with pytest.raises(MondegreenError, match="name them in the order"):
        adopted(Raw(), labels=())
    with pytest.raises(MondegreenError, match="Classifier already"):
        adopted(adopted(Raw()))
    with pytest.raises(MondegreenError, match="clip-samples is 0"):
        adopted(Raw(), clip_samples=0)


def test_chance_in_the_answers_is_told() -> None:
    def noisy(answer: Tensor) -> Tensor:
        return answer + torch.randn_like(answer)

    classifier = adopted(Around(after=noisy))
    assert "otherwise" in found(classifier, "repeated")
    assert "NaN" in found(
        adopted(
            Around(
                after=lambda y: y / (y + y[:, :1].abs()).abs().clamp_max(0) if y.max() < -20 else y
            )
        ),
        "silence",
    )


def test_fingerprints_tell_models_apart() -> None:
    class Twice(Raw):
        def forward(self, audio: Tensor) -> Tensor:
            return super().forward(audio) * 2.0

    one, again, twice = adopted(Raw()), adopted(Raw()), adopted(Twice())
    loud, named = adopted(Raw(), scaling="int16"), adopted(Raw(), labels=("a", "b", "c"))
    assert one.fingerprint() == again.fingerprint()
    assert len({each.fingerprint() for each in (one, twice, loud, named)}) == 4
    half = adopted(Raw().bfloat16())
    assert contract(half).precision == "bfloat16" and half(clips()).dtype == torch.float32


def test_the_weights_that_a_function_keeps_count() -> None:
    one, other = Raw(), Raw()
    nn.init.constant_(other.head.weight, 0.5)

    def of(module: nn.Module) -> Callable[[Tensor], Tensor]:
        return lambda audio: module(audio)

    prints = {adopted(of(module)).fingerprint() for module in (one, other, one)}
    assert len(prints) == 2
    assert not any(parameter.requires_grad for parameter in one.parameters())


def test_the_zoo_in_other_clothes_agrees_with_itself() -> None:
    own = mondegreen.load_classifier("zoo:speech-commands")
    for kind in (Reversed, InNumPy):
        classifier = Classifier.from_module(
            kind(),
            labels=own.labels[::-1],
            sample_rate=16_000,
            clip_samples=16_384,
            scaling="int16",
        )
        assert contract(classifier).field == "scores"
        assert classifier.differentiable == (kind is Reversed)
        x = clips(3, 16_384)
        there = classifier(x).softmax(1).flip(1)
        torch.testing.assert_close(there, own(x).softmax(1), atol=1e-5, rtol=1e-4)


def test_a_function_will_do() -> None:
    def levels(audio: Tensor) -> np.ndarray[Any, Any]:
        x = audio[:, 0].numpy()
        return np.stack([x.mean(1), x.std(1), x.max(1)], axis=1) * 9.0 - 1.0

    classifier = adopted(levels, layout="batch-1-time")
    assert classifier.name.endswith("levels") and not classifier.differentiable
    np.testing.assert_allclose(classifier(clips()).numpy(), levels(clips()), rtol=1e-5)
