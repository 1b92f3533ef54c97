"""The signal-to-noise ratio against tones, noise and NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mondegreen.budgets import SNR
from mondegreen.metrics.snr import snr_db


def test_a_tone_with_white_noise(rng: torch.Generator) -> None:
    tone = 0.5 * torch.sin(2 * math.pi * 440 * torch.arange(16000) / 16000)
    noise = 0.01 * torch.randn(16000, generator=rng)
    # Powers 0.5² / 2 and 0.01²; the noise's own varies by 1.1 % (one standard deviation).
    expected = 10 * math.log10(0.125 / 1e-4)
    measured = snr_db(tone[None, None], (tone + noise)[None, None])
    assert measured.item() == pytest.approx(expected, abs=0.2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-8, 0), st.floats(-60, 120))
def test_every_clip_agrees_with_numpy(seed: int, exponent: float, ratio: float) -> None:
    random = np.random.default_rng(seed)
    x = 10**exponent * random.uniform(-1, 1, (3, 1, 200))
    noise = random.standard_normal((3, 1, 200))
    noise *= np.sqrt((x**2).sum(2, keepdims=True) / (noise**2).sum(2, keepdims=True))
    x_adv = x + noise * 10 ** (-ratio / 20)
    measured = snr_db(torch.from_numpy(x), torch.from_numpy(x_adv)).numpy()
    np.testing.assert_allclose(measured, ratio, atol=1e-4)


def test_silence_has_none_and_an_unchanged_clip_an_infinite_one() -> None:
    x = torch.tensor([[[0.0, 0.0]], [[0.0, 0.0]], [[0.5, 0.0]], [[1e-7, 0.0]]])
    x_adv = torch.tensor([[[0.0, 0.0]], [[0.1, 0.0]], [[0.5, 0.0]], [[2e-7, 0.0]]])
    measured = snr_db(x, x_adv)
    assert measured.isnan().tolist() == [True, True, False, False]
    assert measured[2].item() == math.inf
    assert measured[3].item() == pytest.approx(0.0, abs=1e-5)


def test_it_agrees_with_the_budget(rng: torch.Generator) -> None:
    x = torch.rand(2, 1, 1000, generator=rng, dtype=torch.float64)
    delta = SNR(23).project(x, torch.randn(2, 1, 1000, generator=rng, dtype=torch.float64))
    assert snr_db(x, x + delta).tolist() == pytest.approx([23, 23], abs=1e-4)


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="batch"):
        snr_db(torch.ones(4), torch.ones(4))
    with pytest.raises(ValueError, match="batch"):
        snr_db(torch.ones(2, 1, 4), torch.ones(1, 1, 4))
