"""The masking threshold against a plain reading of the standard and cases known by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from mondegreen.audio import read_audio
from mondegreen.errors import MondegreenError
from mondegreen.metrics.hearing import bark, threshold_in_quiet
from mondegreen.metrics.maskers import find_tones, power_spectrum
from mondegreen.metrics.masking import (
    MaskingModel,
    audible_share,
    default_window,
    masking_excess,
    masking_loss,
    masking_threshold,
)

RATE = 16_000
Floats = npt.NDArray[np.float64]


def tone(line: float, amplitude: float = 1.0, samples: int = 8192) -> Tensor:
    """A tone in the middle of bin ``line`` of frames of 512 samples."""
    phase = 2 * math.pi * line * torch.arange(samples, dtype=torch.float64) / 512
    return (amplitude * phase.sin()).float()[None]


def scale(bins: int) -> Tensor:
    return torch.arange(bins, dtype=torch.float64) * RATE / (2 * (bins - 1))


def reach(k: int) -> int:
    return 2 if k < 63 else 3 if k < 127 else 6 if k < 255 else 12


def falls_by(level: float, distance: float) -> float:
    if distance < -3 or distance >= 8:
        return -math.inf
    if distance < -1:
        return 17 * (distance + 1) - (0.4 * level + 6)
    if distance < 0:
        return (0.4 * level + 6) * distance
    if distance < 1:
        return -17 * distance
    return -(distance - 1) * (17 - 0.15 * level) - 17


def tonal_maskers(spl: Floats, z: Floats, quiet: Floats) -> tuple[list[Any], set[int]]:
    found, taken = [], set()
    for k in range(3, len(spl)):
        if k + reach(k) >= len(spl) or not spl[k - 1] < spl[k] >= spl[k + 1]:
            continue
        others = [k + sign * j for j in range(2, reach(k) + 1) for sign in (-1, 1)]
        if all(spl[k] - spl[other] >= 7 for other in others):
            level = 10 * math.log10(sum(10 ** (spl[i] / 10) for i in (k - 1, k, k + 1)))
            found.append((k, level))
            taken |= set(range(k - reach(k), k + reach(k) + 1))
    found = [(k, level) for k, level in found if level > quiet[k]]
    kept = []
    for k, level in found:
        rivals = [other for i, other in found if i != k and abs(z[i] - z[k]) < 0.5]
        if all(level > rival for rival in rivals):
            kept.append((k, level, 6.025 + 0.275 * z[k]))
    return kept, taken


def noise_maskers(spl: Floats, z: Floats, quiet: Floats, taken: set[int]) -> list[Any]:
    found = []
    for band in range(25):
        members = [k for k in range(1, len(spl)) if int(z[k]) == band]
        power = sum(10 ** (spl[k] / 10) for k in members if k not in taken)
        if power > 0:
            centre = round(math.exp(sum(math.log(k) for k in members) / len(members)))
            if 10 * math.log10(power) > quiet[centre]:
                found.append((centre, 10 * math.log10(power), 2.025 + 0.175 * z[centre]))
    return found


def plain_threshold(frame: Floats) -> Floats:
    """Annex D.1 read bin by bin, for one frame of samples."""
    n = len(frame)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    spectrum = np.abs(np.fft.rfft(frame * window)) * 4 / n
    spl = 96 + 20 * np.log10(spectrum + 1e-30)
    z, quiet = bark(scale(len(spl))).numpy(), threshold_in_quiet(scale(len(spl))).numpy()
    tones, taken = tonal_maskers(spl, z, quiet)
    maskers = tones + noise_maskers(spl, z, quiet, taken)
    total = 10 ** (quiet / 10)
    for k, level, loss in maskers:
        for i in range(len(spl)):
            total[i] += 10 ** ((level - loss + falls_by(level, z[i] - z[k])) / 10)
    result: Floats = 10 * np.log10(total)
    return result


def mixture(rng: torch.Generator) -> Tensor:
    """Harmonics, two tones within half a Bark, and noise, at speech's levels."""
    x = 1e-3 * torch.randn(1, 2048, generator=rng)
    for line, amplitude in ((8, 0.1), (16.3, 0.05), (24, 0.02), (100, 0.03), (105, 0.02)):
        x += tone(line, amplitude, 2048)
    return x + tone(200, 0.01, 2048)


@pytest.mark.parametrize("level", [1e-3, 0.1, 1.0])
def test_every_bin_agrees_with_a_plain_reading(level: float, rng: torch.Generator) -> None:
    x = level * mixture(rng)
    measured = masking_threshold(x, RATE)[0].double()
    assert find_tones(power_spectrum(x, 512, 256)[0]).any()
    for number in range(1, 8):  # the frames that lie within the clip
        start = 256 * (number - 1)
        expected = plain_threshold(x[0, start : start + 512].double().numpy())
        torch.testing.assert_close(
            measured[number], torch.from_numpy(expected), atol=0.01, rtol=0.0
        )


