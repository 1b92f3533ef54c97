"""STOI: its order and its failures."""

from __future__ import annotations

import math
import sys
import warnings

import numpy as np
import pytest
import torch

from mondegreen.audio import resample
from mondegreen.errors import MissingExtraError
from mondegreen.metrics.stoi import stoi_scores

pytest.importorskip("pystoi")


def bursts(random: torch.Generator, samples: int = 16000) -> torch.Tensor:
    """Noise that swells and fades four times a second, ``(1, 1, time)``."""
    time = torch.arange(samples) / 16000
    envelope = 0.2 + torch.sin(2 * math.pi * 2 * time) ** 2
    return 0.1 * (envelope * torch.randn(samples, generator=random))[None, None]


def test_identity_less_and_nothing(rng: torch.Generator) -> None:
    x = bursts(rng)
    noise = torch.randn(x.shape, generator=rng)
    x_adv = torch.cat([x, x + 0.02 * noise, x + 0.1 * noise, noise])
    scores = stoi_scores(x.expand(4, 1, -1), x_adv, 16000)
    assert scores[0] == pytest.approx(1.0, abs=1e-6)
    assert (np.diff(scores) < -0.02).all()
    assert abs(scores[3]) < 0.25


def test_the_sample_rate_matters_little(rng: torch.Generator) -> None:
    x = bursts(rng)
    x_adv = x + 0.05 * torch.randn(x.shape, generator=rng)
    reference = stoi_scores(x, x_adv, 16000)[0]
    for rate in (16384, 44100):
        score = stoi_scores(resample(x, 16000, rate), resample(x_adv, 16000, rate), rate)[0]
        assert score == pytest.approx(reference, abs=0.02)


def test_short_and_silent_clips_are_nan_without_a_warning(rng: torch.Generator) -> None:
    x = bursts(rng)
    word = torch.zeros_like(x)
    word[..., :4000] = x[..., :4000]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clips = torch.cat([torch.zeros_like(x), word, torch.ones_like(x), x])
        assert np.isnan(stoi_scores(clips, clips, 16000)).tolist() == [True, True, True, False]
        for samples in (1, 300, 500, 6000):
            assert np.isnan(stoi_scores(x[..., :samples], x[..., :samples], 16000)).all()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pystoi", None)
    with pytest.raises(MissingExtraError, match=r"mondegreen\[quality\]"):
        stoi_scores(torch.ones(1, 1, 9), torch.ones(1, 1, 9), 16000)
