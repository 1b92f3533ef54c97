"""The search for the smallest perturbation: linear classifiers, rounding, budgets, counting."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks import carlini_wagner
from mondegreen.attacks.carlini_wagner import CarliniWagner
from mondegreen.attacks.deepfool import CONFIDENCE, DeepFool, Nearest
from mondegreen.audio import quantize
from mondegreen.budgets import L2, SNR, Linf, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.gan.validation import draw_targets

RATE, SAMPLES = 8000, 1000
# A linear classifier of ten logits' unit a share of the clip: other scales than a spotter's.
FAST: dict[str, Any] = {
    "steps": 40,
    "binary_search_steps": 4,
    "initial_const": 1e-3,
    "learning_rate": 3e-3,
}


class Linear(nn.Module):
    """Logits are inner products with fixed waveforms, and it counts what it hears."""

    weight: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.scale = nn.Parameter(torch.ones(()))
        self.heard = 0
        self.bent = 0

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        self.heard += len(x)
        self.bent += len(x) if x.requires_grad else 0
        return self.scale * x[:, 0] @ self.weight.T


def linear(labels: int = 2) -> tuple[Classifier, Linear]:
    random = torch.Generator().manual_seed(3)
    module = Linear(torch.randn(labels, SAMPLES, generator=random))
    names = tuple("abcdef"[:labels])
    spotter = Classifier(module, labels=names, sample_rate=RATE, clip_samples=SAMPLES, name="lin")
    return spotter.eval(), module


def clips(count: int, level: float = 0.1) -> Tensor:
    return quantize(
        level * torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(5))
    )


def away_from(spotter: Classifier, x: Tensor, turn: int = 1) -> Tensor:
    """Return labels that the clips are not heard as."""
    with torch.no_grad():
        heard: Tensor = spotter(x).argmax(dim=1)
    return (heard + turn) % len(spotter.labels)


def lengths(delta: Tensor) -> Tensor:
    return delta.square().sum(dim=(1, 2)).sqrt()


@pytest.mark.parametrize("level", [0.003, 0.1])
@pytest.mark.parametrize("untargeted", [False, True])
def test_near_the_nearest_point_of_a_linear_classifier(untargeted: bool, level: float) -> None:
    spotter, module = linear()
    x = clips(5, level)
    target = away_from(spotter, x, 0 if untargeted else 1)
    attack = CarliniWagner(
        steps=100,
        binary_search_steps=6,
        initial_const=1e-3,
        learning_rate=1e-3,
        untargeted=untargeted,
    )
    result = attack(spotter, x, target, budget=None)
    between = module.weight[0] - module.weight[1]
    nearest = ((x[:, 0] @ between).abs() + CONFIDENCE) / between.norm()
    assert bool(result.success.all())
    found = lengths(result.x_adv - result.x)
    rounding = (SAMPLES / 12) ** 0.5 / 32768
    assert bool((found >= 0.98 * nearest - rounding).all())
    assert bool((found <= 1.1 * nearest + rounding).all())


def test_more_constants_never_find_longer_perturbations() -> None:
    spotter, _ = linear(4)
    x = clips(6)
    target = away_from(spotter, x)
    found = [
        lengths(
            CarliniWagner(**{**FAST, "binary_search_steps": count})
            .search(spotter, x, target, None)
            .delta
        )
        for count in (2, 5)
    ]
    assert bool((found[1] <= found[0] * 1.001).all())


def test_a_constant_that_is_too_small_grows() -> None:
    spotter, _ = linear(3)
    x = clips(4)
    target = away_from(spotter, x)
    small = {**FAST, "initial_const": 1e-9}
    short = CarliniWagner(**{**small, "binary_search_steps": 2})
    assert not bool(short(spotter, x, target, budget=None).success.all())
    long = CarliniWagner(**{**small, "binary_search_steps": 9})
    assert bool(long(spotter, x, target, budget=None).success.all())


class Stub:
    """Of a descent: it succeeds where the constant is large enough."""

    asked: ClassVar[list[tuple[float, float]]] = []

    def __init__(
        self, nearest: Nearest, rows: Tensor, level: Tensor, constant: Tensor, rate: Tensor
    ) -> None:
        self.asked.append((float(constant), float(rate)))
        self.succeeded = constant >= 5e-3

    def step(self, number: int) -> None:
        """Do nothing."""

    def drop_stalled(self) -> None:
        """Do nothing."""


def test_the_constant_grows_tenfold_until_it_succeeds_and_is_bisected_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spotter, _ = linear()
    x = clips(1)
    Stub.asked.clear()
    monkeypatch.setattr(carlini_wagner, "_Descent", Stub)
    attack = CarliniWagner(steps=2, binary_search_steps=5, initial_const=1e-3, learning_rate=2e-3)
    attack.search(spotter, x, away_from(spotter, x), None)
    constants, rates = zip(*Stub.asked, strict=True)
    assert constants == pytest.approx([1e-3, 1e-2, 5.5e-3, 3.25e-3, 4.375e-3])
    assert rates == pytest.approx([2e-3, 4e-3, 4e-3, 4e-3, 4e-3])


def test_one_success_is_enough_for_a_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    spotter, _ = linear()
    x = clips(1)
    nearest = Nearest(
        spotter,
        x,
        away_from(spotter, x),
        None,
        confidence=CONFIDENCE,
        minimal=True,
        untargeted=False,
    )
    one = torch.tensor([1e-3])
    descent = carlini_wagner._Descent(nearest, torch.tensor([0]), one, one, one)
    answers = iter([[False], [True], [False]])
    monkeypatch.setattr(nearest, "judge", lambda *_: torch.tensor(next(answers)))
    for number in range(3):
        descent.step(number)
    assert descent.succeeded.tolist() == [True]


def test_what_went_too_far_is_shrunk_along_its_ray() -> None:
    spotter, _ = linear()
    x = clips(3)
    target = away_from(spotter, x)
    attack = CarliniWagner(steps=5, binary_search_steps=1, initial_const=10.0, learning_rate=0.3)
    result = attack(spotter, x, target, budget=None)
    assert bool(result.success.all())
    before = spotter(x).detach()
    gap = (before[:, 0] - before[:, 1]).abs()
    over = (result.logits[:, 0] - result.logits[:, 1]).abs() - CONFIDENCE
    assert bool((over < 0.05 * (gap + CONFIDENCE)).all())


def test_a_clip_that_is_done_costs_no_more_though_others_go_on() -> None:
    spotter, _ = linear(4)
    x = clips(4)
    target = away_from(spotter, x)
    attack = CarliniWagner(**FAST, minimal=False)
    together = attack.search(spotter, x, target, SNR(12.0)).gradients
    assert together is not None
    assert len(set(together.tolist())) > 1
    for row in range(4):
        alone = attack.search(spotter, x[row : row + 1], target[row : row + 1], SNR(12.0)).gradients
        assert alone is not None
        assert alone.tolist() == [int(together[row])]


class Broken(nn.Module):
    """The second label wins by the sum; in a first sample of zero the gradient is NaN."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        margin = x[:, 0, 1:].sum(dim=1) + x[:, 0, 0].square().sqrt()
        return torch.stack([torch.full_like(margin, 40.0), margin], dim=1)


