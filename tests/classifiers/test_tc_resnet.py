from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mondegreen.classifiers.tc_resnet import TCResNet, TCResNetConfig, TemporalBlock
from mondegreen.errors import MondegreenError


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("config", "exact", "published"),
    [
        (TCResNetConfig(), 65_180, 66_000),
        (TCResNetConfig(width=1.5), 144_276, 145_000),
        (TCResNetConfig(depth=14), 135_868, 137_000),
        (TCResNetConfig(depth=14, width=1.5), 303_012, 305_000),
    ],
    ids=["TC-ResNet8", "TC-ResNet8-1.5", "TC-ResNet14", "TC-ResNet14-1.5"],
)
def test_parameters_are_the_published_ones(
    config: TCResNetConfig, exact: int, published: int
) -> None:
    parameters = count(TCResNet(config, labels=12, coefficients=40))
    assert parameters == exact
    assert parameters == pytest.approx(published, rel=0.03)


@pytest.mark.parametrize(("frames", "expected"), [(98, 13), (32, 4), (1, 1)])
def test_three_stages_halve_the_time(frames: int, expected: int) -> None:
    for config in (TCResNetConfig(depth=8), TCResNetConfig(depth=14)):
        net = TCResNet(config, labels=3).eval()
        assert net.blocks(net.stem(torch.randn(1, 40, frames))).shape == (1, 48, expected)


@pytest.mark.parametrize("stride", [1, 2])
def test_block_matches_its_written_out_formula(stride: int) -> None:
    torch.manual_seed(0)
    block = TemporalBlock(4, 4, stride).eval()
    x = torch.randn(2, 4, 21)
    scale = (1.0 + 1e-5) ** -0.5  # a fresh batch norm in evaluation mode

    def weight(part: nn.Sequential) -> torch.Tensor:
        convolution = part[0]
        assert isinstance(convolution, nn.Conv1d)
        return convolution.weight

    inner = (F.conv1d(x, weight(block.first), stride=stride, padding=4) * scale).relu()
    residual = F.conv1d(inner, weight(block.second), padding=4) * scale
    if block.shortcut is None:
        expected = (residual + x).relu()
    else:
        expected = (
            residual + (F.conv1d(x, weight(block.shortcut), stride=2) * scale).relu()
        ).relu()
    torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=1e-5)


def test_narrow_networks_keep_four_channels() -> None:
    assert TCResNetConfig(width=0.01).channels == (4, 4, 4, 4)
    assert TCResNet(TCResNetConfig(width=0.01), labels=2)(torch.randn(2, 40, 32)).shape == (2, 2)


def test_gradient_reaches_every_coefficient() -> None:
    torch.manual_seed(0)
    net = TCResNet(TCResNetConfig(), labels=10).eval()
    features = torch.randn(2, 40, 98, requires_grad=True)
    net(features)[:, 3].sum().backward()
    assert features.grad is not None
    assert (features.grad.abs().amax(dim=2) > 0).all()


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"depth": 9}, "depth is 9"), ({"width": 0.0}, "width"), ({"dropout": 1.0}, "dropout")],
)
def test_impossible_sizes_are_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(MondegreenError, match=named):
        TCResNetConfig(**settings)
