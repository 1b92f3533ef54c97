"""What all gradient attacks within a budget keep, whatever their steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.attack import SearchingAttack
from mondegreen.attacks.auto_gradient import AutoProjectedGradient
from mondegreen.attacks.basic_iterative import BasicIterative
from mondegreen.attacks.fast_gradient import FastGradient
from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.attacks.momentum import MomentumIterative
from mondegreen.attacks.plan import Plan, random_start, shortfalls
from mondegreen.budgets import L2, SNR, Linf, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.counting import CountedAttack

SAMPLES = 1000
BUDGETS = ("snr:15", "snr:40", "l2:0.2", "linf:0.004", "linf:0.00002")
Case = tuple[Callable[..., SearchingAttack], dict[str, Any]]

ATTACKS: list[Case] = [
    (FastGradient, {}),
    (FastGradient, {"loss": "dlr"}),
    (BasicIterative, {"steps": 4}),
    (MomentumIterative, {"steps": 4}),
    (AutoProjectedGradient, {"steps": 10}),
    (AutoProjectedGradient, {"steps": 5, "restarts": 2, "loss": "dlr"}),
    (ProjectedGradient, {"steps": 3, "restarts": 3, "rule": "halving"}),
    (ProjectedGradient, {"steps": 3, "start": "random", "rule": "constant", "loss": "dlr"}),
]


def label_of(case: Case) -> str:
    return "-".join([type(case[0]()).__name__, *(str(value) for value in case[1].values())])


@pytest.fixture(params=ATTACKS, ids=label_of)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


class Bent(nn.Module):
    """Two layers, so that the gradient turns with the clip; it counts what it is asked."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(3)
        self.inner = nn.Parameter(torch.randn(24, SAMPLES, generator=random) / 3.0)
        self.outer = nn.Parameter(torch.randn(labels, 24, generator=random))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        return torch.tanh(x[:, 0] @ self.inner.T) @ self.outer.T


def bent(labels: int = 5) -> Classifier:
    names = tuple("abcdef"[:labels])
    return Classifier(
        Bent(labels), labels=names, sample_rate=8000, clip_samples=SAMPLES, name="bent"
    ).eval()


def clips(count: int, level: float = 0.1) -> Tensor:
    x = level * torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(5))
    return (x.clamp(-1.0, 1.0) * 32767).round() / 32768


def other_labels(spotter: Classifier, x: Tensor) -> Tensor:
    with torch.no_grad():
        heard: Tensor = spotter(x).argmax(dim=1)
    return (heard + 1) % len(spotter.labels)


@pytest.mark.parametrize("text", BUDGETS)
def test_budgets_are_kept_before_and_after_rounding(case: Case, text: str) -> None:
    spotter, budget = bent(), parse_budget(text)
    x = torch.cat([clips(2), clips(2, 0.9), torch.zeros(1, 1, SAMPLES)])
    target = other_labels(spotter, x)
    attack = case[0](**case[1])
    delta = attack.perturb(spotter, x, target, budget)
    assert bool(budget.satisfied(x, delta).all())
    assert float((x + delta).abs().max()) <= 1.0
    result = attack(spotter, x, target, budget=budget)
    assert bool(budget.satisfied(result.x, result.x_adv - result.x).all())


@pytest.mark.parametrize("untargeted", [False, True])
def test_large_budgets_succeed_and_what_succeeds_already_costs_no_gradient(
    case: Case, untargeted: bool
) -> None:
    spotter, x = bent(), clips(6)
    heard = spotter(x).argmax(dim=1)
    target = other_labels(spotter, x)
    wanted = heard.clone() if untargeted else target.clone()
    wanted[::2] = target[::2] if untargeted else heard[::2]
    attack = case[0](**case[1], untargeted=untargeted, kappa=0.0)
    result = attack(spotter, x, wanted, budget=SNR(12.0))
    assert result.gradients is not None
    assert result.queries is not None
    assert result.gradients[::2].tolist() == [0, 0, 0]
    assert result.queries[::2].max() <= 2  # heard, and heard again rounded
    assert torch.equal(result.x_adv[::2], result.x[::2])
    assert bool(result.success[::2].all())
    assert bool((result.queries[1::2] >= 2).all())
    if case[0] is not FastGradient:
        assert bool(result.success.all())
    hit = result.logits.argmax(dim=1) == wanted
    assert torch.equal(result.success, hit != untargeted)


def test_counts_are_those_of_the_classifier(
    case: Case,
) -> None:
    spotter, x = bent(), clips(4)
    target = other_labels(spotter, x)
    seen = 0

    def forward(module: nn.Module, inputs: tuple[Tensor, ...], logits: Tensor) -> None:
        nonlocal seen
        seen += len(logits)

    attack = case[0](**case[1])
    handle = spotter.register_forward_hook(forward)
    found = attack.search(spotter, x, target, SNR(20.0))
    handle.remove()
    assert found.queries is not None
    assert found.gradients is not None
    assert int(found.queries.sum()) == seen
    most = case[1].get("steps", 1) * case[1].get("restarts", 1)
    assert 1 <= int(found.gradients.max()) <= most
    counted = CountedAttack(case[0](**case[1]))
    counted(spotter, x, target, budget=SNR(20.0))
    assert counted.gradients == int(found.gradients.sum())