@pytest.mark.parametrize("attack", [CarliniWagner(**FAST), DeepFool(steps=3)], ids=repr)
def test_where_the_gradient_is_nan_the_other_samples_move(
    attack: CarliniWagner | DeepFool,
) -> None:
    broken = Classifier(
        Broken(), labels=("a", "b"), sample_rate=RATE, clip_samples=SAMPLES, name="broken"
    )
    x = clips(1)
    x[..., 0] = 0.0
    result = attack(broken, x, torch.tensor([1]), budget=None)
    assert bool(result.success.all())
    assert float(result.x_adv[0, 0, 0]) == 0.0


@pytest.mark.parametrize("confidence", [2.0, 40.0])
def test_confidence_is_kept_after_rounding(confidence: float) -> None:
    spotter, _ = linear(3)
    x = clips(4)
    target = away_from(spotter, x)
    result = CarliniWagner(**FAST, confidence=confidence)(spotter, x, target, budget=None)
    others = result.logits.scatter(1, target[:, None], -torch.inf).amax(dim=1)
    margin = result.logits.gather(1, target[:, None])[:, 0] - others
    assert bool((margin >= confidence - 0.001).all())
    assert float(margin.min()) < confidence + 0.2


@pytest.mark.parametrize("text", ["snr:15", "snr:60", "l2:0.2", "linf:0.004"])
def test_the_search_does_not_depend_on_the_budget_unless_told(text: str) -> None:
    spotter, _ = linear(4)
    x = torch.cat([clips(3), quantize(clips(2, 0.9).clamp(-1.0, 1.0))])
    target = away_from(spotter, x)
    budget = parse_budget(text)
    attack = CarliniWagner(**{**FAST, "steps": 15})
    free = attack.search(spotter, x, target, None)
    found = attack.search(spotter, x, target, budget)
    assert torch.equal(free.delta, found.delta)
    assert float((x + found.delta).abs().max()) <= 1.0
    result = attack(spotter, x, target, budget=budget)
    assert bool(budget.satisfied(result.x, result.x_adv - result.x, 1e-4).all())
    kept = budget.norm(free.delta) <= budget.bound(x)
    assert bool(result.success[kept].all())
    unlimited = attack(spotter, x, target, budget=None)
    assert bool(unlimited.success.all())
    assert torch.equal(unlimited.x_adv, x + free.delta)


