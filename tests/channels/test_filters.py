from __future__ import annotations

import pytest
import torch

from mondegreen.channels import parse_channel
from mondegreen.channels.responses import filter_by
from mondegreen.errors import MondegreenError

from .conftest import RATE, level_db, tone


@pytest.mark.parametrize(
    ("text", "kept", "removed"),
    [
        ("lowpass:hz=2000", [200.0, 1500.0], [2600.0, 6000.0]),
        ("highpass:hz=2000", [2600.0, 6000.0], [200.0, 1500.0]),
        ("bandpass:low_hz=300,high_hz=3400", [600.0, 3000.0], [80.0, 4200.0]),
        ("resample:hz=8000", [200.0, 3400.0], [4400.0, 7000.0]),
        ("resample:hz=11025", [200.0, 4800.0], [6000.0]),
        ("resample:hz=44100", [200.0, 7000.0], []),
        ("g711", [1000.0], [5000.0]),
    ],
)
def test_tones_pass_or_not(text: str, kept: list[float], removed: list[float]) -> None:
    channel = parse_channel(text)
    for hertz in kept:
        x = tone(hertz)
        y = channel(x, sample_rate=RATE)
        assert level_db(y, x) == pytest.approx(0.0, abs=0.3)
        assert level_db(y - x, x) < -28, "neither delayed nor distorted"
    for hertz in removed:
        x = tone(hertz)
        assert level_db(channel(x, sample_rate=RATE), x) < -30


@pytest.mark.parametrize("text", ["lowpass:hz=9000", "highpass:hz=9000", "bandpass:high_hz=9000"])
def test_cutoffs_beyond_the_clip_are_refused(text: str) -> None:
    with pytest.raises(MondegreenError, match="end at 8000 Hz"):
        parse_channel(text)(torch.zeros(1, 1, 100), sample_rate=RATE)


def test_band_ends_are_in_order() -> None:
    with pytest.raises(MondegreenError, match="low_hz"):
        parse_channel("bandpass:low_hz=3000,high_hz=300")


def test_what_rings_on_after_the_end_does_not_come_back_at_the_beginning() -> None:
    x = torch.zeros(1, 1, 1024)
    x[..., -1] = 1.0
    late = filter_by(x, 8000, lambda hertz: torch.exp(-2j * torch.pi * hertz * 100 / 8000))
    assert float(late.abs().max()) < 1e-5