def test_silence_costs_nothing_under_an_snr_budget(
    case: Case,
) -> None:
    spotter = bent()
    x = torch.cat([torch.zeros(1, 1, SAMPLES), clips(1)])
    result = case[0](**case[1])(spotter, x, torch.tensor([1, 2]), budget=SNR(20.0))
    assert result.gradients is not None
    assert result.queries is not None
    assert (int(result.gradients[0]), int(result.queries[0])) == (0, 0)
    assert torch.equal(result.x_adv[0], x[0])


def test_clips_depend_neither_on_their_batch_nor_on_calls_before(
    case: Case,
) -> None:
    spotter, x = bent(), clips(4)
    target = other_labels(spotter, x)
    attack = case[0](**case[1])
    together = attack.search(spotter, x, target, SNR(25.0))
    again = attack.search(spotter, x, target, SNR(25.0))
    assert torch.equal(together.delta, again.delta)
    assert together.gradients is not None
    for row in range(len(x)):
        alone = attack.search(spotter, x[row : row + 1], target[row : row + 1], SNR(25.0))
        torch.testing.assert_close(alone.delta[0], together.delta[row], rtol=1e-3, atol=1e-6)
        assert alone.gradients is not None
        assert int(alone.gradients[0]) == int(together.gradients[row])


def test_weights_get_no_gradients_and_grad_mode_does_not_matter(
    case: Case,
) -> None:
    spotter, x = bent(), clips(2)
    target = other_labels(spotter, x)
    attack = case[0](**case[1])
    plain = attack.perturb(spotter, x, target, Linf(0.001))
    with torch.inference_mode():
        inferred = attack.perturb(spotter, x.clone(), target.clone(), Linf(0.001))
        named = attack(spotter, x, [spotter.labels[n] for n in target], budget=Linf(0.001))
    assert all(weight.grad is None for weight in spotter.parameters())
    assert not plain.requires_grad
    assert torch.equal(plain, inferred)
    assert named.success.shape == (2,)


def test_what_makes_no_sense_is_refused(case: Case) -> None:
    x, target = clips(1), torch.tensor([0])
    with pytest.raises(MondegreenError, match="needs a budget"):
        case[0](**case[1])(bent(), x, target, budget=None)
    with pytest.raises(MondegreenError, match="loss is 'hinge'; choose one of cross-entropy"):
        case[0](**{**case[1], "loss": "hinge"})
    with pytest.raises(MondegreenError, match="dlr needs 4 labels, and bent has 3"):
        case[0](**{**case[1], "loss": "dlr"})(bent(3), x, target, budget=L2(0.1))
    with pytest.raises(MondegreenError, match="kappa is -1"):
        case[0](**case[1], kappa=-1.0)
    for option in ("steps", "restarts"):
        if option in case[1]:
            with pytest.raises(MondegreenError, match=f"{option} is 0"):
                case[0](**{**case[1], option: 0})


def test_names_and_parameters(case: Case) -> None:
    attack = case[0](**case[1], untargeted=True)
    assert attack.untargeted
    assert attack.parameters()["untargeted"] is True
    assert case[1].items() <= attack.parameters().items()
    assert case[0](**attack.parameters()).parameters() == attack.parameters()
    assert f"-{case[1]['steps']}" in attack.name if "steps" in case[1] else attack.name == "fgsm"


def test_the_difference_of_logits_ratio_by_hand() -> None:
    logits = torch.tensor([[5.0, 3.0, 2.0, 0.0]])
    assert shortfalls(logits, torch.tensor([2]), "dlr").tolist() == [3.0 / (5.0 - 1.0)]
    assert shortfalls(logits, torch.tensor([0]), "dlr").tolist() == [-2.0 / (5.0 - 1.0)]
    away = shortfalls(logits, torch.tensor([0]), "dlr", untargeted=True)
    torch.testing.assert_close(away, torch.tensor([2.0 / (5.0 - 2.0)]))
    scaled = shortfalls(7.0 * logits + 1.0, torch.tensor([2]), "dlr")
    torch.testing.assert_close(scaled, torch.tensor([0.75]))  # neither scale nor offset matter


def test_the_rules_of_the_steps() -> None:
    sizes = {
        rule: [Plan(4, 0.5, rule=rule).size(number) for number in range(4)]
        for rule in ("constant", "root", "halving")
    }
    assert sizes["constant"] == [0.5] * 4
    assert sizes["root"] == pytest.approx([0.5, 0.5 * 0.75**0.5, 0.5 * 0.5**0.5, 0.25])
    assert sizes["halving"] == [0.5, 0.25, 0.125, 0.0625]
    with pytest.raises(MondegreenError, match="rule is 'cosine'"):
        Plan(4, 0.5, rule="cosine")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["snr:20", "l2:0.2", "linf:0.004"])
def test_random_starts_have_the_share_asked_for_and_one_draw_for_all(text: str) -> None:
    budget, x = parse_budget(text), torch.cat([clips(2), torch.zeros(1, 1, SAMPLES)])
    noise = random_start(x, budget, 0.5, torch.Generator().manual_seed(1))
    torch.testing.assert_close(budget.norm(noise), 0.5 * budget.bound(x), rtol=1e-5, atol=0.0)
    alone = random_start(x[1:2], budget, 0.5, torch.Generator().manual_seed(1))
    assert torch.equal(alone[0], noise[1])
