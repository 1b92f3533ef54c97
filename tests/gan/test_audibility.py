from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from mondegreen.gan.audibility import Audibility, LoudnessDisturbance, build_hearing
from mondegreen.metrics.hearing import threshold_in_quiet
from mondegreen.metrics.masking import MaskingModel, masking_loss

RATE = 16_000
Floats = npt.NDArray[np.float64]


def tone(hertz: float, level: float = 0.1, seconds: float = 1.0) -> Tensor:
    time = torch.arange(round(seconds * RATE)) / RATE
    return level * torch.sin(2 * math.pi * hertz * time).view(1, 1, -1)


def noise(samples: int = RATE, seed: int = 0) -> Tensor:
    return torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(seed))


def points(x: Tensor, delta: Tensor) -> float:
    found: Audibility = LoudnessDisturbance(RATE)(x, x + delta)
    return float(found.points)


def test_nothing_is_heard_where_nothing_changed() -> None:
    assert points(0.1 * noise(), torch.zeros(1, 1, RATE)) == 0.0
    assert points(torch.zeros(1, 1, RATE), torch.zeros(1, 1, RATE)) == 0.0


def test_more_noise_is_heard_more() -> None:
    x = tone(300) + tone(1000) + 0.01 * noise()
    found = [points(x, gain * noise(seed=1)) for gain in (1e-4, 1e-3, 3e-3, 1e-2)]
    assert found == sorted(found) and found[0] < 0.1 < 0.5 < found[-1]


def test_the_level_of_the_clip_does_not_matter() -> None:
    x, delta = tone(500) + 0.01 * noise(), 2e-3 * noise(seed=1)
    assert points(x, delta) == pytest.approx(points(x / 8, delta / 8), rel=1e-3)


def test_noise_is_masked_where_the_clip_is_loud() -> None:
    """The same noise is heard less at the tone's frequency than far from it."""
    x = tone(1000) + 1e-4 * noise()
    near, far = tone(1010, 0.005), tone(4000, 0.005)
    assert 3 * points(x, near) < points(x, far)


