from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from mondegreen.channels import (
    CHANNEL_EXAMPLES,
    CHANNELS,
    PRESETS,
    Channel,
    Compose,
    Gain,
    Noise,
    Pitch,
    Quantize,
    Streams,
    parse_channel,
)
from mondegreen.errors import MondegreenError

from .conftest import RATE, Build, tone, voice

TEXTS = [
    *(text for text, _ in CHANNEL_EXAMPLES),
    "speed",
    "pitch",
    "amr",
    "clip:kind=soft",
    "quantize:bits=12,dither=rectangular",
]


@pytest.fixture(scope="module")
def clips() -> torch.Tensor:
    return torch.cat([voice(1), voice(2), tone(440.0)])


@pytest.mark.parametrize("text", TEXTS)
def test_every_channel_keeps_the_rules(text: str, build: Build, clips: torch.Tensor) -> None:
    channel = build(text)

    def send(x: torch.Tensor, seed: int = 3) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed) if channel.random else None
        return channel(x, sample_rate=RATE, generator=generator)

    x = clips.clone().requires_grad_()
    y = send(x)
    assert y.shape == x.shape and y.dtype == x.dtype
    assert float(y.detach().abs().max()) <= 1.0 and bool(y.isfinite().all())
    assert torch.equal(y, send(clips)), "the same generator gives the same result"
    assert channel.random != torch.equal(y.detach(), send(clips, seed=4))
    # A clip's result does not depend on the clips beside it, nor on how many they are.
    changed = clips.clone()
    changed[1:] = changed[1:].flip(0) * 0.5
    assert torch.allclose(send(changed)[0], y[0], atol=1e-6)
    assert torch.allclose(send(clips[:1])[0], y[0], atol=1e-6)
    (gradient,) = torch.autograd.grad(y.square().sum(), x)
    assert bool(gradient.isfinite().all()) and all(one.abs().sum() > 0 for one in gradient)


