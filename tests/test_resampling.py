"""Resampling in blocks: against resampling the whole, julius, and tones."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mondegreen.audio import resample
from mondegreen.resampling import BlockResampler, Resampler

RATES = [(8_000, 16_000), (44_100, 16_000), (16_000, 44_100), (48_000, 16_000), (96_000, 16_000)]
ODD = [(44_101, 16_000), (16_000, 44_101), (7, 16_000)]


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(2, samples, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(("old", "new"), RATES)
@pytest.mark.parametrize("seconds", [0.01, 0.7])
def test_the_whole_is_what_julius_makes_of_it(old: int, new: int, seconds: float) -> None:
    x = noise(int(seconds * old))
    found = Resampler(old, new)(x)
    assert found.shape == resample(x, old, new).shape
    torch.testing.assert_close(found, resample(x, old, new), atol=5e-5, rtol=0.0)


@pytest.mark.parametrize(("old", "new"), ODD[:2])
def test_odd_rates_keep_a_tone(old: int, new: int) -> None:
    tone = [
        torch.sin(2 * math.pi * 700 * torch.arange(rate).double() / rate) for rate in (old, new)
    ]
    found = Resampler(old, new)(tone[0].float()[None])[0]
    middle = slice(new // 10, -new // 10)
    torch.testing.assert_close(found[middle], tone[1].float()[middle], atol=1e-4, rtol=0.0)


def test_interpolated_filters_are_as_good_as_exact_ones() -> None:
    x = noise(4_000)
    table = Resampler(44_101, 44_100)  # a table between filters
    # In 441 / 440 of the rate each filter is exact; the signal is the same but for the time axis.
    exact = Resampler(441, 440)
    for resampler in (table, exact):
        assert resampler(x).shape[1] == resampler.length(4_000)
    position = torch.arange(200, 3_000, dtype=torch.float64) * 44_101 / 44_100
    offsets = torch.arange(-40, 41)
    base = position.floor().long()
    at = (offsets - (position - base)[:, None]) * table.cutoff
    taps = torch.sinc(at) * torch.cos(math.pi * at.clamp(-24, 24) / 48).square()
    taps /= taps.sum(dim=1, keepdim=True)
    wanted = (x.double()[:, base[:, None] + offsets] * taps).sum(dim=2)
    torch.testing.assert_close(table(x)[:, 200:3_000].double(), wanted, atol=1e-5, rtol=0.0)


@settings(max_examples=25, deadline=None)
@given(
    rates=st.sampled_from([*RATES, (16_000, 16_000), (44_101, 16_000)]),
    cuts=st.lists(st.integers(0, 20_000), max_size=6),
    samples=st.integers(1, 60_000),
)
def test_blocks_add_up_to_the_whole(rates: tuple[int, int], cuts: list[int], samples: int) -> None:
    x = noise(samples)
    resampler = Resampler(*rates)
    stream = BlockResampler(resampler, channels=2)
    parts = [stream.push(piece) for piece in torch.tensor_split(x, sorted(cuts), dim=1)]
    found = torch.cat([*parts, stream.flush()], dim=1)
    torch.testing.assert_close(found, resampler(x), atol=1e-5, rtol=0.0)


@pytest.mark.parametrize(("old", "new"), [*RATES, *ODD])
def test_lengths(old: int, new: int) -> None:
    for samples in (1, 2, 99, 100):
        assert Resampler(old, new)(noise(samples)).shape[1] == -(-samples * new // old)


def test_it_holds_back_little() -> None:
    stream = BlockResampler(Resampler(44_100, 16_000))
    out = sum(stream.push(noise(4_410)[:1]).shape[1] for _ in range(100))
    assert 160_000 - out < 250
