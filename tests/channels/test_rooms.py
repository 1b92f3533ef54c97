from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mondegreen.channels import Impulse, Room
from mondegreen.channels.responses import convolve

from .conftest import RATE, tone, voice

pytest.importorskip("pyroomacoustics", reason="pyroomacoustics is not installed")

DIRECT = 40


def decay_seconds(response: torch.Tensor) -> float:
    """The time of a decay by 60 dB, from -5 to -25 dB of Schroeder's integral."""
    energy = response.double().square().flip(0).cumsum(0).flip(0)
    db = 10 * torch.log10(energy / energy[0])
    start, stop = (int((db > level).sum()) for level in (-5.0, -25.0))
    return 3 * (stop - start) / RATE


@pytest.mark.parametrize("rt60", [0.2, 0.35])
def test_energy_decays_as_asked(rt60: float) -> None:
    responses = Room(rt60=rt60, distance=2.0, rooms=3, seed=5).responses(RATE)
    found = [decay_seconds(one) for one in responses]
    assert np.mean(found) == pytest.approx(rt60, rel=0.25)


def test_the_direct_sound_keeps_its_place_and_falls_with_distance() -> None:
    near, far = (Room(rt60=0.3, distance=d, rooms=4, seed=5) for d in (0.5, 2.0))
    ratios = []
    for room in (near, far):
        responses = room.responses(RATE)
        assert torch.allclose(responses.square().sum(dim=1), torch.ones(4))
        direct = responses[:, DIRECT - 8 : DIRECT + 9].square().sum(dim=1)
        ratios.append(10 * torch.log10(direct / (1 - direct)).mean())
        assert responses[:, : DIRECT - 8].abs().max() < 0.05
    assert (near.responses(RATE).abs().argmax(dim=1) - DIRECT).abs().max() <= 1
    # Four times as far: 12 dB less direct sound against the same reverberation.
    assert float(ratios[0] - ratios[1]) == pytest.approx(12.0, abs=3.0)


def test_rooms_follow_their_seed_and_clips_draw_them(rng: torch.Generator) -> None:
    room = Room(rt60=0.2, rooms=3)
    assert torch.equal(room.responses(RATE), Room(rt60=0.2, rooms=3).responses(RATE))
    other = Room(rt60=0.2, rooms=3, seed=6).responses(RATE)
    shortest = min(other.shape[1], room.responses(RATE).shape[1])
    assert not torch.allclose(other[:, :shortest], room.responses(RATE)[:, :shortest])
    y = room(voice().expand(20, -1, -1), sample_rate=RATE, generator=rng)
    wanted = convolve(voice().expand(3, -1, -1), room.responses(RATE), DIRECT).clamp(-1, 1)
    gaps = (y - wanted.transpose(0, 1)).abs().amax(dim=2)
    assert bool((gaps.min(dim=1).values < 1e-6).all())
    assert set(gaps.argmin(dim=1).tolist()) == {0, 1, 2}


def test_one_room_draws_nothing() -> None:
    room = Room(rt60=0.2, rooms=1)
    assert not room.random
    assert room(voice(), sample_rate=RATE).shape == voice().shape


def test_recorded_responses_are_aligned(tmp_path: Path, rng: torch.Generator) -> None:
    for name, onset in (("early", 3), ("late", 700)):
        response = np.zeros(1000)
        response[onset], response[onset + 200] = 0.6, 0.3
        soundfile.write(str(tmp_path / f"{name}.wav"), response, RATE)
    x = tone(600.0)
    y = Impulse(folder=str(tmp_path))(x.expand(8, -1, -1), sample_rate=RATE, generator=rng)
    echo = torch.nn.functional.pad(x, (200, 0))[..., : x.shape[2]]
    wanted = (0.6 * x + 0.3 * echo) / np.hypot(0.6, 0.3)
    assert torch.allclose(y, wanted.expand_as(y), atol=1e-4)


def test_convolution_is_that_of_its_sum(rng: torch.Generator) -> None:
    x, h = torch.randn(2, 1, 50, generator=rng), torch.randn(2, 7, generator=rng)
    y = convolve(x, h, delay=2)
    for clip in range(2):
        full = np.convolve(x[clip, 0].numpy(), h[clip].numpy())
        assert np.allclose(y[clip, 0].numpy(), full[2:52], atol=1e-5)