def test_noise_in_a_pause_is_heard_more_than_noise_under_sound() -> None:
    loud = torch.cat([torch.ones(RATE // 2), torch.zeros(RATE // 2)])
    x = 0.1 * noise() * loud + 1e-5 * noise(seed=2)
    hiss = 3e-3 * noise(seed=1)
    assert 2 * points(x, hiss * loud) < points(x, hiss * (1 - loud))


def test_added_sound_is_worse_than_sound_taken_away() -> None:
    x = tone(300) + tone(3000, 0.01) + 1e-4 * noise()
    added = LoudnessDisturbance(RATE)(x - tone(3000, 0.01), x)
    taken = LoudnessDisturbance(RATE)(x, x - tone(3000, 0.01))
    assert added.asymmetric > 10 * taken.asymmetric


@pytest.mark.parametrize("samples", [100, 4000, 16_384])
@pytest.mark.parametrize("kind", ["silence", "sound", "pause"])
def test_gradients_are_finite(samples: int, kind: str) -> None:
    x = torch.zeros(2, 1, samples) if kind == "silence" else 0.1 * torch.randn(2, 1, samples)
    if kind == "pause":
        x[..., samples // 2 :] = 0.0
    for level in (0.0, 1e-4, 0.1):
        x_adv = (x + level * torch.randn(2, 1, samples)).requires_grad_()
        found = LoudnessDisturbance(RATE)(x, x_adv)
        found.points.sum().backward()
        assert found.points.shape == (2,) and torch.isfinite(found.points).all()
        assert x_adv.grad is not None and torch.isfinite(x_adv.grad).all()


def test_descending_the_gradient_makes_a_perturbation_quieter() -> None:
    hearing, x = LoudnessDisturbance(RATE), tone(400) + 0.01 * noise()
    delta = (2e-3 * noise(seed=1)).requires_grad_()
    before = hearing(x, x + delta).points.sum()
    before.backward()
    assert delta.grad is not None
    step = 0.01 * delta.detach().norm() / delta.grad.norm()
    quieter = delta.detach() - step * delta.grad
    assert hearing(x, x + quieter).points < 0.99 * before.detach()


def bark_of(hertz: Floats) -> Floats:
    rate: Floats = 13 * np.arctan(0.00076 * hertz) + 3.5 * np.arctan((hertz / 7500) ** 2)
    return rate


def band_edges() -> Floats:
    low, high = bark_of(np.array([50.0, 8000.0])).tolist()
    return np.linspace(low, high, 49)


def band_power(x: Floats) -> Floats:
    """Power in 48 critical bands of frames of 512 samples; a bin's power is spread over Barks."""
    padded = np.concatenate([np.zeros(256), x, np.zeros(-len(x) % 256 + 256)])
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = [padded[at : at + 512] * taper for at in range(0, len(padded) - 511, 256)]
    power = np.abs(np.fft.rfft(frames)) ** 2
    edges = band_edges()
    middle = np.arange(257) * RATE / 512
    low, high = bark_of(np.maximum(middle - 15.625, 0.0)), bark_of(middle + 15.625)
    within = np.minimum.outer(high, edges[1:]) - np.maximum.outer(low, edges[:-1])
    bands: Floats = power @ (np.maximum(within, 0.0) / (high - low)[:, None])
    return bands


def over_time(frames: Floats) -> float:
    frames = np.minimum(frames, 45.0)
    seconds = [frames[at : at + 20] for at in range(0, len(frames) - 19, 10)]
    moments = [np.mean(second**6) ** (1 / 6) for second in seconds]
    return float(np.sqrt(np.mean(np.square(moments))))


def plain_disturbances(x: Floats, x_adv: Floats) -> tuple[float, float]:
    """P.862 as the documentation says, frame by frame."""
    edges = band_edges()
    width, middle = np.diff(edges), (edges[1:] + edges[:-1]) / 2
    lines = np.arange(257) * RATE / 512
    centre = torch.from_numpy(np.interp(middle, bark_of(lines), lines))
    quiet = 10 ** ((threshold_in_quiet(centre).numpy() - 5) / 10)
    steep = 0.23 * (6 / (np.clip(middle, 2, 4) + 2)) ** 0.15

    def sone(power: Floats) -> Floats:
        ratio = (0.5 + 0.5 * power / quiet) ** steep
        loudness: Floats = 0.5 * (quiet / 0.5) ** steep * np.maximum(ratio - 1, 0)
        return loudness

    def audible(power: Floats, factor: float) -> Floats:
        return np.where(power > factor * quiet, power, 0)

    power, power_adv = band_power(x), band_power(x_adv)
    level = 10 ** ((79 - 5) / 10)
    scale = level / power.sum(axis=1).mean()
    power, power_adv = scale * power, scale * power_adv
    loud = audible(power, 100).sum(axis=1) >= 1e7
    before, after = (audible(one, 100)[loud].mean(axis=0) + 1e3 for one in (power, power_adv))
    power = power * np.clip(after / before, 0.01, 100)
    gain = (audible(power, 1).sum(axis=1) + 5e3) / (audible(power_adv, 1).sum(axis=1) + 5e3)
    last = np.r_[1, gain[:-1]]
    smooth = 0.8 * gain + 0.16 * last + 0.04 * np.r_[1, last[:-1]]
    power_adv = power_adv * np.clip(smooth, 3e-4, 5)[:, None]
    one, other = sone(power), sone(power_adv)
    heard = np.maximum(np.abs(other - one) - 0.25 * np.minimum(one, other), 0) * width
    symmetric = np.sqrt((heard**2).sum(axis=1) * width.sum())
    factor = ((power_adv + 50) / (power + 50)) ** 1.2
    asymmetric = (heard * np.where(factor < 3, 0, np.minimum(factor, 12))).sum(axis=1)
    emphasis = ((power.sum(axis=1) + 1e5) / level) ** 0.04
    return over_time(symmetric / emphasis), over_time(asymmetric / emphasis)


@pytest.mark.parametrize("gain", [2e-4, 3e-3, 0.2])
def test_disturbances_are_those_of_a_plain_reading(gain: float) -> None:
    swell = torch.linspace(0, 1, RATE)
    x = (tone(300) + tone(2500, 0.03)) * swell + 1e-4 * noise()
    x_adv = 0.8 * x + gain * noise(seed=1) * swell.flip(0) + tone(700, 0.3 * gain)
    both = torch.cat([x, 0.1 * noise()]), torch.cat([x_adv, 0.1 * noise() + gain * tone(900)])
    found: Audibility = LoudnessDisturbance(RATE)(*both)
    for row in range(2):
        clips = (one[row, 0].double().numpy() for one in both)
        symmetric, asymmetric = plain_disturbances(*clips)
        assert float(found.symmetric[row]) == pytest.approx(symmetric, rel=1e-3, abs=1e-4)
        assert float(found.asymmetric[row]) == pytest.approx(asymmetric, rel=1e-3, abs=1e-4)
    points = 0.1 * found.symmetric + 0.0309 * found.asymmetric
    torch.testing.assert_close(found.points, points)


def test_both_models_of_hearing_agree_on_what_is_louder() -> None:
    x = tone(300) + tone(1000) + 0.01 * noise()
    for model in ("loudness", "masking"):
        hearing = build_hearing(model, RATE)
        faint, loud = (hearing(x, x + gain * noise(seed=1)) for gain in (1e-3, 1e-2))
        assert faint.shape == (1,) and faint < loud
        masked = masking_loss(1e-2 * noise(seed=1), MaskingModel(RATE)(x))
        assert torch.allclose(loud, masked, rtol=1e-4) is (model == "masking")
