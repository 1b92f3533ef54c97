"""The stream: exact latency, causality, budgets at every moment, no dependence on the pieces."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.streaming import Streaming, StreamingOptions
from mondegreen.attacks.streaming_budget import StreamingBudget
from mondegreen.audio import quantize
from mondegreen.budgets import L2, SNR, Budget, Linf
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError

RATE, CLIP = 8000, 2000


class Mirror(Attack):
    """A perturbation whose every sample depends on the whole window: the window reversed."""

    def __init__(self, *, level: float = 0.5) -> None:
        self.level = level

    @property
    def name(self) -> str:
        return "mirror"

    def parameters(self) -> dict[str, Any]:
        return {"level": self.level}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        return self.level * x.flip(2)


def make_classifier() -> Classifier:
    module = nn.Sequential(nn.Flatten(), nn.Linear(CLIP, 2))
    return Classifier(module, labels=("a", "b"), sample_rate=RATE, clip_samples=CLIP, name="any")


def stream(level: float, budget: Budget | None, **more: Any) -> Streaming:
    options = StreamingOptions(more.pop("block_ms", 16.0), more.pop("lookahead_ms", 4.0))
    return Streaming(Mirror(level=level), make_classifier(), "b", budget, options, **more)


def sound(samples: int, seed: int = 0, channels: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    loud = torch.rand(samples // 500 + 1, generator=generator).square().repeat_interleave(500)
    return quantize((torch.rand(channels, samples, generator=generator) - 0.5) * loud[:samples])


def through(streaming: Streaming, x: Tensor, cuts: list[int]) -> Tensor:
    parts = []
    for piece in torch.tensor_split(x, sorted(cuts), dim=1):
        parts.append(streaming.push(piece))
        assert parts[-1].shape == piece.shape
    return torch.cat([*parts, streaming.flush()], dim=1)


@pytest.mark.parametrize(
    ("block_ms", "lookahead_ms"), [(16, 4), (4, 16), (0.01, 0.01), (13.7, 8.1), (125, 125)]
)
@pytest.mark.parametrize("rate", [8000, 11_025])
def test_the_latency_is_exact(block_ms: float, lookahead_ms: float, rate: int) -> None:
    streaming = stream(
        0.0, None, block_ms=block_ms, lookahead_ms=lookahead_ms, sample_rate=rate, channels=2
    )
    if block_ms < 1:
        assert streaming.delay == 2
    x = torch.zeros(2, 300)
    x[0, 130], x[1, 7] = 0.5, -0.25
    found = through(streaming, x, [])
    assert torch.equal(found[:, streaming.delay :], x)
    assert not found[:, : streaming.delay].any()
    assert streaming.latency_ms == pytest.approx(1e3 * streaming.delay / rate)
    assert streaming.latency_ms == pytest.approx(block_ms + lookahead_ms, abs=2e3 / rate)


@settings(max_examples=10, deadline=None)
@given(now=st.integers(1, 2_999), budget=st.sampled_from([None, SNR(10.0), L2(0.3), Linf(0.01)]))
def test_what_leaves_does_not_depend_on_what_comes_later(now: int, budget: Budget | None) -> None:
    x, other = sound(3_000), sound(3_000)
    other[:, now:] = sound(3_000, seed=1)[:, now:]
    first, second = (through(stream(0.8, budget), clip, []) for clip in (x, other))
    assert torch.equal(first[:, :now], second[:, :now])
    # The block that is being filled is the first one that the change can reach.
    last = now + stream(0.8, budget).delay
    assert not torch.equal(first[:, now : last + 200], second[:, now : last + 200])


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 2_500), max_size=8))
def test_the_pieces_do_not_matter(cuts: list[int]) -> None:
    x = sound(2_500, channels=2)
    whole = through(stream(0.8, SNR(10.0), channels=2), x, [])
    pieces = through(stream(0.8, SNR(10.0), channels=2), x, cuts)
    assert torch.equal(whole, pieces)


def shares(budget: Budget, level: float, x: Tensor, **more: Any) -> tuple[Tensor, Tensor]:
    streaming = stream(level, budget, channels=len(x), **more)
    found = through(streaming, x, [])[:, streaming.delay :]
    steps = found * 32768
    assert torch.equal(steps, steps.round())
    return x.double().square().sum(dim=0), (found - x).double().square().sum(dim=0)


@pytest.mark.parametrize("level", [0.01, 0.3, 2.0])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_ratio_holds_after_every_block(level: float, channels: int) -> None:
    x = sound(12_000, channels=channels)
    signal, noise = shares(SNR(15.0), level, x)
    block = 128
    for end in range(block - 32, 12_000, block):  # blocks end a lookahead before the newest sample
        assert noise[:end].sum() <= signal[:end].sum() * 10**-1.5 * (1 + 1e-9)
    # And no block is paid for by sound of more than a clip before.
    for end in range(CLIP + 2 * block - 32, 12_000, block):
        spent = noise[end - block : end].sum()
        assert spent <= signal[end - CLIP - block : end].sum() * 10**-1.5 * (1 + 1e-9)
    if level == 2.0:
        assert noise.sum() > 0.3 * signal.sum() * 10**-1.5


def test_silence_after_sound_may_be_perturbed_for_one_clip_only() -> None:
    x = torch.cat([sound(4_000), torch.zeros(1, 6_000)], dim=1)
    _, noise = shares(SNR(3.0), 0.5, x)
    assert not noise[4_000 + CLIP + 128 :].any()
    assert noise[4_000 : 4_000 + CLIP].any()


def test_a_norm_holds_for_every_stretch_of_a_clip() -> None:
    _, noise = shares(L2(0.2), 1.0, sound(9_000), block_ms=13.7)
    energy = noise.unfold(0, CLIP, 1).sum(dim=1)
    assert float(energy.max()) <= 0.04 * (1 + 1e-9)
    assert float(energy.max()) > 0.02


@pytest.mark.parametrize(("clip", "before"), [(8, 2), (11, 3)])
def test_a_norm_counts_the_blocks_that_a_stretch_of_a_clip_can_reach(
    clip: int, before: int
) -> None:
    limit, silence = StreamingBudget(L2(0.25), clip, 4), torch.zeros(1, 4)
    assert limit.add(silence, torch.tensor([0.0, 0.0, 0.0, 0.25])).any()  # spends all of it
    for _ in range(before - 1):
        limit.add(silence, torch.zeros(4))
    assert not limit.add(silence, torch.tensor([0.25, 0.0, 0.0, 0.0])).any()
    assert limit.add(silence, torch.full((4,), 0.1)).any()


@pytest.mark.parametrize(("silent", "left"), [(1, True), (2, False)])
def test_sound_pays_for_the_blocks_of_the_next_clips_length(silent: int, left: bool) -> None:
    limit, silence = StreamingBudget(SNR(0.0), 8, 4), torch.zeros(1, 4)
    limit.add(torch.full((1, 4), 0.5), torch.zeros(4))
    for _ in range(silent):
        limit.add(silence, torch.zeros(4))
    assert bool(limit.add(silence, torch.full((4,), 0.1)).any()) == left


def test_what_is_spent_is_spent_once() -> None:
    limit, silence = StreamingBudget(SNR(0.0), 8, 4), torch.zeros(1, 4)
    loud = torch.full((1, 4), 0.5)
    for _ in range(2):
        limit.add(loud, torch.zeros(4))
    assert torch.equal(limit.add(silence, loud[0]), loud)  # by what the first block earned
    assert limit.add(silence, loud[0]).any()  # by what the second one did


def test_the_attack_hears_the_mean_of_the_channels() -> None:
    x = sound(3_000)
    opposite = torch.cat([x, -x])
    streaming = stream(0.8, None, channels=2)
    assert torch.equal(through(streaming, opposite, [])[:, streaming.delay :], opposite)


class Watch(Mirror):
    """Remembers the largest sample that it heard."""

    loudest = 0.0

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        self.loudest = max(self.loudest, float(x.abs().max()))
        return torch.zeros_like(x)


def test_what_resampling_makes_too_large_is_cut() -> None:
    square = torch.where(torch.arange(8_000) // 100 % 2 == 0, 1.0, -1.0)[None]
    watch = Watch()
    options = StreamingOptions(64.0, 16.0)
    through(Streaming(watch, make_classifier(), "a", None, options, sample_rate=16_000), square, [])
    assert watch.loudest == 1.0


def test_the_slowest_block_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 2.0, 5.0, 6.0, 7.0])  # blocks that take 1, 3 and 1 seconds
    monkeypatch.setattr("mondegreen.attacks.streaming.time.perf_counter", lambda: next(clock))
    streaming = stream(0.0, None)
    streaming.push(torch.zeros(1, 3 * 128))
    assert streaming.milliseconds == pytest.approx(5_000.0)
    assert streaming.slowest_ms == pytest.approx(3_000.0)


def test_the_largest_change_holds_for_every_sample() -> None:
    _, noise = shares(Linf(0.01), 1.0, sound(9_000))
    assert 0.005 < float(noise.max().sqrt()) <= 0.01


def test_blocks_join_without_a_click() -> None:
    tone = quantize(0.4 * torch.cos(2 * torch.pi * 0.01 * torch.arange(20_000))[None])
    streaming = stream(0.5, None, block_ms=16.0, lookahead_ms=8.0)
    delta = (through(streaming, tone, [])[:, streaming.delay :] - tone)[0, 4_000:-100]
    bent = (delta[2:] - 2 * delta[1:-1] + delta[:-2]).abs()
    # A jump of the tone's own size would bend it by 0.2; the fades over 64 samples stay far below.
    assert float(bent.max()) < 0.01


class Follow(Mirror):
    """A perturbation that follows the sound."""

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        return self.level * x


def test_the_gain_has_no_steps() -> None:
    # The level swings by 30 dB four times a second, so that the gain has to move all the time.
    time = torch.arange(16_000) / RATE
    envelope = 10 ** (-0.75 * (1 - torch.cos(2 * torch.pi * 4 * time)))
    x = quantize(0.4 * envelope * torch.cos(2 * torch.pi * 40 * time))[None]
    options = StreamingOptions(16.0, 8.0)
    streaming = Streaming(Follow(level=1.0), make_classifier(), "b", SNR(20.0), options)
    delta = (through(streaming, x, [])[:, streaming.delay :] - x)[0]
    bent = (delta[2:] - 2 * delta[1:-1] + delta[:-2]).abs()[500:]
    assert float(bent.max()) < 4 / 32768 + 0.06 * float(delta[500:].abs().max())


@pytest.mark.parametrize("scale", ["pcm", "paper"])
def test_silence_stays_silence(scale: str) -> None:
    classifier = make_classifier()
    classifier.normalization = "paper" if scale == "paper" else "pcm"
    options = StreamingOptions(64.0, 16.0)
    # Of the paper's scale, whose silence is half a step: not quite as far as to the next rounding.
    streaming = Streaming(Mirror(level=0.9), classifier, "a", SNR(20.0), options)
    x = quantize(torch.zeros(1, 5_000), classifier.normalization)
    found = through(streaming, x, [700])[:, streaming.delay :]
    assert torch.equal(found, x)


def test_impossible_streams_are_refused() -> None:
    with pytest.raises(MondegreenError, match="--block-ms 0"):
        StreamingOptions(block_ms=0.0)
    with pytest.raises(MondegreenError, match="--lookahead-ms nan"):
        StreamingOptions(lookahead_ms=float("nan"))
    with pytest.raises(MondegreenError, match="longer than a clip of 250 ms"):
        stream(1.0, None, block_ms=200.0, lookahead_ms=51.0)
    with pytest.raises(MondegreenError, match="no label 'c'"):
        Streaming(Mirror(), make_classifier(), "c", None)
