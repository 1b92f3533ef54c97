"""Loudspeaker and microphone."""

from __future__ import annotations

import math

import pytest
import torch

from mondegreen.channels import Loudspeaker, Microphone

from .conftest import RATE, level_db, tone


@pytest.mark.parametrize("hertz", [60.0, 125.0, 250.0, 500.0, 1000.0, 4000.0])
def test_the_loudspeakers_response_is_that_of_its_formula(hertz: float) -> None:
    x = tone(hertz)
    y = Loudspeaker(resonance_hz=250.0, q=1.2, high_hz=7000.0, drive=0.0)(x, sample_rate=RATE)
    w = hertz / 250.0
    low = w**2 / math.sqrt((1 - w**2) ** 2 + (w / 1.2) ** 2)
    high = 1 / math.sqrt(1 + (hertz / 7000.0) ** 4)
    assert level_db(y, x) == pytest.approx(20 * math.log10(low * high), abs=0.15)


def test_saturation_adds_a_third_harmonic() -> None:
    x = tone(1000.0, amplitude=0.3)
    channel = Loudspeaker(resonance_hz=10.0, q=0.7, high_hz=192_000.0, drive=1.0)
    y = channel(x, sample_rate=RATE)[0, 0, 4000:12_000] * torch.hann_window(8000)
    spectrum = torch.fft.rfft(y).abs()
    third = float(spectrum[1500] / spectrum[500])
    assert third == pytest.approx(0.3**2 / 12, rel=0.1)
    assert float(spectrum[1000] / spectrum[500]) < 1e-3, "tanh is odd: no second harmonic"


def test_the_microphones_limits_and_noise(rng: torch.Generator) -> None:
    quiet = Microphone(low_hz=100.0, high_hz=7500.0, noise_dbfs=-200.0)
    for hertz in (50.0, 100.0, 1000.0):
        x = tone(hertz)
        wanted = 20 * math.log10((hertz / 100) / math.hypot(hertz / 100, 1.0))
        y = quiet(x, sample_rate=RATE, generator=rng)
        assert level_db(y, x) == pytest.approx(wanted, abs=0.15)
    silence = torch.zeros(1, 1, 50_000)
    noise = Microphone(noise_dbfs=-50.0)(silence, sample_rate=RATE, generator=rng)
    assert float(20 * noise.square().mean().sqrt().log10()) == pytest.approx(-50.0, abs=0.1)