@pytest.mark.parametrize("text", TEXTS)
def test_silence_stays_finite(text: str, build: Build) -> None:
    x = torch.zeros(1, 1, 4096, requires_grad=True)
    y = build(text)(x, sample_rate=RATE, generator=torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert bool(y.isfinite().all()) and bool(gradient.isfinite().all())
    assert float(y.detach().abs().max()) < 0.05


@pytest.mark.parametrize("text", ["quantize:bits=6", "mp3", "g711:hz=0", "quantize:bits=4"])
def test_straight_through_is_the_identity(text: str, build: Build) -> None:
    channel = build(text)
    assert channel.straight_through and not channel.differentiable
    x = voice().requires_grad_()
    y = channel(x, sample_rate=RATE)
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad((y * weight).sum(), x)
    assert torch.equal(gradient, weight)
    assert not torch.equal(y, x)


@pytest.mark.parametrize(
    "text",
    [
        "lowpass:hz=1000",
        "resample:hz=11025",
        "loudspeaker",
        "speed:rate=1.07",
        "packets:loss=0.3",
        "clip:kind=soft,level=0.2",
    ],
)
def test_gradients_are_those_of_the_change(text: str) -> None:
    channel = parse_channel(text)
    assert channel.differentiable
    x = voice(samples=4096)
    weight, way = torch.randn(2, *x.shape, generator=torch.Generator().manual_seed(1))

    def value(z: torch.Tensor) -> torch.Tensor:
        streams = Streams([5]) if channel.random else Streams(())
        total: torch.Tensor = (channel.through(z, RATE, streams) * weight).double().sum()
        return total

    z = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(value(z), z)
    step = 1e-3 * x.abs().max() * way
    slope = float(value(x + step) - value(x - step)) / 2.0
    assert slope == pytest.approx(float((gradient * step).sum()), rel=0.03)


def test_gradients_with_something_given() -> None:
    x = voice()
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    z = x.clone().requires_grad_()
    noisy = Noise(snr_db=10.0).through(z, RATE, Streams([5]))  # the level of the noise
    (gradient,) = torch.autograd.grad((noisy * weight).sum(), z)
    assert torch.equal(gradient, weight)
    higher = Pitch(semitones=2.0)(z, sample_rate=RATE)  # the turns of the phases: it is linear then
    value = (higher * weight).sum()
    (gradient,) = torch.autograd.grad(value, z)
    assert float((gradient * x).sum()) == pytest.approx(float(value.detach()), rel=1e-3)


def test_a_chain_is_one_channel_after_the_other() -> None:
    x = 0.2 * voice()
    chain = Compose(channels=(Gain(db=6.0), Quantize(bits=6)))
    apart = Quantize(bits=6)(Gain(db=6.0)(x, sample_rate=RATE), sample_rate=RATE)
    assert torch.equal(chain(x, sample_rate=RATE), apart)
    assert chain.straight_through and not chain.random


def test_only_the_end_of_a_chain_is_cut() -> None:
    x = 0.5 * torch.ones(1, 1, 8)
    louder, quieter = Gain(db=20.0), Gain(db=-20.0)
    assert torch.allclose(Compose(channels=(louder, quieter))(x, sample_rate=RATE), x)
    assert torch.equal(louder(x, sample_rate=RATE), torch.ones_like(x))


def test_wrong_input_is_refused() -> None:
    for x in (torch.zeros(1, 2, 10), torch.zeros(10), torch.zeros(1, 1, 10, dtype=torch.int16)):
        with pytest.raises(ValueError, match="expected waveforms"):
            Gain()(x, sample_rate=RATE)
    with pytest.raises(ValueError, match="sample rate"):
        Gain()(torch.zeros(1, 1, 10), sample_rate=0)
    with pytest.raises(MondegreenError, match="generator"):
        Noise()(torch.zeros(1, 1, 10), sample_rate=RATE)
    with pytest.raises(ValueError, match="streams"):
        Noise().through(torch.zeros(2, 1, 10), RATE, Streams([1]))
    assert Gain()(torch.zeros(0, 1, 10), sample_rate=RATE).shape == (0, 1, 10)


def test_channels_are_frozen_and_show_their_settings(build: Build) -> None:
    for name in CHANNELS:
        if name == "impulse":
            continue
        channel = build(name)
        assert isinstance(channel, Channel)
        shown = repr(channel)
        for one in dataclasses.fields(channel):
            if one.repr:
                assert f"{one.name}={getattr(channel, one.name)!r}" in shown
        with pytest.raises(dataclasses.FrozenInstanceError):
            channel.nonsense = 1  # type: ignore[attr-defined]
        with pytest.raises(TypeError):
            CHANNELS[name](1)


def test_every_preset_has_an_example() -> None:
    names = {text.partition(":")[0] for text, _ in CHANNEL_EXAMPLES}
    assert set(PRESETS) <= names
    assert all(sentence.endswith(".") for _, sentence in CHANNEL_EXAMPLES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense", "there is no 'nonsense'.*over-the-air.*lowpass"),
        ("", "there is no ''"),
        ("gain+nonsense", "'nonsense'"),
        ("lowpass:hertz=3", "hz=4000"),
        ("lowpass:hz", "hz=4000"),
        ("lowpass:hz=1,hz=2", "repeated"),
        ("lowpass:hz=low", "'low'.*number"),
        ("lowpass:hz=1..2", "number"),
        ("noise:snr_db=9..3", "range|10..20"),
        ("noise:kind=brown", "white, pink, folder"),
        ("noise:kind=folder", "folder=PATH"),
        ("noise:kind=folder,folder=nowhere", "no folder 'nowhere'"),
        ("impulse", "folder=PATH"),
        ("quantize:bits=99", "2 to 24"),
        ("quantize:bits=8.5", "whole number"),
        ("gain:db=nan", "number"),
        ("room:rt60=0.01", "0.15"),
        ("mp3:kbps=4", "8 to 320"),
        ("amr:kbps=9", "12.2"),
        ("phone-call:loss=2", "loss"),
        ("phone-call:law=b", "mu, a"),
        ("over-the-air:metres=3", "distance=0.5..2"),
    ],
)
def test_the_parser_says_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(MondegreenError, match=told):
        parse_channel(text)


def test_a_folder_without_sounds_is_refused(tmp_path: Path) -> None:
    for name in ("impulse", "noise:kind=folder"):
        joined = "," if ":" in name else ":"
        with pytest.raises(MondegreenError, match="no sound files"):
            parse_channel(f"{name}{joined}folder={tmp_path}")


def test_the_parser_reads_numbers_ranges_and_chains() -> None:
    assert repr(parse_channel("gain:db=-3")) == "Gain(db=-3)"
    assert repr(parse_channel("gain:db=-1e+1..2.5")) == "Gain(db=(-10.0, 2.5))"
    chain = parse_channel("lowpass:hz=4000 + noise:kind=pink,snr_db=20")
    assert isinstance(chain, Compose) and len(chain.channels) == 2
    assert isinstance(parse_channel("phone-call+gain"), Compose)


def test_a_negative_zero_draws_as_a_zero_does() -> None:
    zero = torch.zeros(1, 1, 8)
    one, other = (Streams.of_content(x, 7).normal(4) for x in (zero, -zero))
    assert torch.equal(one, other)
