from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.configs import from_dict, to_dict
from mondegreen.errors import MondegreenError
from mondegreen.gan.losses import discriminator_loss, fool_loss
from mondegreen.gan.spectral_discriminator import (
    SpectralDiscriminator,
    SpectralDiscriminatorConfig,
    feature_matching_loss,
    log_spectrogram,
)

SMALL = SpectralDiscriminatorConfig(windows=(64, 128), width=4, layers=2)


def network(config: SpectralDiscriminatorConfig = SMALL) -> SpectralDiscriminator:
    torch.manual_seed(0)
    return SpectralDiscriminator(config)


@pytest.mark.parametrize(("width", "layers"), [(16, 3), (4, 1)])
def test_parameters_are_counted_by_hand(width: int, layers: int) -> None:
    # Weight norm adds a length for each output channel to the direction's weights and the bias.
    first = width * 15 + 2 * width
    others = layers * (width * width * 15 + 2 * width)
    last = width * 9 + 2
    net = network(SpectralDiscriminatorConfig(width=width, layers=layers))
    assert sum(p.numel() for p in net.parameters()) == 3 * (first + others + last)


def test_the_spectrogram_agrees_with_numpy(rng: torch.Generator) -> None:
    x = torch.randn(2, 1, 1000, generator=rng)
    measured = log_spectrogram(x, 128)
    padded = np.pad(x[:, 0].numpy().astype(np.float64), ((0, 0), (64, 128)))
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(128) / 128)
    assert measured.shape == (2, 1, 17, 65)
    for number in range(17):
        frame = padded[:, 64 * number : 64 * number + 128] * taper
        power = (np.abs(np.fft.rfft(frame)) * 4 / 128) ** 2
        expected = (10 * np.log10(power + 1e-9) + 60) / 20
        np.testing.assert_allclose(measured[:, 0, number].numpy(), expected, atol=1e-4)


def test_levels_are_those_of_a_tone() -> None:
    x = torch.sin(2 * math.pi * 16 * torch.arange(4096) / 256)[None, None]
    level = log_spectrogram(torch.cat([x, 0.01 * x, 0 * x]), 256)[:, 0, 5, 16]
    assert level.tolist() == pytest.approx([3.0, 1.0, -1.5], abs=1e-3)  # 0, -40 and -90 dB


def test_forward_matches_its_written_out_formula(rng: torch.Generator) -> None:
    net, x = network().double(), torch.randn(2, 1, 700, generator=rng)
    state, scores = net.state_dict(), []

    def convolve(h: Tensor, name: str, stride: tuple[int, int], pad: tuple[int, int]) -> Tensor:
        length = state[f"{name}.parametrizations.weight.original0"]
        direction = state[f"{name}.parametrizations.weight.original1"]
        weight = length * direction / direction.square().sum((1, 2, 3), keepdim=True).sqrt()
        return F.conv2d(h, weight, state[f"{name}.bias"], stride, pad)

    for number, window in enumerate(SMALL.windows):
        h = log_spectrogram(x, window).double()
        for layer, stride in enumerate([(1, 2), (2, 2), (1, 1)]):
            h = convolve(h, f"resolutions.{number}.layers.{layer}", stride, (1, 2))
            h = torch.maximum(h, 0.2 * h)
        h = convolve(h, f"resolutions.{number}.score", (1, 1), (1, 1))
        scores.append(h.mean(dim=(1, 2, 3)))
    for resolution in net.resolutions:  # its own spectrograms are in single precision
        resolution.register_forward_pre_hook(lambda _m, args: (args[0].double(),))
    torch.testing.assert_close(net(x), torch.stack(scores).mean(dim=0))


@pytest.mark.parametrize("samples", [1, 127, 8000, 16_000, 44_100])
def test_clips_of_any_length_get_one_score(samples: int, rng: torch.Generator) -> None:
    score: Tensor = network(SpectralDiscriminatorConfig(width=2))(
        torch.randn(1, 1, samples, generator=rng)
    )
    assert score.shape == (1,)
    assert score.isfinite().all()


def test_longer_clips_are_scored_on_the_same_scale(rng: torch.Generator) -> None:
    net, x = network(), torch.randn(1, 1, 16_000, generator=rng)
    once, thrice = net(x), net(x.repeat(1, 1, 3))
    torch.testing.assert_close(once, thrice, rtol=0.05, atol=1e-3)


