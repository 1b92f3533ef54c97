"""Sounds and pictures of a page hold what the clips hold."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from mondegreen.audio import Normalization, float_to_pcm16, quantize
from mondegreen.live.pictures import draw_attack, loudness_gain


def decoded(address: str, kind: str) -> bytes:
    head, _, content = address.partition(",")
    assert head == f"data:{kind};base64"
    return base64.b64decode(content)


def samples(address: str) -> tuple[Any, int]:
    found, rate = soundfile.read(io.BytesIO(decoded(address, "audio/wav")), dtype="int16")
    return found, int(rate)


@pytest.mark.parametrize("scale", ["pcm", "paper"])
def test_the_sounds_are_the_clips_bit_for_bit(scale: Normalization, rng: torch.Generator) -> None:
    x = quantize(0.3 * torch.randn(1, 1, 4_000, generator=rng).clamp(-3, 3), scale)
    x_adv = quantize(x + 0.01 * torch.randn(1, 1, 4_000, generator=rng), scale)
    original, adversarial, perturbation = draw_attack(x, x_adv, 8_000, scale)
    for track, clip in ((original, x), (adversarial, x_adv)):
        found, rate = samples(track.audio)
        assert rate == 8_000
        assert np.array_equal(found, float_to_pcm16(clip, scale).flatten().numpy())
    steps = [float_to_pcm16(one, scale).flatten().numpy().astype(int) for one in (x, x_adv)]
    louder, _ = samples(perturbation.audio)
    assert np.abs(louder - 10 * (steps[1] - steps[0])).max() <= 1
    assert perturbation.name == "Perturbation, 20 dB louder"


def test_pictures_are_pictures_and_silence_is_black() -> None:
    silent = torch.zeros(1, 1, 8_000)
    tracks = draw_attack(silent, silent, 8_000, "pcm")
    for track in tracks:
        image = Image.open(io.BytesIO(decoded(track.spectrogram, "image/webp"))).convert("L")
        assert np.asarray(image).max() <= 1
        assert track.waveform.startswith("<svg") and "Waveform" in track.waveform


@pytest.mark.parametrize(("peak", "gain"), [(0.0, 20.0), (0.05, 20.0), (0.5, 6.0206), (1.0, 0.0)])
def test_a_perturbation_is_raised_until_it_would_clip(peak: float, gain: float) -> None:
    assert loudness_gain(np.array([0.0, -peak])) == pytest.approx(gain, abs=1e-3)
