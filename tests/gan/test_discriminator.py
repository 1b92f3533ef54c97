from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from mondegreen.errors import MondegreenError
from mondegreen.gan.discriminator import Discriminator, DiscriminatorConfig

PAPER = (32, 64, 64, 128, 128, 256, 256, 512, 512, 1024, 2048)
SMALL = DiscriminatorConfig(width=0.03)  # 4 channels at first, 61 at last


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def scrambled(config: DiscriminatorConfig) -> Discriminator:
    """Return a network whose batch norms and biases are not at their neutral start."""
    torch.manual_seed(0)
    net = Discriminator(config)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            assert module.running_mean is not None and module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2.0)
        if isinstance(module, nn.Conv1d | nn.Linear | nn.BatchNorm1d) and module.bias is not None:
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return net


@pytest.mark.parametrize(("last_kernel", "parameters"), [(1, 97_472_202), (31, 97_533_642)])
def test_parameters_at_full_width(last_kernel: Any, parameters: int) -> None:
    with torch.device("meta"):
        net = Discriminator(DiscriminatorConfig(last_kernel=last_kernel))
    assert count(net) == parameters
    # Two thirds of them are in the eleventh block.
    assert count(net.blocks[10]) == 65_013_760 + 4_096


def test_blocks_are_the_papers() -> None:
    lengths: list[tuple[int, ...]] = []
    with torch.device("meta"):
        net = Discriminator(DiscriminatorConfig())
        for block in net.blocks:
            block.register_forward_hook(lambda _m, _x, y: lengths.append(tuple(y.shape)))
        with FlopCounterMode(display=False) as flops:
            net(torch.zeros(1, 1, 16_384))
    assert lengths == [(1, c, 8192 >> k) for k, c in enumerate(PAPER)]
    assert flops.get_total_flops() / 2 == pytest.approx(2.87e9, rel=0.005)


@pytest.mark.parametrize("last_kernel", [1, 31])
def test_forward_matches_its_written_out_formula(last_kernel: Any) -> None:
    net = scrambled(DiscriminatorConfig(width=0.03, last_kernel=last_kernel)).eval().double()
    state = net.state_dict()
    x = torch.randn(2, 1, 16_384, dtype=torch.float64)
    h = x
    for number in range(1, 12):
        norm = 2 if number in (3, 6, 9) else 1  # dropout stands before batch norm in these
        name = f"blocks.{number - 1}"
        h = F.conv1d(h, state[f"{name}.0.weight"], state[f"{name}.0.bias"], stride=2, padding=15)
        mean, var = state[f"{name}.{norm}.running_mean"], state[f"{name}.{norm}.running_var"]
        h = (h - mean[:, None]) / (var[:, None] + 1e-5).sqrt()
        h = h * state[f"{name}.{norm}.weight"][:, None] + state[f"{name}.{norm}.bias"][:, None]
        h = torch.maximum(h, 0.03 * h)
    h = F.conv1d(h, state["squeeze.0.weight"], state["squeeze.0.bias"], padding=last_kernel // 2)
    h = torch.maximum(h, 0.03 * h)[:, 0]
    torch.testing.assert_close(net(x), h @ state["head.weight"][0] + state["head.bias"])


def test_dropout_stands_in_blocks_three_six_and_nine_before_the_norm() -> None:
    net = Discriminator(SMALL)
    for number, block in enumerate(net.blocks, start=1):
        assert isinstance(block, nn.Sequential)
        kinds = [type(module).__name__ for module in block]
        dropout = ["Dropout"] if number in (3, 6, 9) else []
        assert kinds == ["HalvingConv1d", *dropout, "BatchNorm1d", "LeakyReLU"]


@pytest.mark.parametrize("samples", [1, 2048, 2049, 8000, 16_000, 44_100])
def test_the_head_fits_other_clip_lengths(samples: int) -> None:
    net = Discriminator(DiscriminatorConfig(width=0.01, clip_samples=samples)).eval()
    score: Tensor = net(torch.randn(1, 1, samples))
    assert score.shape == (1,)  # one clip, too, keeps its batch dimension


def test_clips_of_another_length_are_refused_by_name() -> None:
    with pytest.raises(MondegreenError, match="16000 samples given, built for 16384"):
        Discriminator(SMALL)(torch.zeros(1, 1, 16_000))


def test_narrow_networks_keep_four_channels() -> None:
    assert min(DiscriminatorConfig(width=0.001).channels) == 4
    assert DiscriminatorConfig(width=0.125).channels == (4, 8, 8, 16, 16, 32, 32, 64, 64, 128, 256)


def test_gradients_reach_the_clips_and_every_parameter() -> None:
    net = scrambled(SMALL).eval()
    x = torch.randn(2, 1, 16_384, requires_grad=True)
    net(x).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
    assert x.grad is not None
    assert (x.grad.abs().amax(dim=2) > 0).all()


def test_scores_are_raw() -> None:
    # Least squares wants 1 for genuine clips and 0 for the others, from an unbounded scale.
    net = scrambled(SMALL).eval()
    nn.init.constant_(net.head.bias, -40.0)
    assert (net(torch.randn(2, 1, 16_384)) < -1.0).all()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"width": 0.0}, "width"),
        ({"dropout": 1.0}, "dropout"),
        ({"last_kernel": 3}, "last_kernel is 3"),
        ({"clip_samples": 0}, "clip_samples is 0"),
    ],
)
def test_impossible_sizes_are_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(MondegreenError, match=named):
        DiscriminatorConfig(**settings)
