from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mondegreen.data.augment import (
    Augment,
    AugmentConfig,
    change_speed,
    mix_at_snr,
    shift,
    uniform,
)
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.folder import folder_corpus
from mondegreen.data.noise import NoiseBank
from mondegreen.errors import MondegreenError

Array = npt.NDArray[np.float64]

OFF = AugmentConfig(
    shift_seconds=0.0, speed=0.0, gain_db=0.0, noise_probability=0.0, babble_probability=0.0
)


def noise(batch: int, samples: int, seed: int = 0, level: float = 0.1) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return level * torch.randn(batch, 1, samples, generator=random)


def energy(x: Tensor) -> Array:
    return np.asarray((x.double().numpy() ** 2).sum(axis=(1, 2)))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.lists(st.integers(-45, 45), min_size=1, max_size=4))
def test_shift_is_roll_with_zeros(time: int, offsets: list[int]) -> None:
    x = noise(len(offsets), time)
    moved = shift(x, torch.tensor(offsets))
    assert moved.shape == x.shape
    for row, offset, found in zip(x[:, 0].numpy(), offsets, moved[:, 0].numpy(), strict=True):
        wanted = np.roll(row, offset)
        if offset >= 0:
            wanted[: min(offset, time)] = 0
        else:
            wanted[max(time + offset, 0) :] = 0
        assert np.array_equal(found, wanted)


@settings(max_examples=50, deadline=None)
@given(st.floats(-60, 80), st.floats(1e-3, 1.0), st.floats(1e-3, 1.0), st.integers(0, 99))
def test_noise_is_mixed_in_at_the_ratio_asked_for(
    snr_db: float, level: float, noise_level: float, seed: int
) -> None:
    x, other = noise(2, 4000, seed, level).double(), noise(2, 4000, seed + 1, noise_level).double()
    ratios = torch.tensor([snr_db, snr_db / 2], dtype=torch.float64)
    added = mix_at_snr(x, other, ratios) - x
    found = 10 * np.log10(energy(x) / energy(added))
    np.testing.assert_allclose(found, ratios.numpy(), atol=1e-4)
    assert torch.nn.functional.cosine_similarity(added[0], other[0]).item() == pytest.approx(1.0)


@pytest.mark.parametrize("snr_db", [0.0, 5.0, 20.0, 40.0])
def test_single_precision_keeps_the_ratio_too(snr_db: float) -> None:
    x = noise(1, 16_384, 1)
    added = mix_at_snr(x, noise(1, 16_384, 2), torch.tensor([snr_db])).double() - x.double()
    assert 10 * np.log10(energy(x) / energy(added))[0] == pytest.approx(snr_db, abs=1e-4)


def test_silence_mixes_to_what_there_is() -> None:
    x, silence = noise(1, 100), torch.zeros(1, 1, 100)
    assert torch.equal(mix_at_snr(x, silence, torch.tensor([10.0])), x)
    assert torch.equal(mix_at_snr(silence, x, torch.tensor([10.0])), silence)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.floats(0.3, 3.0), st.integers(0, 99))
def test_speed_is_linear_interpolation_about_the_middle(time: int, rate: float, seed: int) -> None:
    x = noise(2, time, seed).double()
    found = change_speed(x, torch.tensor([rate, 1 / rate], dtype=torch.float64))
    grid, middle = np.arange(time), (time - 1) / 2
    for row, speed, out in zip(x[:, 0].numpy(), (rate, 1 / rate), found[:, 0].numpy(), strict=True):
        wanted = np.interp((grid - middle) * speed + middle, grid, row, left=0, right=0)
        inner = np.abs(np.abs((grid - middle) * speed) - middle) > 1e-9  # rounding decides there
        np.testing.assert_allclose(out[inner], wanted[inner], atol=1e-9)


@pytest.mark.parametrize("time", [1, 2, 3, 1000, 16_384])
def test_speed_one_changes_nothing(time: int) -> None:
    x = noise(3, time)
    assert torch.equal(change_speed(x, torch.ones(3)), x)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.7, 1.4), st.floats(200.0, 1500.0))
def test_speed_moves_a_tone_by_the_rate(rate: float, frequency: float) -> None:
    samples, sample_rate = 16_384, 16_000
    x = torch.sin(2 * math.pi * frequency * torch.arange(samples) / sample_rate)[None, None]
    changed = change_speed(x, torch.tensor([rate]))[0, 0].double().numpy()
    spectrum = np.abs(np.fft.rfft(changed * np.hanning(samples), 4 * samples))
    peak = np.fft.rfftfreq(4 * samples, 1 / sample_rate)[spectrum.argmax()]
    assert peak == pytest.approx(frequency * rate, abs=0.5)
    sounding = np.count_nonzero(np.abs(changed) > 1e-3) / samples
    assert sounding == pytest.approx(min(1.0, 1 / rate), abs=0.02)


def test_uniform_numbers_fill_their_range(rng: torch.Generator) -> None:
    numbers = uniform(4000, -2.0, 6.0, rng)
    assert -2.0 <= numbers.min() < -1.9 and 5.9 < numbers.max() < 6.0
    assert numbers.mean().item() == pytest.approx(2.0, abs=0.15)


