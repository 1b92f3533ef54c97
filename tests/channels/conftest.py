"""Tones and voices to send through channels, and channels that need an extra package."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mondegreen.channels import Channel, parse_channel
from mondegreen.errors import MissingExtraError, MondegreenError

RATE = 16_000
SAMPLES = 16_384

Build = Callable[[str], Channel]


@pytest.fixture(scope="session")
def build() -> Build:
    """Parses a channel; the test is skipped where its package is missing."""

    def make(text: str) -> Channel:
        try:
            channel = parse_channel(text)
        except MissingExtraError as error:
            pytest.skip(str(error))
        if "amr" in text or "mobile" in text:
            try:
                random = torch.Generator().manual_seed(0)
                channel(tone(440.0), sample_rate=RATE, generator=random)
            except MondegreenError as error:
                if "this build of PyAV has no coder" in str(error):
                    pytest.skip(str(error))
        return channel

    return make


def tone(hertz: float, amplitude: float = 0.25, samples: int = SAMPLES) -> Tensor:
    """A tone, ``(1, 1, samples)``, faded in and out so that filters have nothing to ring at."""
    time = torch.arange(samples, dtype=torch.float64) / RATE
    fade = (torch.minimum(time, time.flip(0)) / 0.05).clamp(max=1.0)
    wave = amplitude * fade * torch.sin(2 * torch.pi * hertz * time)
    return wave.to(torch.float32).view(1, 1, -1)


def voice(seed: int = 0, samples: int = SAMPLES) -> Tensor:
    """Overtones of a gliding pitch in syllables, ``(1, 1, samples)``: what speech codecs expect."""
    random = torch.Generator().manual_seed(seed)
    time = torch.arange(samples, dtype=torch.float64) / RATE
    pitch = 110.0 + 20.0 * float(torch.rand((), generator=random))
    phase = 2 * torch.pi * (pitch * time + 15.0 * time.square())
    levels = torch.rand(20, generator=random, dtype=torch.float64) / torch.arange(1, 21)
    wave = sum(level * torch.sin(n * phase) for n, level in enumerate(levels.tolist(), 1))
    assert isinstance(wave, Tensor)
    syllables = torch.sin(2 * torch.pi * 1.5 * time).clamp(min=0.0)
    wave = wave * syllables
    return (0.3 * wave / wave.abs().max()).to(torch.float32).view(1, 1, -1)


def level_db(y: Tensor, x: Tensor) -> float:
    """Level of ``y`` over that of ``x`` in dB, over the middle half."""
    middle = slice(x.shape[2] // 4, 3 * x.shape[2] // 4)
    power = y[..., middle].square().mean() / x[..., middle].square().mean()
    return float(10 * torch.log10(power))
