"""DeepFool: the nearest boundary of a linear classifier, rounding, budgets, counting."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.deepfool import CONFIDENCE, DeepFool, Nearest
from mondegreen.audio import quantize
from mondegreen.budgets import L2, SNR, Budget, Linf, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.gan.validation import draw_targets

RATE, SAMPLES = 8000, 1000


class Linear(nn.Module):
    """Logits are inner products with fixed waveforms, and it counts what it hears."""

    weight: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.scale = nn.Parameter(torch.ones(()))
        self.heard = 0

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        self.heard += len(x)
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


@pytest.mark.parametrize("untargeted", [False, True])
def test_the_nearest_point_of_a_linear_classifier(untargeted: bool) -> None:
    spotter, module = linear()
    x = clips(5)
    target = away_from(spotter, x, 0 if untargeted else 1)
    result = DeepFool(untargeted=untargeted)(spotter, x, target, budget=None)
    between = module.weight[0] - module.weight[1]
    nearest = ((x[:, 0] @ between).abs() + CONFIDENCE) / between.norm()
    assert bool(result.success.all())
    found = lengths(result.x_adv - result.x)
    torch.testing.assert_close(found, nearest, rtol=0.01, atol=5e-5)
    assert result.gradients is not None
    assert bool((result.gradients <= 2).all())


def test_untargeted_goes_to_the_nearest_of_all_labels() -> None:
    spotter, module = linear(5)
    x = clips(8)
    own = away_from(spotter, x, 0)
    logits = spotter(x).detach()
    result = DeepFool(untargeted=True)(spotter, x, own, budget=None)
    for row in range(8):
        gap = logits[row, own[row]] - logits[row] + CONFIDENCE
        distance = gap / (module.weight - module.weight[own[row]]).norm(dim=1)
        distance[own[row]] = torch.inf
        assert float(lengths(result.x_adv - result.x)[row]) == pytest.approx(
            float(distance.min()), rel=0.01, abs=5e-5
        )
        assert int(result.logits[row].argmax()) == int(distance.argmin())
    fewer = DeepFool(untargeted=True, candidates=1)(spotter, x, own, budget=None)
    assert result.gradients is not None
    assert fewer.gradients is not None
    assert result.gradients.tolist() == [4] * 8  # one for each other label
    assert int(fewer.gradients.sum()) < int(result.gradients.sum())


@pytest.mark.parametrize("text", ["none", "snr:15", "snr:60", "l2:0.2", "linf:0.004"])
def test_the_search_does_not_depend_on_the_budget_unless_told(text: str) -> None:
    spotter, _ = linear(4)
    x = torch.cat([clips(3), clips(2, 0.9).clamp(-1.0, 1.0)])
    x = quantize(x)
    target = away_from(spotter, x)
    budget = None if text == "none" else parse_budget(text)
    free = DeepFool().search(spotter, x, target, None)
    found = DeepFool().search(spotter, x, target, budget)
    assert torch.equal(free.delta, found.delta)
    assert float((x + found.delta).abs().max()) <= 1.0
    result = DeepFool()(spotter, x, target, budget=budget)
    if budget is not None:
        assert bool(budget.satisfied(result.x, result.x_adv - result.x, 1e-4).all())
        kept = budget.norm(free.delta) <= budget.bound(x)
        assert bool(result.success[kept].all())
    else:
        assert bool(result.success.all())
        assert torch.equal(result.x_adv, x + found.delta)


def test_what_keeps_the_budget_ends_the_search_if_the_smallest_is_not_asked_for() -> None:
    spotter, _ = linear(4)
    x = clips(4)
    target = away_from(spotter, x)
    for budget in (SNR(3.0), Linf(0.2)):
        small = DeepFool().search(spotter, x, target, budget)
        quick = DeepFool(minimal=False).search(spotter, x, target, budget)
        assert small.queries is not None
        assert quick.queries is not None
        assert bool((quick.queries < small.queries).all())
        assert bool((lengths(quick.delta) >= lengths(small.delta)).all())
        assert bool(DeepFool(minimal=False)(spotter, x, target, budget=budget).success.all())
    # Where it never keeps the budget, both do the same.
    small, quick = (
        DeepFool(minimal=minimal).search(spotter, x, target, SNR(90.0)) for minimal in (True, False)
    )
    assert torch.equal(small.delta, quick.delta)


def test_faint_perturbations_go_on_until_they_survive_the_rounding() -> None:
    weight = torch.stack([torch.ones(SAMPLES), -torch.ones(SAMPLES)])
    spotter = Classifier(
        Linear(weight), labels=("a", "b"), sample_rate=RATE, clip_samples=SAMPLES, name="sum"
    )
    x = torch.zeros(1, 1, SAMPLES)
    x[..., : SAMPLES * 3 // 10] = 1.0 / 32768
    # The nearest boundary is 0.3 of a rounding step away: once there, nothing has changed.
    result = DeepFool(confidence=0.0)(spotter, x, torch.tensor([1]), budget=None)
    assert bool(result.success.all())
    assert result.gradients is not None
    assert result.gradients.tolist() == [2]
    assert torch.equal(result.x_adv, x - 1.0 / 32768)


def test_what_is_heard_already_and_silence_are_left_alone() -> None:
    spotter, _ = linear(3)
    x = torch.cat([clips(2), torch.zeros(1, 1, SAMPLES)])
    heard = torch.cat([away_from(spotter, x[:2], 0), torch.tensor([2])])
    found = DeepFool().search(spotter, x, heard, SNR(20.0))
    assert found.gradients is not None
    assert found.queries is not None
    assert found.gradients.tolist() == [0, 0, 0]
    assert found.queries.tolist() == [1, 1, 0]  # a clip that must not change is not even heard
    assert not bool(found.delta.any())
    moved = DeepFool()(spotter, x, torch.tensor([0, 0, 2]), budget=L2(0.5))
    assert bool(moved.success[2])


def test_everything_that_is_heard_is_counted() -> None:
    spotter, module = linear(4)
    x = clips(6)
    target = away_from(spotter, x)
    target[0] = spotter(x[:1]).argmax()
    module.heard = 0
    found = DeepFool().search(spotter, x, target, None)
    assert found.queries is not None
    assert int(found.queries.sum()) == module.heard


def test_a_clip_that_nothing_succeeds_for_gets_what_came_closest() -> None:
    spotter, _ = linear(3)
    x = clips(2)
    target = away_from(spotter, x)
    result = DeepFool(confidence=1e4, steps=3)(spotter, x, target, budget=None)
    before = spotter(x).gather(1, target[:, None])
    assert bool((result.logits.gather(1, target[:, None]) > before).all())


def test_what_nothing_succeeded_for_is_not_shrunk() -> None:
    spotter, _ = linear(3)
    x = clips(2)
    found = DeepFool(confidence=1e4, steps=3).search(spotter, x, away_from(spotter, x), None)
    assert found.queries is not None
    assert found.queries.tolist() == [1 + 3 + 1] * 2


def test_the_last_step_is_heard() -> None:
    spotter, _ = linear()
    x = clips(3)
    result = DeepFool(steps=1)(spotter, x, away_from(spotter, x), budget=None)
    assert bool(result.success.all())


def sum_spotter() -> Classifier:
    """Hear the second label where the samples add up to more than nothing."""
    weight = torch.stack([torch.zeros(SAMPLES), torch.ones(SAMPLES)])
    return Classifier(
        Linear(weight), labels=("a", "b"), sample_rate=RATE, clip_samples=SAMPLES, name="sum"
    )


def nearest_of(x: Tensor, budget: Budget | None, *, confidence: float, minimal: bool) -> Nearest:
    """Look for the nearest clips that are heard as the second label."""
    return Nearest(
        sum_spotter(),
        x,
        torch.tensor([1]),
        budget,
        confidence=confidence,
        minimal=minimal,
        untargeted=False,
    )


def test_of_failures_the_closest_is_kept() -> None:
    x = torch.zeros(1, 1, SAMPLES)
    nearest = nearest_of(x, None, confidence=100.0, minimal=True)
    rows, close = torch.tensor([0]), torch.full_like(x, 0.0625)
    nearest.try_out(rows, close)
    nearest.try_out(rows, close / 2)
    assert torch.equal(nearest.found().delta, close)


def test_what_keeps_a_maximum_norm_wins_over_what_is_nearer() -> None:
    x = torch.zeros(1, 1, SAMPLES)
    nearest = nearest_of(x, Linf(0.0625), confidence=0.01, minimal=False)
    rows, dense, lone = torch.tensor([0]), torch.full_like(x, 0.0625), torch.zeros_like(x)
    lone[..., 0] = 0.5
    assert float(lone.norm()) < float(dense.norm())
    assert nearest.try_out(rows, lone).tolist() == [True]
    assert nearest.finished.tolist() == [False]
    assert nearest.try_out(rows, dense).tolist() == [True]
    assert nearest.finished.tolist() == [True]
    assert torch.equal(nearest.found().delta, dense)


def test_shrinking_ends_where_the_budget_is_kept_unless_the_smallest_is_wanted() -> None:
    x = torch.zeros(1, 1, SAMPLES)
    queries = []
    for minimal in (False, True):
        nearest = nearest_of(x, Linf(0.3), confidence=0.01, minimal=minimal)
        nearest.try_out(torch.tensor([0]), torch.full_like(x, 0.5))
        nearest.shrink()
        queries.append(int(nearest.queries))
    assert queries == [2, 11]  # half of it keeps the budget


def test_a_flat_margin_leads_nowhere() -> None:
    spotter, module = linear(3)
    module.weight.data.zero_()
    x = clips(2)
    result = DeepFool(steps=3)(spotter, x, torch.tensor([1, 2]), budget=None)
    assert torch.equal(result.x_adv, x) and not result.success.any()


def test_clips_do_not_depend_on_their_batch_and_grad_mode_does_not_matter() -> None:
    spotter, module = linear(4)
    x = clips(5)
    target = away_from(spotter, x)
    attack = DeepFool()
    together = attack.perturb(spotter, x, target, None)
    with torch.no_grad():
        without = attack.perturb(spotter, x, target, None)
    with torch.inference_mode():
        inferred = attack.perturb(spotter, x.clone(), target.clone(), None)
    assert torch.equal(together, without)
    assert torch.equal(together, inferred)
    assert module.scale.grad is None
    for row in range(5):
        alone = attack.perturb(spotter, x[row : row + 1], target[row : row + 1], None)
        torch.testing.assert_close(alone[0], together[row], rtol=0.0, atol=1.1 / 32768)


def test_what_makes_no_sense_is_refused() -> None:
    for options in (
        {"steps": 0},
        {"candidates": 0},
        {"overshoot": -0.1},
        {"confidence": float("nan")},
    ):
        with pytest.raises(MondegreenError, match=next(iter(options))):
            DeepFool(**options)


def test_name_and_parameters() -> None:
    attack = DeepFool(steps=7)
    assert attack.name == "deepfool-7"
    assert "overshoot=0.02" in repr(attack)
    assert DeepFool(**attack.parameters()).parameters() == attack.parameters()


def test_few_gradients_fool_the_shipped_spotter(real_data: Path) -> None:
    classifier = load_classifier("zoo:speech-commands")
    options = DataOptions(data=real_data / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    random = torch.Generator().manual_seed(1)
    x, label = open_test_split(options, *shape, "validation").sample(12, random)
    target = draw_targets(label, torch.arange(10), random)
    result = DeepFool()(classifier, x, target, budget=None)
    assert bool(result.success.all())
    assert result.gradients is not None
    assert float(result.gradients.double().mean()) < 25.0
    ratio = result.x.square().sum(dim=(1, 2)) / lengths(result.x_adv - result.x).square()
    assert float(10.0 * ratio.log10().median()) > 44.0