@pytest.fixture
def speech(pair_folder: Path, tmp_path: Path) -> ClipDataset:
    corpus = folder_corpus(pair_folder)
    cache = ClipCache.build(corpus, sample_rate=16000, clip_samples=400, folder=tmp_path / "cache")
    return ClipDataset(corpus, cache)


def test_the_generator_decides(speech: ClipDataset) -> None:
    augment = Augment(AugmentConfig(babble_probability=0.5), 16_000, NoiseBank([], 16_000), speech)
    x = noise(8, 400)
    kept = x.clone()
    first, again, other = (augment(x, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(x, kept)
    assert first.shape == x.shape and first.dtype == torch.float32


def test_the_global_generator_is_left_alone(speech: ClipDataset, rng: torch.Generator) -> None:
    before = torch.get_rng_state()
    Augment(AugmentConfig(), 16_000, NoiseBank([], 16_000), speech)(noise(4, 400), rng)
    assert torch.equal(torch.get_rng_state(), before)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0, 0.05), st.floats(0, 0.9), st.floats(0, 40), st.floats(-20, 20), st.integers(0, 99)
)
def test_clips_stay_within_full_scale(
    seconds: float, speed: float, gain: float, snr_db: float, seed: int
) -> None:
    config = AugmentConfig(
        shift_seconds=seconds,
        speed=speed,
        gain_db=gain,
        noise_probability=1.0,
        noise_snr_db=(snr_db, snr_db + 3),
    )
    augment = Augment(config, 16_000, NoiseBank([], 16_000))
    x = torch.stack([torch.zeros(1, 500), torch.ones(1, 500), noise(1, 500, level=1)[0]])
    changed = augment(x.clamp(-1, 1), torch.Generator().manual_seed(seed))
    assert torch.isfinite(changed).all() and changed.abs().max() <= 1.0


def test_zeros_turn_everything_off(speech: ClipDataset, rng: torch.Generator) -> None:
    x = noise(5, 400)
    assert torch.equal(Augment(OFF, 16_000, NoiseBank([], 16_000), speech)(x, rng), x)


def one(**changes: Any) -> AugmentConfig:
    return AugmentConfig(**{**OFF.__dict__, **changes})


def test_the_work_is_done_where_the_clips_are(speech: ClipDataset, rng: torch.Generator) -> None:
    """Tensors of the device meta cannot be mixed with others; they stand for a GPU's."""
    config = AugmentConfig(noise_probability=0.5, babble_probability=0.5)
    augment = Augment(config, 16_000, NoiseBank([], 16_000), speech)
    x = noise(4, 400)
    assert augment(x.to("meta"), rng).device.type == "meta"
    assert augment(x, rng).device.type == "cpu"


def test_gain_is_within_its_range(rng: torch.Generator) -> None:
    x = noise(300, 50, level=0.01)
    changed = Augment(one(gain_db=6.0), 16_000)(x, rng)
    decibels = 10 * np.log10(energy(changed) / energy(x))
    assert -6.001 <= decibels.min() < -5.5 and 5.5 < decibels.max() <= 6.001


def test_shifts_reach_both_ends_of_their_range(rng: torch.Generator) -> None:
    x = torch.zeros(300, 1, 101)
    x[:, :, 50] = 1.0
    where = Augment(one(shift_seconds=0.002), 16_000 // 4)(x, rng)[:, 0].argmax(dim=1) - 50
    assert set(where.tolist()) == set(range(-8, 9))


@pytest.mark.parametrize("source", ["noise", "babble"])
def test_the_share_and_the_ratio_of_what_is_mixed_in(
    source: str, speech: ClipDataset, rng: torch.Generator
) -> None:
    config = one(**{f"{source}_probability": 0.3, f"{source}_snr_db": (5.0, 10.0)})
    bank = NoiseBank([], 16_000) if source == "noise" else None
    x = noise(600, 400)
    changed = Augment(config, 16_000, bank, speech if source == "babble" else None)(x, rng)
    difference = energy(changed.double() - x.double())
    touched = difference > 0
    assert touched.mean() == pytest.approx(0.3, abs=0.06)
    ratios = 10 * np.log10(energy(x)[touched] / difference[touched])
    assert 4.99 <= ratios.min() < 5.5 and 9.5 < ratios.max() <= 10.01


def test_speeds_are_within_their_range(rng: torch.Generator) -> None:
    t = torch.arange(8000) / 8000
    x = torch.sin(2 * math.pi * 1000 * t).repeat(60, 1, 1)
    changed = Augment(one(speed=0.1), 8000)(x, rng)
    peaks = torch.fft.rfft(changed[:, 0] * torch.hann_window(8000)).abs().argmax(dim=1)
    assert 899 <= peaks.min() < 915 and 1085 < peaks.max() <= 1101


@pytest.mark.parametrize(
    "wrong",
    [
        {"shift_seconds": -0.1},
        {"shift_seconds": math.nan},
        {"speed": 1.0},
        {"speed": -0.1},
        {"gain_db": -1.0},
        {"gain_db": math.inf},
        {"noise_probability": 1.1},
        {"babble_probability": -0.1},
    ],
    ids=repr,
)
def test_impossible_strengths_are_refused(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(MondegreenError, match=name):
        AugmentConfig(**wrong)  # type: ignore[arg-type]
