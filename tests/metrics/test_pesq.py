"""PESQ: its scale, its order, its failures."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.audio import read_audio, resample
from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.metrics.pesq import PesqMode, pesq_scores, raw_pesq

pesq = pytest.importorskip("pesq")


def voice(seconds: float = 1.0, rate: int = 16000) -> Tensor:
    """Something like speech, ``(1, 1, time)``: harmonics of a gliding pitch under syllables."""
    time = torch.arange(int(seconds * rate)) / rate
    phase = 2 * math.pi * torch.cumsum(110 + 30 * torch.sin(2 * math.pi * 1.5 * time), 0) / rate
    harmonics = torch.stack([torch.sin(k * phase) / k for k in range(1, 25)]).sum(0)
    syllables = torch.sin(math.pi * 4 * time).clamp_min(0) ** 0.5
    return (0.2 * harmonics * syllables)[None, None]


def with_noise(x: Tensor, decibels: float, random: torch.Generator) -> Tensor:
    """Add white noise at a signal-to-noise ratio."""
    noise = torch.randn(x.shape, generator=random)
    scale = (x.square().sum() / noise.square().sum()).sqrt() * 10 ** (-decibels / 20)
    return x + scale * noise


def test_mapping_back_undoes_p862_1() -> None:
    raw = np.linspace(-0.5, 4.5, 101)
    mapped = 0.999 + 4 / (1 + np.exp(-1.4945 * raw + 4.6607))
    np.testing.assert_allclose(raw_pesq(mapped), raw, atol=1e-9)
    np.testing.assert_allclose(raw_pesq(mapped.astype(np.float32)), raw, atol=1e-5)


@pytest.mark.parametrize(("mapped", "raw"), [(1.862743616104126, 2.2557), (1.607, 1.969)])
def test_published_pairs_of_scores(mapped: float, raw: float) -> None:
    # The package's score of a recording and an independent raw one: Loizou's Matlab code
    # (github.com/ludlows/PESQ/issues/3) and ITU's own (github.com/vBaiCai/python-pesq/issues/8).
    assert raw_pesq(mapped) == pytest.approx(raw, abs=1e-3)


def test_mapping_back_stays_in_range_and_keeps_nan() -> None:
    assert raw_pesq([0.9, 0.999, 1.0, 4.999, 7.0]).tolist() == [-0.5, -0.5, -0.5, 4.5, 4.5]
    assert np.isnan(raw_pesq([math.nan, 2.0])).tolist() == [True, False]


def test_identity_is_the_top_of_either_scale() -> None:
    x = voice()
    assert pesq_scores(x, x, 16000, "nb")[0] == pytest.approx(4.5, abs=1e-4)
    assert pesq_scores(x, x, 16000, "wb")[0] == pytest.approx(4.644, abs=1e-3)


@pytest.mark.parametrize("mode", ["nb", "wb"])
def test_more_noise_scores_less(mode: PesqMode, rng: torch.Generator) -> None:
    x = voice()
    noisy = torch.cat([with_noise(x, decibels, rng) for decibels in (40, 25, 10, -10)])
    scores = pesq_scores(x.expand(4, 1, -1), noisy, 16000, mode)
    assert (np.diff(scores) < 0).all() and scores[0] - scores[3] > 1


def test_narrow_band_is_the_raw_scale_of_the_package(rng: torch.Generator) -> None:
    x = voice()
    noisy = with_noise(x, 15, rng)
    mapped = pesq.pesq(16000, x[0, 0].numpy(), noisy[0, 0].numpy(), "nb")
    raw = pesq_scores(x, noisy, 16000, "nb")[0]
    assert 0.999 + 4 / (1 + math.exp(-1.4945 * raw + 4.6607)) == pytest.approx(mapped, abs=1e-6)
    assert abs(raw - mapped) > 0.05


def test_failures_are_nan_and_leave_the_others_alone(rng: torch.Generator) -> None:
    good = voice()
    bad = good.clone()
    bad[0, 0, 100] = math.nan
    silent = torch.zeros_like(good)
    x = torch.cat([good, silent, good, good, torch.full_like(good, 0.5)])
    x_adv = torch.cat([with_noise(good, 20, rng), good, silent, bad, good])
    for mode in get_args(PesqMode):
        failed = np.isnan(pesq_scores(x, x_adv, 16000, mode))
        assert failed.tolist() == [False, True, True, True, True]


@pytest.mark.parametrize("seconds", [1 / 16000, 0.24, 20.1])
def test_too_short_or_too_long_is_nan(seconds: float) -> None:
    x = voice(seconds) + 0.1
    assert np.isnan(pesq_scores(x, x * 0.9, 16000)).all()


def test_sample_rates(rng: torch.Generator) -> None:
    x = voice()
    noisy = with_noise(x, 20, rng)
    reference = pesq_scores(x, noisy, 16000)[0]
    for rate in (8000, 16384, 44100):
        score = pesq_scores(resample(x, 16000, rate), resample(noisy, 16000, rate), rate)[0]
        assert score == pytest.approx(reference, abs=0.35)
    # 8 kHz is scored as it is, not brought to 16 kHz first.
    low, low_noisy = (resample(clip, 16000, 8000) for clip in (x, noisy))
    direct = pesq.pesq(8000, low[0, 0].numpy(), low_noisy[0, 0].numpy(), "nb")
    assert pesq_scores(low, low_noisy, 8000)[0] == pytest.approx(float(raw_pesq(direct)), abs=1e-6)


def test_bad_arguments_are_refused() -> None:
    x = voice()
    with pytest.raises(ValueError, match="modes"):
        pesq_scores(x, x, 16000, "fb")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected two waveforms"):
        pesq_scores(x, x[..., :-1], 16000)
    with pytest.raises(ValueError, match="expected two waveforms"):
        pesq_scores(x.expand(1, 2, -1), x.expand(1, 2, -1), 16000)
    with pytest.raises(ValueError, match="0 workers"):
        pesq_scores(x, x, 16000, workers=0)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pesq", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mondegreen\[quality\]'") as error:
        pesq_scores(voice(), voice(), 16000)
    assert isinstance(error.value, MondegreenError)


def test_real_words_in_white_noise(real_data: Path, rng: torch.Generator) -> None:
    words = ("yes", "left", "stop", "down")
    files = [sorted((real_data / "speech_commands" / word).glob("*.flac"))[7] for word in words]
    scores = {decibels: list[float]() for decibels in (20, 30)}
    for file in files:
        samples, rate = read_audio(file)
        x = torch.from_numpy(samples)[None]
        for decibels, found in scores.items():
            found.append(float(pesq_scores(x, with_noise(x, decibels, rng), rate)[0]))
    # Over 500 such words the means are 2.86 at 20 dB and 3.46 at 30 dB, standard deviation 0.64.
    assert np.mean(scores[20]) == pytest.approx(2.86, abs=0.8)
    assert np.mean(scores[30]) == pytest.approx(3.46, abs=0.8)
    assert (np.subtract(scores[30], scores[20]) > 0.2).all()
