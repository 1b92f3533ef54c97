from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mondegreen.audio import write_wav
from mondegreen.channels import Noise, parse_channel
from mondegreen.metrics.snr import snr_db

from .conftest import RATE, voice


@pytest.fixture
def recordings(tmp_path: Path, rng: torch.Generator) -> Path:
    for name in "ab":
        write_wav(tmp_path / f"{name}.wav", 0.1 * torch.randn(20_000, generator=rng), 8_000)
    return tmp_path


@pytest.mark.parametrize("kind", ["white", "pink", "folder"])
@pytest.mark.parametrize("wanted", [-5.0, 10.0, 20.0, 40.0])
def test_the_ratio_is_kept_to_a_twentieth_of_a_decibel(
    kind: str, wanted: float, recordings: Path, rng: torch.Generator
) -> None:
    folder = f",folder={recordings}" if kind == "folder" else ""
    x = 0.1 * torch.cat([voice(1), voice(2)])
    channel = parse_channel(f"noise:kind={kind},snr_db={wanted}{folder}")
    y = channel(x, sample_rate=RATE, generator=rng)
    assert snr_db(x, y).tolist() == pytest.approx([wanted] * 2, abs=0.05)


def test_pink_noise_falls_by_three_decibels_an_octave(rng: torch.Generator) -> None:
    x = 0.05 * torch.ones(20, 1, 16_000)
    power = {}
    for kind in ("white", "pink"):
        noise = parse_channel(f"noise:kind={kind}")(x, sample_rate=RATE, generator=rng) - x
        spectrum = torch.fft.rfft(noise).abs().square().mean(dim=(0, 1))
        power[kind] = [float(spectrum[low : 2 * low].mean()) for low in (250, 500, 1000, 2000)]
    steps = [10 * torch.tensor(power[kind]).log10().diff() for kind in ("white", "pink")]
    assert steps[0].tolist() == pytest.approx([0.0] * 3, abs=0.5)
    assert steps[1].tolist() == pytest.approx([-3.0] * 3, abs=0.5)


def test_clips_have_noise_of_their_own(rng: torch.Generator) -> None:
    x = voice().expand(2, -1, -1)
    noise = Noise(snr_db=10.0)(x, sample_rate=RATE, generator=rng) - x
    product = torch.nn.functional.cosine_similarity(noise[0], noise[1])
    assert abs(float(product)) < 0.05
