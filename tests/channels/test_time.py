"""Shift, speed and pitch."""

from __future__ import annotations

import pytest
import torch

from mondegreen.channels import Pitch, Shift, Speed

from .conftest import RATE, tone, voice


@pytest.mark.parametrize("samples", [0, 1, 160, -37, -16_384])
def test_shifts_are_exact(samples: int) -> None:
    x = voice()
    y = Shift(ms=1000.0 * samples / RATE)(x, sample_rate=RATE)
    wanted = torch.zeros_like(x)
    if samples >= 0:
        wanted[..., samples:] = x[..., : x.shape[2] - samples]
    else:
        wanted[..., :samples] = x[..., -samples:]
    assert torch.equal(y, wanted)


def test_shifts_are_drawn_from_their_range(rng: torch.Generator) -> None:
    x = torch.zeros(100, 1, 1000)
    x[..., 500] = 1.0
    y = Shift(ms=(-5.0, 5.0))(x, sample_rate=RATE, generator=rng)
    moved = y.argmax(dim=2) - 500
    assert y.sum() == 100
    assert -80 <= int(moved.min()) < -60 and 60 < int(moved.max()) <= 80


def frequency(y: torch.Tensor) -> float:
    """The strongest frequency of the middle, to a third of a hertz."""
    middle = y[0, 0, 4000:12_000] * torch.hann_window(8000)
    spectrum = torch.fft.rfft(middle, 48_000).abs()
    return float(spectrum.argmax()) * RATE / 48_000


@pytest.mark.parametrize("rate", [0.8, 0.97, 1.0, 1.05, 1.5])
def test_speed_multiplies_frequencies(rate: float) -> None:
    y = Speed(rate=rate)(tone(700.0), sample_rate=RATE)
    assert frequency(y) == pytest.approx(700.0 * rate, abs=0.7)
    assert float(y[..., 5000:11_000].abs().max()) == pytest.approx(0.25, rel=0.01)


def test_speed_removes_what_would_alias() -> None:
    y = Speed(rate=2.0)(tone(5000.0), sample_rate=RATE)
    assert float(y.abs().max()) < 0.005
    assert float(Speed(rate=1.0)(tone(5000.0), sample_rate=RATE).abs().max()) > 0.24


def test_a_faster_clip_is_shorter() -> None:
    y = Speed(rate=2.0)(tone(500.0), sample_rate=RATE)
    assert not y[..., :3900].abs().max() > 1e-3 and float(y[..., 6000:10_000].abs().max()) > 0.2


@pytest.mark.parametrize("semitones", [-5.0, -1.0, 0.0, 3.0, 12.0])
def test_pitch_changes_frequencies_and_not_the_duration(semitones: float) -> None:
    x = tone(500.0)
    x[..., 13_000:] = 0.0
    y = Pitch(semitones=semitones)(x, sample_rate=RATE)
    assert frequency(y) == pytest.approx(500.0 * 2 ** (semitones / 12), abs=0.7)
    assert float(y[..., 14_000:].abs().max()) < 0.01
    assert float(y[..., 5000:11_000].abs().max()) == pytest.approx(0.25, rel=0.15)
