"""Filters that a defender may use, against NumPy and SciPy, and noise of a fixed level."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import torch

from mondegreen.channels import Gaussian, Smooth, Streams, parse_channel
from mondegreen.errors import MondegreenError

from .conftest import RATE, level_db, tone, voice


@pytest.mark.parametrize("samples", [3, 5, 9])
def test_the_median_is_scipys(samples: int) -> None:
    x = voice(samples=2000)
    found = parse_channel(f"median:samples={samples}")(x, sample_rate=RATE)
    wanted = scipy.ndimage.median_filter(x[0, 0].numpy(), size=samples, mode="nearest")
    assert np.array_equal(found[0, 0].numpy(), wanted)


@pytest.mark.parametrize("samples", [3, 7])
def test_the_mean_is_scipys(samples: int) -> None:
    x = voice(samples=2000)
    found = parse_channel(f"smooth:samples={samples}")(x, sample_rate=RATE)
    wanted = scipy.ndimage.uniform_filter1d(x[0, 0].double().numpy(), samples, mode="nearest")
    assert np.allclose(found[0, 0].numpy(), wanted, atol=1e-6)


def test_the_gaussian_window_is_even_and_leaves_constants_alone() -> None:
    weights = Smooth(samples=9, kind="gaussian").weights()
    assert torch.equal(weights, weights.flip(0)) and float(weights.sum()) == pytest.approx(1.0)
    assert float(weights[0] / weights[4]) == pytest.approx(np.exp(-2.0))
    x = torch.full((1, 1, 50), 0.25)
    smoothed = Smooth(samples=9, kind="gaussian")(x, sample_rate=RATE)
    assert torch.allclose(smoothed, x)


def test_the_gate_opens_for_the_loud_and_closes_for_the_faint() -> None:
    loud, faint = tone(500.0, 0.3), tone(3000.0, 0.3 * 10 ** (-45 / 20))
    kept = parse_channel("gate:db=60")(loud + faint, sample_rate=RATE)
    assert level_db(kept - loud - faint, faint) < -20, "all of it stays"
    closed = parse_channel("gate:db=30")(loud + faint, sample_rate=RATE)
    assert level_db(closed - loud, loud) < -35, "the faint tone goes, the loud one stays"


def test_noise_of_a_fixed_level_does_not_depend_on_the_clip() -> None:
    noise = Gaussian(sigma=0.02)
    quiet, loud = 0.001 * voice(), 0.3 * voice()
    first = noise.through(quiet, RATE, Streams([4])) - quiet
    second = noise.through(loud, RATE, Streams([4])) - loud
    assert torch.allclose(first, second, atol=1e-6)
    assert float(first.std()) == pytest.approx(0.02, rel=0.03)


@pytest.mark.parametrize("text", ["median:samples=4", "smooth:samples=6"])
def test_a_window_has_a_middle(text: str) -> None:
    with pytest.raises(MondegreenError, match="odd number"):
        parse_channel(text)


def test_streams_of_content_follow_the_clip_and_the_seed() -> None:
    x = torch.stack([voice(1), voice(2), voice(1)])[:, 0]
    drawn = Streams.of_content(x, 7, draws=2).normal(3).view(3, 2, 3)
    assert torch.equal(drawn[0], drawn[2]) and not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0, 0], drawn[0, 1]), "each vote draws its own"
    alone = Streams.of_content(x[:1], 7, draws=3).normal(3)
    assert torch.equal(alone[:2].view(2, 3), drawn[0]), "whatever is beside it"
    assert not torch.equal(Streams.of_content(x, 8, draws=2).normal(3).view(3, 2, 3), drawn)
    moved = x.clone()
    moved[0, 0, 0] += 2.0**-15
    assert not torch.equal(Streams.of_content(moved, 7).normal(3)[0], drawn[0, 0])
