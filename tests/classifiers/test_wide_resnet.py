from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mondegreen.classifiers.wide_resnet import PreActivationBlock, WideResNet, WideResNetConfig
from mondegreen.errors import MondegreenError


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_wrn_28_10_has_the_papers_number_of_parameters() -> None:
    with torch.device("meta"):
        net = WideResNet(WideResNetConfig(), labels=10)
    assert count(net) == 36_478_906
    blocks = [count(block) for block in net.blocks]
    groups = [sum(blocks[first : first + 4]) for first in (0, 4, 8)]
    assert groups == [1_640_672, 6_968_000, 27_862_400]


@pytest.mark.parametrize(("depth", "blocks"), [(10, 1), (16, 2), (40, 6)])
def test_depth_sets_the_blocks_of_a_group(depth: int, blocks: int) -> None:
    with torch.device("meta"):
        net = WideResNet(WideResNetConfig(depth=depth, width=2), labels=3)
    assert len(net.blocks) == 3 * blocks
    assert sum(isinstance(module, nn.Conv2d) for module in net.modules()) == depth


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"depth": 27}, "depth is 27"), ({"depth": 4}, "depth is 4"), ({"width": 0}, "width is 0")],
)
def test_impossible_sizes_are_refused(settings: dict[str, int], named: str) -> None:
    with pytest.raises(MondegreenError, match=named):
        WideResNetConfig(**settings)  # type: ignore[arg-type]


def test_dropout_of_one_is_refused() -> None:
    with pytest.raises(MondegreenError, match="dropout"):
        WideResNetConfig(dropout=1.0)


def test_block_matches_its_written_out_formula() -> None:
    torch.manual_seed(0)
    block = PreActivationBlock(3, 5, stride=2, dropout=0.0).eval()
    for norm in (block.norm1, block.norm2):
        nn.init.uniform_(norm.weight)
        nn.init.uniform_(norm.bias, -1, 1)
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 3, 9, 8)

    def activate(h: torch.Tensor, norm: nn.BatchNorm2d) -> torch.Tensor:
        assert norm.running_mean is not None and norm.running_var is not None
        mean, var = norm.running_mean[:, None, None], norm.running_var[:, None, None]
        scaled = (h - mean) / (var + norm.eps).sqrt()
        return (scaled * norm.weight[:, None, None] + norm.bias[:, None, None]).clamp(min=0)

    assert block.shortcut is not None
    active = activate(x, block.norm1)
    inner = activate(F.conv2d(active, block.conv1.weight, stride=2, padding=1), block.norm2)
    expected = F.conv2d(active, block.shortcut.weight, stride=2) + F.conv2d(
        inner, block.conv2.weight, padding=1
    )
    torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=1e-5)


def test_block_of_equal_shape_passes_its_input_through_untouched() -> None:
    block = PreActivationBlock(4, 4, stride=1, dropout=0.0)
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 4, 6, 6)
    assert torch.equal(block(x), x)  # also: the in-place ReLU must not reach the input


def test_convolutions_start_he_normal() -> None:
    torch.manual_seed(0)
    block = WideResNet(WideResNetConfig(depth=10, width=4), labels=10).blocks[2]
    assert isinstance(block, PreActivationBlock)
    expected = math.sqrt(2.0 / (9 * 256))  # fan-out: nine taps to 256 channels
    assert block.conv1.weight.shape == (256, 128, 3, 3)
    assert block.conv1.weight.std().item() == pytest.approx(expected, rel=0.02)


def test_gradient_reaches_the_features_in_both_modes() -> None:
    torch.manual_seed(0)
    net = WideResNet(WideResNetConfig(depth=10, width=1, dropout=0.3), labels=4)
    for training in (True, False):
        features = torch.randn(3, 1, 32, 32, requires_grad=True)
        net.train(training)(features)[:, 1].sum().backward()
        assert features.grad is not None
        assert torch.isfinite(features.grad).all()
        assert (features.grad.abs().amax(dim=(1, 2, 3)) > 0).all()


def test_other_image_sizes_work() -> None:
    net = WideResNet(WideResNetConfig(depth=10, width=1), labels=4).eval()
    assert net(torch.randn(1, 1, 40, 61)).shape == (1, 4)
