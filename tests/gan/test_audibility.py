from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mondegreen.gan.audibility import Audibility, LoudnessDisturbance, build_hearing

RATE = 16_000


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


def test_both_models_of_hearing_agree_on_what_is_louder() -> None:
    x = tone(300) + tone(1000) + 0.01 * noise()
    for model in ("loudness", "masking"):
        hearing = build_hearing(model, RATE)
        faint, loud = (hearing(x, x + gain * noise(seed=1)) for gain in (1e-3, 1e-2))
        assert faint.shape == (1,) and faint < loud