def test_a_constant_hides_nothing(rng: torch.Generator) -> None:
    x = mixture(rng) + 0.2
    expected = plain_threshold(x[0, 256:768].double().numpy())
    measured = masking_threshold(x, RATE)[0, 2].double()
    torch.testing.assert_close(measured, torch.from_numpy(expected), atol=0.01, rtol=0.0)


def test_silence_leaves_the_threshold_in_quiet() -> None:
    threshold = masking_threshold(torch.zeros(2, 1, 3000), RATE)
    expected = threshold_in_quiet(scale(257)).float().expand(2, len(threshold[0]), 257)
    torch.testing.assert_close(threshold, expected, atol=1e-3, rtol=1e-5)


def test_full_scale_is_96_db() -> None:
    power = power_spectrum(tone(32), 512, 256)[0, 5]
    assert 10 * power[32].log10() == pytest.approx(96.0, abs=0.01)
    assert power.argmax() == 32


def test_a_tone_lies_below_its_own_masking_index() -> None:
    threshold = masking_threshold(tone(32, 0.1), RATE)[0, 5]
    # Three bins of a Hann window hold 1.5 times the power of the middle one.
    masker = 76.0 + 10 * math.log10(1.5)
    z = bark(torch.tensor(1000.0)).item()
    assert threshold[32].item() == pytest.approx(masker - 6.025 - 0.275 * z, abs=0.01)


def test_masking_reaches_further_up_than_down() -> None:
    threshold = masking_threshold(tone(32, 0.1), RATE)[0, 5]
    z = bark(scale(257))
    up, down = (z - z[32] - 1.5).abs().argmin(), (z - z[32] + 1.5).abs().argmin()
    assert threshold[up] > threshold[down] + 10


def test_a_tone_hides_a_weak_neighbour_and_no_distant_one() -> None:
    x, frames = tone(32, 0.1), slice(2, -2)  # the ends of a tone splatter
    model = MaskingModel(RATE)
    for line, hidden in ((33, True), (130, False)):
        probe = power_spectrum(tone(line, 0.002), 512, 256)[0, frames, line]
        below = 10 * probe.log10() < model(x)[0, frames, line]
        assert bool(below.all()) is hidden
        assert bool(below.any()) is hidden


def test_the_threshold_moves_with_the_level() -> None:
    soft, loud = (masking_threshold(tone(32, a), RATE)[0, 5] for a in (0.01, 0.1))
    assert (loud[32] - soft[32]).item() == pytest.approx(20.0, abs=0.01)
    z = bark(scale(257))
    up = (z - z[32] - 3.0).abs().argmin()
    # Two Barks beyond the first, each 0.15 dB flatter for every dB.
    assert (loud[up] - soft[up]).item() > 20.0 + 0.15 * 20
    assert (loud >= soft).all()


def test_louder_clips_never_hide_less(rng: torch.Generator) -> None:
    x = mixture(rng)
    soft, loud = masking_threshold(x, RATE), masking_threshold(2 * x, RATE)
    assert (loud - soft).min() > -1e-3
    assert (loud - soft).max() > 5


def test_a_perturbation_below_the_threshold_has_no_excess(rng: torch.Generator) -> None:
    x = 0.1 * torch.randn(2, 1, 8000, generator=rng)
    delta = 0.1 * torch.randn(2, 1, 8000, generator=rng)
    over = 10 * power_spectrum(delta, 512, 256).log10() - masking_threshold(x, RATE)
    just_below = delta * 10 ** (-(over.amax() + 0.1) / 20)
    assert masking_excess(x, x + just_below, RATE).tolist() == [0.0, 0.0]
    assert audible_share(x, x + just_below, RATE).tolist() == [0.0, 0.0]
    just_above = delta * 10 ** (-(over.amax() - 0.1) / 20)
    assert masking_excess(x, x + just_above, RATE).max() > 0
    assert audible_share(x, x + just_above, RATE).max() > 0


def test_an_unchanged_clip_has_no_excess(rng: torch.Generator) -> None:
    x = 0.1 * torch.randn(1, 1, 8000, generator=rng)
    assert masking_excess(x, x, RATE).item() == audible_share(x, x, RATE).item() == 0.0


def test_more_gain_is_more_audible(rng: torch.Generator) -> None:
    x, noise = mixture(rng), torch.randn(1, 2048, generator=rng)
    gains = [10 ** (db / 20) for db in range(-100, 0, 10)]
    for metric in (masking_excess, audible_share):
        values = [metric(x, x + gain * noise, RATE).item() for gain in gains]
        assert values == sorted(values)
        assert values[-1] > values[0]