def test_what_keeps_the_budget_ends_the_search_if_the_smallest_is_not_asked_for() -> None:
    spotter, _ = linear(4)
    x = clips(4)
    target = away_from(spotter, x)
    for budget in (SNR(8.0), Linf(0.1)):
        small = CarliniWagner(**FAST).search(spotter, x, target, budget)
        attack = CarliniWagner(**FAST, minimal=False)
        quick = attack.search(spotter, x, target, budget)
        assert small.gradients is not None
        assert quick.gradients is not None
        assert bool((quick.gradients < small.gradients).all())
        assert bool((lengths(quick.delta) >= lengths(small.delta)).all())
        assert bool(attack(spotter, x, target, budget=budget).success.all())


def test_aborting_early_saves_gradients_and_hardly_lengthens() -> None:
    spotter, _ = linear(3)
    x = clips(6)
    target = away_from(spotter, x)
    early, whole = (
        CarliniWagner(**FAST, abort_early=abort).search(spotter, x, target, None)
        for abort in (True, False)
    )
    assert early.gradients is not None
    assert whole.gradients is not None
    assert whole.gradients.tolist() == [160] * 6
    assert int(early.gradients.sum()) < int(whole.gradients.sum())
    assert float(lengths(early.delta).median()) < 1.05 * float(lengths(whole.delta).median())


def test_what_is_heard_already_and_silence_are_left_alone() -> None:
    spotter, _ = linear(3)
    x = torch.cat([clips(2), torch.zeros(1, 1, SAMPLES)])
    target = torch.cat([away_from(spotter, x[:2], 0), torch.tensor([2])])
    attack = CarliniWagner(**FAST)
    found = attack.search(spotter, x, target, SNR(20.0))
    assert found.gradients is not None
    assert found.queries is not None
    assert found.gradients.tolist() == [0, 0, 0]
    assert found.queries.tolist() == [1, 1, 0]  # a clip that must not change is not even heard
    assert not bool(found.delta.any())
    for budget in (L2(0.5), None):
        assert bool(attack(spotter, x, target, budget=budget).success[2])


def test_everything_that_is_heard_is_counted() -> None:
    spotter, module = linear(4)
    x = clips(6)
    target = away_from(spotter, x)
    module.heard = module.bent = 0
    found = CarliniWagner(**FAST).search(spotter, x, target, None)
    assert found.queries is not None
    assert found.gradients is not None
    assert int(found.queries.sum()) == module.heard
    assert int(found.gradients.sum()) == module.bent


def test_clips_do_not_depend_on_their_batch_and_grad_mode_does_not_matter() -> None:
    spotter, module = linear(4)
    x = clips(4)
    target = away_from(spotter, x)
    attack = CarliniWagner(**{**FAST, "steps": 15})
    together = attack.perturb(spotter, x, target, None)
    with torch.no_grad():
        without = attack.perturb(spotter, x, target, None)
    with torch.inference_mode():
        inferred = attack.perturb(spotter, x.clone(), target.clone(), None)
    assert torch.equal(together, without)
    assert torch.equal(together, inferred)
    assert module.scale.grad is None
    for row in range(4):
        alone = attack.perturb(spotter, x[row : row + 1], target[row : row + 1], None)[0]
        # Noise of the last bit may round some samples the other way.
        assert float((alone - together[row]).norm()) < 0.02 * float(together[row].norm())


def test_what_makes_no_sense_is_refused() -> None:
    for options in (
        {"steps": 0},
        {"binary_search_steps": 0},
        {"initial_const": 0.0},
        {"learning_rate": float("inf")},
        {"confidence": -1.0},
    ):
        with pytest.raises(MondegreenError, match=next(iter(options))):
            CarliniWagner(**options)


def test_name_and_parameters() -> None:
    attack = CarliniWagner(steps=7, binary_search_steps=2)
    assert attack.name == "carlini-wagner-7x2"
    assert "confidence=0.01" in repr(attack)
    assert CarliniWagner(**attack.parameters()).parameters() == attack.parameters()


def test_smaller_than_deepfools_on_the_shipped_spotter(real_data: Path) -> None:
    classifier = load_classifier("zoo:speech-commands")
    options = DataOptions(data=real_data / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    random = torch.Generator().manual_seed(1)
    x, label = open_test_split(options, *shape, "validation").sample(6, random)
    target = draw_targets(label, torch.arange(10), random)
    attack = CarliniWagner(steps=60, binary_search_steps=2)
    short, long = (one(classifier, x, target, budget=None) for one in (attack, DeepFool()))
    assert bool(long.success.all())
    assert int(short.success.sum()) >= 5
    both = short.success
    less = lengths(short.x_adv - short.x)[both] < lengths(long.x_adv - long.x)[both]
    assert float(less.double().mean()) >= 0.6