def test_judge_gives_the_score_and_the_features_of_every_layer(rng: torch.Generator) -> None:
    net, x = network(), torch.randn(2, 1, 4000, generator=rng)
    score, features = net.judge(x)
    torch.testing.assert_close(score, net(x))
    assert [f.shape[:2] for f in features] == [(2, 4)] * 6
    assert [f.shape[2:] for f in features[:3]] == [(126, 17), (63, 9), (63, 9)]


def test_gradients_reach_the_clips_and_every_parameter(rng: torch.Generator) -> None:
    net = network()
    x = torch.randn(2, 1, 4000, generator=rng).requires_grad_()
    net(x).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
    assert x.grad is not None
    assert (x.grad.abs().amax(dim=2) > 0).all()


def test_gradients_of_silence_are_finite() -> None:
    x = torch.zeros(1, 1, 4000, requires_grad=True)
    network()(x).sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


def test_scores_are_raw(rng: torch.Generator) -> None:
    net = network()
    for resolution in net.resolutions:
        score = resolution.score
        assert isinstance(score, nn.Conv2d) and score.bias is not None
        nn.init.constant_(score.bias, -40.0)
    assert (net(torch.randn(2, 1, 4000, generator=rng)) < -1.0).all()


def test_it_learns_to_tell_hissing_clips(rng: torch.Generator) -> None:
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), 5e-3)
    tones = torch.sin(torch.arange(2048) * torch.linspace(0.1, 1.0, 8)[:, None])[:, None] / 4
    losses = []
    for _ in range(30):
        noise = 0.02 * torch.randn(tones.shape, generator=rng)
        loss = discriminator_loss(net(tones), net(tones + noise))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < losses[0]
    noise = 0.02 * torch.randn(tones.shape, generator=rng)
    assert fool_loss(net(tones)) < fool_loss(net(tones + noise))


def test_feature_matching_is_zero_for_the_same_clip(rng: torch.Generator) -> None:
    features = network().judge(torch.randn(2, 1, 2000, generator=rng))[1]
    assert feature_matching_loss(features, features).item() == 0.0


def test_feature_matching_is_relative_to_each_layer() -> None:
    real = [torch.tensor([2.0, -2.0]), torch.tensor([[100.0]])]
    adv = [torch.tensor([2.0, -1.0]), torch.tensor([[150.0]])]
    # 0.5 of 2, and 50 of 100
    assert feature_matching_loss(real, adv).item() == pytest.approx((0.25 + 0.5) / 2)
    larger = [10 * f for f in real], [10 * f for f in adv]
    torch.testing.assert_close(feature_matching_loss(*larger), feature_matching_loss(real, adv))


def test_feature_matching_moves_the_adversarial_clip_alone(rng: torch.Generator) -> None:
    net = network()
    x = torch.randn(1, 1, 2000, generator=rng, requires_grad=True)
    x_adv = torch.randn(1, 1, 2000, generator=rng, requires_grad=True)
    torch.autograd.backward(feature_matching_loss(net.judge(x)[1], net.judge(x_adv)[1]))
    assert x.grad is None
    assert x_adv.grad is not None and x_adv.grad.abs().max() > 0


@pytest.mark.parametrize(("real", "adv"), [(0, 0), (1, 2)])
def test_feature_matching_wants_the_same_layers(real: int, adv: int) -> None:
    with pytest.raises(ValueError, match=f"{real} and {adv}"):
        feature_matching_loss([torch.ones(1)] * real, [torch.ones(1)] * adv)


def test_the_configuration_survives_json() -> None:
    assert to_dict(SMALL)["kind"] == "spectral"
    assert from_dict(SpectralDiscriminatorConfig, to_dict(SMALL), "here") == SMALL


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"windows": ()}, "windows"),
        ({"windows": (256, 255)}, "windows"),
        ({"windows": (8,)}, "windows"),
        ({"width": 0}, "width is 0"),
        ({"layers": 0}, "layers 0"),
        ({"layers": 9}, "layers 9"),
    ],
)
def test_impossible_sizes_are_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(MondegreenError, match=named):
        SpectralDiscriminatorConfig(**settings)
