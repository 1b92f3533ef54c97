"""Gain, clipping, quantisation and packets: what can be worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from mondegreen.channels import Clip, Gain, Packets, Quantize, parse_channel

from .conftest import RATE, level_db, tone, voice


def test_gain_is_exact() -> None:
    x = tone(500.0)
    assert level_db(Gain(db=-7.5)(x, sample_rate=RATE), x) == pytest.approx(-7.5, abs=1e-3)


def test_gains_are_drawn_from_their_range(rng: torch.Generator) -> None:
    x = 0.1 * torch.ones(200, 1, 4)
    y = Gain(db=(-6.0, 6.0))(x, sample_rate=RATE, generator=rng)
    found = 20 * torch.log10(y[:, 0, 0] / 0.1)
    assert -6.0 <= float(found.min()) < -5.0 and 5.0 < float(found.max()) <= 6.0


def test_clipping() -> None:
    x = torch.linspace(-1, 1, 100).view(1, 1, -1).requires_grad_()  # none just at the level
    hard = Clip(level=0.5)(x, sample_rate=RATE)
    assert torch.equal(hard, x.clamp(-0.5, 0.5))
    (gradient,) = torch.autograd.grad(hard.sum(), x)
    assert torch.equal(gradient, (x.abs() <= 0.5).float())
    soft = Clip(level=0.5, kind="soft")(x, sample_rate=RATE)
    assert float(soft[0, 0, -1].detach()) == pytest.approx(0.5 * math.tanh(2.0))


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_quantisation_noise_is_a_twelfth_of_a_step_squared(bits: int, rng: torch.Generator) -> None:
    x = (2 * torch.rand(1, 1, 40_000, generator=rng) - 1) * 0.9
    error = (Quantize(bits=bits)(x, sample_rate=RATE) - x).double()
    step = 2.0 ** (1 - bits)
    assert float(error.abs().max()) <= step / 2 * 1.001 + 1e-7
    assert float(error.square().mean()) == pytest.approx(step**2 / 12, rel=0.05)


def test_dither_frees_the_error_from_the_clip(rng: torch.Generator) -> None:
    step = 2.0**-7
    held = torch.full((1, 1, 40_000), 0.3 * step)  # always rounded to zero without dither
    assert not Quantize(bits=8)(held, sample_rate=RATE).any()
    for dither, power in (("rectangular", None), ("triangular", 1 / 4)):
        channel = parse_channel(f"quantize:bits=8,dither={dither}")
        error = channel(held, sample_rate=RATE, generator=rng).double() - held
        assert float(error.mean()) == pytest.approx(0.0, abs=0.02 * step)
        if power is not None:  # Lipshitz et al.: step squared over 12, three times, for any clip
            assert float(error.square().mean()) == pytest.approx(power * step**2, rel=0.05)


def test_lost_packets_are_hidden(rng: torch.Generator) -> None:
    size = RATE // 50
    x = 0.1 * torch.arange(1, 9).repeat_interleave(size).float().view(1, 1, -1)
    channel = Packets(loss=0.5)
    y = channel(x, sample_rate=RATE, generator=rng).view(8, size)
    assert bool((y == y[:, :1]).all()), "packets are whole"
    heard, wanted, last, level = y[:, 0].tolist(), [], 0.0, 1.0
    arrived = [got == pytest.approx(0.1 * n) for n, got in enumerate(heard, 1)]
    for n, came in enumerate(arrived, 1):
        last, level = (0.1 * n, 1.0) if came else (last, level / 2)
        wanted.append(last * level)
    assert heard == pytest.approx(wanted)
    assert any(arrived) and not all(arrived)


def test_the_share_of_lost_packets(rng: torch.Generator) -> None:
    x = 0.5 * torch.ones(50, 1, RATE)
    y = Packets(loss=0.1, conceal="zero")(x, sample_rate=RATE, generator=rng)
    assert float((y == 0).float().mean()) == pytest.approx(0.1, abs=0.02)
    assert set(y.flatten().tolist()) == {0.0, 0.5}
    assert torch.equal(Packets(loss=0.0)(voice(), sample_rate=RATE), voice())
