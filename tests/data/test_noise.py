from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mondegreen.data.noise import NoiseBank, pink_noise, white_noise
from mondegreen.errors import MondegreenError


def write_ramp(path: Path, start: int, samples: int) -> Path:
    soundfile.write(str(path), np.arange(start, start + samples).astype(np.int16), 8000)
    return path


def test_crops_are_pieces_of_the_recordings(tmp_path: Path, rng: torch.Generator) -> None:
    paths = [write_ramp(tmp_path / "a.wav", 0, 500), write_ramp(tmp_path / "b.wav", 10_000, 900)]
    crops = NoiseBank(paths, 8000).crop(64, 100, rng)
    assert crops.shape == (64, 1, 100)
    steps = (crops * 32768).round().to(torch.int64)[:, 0]
    assert (steps.diff(dim=1) == 1).all()
    starts = steps[:, 0]
    assert ((starts <= 400) | ((starts >= 10_000) & (starts <= 10_800))).all()
    assert 0 < int((starts < 500).sum()) < 64


def test_short_recordings_are_repeated(tmp_path: Path, rng: torch.Generator) -> None:
    bank = NoiseBank([write_ramp(tmp_path / "a.wav", 1, 7)], 8000)
    steps = (bank.crop(5, 30, rng) * 32768).round().to(torch.int64)[:, 0]
    assert set(steps.flatten().tolist()) == {1, 2, 3, 4, 5, 6, 7}


def test_recordings_are_resampled(tmp_path: Path, rng: torch.Generator) -> None:
    bank = NoiseBank([write_ramp(tmp_path / "a.wav", 0, 800)], 16000)
    steps = bank.crop(1, 1000, rng)[0, 0] * 32768
    assert steps[100:900].diff().mean().item() == pytest.approx(0.5, abs=0.05)


def test_the_generator_decides(rng: torch.Generator) -> None:
    bank = NoiseBank([], 16000)
    state = rng.get_state()
    first = bank.crop(3, 50, rng)
    assert not torch.equal(first, bank.crop(3, 50, rng))
    rng.set_state(state)
    assert torch.equal(first, bank.crop(3, 50, rng))


@pytest.mark.parametrize("n", [0, 1, 5])
def test_generated_noise_has_its_level(n: int, rng: torch.Generator) -> None:
    x = NoiseBank([], 16000).crop(n, 4096, rng)
    assert x.shape == (n, 1, 4096)
    assert x.square().mean(dim=-1).sqrt().flatten().tolist() == pytest.approx([0.1] * n, rel=1e-3)


def test_slopes_of_the_spectra(rng: torch.Generator) -> None:
    """White noise keeps its power in every octave's bins; pink noise halves it (3 dB)."""
    for noise, ratio in ((white_noise, 1.0), (pink_noise, 0.5)):
        power = torch.fft.rfft(noise(64, 8192, rng)).abs().square().mean(dim=(0, 1))
        low, high = power[256:512].mean(), power[512:1024].mean()
        assert (high / low).item() == pytest.approx(ratio, rel=0.05)


def test_unreadable_noise_is_named(tmp_path: Path) -> None:
    (tmp_path / "hum.wav").write_text("text")
    with pytest.raises(MondegreenError, match=r"hum\.wav cannot be decoded"):
        NoiseBank([tmp_path / "hum.wav"], 16000)
    with pytest.raises(MondegreenError, match="must be positive"):
        NoiseBank([], 0)
