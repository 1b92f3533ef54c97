from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mondegreen.errors import MondegreenError
from mondegreen.generators.conditioning import TargetModulation
from mondegreen.generators.unet import UNetConfig, UNetGenerator

Array = npt.NDArray[np.float64]

SMALL = UNetConfig(width=0.1)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def tiny(targets: int = 1, config: UNetConfig = SMALL) -> UNetGenerator:
    torch.manual_seed(0)
    return UNetGenerator(config, targets)


def first(batch: int) -> torch.Tensor:
    return torch.zeros(batch, dtype=torch.int64)


def test_it_is_the_papers_network_layer_by_layer() -> None:
    with torch.device("meta"):
        net = UNetGenerator(UNetConfig(), targets=1)
    assert count(net) == 5_196_464
    assert [count(layer) for layer in net.encoder] == [
        528,
        16_416,
        32_800,
        65_600,
        131_136,
        262_272,
        524_416,
        1_048_832,
    ]
    assert [count(layer) for layer in net.decoder] == [
        1_048_704,
        1_048_704,
        524_352,
        262_208,
        131_104,
        65_568,
        32_784,
        1_025,
    ]
    assert sum(isinstance(module, nn.PReLU) for module in net.modules()) == 15


def test_multiply_accumulates_at_width_one() -> None:
    with torch.device("meta"), FlopCounterMode(display=False) as flops:
        UNetGenerator(UNetConfig(), targets=1)(torch.zeros(1, 1, 16_384), first(1))
    assert flops.get_total_flops() / 2 == pytest.approx(1.355e9, rel=0.0005)


def test_conditioning_adds_a_scale_and_a_shift_a_channel_and_target() -> None:
    with torch.device("meta"):
        net = UNetGenerator(UNetConfig(), targets=10)
    channels = (16 + 32 + 32 + 64 + 64 + 128 + 128 + 256) + (128 + 128 + 64 + 64 + 32 + 32 + 16)
    assert count(net) - 5_196_464 == 10 * 2 * channels


def numpy_convolution(h: Array, weight: Array, bias: Array) -> Array:
    padded = np.pad(h, ((0, 0), (15, 15)))
    out = [sum(np.correlate(padded[i], w[i], "valid") for i in range(len(h))) for w in weight]
    result: Array = np.stack(out)[:, ::2] + bias[:, None]
    return result


def numpy_transposed(h: Array, weight: Array, bias: Array) -> Array:
    spread = np.zeros((len(h), 2 * h.shape[1] - 1))
    spread[:, ::2] = h
    outputs = weight.shape[1]
    out = [sum(np.convolve(spread[i], weight[i, o]) for i in range(len(h))) for o in range(outputs)]
    result: Array = np.stack(out)[:, 15:-15] + bias[:, None]
    return result


def prelu(h: Array, slope: Array) -> Array:
    result: Array = np.where(h > 0, h, slope * h)
    return result


def numpy_unet(state: dict[str, Array], x: Array, target: int | None = None) -> Array:
    def modulate(h: Array, name: str) -> Array:
        if target is None:
            return h
        scale, shift = state[f"{name}.scale"][target], state[f"{name}.shift"][target]
        modulated: Array = (1 + scale)[:, None] * h + shift[:, None]
        return modulated

    h, skips = x[None], []
    for k in range(8):
        e = numpy_convolution(h, state[f"encoder.{k}.weight"], state[f"encoder.{k}.bias"])
        skips.append(modulate(e, f"encoder_modulations.{k}"))
        h = prelu(skips[-1], state[f"encoder_activations.{k}.weight"])
    for k in range(7):
        d = numpy_transposed(h, state[f"decoder.{k}.weight"], state[f"decoder.{k}.bias"])
        joined = np.concatenate([modulate(d, f"decoder_modulations.{k}"), skips[6 - k]])
        h = prelu(joined, state[f"decoder_activations.{k}.weight"])
    out: Array = np.tanh(numpy_transposed(h, state["decoder.7.weight"], state["decoder.7.bias"]))
    return out.ravel()