def test_a_flat_excess_is_its_own_mean() -> None:
    x = torch.zeros(1, 4000)
    noise = torch.randn(1, 4000, generator=torch.Generator().manual_seed(1))
    threshold = 10 * power_spectrum(noise, 512, 256).log10() - 7.0
    assert masking_loss(noise, threshold).item() == pytest.approx(7.0, abs=1e-4)
    assert masking_loss(x, threshold).item() == 0.0


def test_the_gradient_is_that_of_finite_differences(rng: torch.Generator) -> None:
    x = 0.1 * torch.randn(2, 200, generator=rng, dtype=torch.float64)
    threshold = masking_threshold(x, RATE, window=32)
    delta = torch.randn(2, 200, generator=rng, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda d: masking_loss(d, threshold), delta)


@pytest.mark.parametrize("size", [0.0, 1e-30, 1.0])
def test_loss_and_gradient_are_finite(size: float) -> None:
    x = torch.zeros(2, 1, 4000)
    delta = torch.full_like(x, size).requires_grad_()
    loss = masking_loss(delta, masking_threshold(x, RATE))
    torch.autograd.backward(loss.sum())
    assert loss.isfinite().all()
    assert delta.grad is not None and delta.grad.isfinite().all()
    assert bool((delta.grad != 0).any()) is (size == 1.0)


def test_the_threshold_carries_no_gradient(rng: torch.Generator) -> None:
    x = torch.randn(1, 2000, generator=rng).requires_grad_()
    assert not masking_threshold(x, RATE).requires_grad


@pytest.mark.parametrize("samples", [1, 255, 511, 512, 513, 16_000])
@pytest.mark.parametrize("hop", [128, 256, 512])
def test_clips_of_any_length_are_covered(samples: int, hop: int, rng: torch.Generator) -> None:
    x = torch.randn(1, 1, samples, generator=rng)
    threshold = masking_threshold(x, RATE, window=512, hop=hop)
    assert threshold.shape == (1, -(-(samples + 512 - hop) // hop), 257)
    # Hann frames whose hop divides half of the window add up to a constant power.
    if hop == 128:
        energy = power_spectrum(x, 512, hop).double()
        total = 2 * energy.sum() - energy[..., 0].sum() - energy[..., -1].sum()
        expected = 10**9.6 * (4 / 512) ** 2 * 512 * 1.5 * x.double().square().sum()
        assert total.item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000, 96_000])
def test_other_rates(rate: int) -> None:
    assert 20 < default_window(rate) / rate * 1000 <= 33
    time = torch.arange(rate // 2) / rate
    threshold = masking_threshold(0.1 * torch.sin(2000 * math.pi * time)[None], rate)
    assert threshold.isfinite().all()
    middle = threshold[0, 8]
    line = round(1000 * default_window(rate) / rate)
    # The same tone is as well hidden at any rate, whether a bin's middle hits it or not.
    expected = 77.8 - 6.025 - 0.275 * 8.5
    assert middle[line].item() == pytest.approx(expected, abs=1.5)


def test_clips_do_not_know_each_other(rng: torch.Generator) -> None:
    x = torch.cat([mixture(rng), 0.3 * torch.randn(1, 2048, generator=rng)])
    model = MaskingModel(RATE)
    alone = torch.cat([model(x[:1]), model(x[1:])])
    torch.testing.assert_close(model(x), alone)


@pytest.mark.parametrize(("window", "hop"), [(14, 7), (511, 256), (512, 0), (512, 513)])
def test_windows_that_do_not_fit_are_refused(window: int, hop: int) -> None:
    with pytest.raises(MondegreenError, match=f"window {window}"):
        MaskingModel(RATE, window, hop)


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="batch"):
        masking_threshold(torch.zeros(2, 2, 100), RATE)
    with pytest.raises(ValueError, match="one shape"):
        masking_excess(torch.zeros(1, 100), torch.zeros(2, 100), RATE)
    with pytest.raises(ValueError, match="hop"):
        masking_loss(torch.zeros(1, 9000), masking_threshold(torch.zeros(1, 8000), RATE))


def test_speech_hides_more_than_silence_and_agrees_with_the_plain_reading(real_data: Path) -> None:
    paths = sorted((real_data / "speech_commands" / "yes").glob("*.flac"))[:4]
    assert paths
    for path in paths:
        samples, rate = read_audio(path)
        x = torch.from_numpy(samples[:1])
        threshold = masking_threshold(x, rate)[0].double()
        loudest = int(power_spectrum(x, 512, 256)[0, 1:-2].sum(dim=1).argmax()) + 1
        frame = x[0, 256 * (loudest - 1) :][:512].double().numpy()
        expected = torch.from_numpy(plain_threshold(frame))
        torch.testing.assert_close(threshold[loudest], expected, atol=0.02, rtol=0.0)
        assert (threshold[loudest] - threshold_in_quiet(scale(257))).mean() > 10
