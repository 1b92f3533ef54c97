from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

from mondegreen.audio import fit_length, read_mono
from mondegreen.channels import parse_channel
from mondegreen.errors import MissingExtraError
from mondegreen.metrics.snr import snr_db

from .conftest import RATE, tone, voice

WITHOUT = importlib.util.find_spec("av") is None
needs_codecs = pytest.mark.skipif(WITHOUT, reason="PyAV is not installed")

SANE = {"mp3:kbps=64": 18.0, "opus:kbps=24": 8.0, "aac:kbps=64": 18.0, "g722": 18.0}
"""The least median signal-to-noise ratio in dB of real words after a good codec."""


def lag(x: torch.Tensor, y: torch.Tensor) -> int:
    """By how many samples ``y`` is late."""
    size = 2 * x.shape[-1]
    product = torch.fft.rfft(y.double(), size) * torch.fft.rfft(x.double(), size).conj()
    late = int(torch.fft.irfft(product, size).argmax())
    return late if late < size // 2 else late - size


def words(real_data: Path) -> torch.Tensor:
    """Eight words of as many speakers, ``(8, 1, 16000)``."""
    files = sorted((real_data / "speech_commands" / "yes").glob("*.flac"))
    return torch.stack([fit_length(read_mono(file, RATE), RATE) for file in files[:80:10]])[:, None]


@needs_codecs
@pytest.mark.parametrize("text", [*SANE, "mp3:kbps=16", "aac:kbps=24"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_codecs_keep_time_and_most_of_the_voice(text: str, rate: int) -> None:
    channel = parse_channel(text)
    x = voice()
    y = channel(x, sample_rate=rate)
    assert y.shape == x.shape
    assert lag(x[0, 0], y[0, 0]) == 0
    assert float(snr_db(x, y)) > 8.0


@needs_codecs
def test_nothing_is_lost_at_the_end() -> None:
    x = tone(440.0)[..., :12_800]  # whole frames, loud to the last
    y = parse_channel("g722")(x, sample_rate=RATE)
    assert float((y - x)[..., -40:].abs().max()) < 0.02


@needs_codecs
def test_more_bits_are_better() -> None:
    ratios = [
        float(snr_db(voice(), parse_channel(f"opus:kbps={kbps}")(voice(), sample_rate=RATE)))
        for kbps in (6, 24, 96)
    ]
    assert ratios == sorted(ratios) and ratios[2] > ratios[0] + 3.0


@needs_codecs
@pytest.mark.parametrize("text", SANE)
def test_real_words_survive_aligned(text: str, real_data: Path) -> None:
    x = words(real_data)
    y = parse_channel(text)(x, sample_rate=RATE)
    assert float(snr_db(x, y).median()) > SANE[text]
    assert [lag(one[0], other[0]) for one, other in zip(x, y, strict=True)] == [0] * len(x)


@needs_codecs
def test_amr_keeps_time_too(real_data: Path) -> None:
    x = parse_channel("bandpass")(words(real_data), sample_rate=RATE)
    y = parse_channel("amr")(x, sample_rate=RATE)
    assert float(snr_db(x, y).median()) > 5.0
    lags = sorted(abs(lag(one[0], other[0])) for one, other in zip(x, y, strict=True))
    assert lags[len(lags) // 2] <= 1, "its pitch may be off by a few samples in some"


@pytest.mark.skipif(not WITHOUT, reason="PyAV is installed")
def test_a_missing_package_is_named() -> None:
    with pytest.raises(MissingExtraError, match=r"mondegreen\[codecs\]"):
        parse_channel("mp3")