@pytest.mark.parametrize("targets", [1, 3])
def test_it_matches_a_network_written_in_numpy(targets: int) -> None:
    net = tiny(targets, UNetConfig(width=0.1, clamp=None)).double()
    for parameter in net.parameters():
        if parameter.ndim < 3:  # all that starts neutral: biases, slopes, modulations
            nn.init.uniform_(parameter, -0.3, 0.3)
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    x = torch.randn(2, 1, 768, dtype=torch.float64)  # no padding needed
    target = torch.tensor([0, targets - 1])
    delta = net.propose(x, target).detach().numpy()
    for index in range(2):
        which = int(target[index]) if targets > 1 else None
        expected = numpy_unet(state, x[index, 0].numpy(), which)
        assert expected.std() > 1e-3 and np.abs(expected).max() < 0.9  # tanh hides nothing
        np.testing.assert_allclose(delta[index, 0], expected, atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(length=st.integers(1, 1100))
def test_any_length_is_padded_at_the_end_and_cut_back(length: int) -> None:
    net = tiny().eval()
    x = torch.randn(1, 1, length, generator=torch.Generator().manual_seed(length))
    whole = torch.zeros(1, 1, -(-length // 256) * 256)
    whole[..., :length] = x
    delta = net.propose(x, first(1))
    assert delta.shape == x.shape
    torch.testing.assert_close(delta, net.propose(whole, first(1))[..., :length])


@pytest.mark.parametrize(("clamp", "limit"), [(0.3, 0.3), (0.05, 0.05), (None, 1.0)])
def test_the_perturbation_keeps_within_its_clamp(clamp: float | None, limit: float) -> None:
    net = tiny(config=UNetConfig(width=0.1, clamp=clamp))
    with torch.no_grad():
        for weight in net.decoder.parameters():
            weight.mul_(10)
    peak = net.propose(torch.randn(2, 1, 512), first(2)).abs().max().item()
    assert peak == pytest.approx(limit, rel=1e-3)


def test_a_clip_does_not_depend_on_the_others_in_its_batch() -> None:
    net = tiny(3)
    x, target = torch.randn(3, 1, 512), torch.tensor([2, 0, 1])
    for index in range(3):
        alone = net.propose(x[index : index + 1], target[index : index + 1])
        torch.testing.assert_close(net.propose(x, target)[index : index + 1], alone)


def test_targets_start_alike_and_learn_apart() -> None:
    net = tiny(2)
    x = torch.randn(1, 1, 512).repeat(2, 1, 1)
    target = torch.tensor([0, 1])
    before = net.propose(x, target)
    assert torch.equal(before[0], before[1])
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(5):
        optimizer.zero_grad()
        delta = net.propose(x, target)
        torch.autograd.backward(delta[0].mean() - delta[1].mean())
        optimizer.step()
    after = net.propose(x, target)
    assert after[0].mean() < after[1].mean() - 1e-3


def test_gradients_reach_every_parameter() -> None:
    net = tiny(2)
    x = torch.randn(2, 1, 512, requires_grad=True)
    net(x, torch.tensor([0, 1])).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
    assert x.grad is not None and torch.isfinite(x.grad).all()


def test_weights_start_xavier_normal_and_biases_at_zero() -> None:
    net = tiny(config=UNetConfig(width=0.5))
    for layer in (*net.encoder, *net.decoder):
        assert not layer.bias.any()
        fan = 32 * (layer.in_channels + layer.out_channels)
        tolerance = 4 / np.sqrt(2 * layer.weight.numel())  # four standard errors
        assert layer.weight.std().item() == pytest.approx((2 / fan) ** 0.5, rel=tolerance)


def test_one_target_needs_no_modulation() -> None:
    assert not any(isinstance(module, TargetModulation) for module in tiny().modules())
    x = torch.randn(2, 1, 256)
    net = tiny()
    assert torch.equal(net.propose(x, first(2)), net.propose(x, torch.tensor([7, 3])))


def test_narrow_networks_keep_four_channels() -> None:
    assert UNetConfig(width=0.01).channels == (4,) * 8
    assert UNetConfig(width=0.5).channels == (8, 16, 16, 32, 32, 64, 64, 128)


@pytest.mark.parametrize(
    ("given_settings", "named"),
    [({"width": 0.0}, "width"), ({"clamp": 0.0}, "clamp"), ({"clamp": 1.5}, "clamp is 1.5")],
)
def test_impossible_sizes_are_refused(given_settings: dict[str, Any], named: str) -> None:
    with pytest.raises(MondegreenError, match=named):
        UNetConfig(**given_settings)


def test_no_targets_are_refused() -> None:
    with pytest.raises(MondegreenError, match="0 targets"):
        UNetGenerator(SMALL, targets=0)
