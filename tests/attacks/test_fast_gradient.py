"""The fast gradient method: against the step worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.fast_gradient import FastGradient
from mondegreen.budgets import L2, SNR, Budget, Linf
from mondegreen.classifiers.classifier import Classifier

SAMPLES = 1000


def linear(labels: int = 3) -> tuple[Classifier, Tensor]:
    layer = nn.Linear(SAMPLES, labels, bias=False)
    layer.weight.data = torch.randn(labels, SAMPLES, generator=torch.Generator().manual_seed(3))
    module = nn.Sequential(nn.Flatten(), layer)
    names = tuple("abcdef"[:labels])
    spotter = Classifier(module, labels=names, sample_rate=8000, clip_samples=SAMPLES, name="lin")
    return spotter.freeze(), layer.weight.data


def clip() -> Tensor:
    x = 0.01 * torch.randn(1, 1, SAMPLES, generator=torch.Generator().manual_seed(5))
    return (x * 32768).round() / 32768


def uphill(spotter: Classifier, weight: Tensor, x: Tensor, target: int) -> Tensor:
    """Return the gradient of the cross-entropy: ``sum_j p_j w_j - w_target``."""
    shares: Tensor = spotter(x).softmax(dim=1)[0]
    return shares @ weight - weight[target]


@pytest.mark.parametrize("untargeted", [False, True])
@pytest.mark.parametrize("budget", [SNR(20.0), L2(0.02), Linf(0.0005)], ids=str)
def test_the_step_by_hand(budget: Budget, untargeted: bool) -> None:
    spotter, weight = linear()
    x = clip()
    label = int(spotter(x).argmax()) if untargeted else int(spotter(x).argmin())
    gradient = uphill(spotter, weight, x, label)
    downhill = gradient if untargeted else -gradient
    unit = downhill.sign() if isinstance(budget, Linf) else downhill / downhill.norm()
    attack = FastGradient(untargeted=untargeted)
    delta = attack.perturb(spotter, x, torch.tensor([label]), budget)
    expected = float(budget.bound(x)[0]) * unit
    torch.testing.assert_close(delta[0, 0], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("budget", "order"), [(L2(0.02), 2.0), (Linf(0.0005), 1.0)], ids=str)
def test_one_step_is_the_best_there_is_on_a_linear_classifier(budget: Budget, order: float) -> None:
    spotter, weight = linear(2)
    x = clip()
    target = spotter(x).argmin(dim=1)
    away = weight[int(target)] - weight[1 - int(target)]

    def margin(y: Tensor) -> float:
        return float(y[0, 0] @ away)

    delta = FastGradient().perturb(spotter, x, target, budget)
    # Hoelder: the margin cannot gain more than the bound times the dual norm of the weights.
    most = float(budget.bound(x)[0]) * float(torch.linalg.vector_norm(away, order))
    assert margin(delta) == pytest.approx(most, rel=1e-4)


def test_it_costs_one_gradient_and_three_looks() -> None:
    spotter, _ = linear()
    x = clip()
    result = FastGradient()(spotter, x, spotter(x).argmin(dim=1), budget=Linf(1e-4))
    assert not bool(result.success)
    assert result.gradients is not None
    assert result.queries is not None
    assert result.gradients.tolist() == [1]
    assert result.queries.tolist() == [3]  # as it is, for the gradient, after the step


def test_samples_next_to_full_scale_are_cut() -> None:
    spotter, _ = linear()
    x = torch.full((1, 1, SAMPLES), 32767 / 32768)
    delta = FastGradient().perturb(spotter, x, spotter(x).argmin(dim=1), Linf(0.01))
    assert float((x + delta).max()) == 1.0
    assert float(delta.min()) == pytest.approx(-0.01)


def test_name_and_parameters() -> None:
    attack = FastGradient(loss="margin")
    assert attack.name == "fgsm"
    assert attack.parameters() == {"kappa": 0.1, "loss": "margin", "untargeted": False}
    assert repr(attack).startswith("FastGradient(kappa=")
