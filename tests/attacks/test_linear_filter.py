"""The filter with perturbation: its convolution against another, its level, its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.attacks.linear_filter import (
    LinearFilter,
    LinearFilterAttack,
    filter_same,
    load_universal,
)
from mondegreen.attacks.universal import describe_universal, save_universal
from mondegreen.attacks.universal import load_universal as load_perturbation
from mondegreen.budgets import SNR, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError

SAMPLES = 4000


def filters(classifier: Classifier, taps: int = 64) -> LinearFilter:
    config = describe_universal(classifier, "filter", 20.0, taps=taps)
    return LinearFilter(config).draw(torch.Generator().manual_seed(1))


def noise(*shape: int) -> Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("count", [1, 2, 31, 32, 300])
def test_the_convolution_against_numpy(count: int) -> None:
    x, taps = noise(2, 200), noise(2, count)
    for row in range(2):
        full = np.convolve(x[row].double().numpy(), taps[row].double().numpy())
        expected = torch.from_numpy(full[count // 2 : count // 2 + 200]).float()
        torch.testing.assert_close(filter_same(x, taps)[row], expected, rtol=1e-4, atol=1e-6)


def test_the_middle_tap_alone_gives_the_clip_itself(tone_spotter: Classifier) -> None:
    network = filters(tone_spotter, 65)
    with torch.no_grad():
        network.filters.zero_()
        network.perturbations.zero_()
        network.filters[1, 32] = -3.0
    x = noise(2, 1, SAMPLES)
    delta = network(x, torch.tensor([1, 1]), SNR(20.0)).detach()
    torch.testing.assert_close(delta, -0.1 * x, rtol=1e-4, atol=1e-6)
    proposed = network.propose(x, torch.tensor([1, 1])).detach()
    torch.testing.assert_close(proposed, -3.0 / 65**0.5 * x, rtol=1e-4, atol=1e-6)


def test_the_constant_part_follows_the_clips_level(tone_spotter: Classifier) -> None:
    network, x = filters(tone_spotter), noise(1, 1, SAMPLES)
    target = torch.tensor([2])
    loud, soft = network.propose(x, target), network.propose(0.01 * x, target)
    torch.testing.assert_close(soft, 0.01 * loud, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("text", ["snr:20", "l2:0.3", "linf:0.004"])
def test_the_budget_is_just_met_and_kept_after_rounding(
    tone_spotter: Classifier, text: str
) -> None:
    budget, x = parse_budget(text), noise(3, 1, SAMPLES)
    attack = LinearFilterAttack(filters=filters(tone_spotter))
    target = torch.tensor([0, 1, 2])
    delta = attack.perturb(tone_spotter, x, target, budget)
    torch.testing.assert_close(budget.norm(delta), budget.bound(x), rtol=1e-5, atol=0.0)
    result = attack(tone_spotter, x, target, budget=budget)
    assert bool(budget.satisfied(result.x, result.x_adv - result.x).all())
    assert attack.name == "universal-filter"


def test_gradients_reach_filters_and_perturbations(tone_spotter: Classifier) -> None:
    network = filters(tone_spotter)
    x = noise(2, 1, SAMPLES)
    target = torch.tensor([0, 2])
    tone_spotter(x + network(x, target))[:, 0].sum().backward()
    for values in network.parameters():
        assert values.grad is not None
        assert bool(torch.isfinite(values.grad).all())
        reached = values.grad.abs().sum(dim=1) > 0
        assert reached.tolist() == [True, False, True]


def test_saved_and_loaded_as_what_it_is(tmp_path: Path, tone_spotter: Classifier) -> None:
    network = filters(tone_spotter)
    save_universal(tmp_path / "f", network)
    attack = load_universal(tmp_path / "f", tone_spotter)
    assert attack.parameters()["fingerprint"] == network.fingerprint()
    x, target = noise(2, 1, SAMPLES), torch.tensor([0, 1])
    torch.testing.assert_close(
        attack.perturb(tone_spotter, x, target, None), network(x, target).detach()
    )
    with pytest.raises(MondegreenError, match="universal filter, not of a perturbation"):
        load_perturbation(tmp_path / "f", tone_spotter)
