"""The gradient search: against the best direction of a linear classifier, budgets, counting."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.gradient import ProjectedGradient, default_step, refine
from mondegreen.attacks.search import margins, shape_gradient
from mondegreen.budgets import L2, SNR, Budget, Linf, parse_budget, quantize_within
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.gan.losses import margin_loss
from mondegreen.gan.validation import draw_targets

RATE, SAMPLES = 8000, 1000
BUDGETS = ("snr:15", "snr:40", "l2:0.2", "linf:0.004", "linf:0.00002")


class Linear(nn.Module):
    """Logits are inner products with fixed waveforms, and it counts what is asked of it."""

    weight: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.scale = nn.Parameter(torch.ones(()))
        self.bent = 0

    def forward(self, x: Tensor) -> Tensor:
        """Return logits; count the clips that a gradient may be wanted of."""
        if x.requires_grad:
            self.bent += len(x)
        return self.scale * x[:, 0] @ self.weight.T


def linear(labels: int = 2) -> tuple[Classifier, Linear]:
    random = torch.Generator().manual_seed(3)
    module = Linear(torch.randn(labels, SAMPLES, generator=random))
    names = tuple("abcdef"[:labels])
    spotter = Classifier(module, labels=names, sample_rate=RATE, clip_samples=SAMPLES, name="lin")
    return spotter.eval(), module


def clips(count: int, level: float = 0.1) -> Tensor:
    return level * torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(5))


def one_step(spotter: Classifier, x: Tensor, target: Tensor, budget: Budget) -> Tensor:
    """Return one unshaped step from zero, as long as the budget, that nothing stops early."""
    zero = torch.zeros_like(x)
    found = refine(spotter, x, target, budget, zero, steps=1, step=1.0, kappa=1e6, shaping=0.0)
    return found.delta


@pytest.mark.parametrize("budget", [SNR(20.0), L2(0.3)])
def test_the_best_euclidean_direction_of_a_linear_classifier(budget: Budget) -> None:
    spotter, module = linear()
    x = clips(1)
    target = 1 - spotter(x).argmax(dim=1)  # a label it is not heard as
    delta = one_step(spotter, x, target, budget)
    away = module.weight[target[0]] - module.weight[1 - target[0]]
    best = budget.bound(x).float() * away / away.norm()
    torch.testing.assert_close(delta[0, 0], best, rtol=1e-4, atol=1e-6)


def test_the_best_direction_under_a_maximum_norm_is_the_sign() -> None:
    spotter, module = linear()
    x = clips(1)
    target = 1 - spotter(x).argmax(dim=1)
    delta = one_step(spotter, x, target, Linf(0.01))
    away = module.weight[target[0]] - module.weight[1 - target[0]]
    torch.testing.assert_close(delta[0, 0], 0.01 * away.sign())


def test_cross_entropy_and_margin_differ_only_with_more_than_two_labels() -> None:
    for labels, alike in ((2, True), (4, False)):
        spotter, _ = linear(labels)
        x = clips(3, 0.01)
        target = (spotter(x).argmax(dim=1) + 1) % labels
        start, budget = torch.zeros_like(x), L2(0.001)
        one, other = (
            refine(spotter, x, target, budget, start, steps=1, step=1.0, kappa=99.0, loss=loss)
            for loss in ("cross-entropy", "margin")
        )
        assert torch.allclose(one.delta, other.delta, atol=1e-7) is alike


def test_margins_are_the_margin_losses_shortfalls() -> None:
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    target = torch.tensor([0, 1, 2, 3, 0])
    for row in range(5):
        loss = margin_loss(logits[row : row + 1], target[row : row + 1], kappa=50.0)
        assert float(margins(logits, target)[row]) == pytest.approx(50.0 - float(loss), abs=1e-4)


@pytest.mark.parametrize("start", ["zero", "random"])
@pytest.mark.parametrize("text", BUDGETS)
def test_budgets_are_kept_before_and_after_rounding(text: str, start: str) -> None:
    spotter, _ = linear(4)
    x = torch.cat([clips(2), clips(2, 0.9).clamp(-1.0, 1.0), torch.zeros(1, 1, SAMPLES)])
    target = (spotter(x).argmax(dim=1) + 1) % 4
    budget = parse_budget(text)
    attack = ProjectedGradient(steps=4, start=start)  # type: ignore[arg-type]
    delta = attack.perturb(spotter, x, target, budget)
    assert bool(budget.satisfied(x, delta).all())
    assert float((x + delta).abs().max()) <= 1.0
    result = attack(spotter, x, target, budget=budget)
    assert bool(budget.satisfied(result.x, result.x_adv - result.x, 1e-4).all())


def test_a_clip_that_is_heard_already_is_left_alone() -> None:
    spotter, module = linear(3)
    x = clips(6)
    heard = spotter(x).argmax(dim=1)
    target = heard.clone()
    target[::2] = (heard[::2] + 1) % 3
    attack = ProjectedGradient(steps=5, kappa=0.0)
    result = attack(spotter, x, target, budget=SNR(10.0))
    assert result.gradients is not None
    assert result.gradients[1::2].tolist() == [0, 0, 0]
    assert bool((result.gradients[::2] >= 1).all())
    assert torch.equal(result.x_adv[1::2], result.x[1::2])
    assert bool(result.success.all())
    # One step is enough for a linear classifier here, so no clip was looked at without need.
    assert module.bent <= int(result.gradients.sum()) + 3


def test_success_is_what_holds_after_rounding() -> None:
    spotter, _ = linear(4)
    x = clips(12, 0.02)
    target = (spotter(x).argmax(dim=1) + 1) % 4
    budget = SNR(33.0)
    found = refine(spotter, x, target, budget, torch.zeros_like(x), steps=3, step=0.6)
    rounded = spotter(quantize_within(x, found.delta, budget)).argmax(dim=1) == target
    assert torch.equal(found.success, rounded)
    assert 0 < int(found.success.sum()) < 12  # neither trivial nor hopeless


class Hill(nn.Module):
    """The second label wins, or nearly, only where the mean of the clip is near 0.01."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        wanted = -1e4 * (x.mean(dim=(1, 2)) - 0.01).square()
        return torch.stack([torch.full_like(wanted, 1.0), wanted], dim=1)


@pytest.mark.parametrize("steps", [1, 3])
def test_the_best_perturbation_is_kept_when_steps_lead_away(steps: int) -> None:
    hill = Classifier(
        Hill(), labels=("a", "b"), sample_rate=RATE, clip_samples=SAMPLES, name="hill"
    )
    x, target = torch.zeros(1, 1, SAMPLES), torch.tensor([1])
    good = torch.full_like(x, 0.009)
    far = torch.full_like(x, 0.5)
    budget = L2(0.9 * SAMPLES**0.5)
    kept = refine(hill, x, target, budget, good, steps=steps, step=0.9)
    torch.testing.assert_close(kept.delta, good)  # each step jumps far over the top
    assert kept.gradients.tolist() == [steps]
    assert not bool(kept.success)
    better = refine(hill, x, target, budget, far, steps=steps, step=0.1)
    assert not torch.equal(better.delta, far)


def test_more_steps_reach_more(tone_spotter: Classifier) -> None:
    time = torch.arange(4000) / RATE
    phases = torch.linspace(0.0, 3.0, 8)[:, None]
    x = 0.2 * torch.sin(2 * torch.pi * 300.0 * time + phases)[:, None]
    x = x + 0.14 * torch.sin(2 * torch.pi * 2100.0 * time + 2 * phases)[:, None]
    target = torch.full((8,), 2)
    rates = [
        float(
            ProjectedGradient(steps=steps)(tone_spotter, x, target, budget=SNR(14.0))
            .success.double()
            .mean()
        )
        for steps in (1, 10)
    ]
    assert rates[1] == 1.0
    assert rates[0] <= rates[1]


def test_silence_costs_nothing_under_an_snr_budget_and_moves_under_others() -> None:
    spotter, _ = linear(3)
    x = torch.zeros(2, 1, SAMPLES)
    target = torch.tensor([1, 2])
    under_snr = ProjectedGradient(steps=3)(spotter, x, target, budget=SNR(20.0))
    assert under_snr.gradients is not None
    assert under_snr.gradients.tolist() == [0, 0]
    assert torch.equal(under_snr.x_adv, x)
    for text in ("l2:0.1", "linf:0.001"):
        result = ProjectedGradient(steps=3)(spotter, x, target, budget=parse_budget(text))
        assert bool(result.success.all())


def test_weights_get_no_gradients_and_grad_mode_does_not_matter() -> None:
    spotter, module = linear(3)
    assert module.scale.requires_grad  # not even frozen
    x = clips(2)
    target = (spotter(x).argmax(dim=1) + 1) % 3
    plain = ProjectedGradient(steps=2).perturb(spotter, x, target, SNR(20.0))
    with torch.no_grad():
        without = ProjectedGradient(steps=2).perturb(spotter, x, target, SNR(20.0))
    with torch.inference_mode():
        inferred = ProjectedGradient(steps=2).perturb(spotter, x.clone(), target, SNR(20.0))
    assert module.scale.grad is None
    assert not plain.requires_grad
    assert torch.equal(plain, without)
    assert torch.equal(plain, inferred)


def test_clips_do_not_depend_on_their_batch() -> None:
    spotter, _ = linear(4)
    x = clips(5)
    target = (spotter(x).argmax(dim=1) + 1) % 4
    attack = ProjectedGradient(steps=3)
    together = attack.perturb(spotter, x, target, SNR(30.0))
    for row in range(5):
        alone = attack.perturb(spotter, x[row : row + 1], target[row : row + 1], SNR(30.0))
        torch.testing.assert_close(alone[0], together[row], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("time", [100, SAMPLES, 16_384])
def test_shaping_leaves_white_clips_nearly_alone_and_follows_coloured_ones(time: int) -> None:
    random = torch.Generator().manual_seed(2)
    gradient = torch.randn(1, 1, time, generator=random)
    assert torch.equal(shape_gradient(gradient, gradient, 0.0, RATE), gradient)
    silent = shape_gradient(gradient, torch.zeros(1, 1, time), 0.5, RATE)
    torch.testing.assert_close(silent, 0.03**0.5 * gradient, rtol=1e-3, atol=1e-5)
    tone = torch.sin(2 * torch.pi * 1000.0 * torch.arange(time) / RATE)[None, None]
    power = torch.fft.rfft(shape_gradient(gradient, tone, 1.0, RATE))[0, 0].abs().square()
    before = torch.fft.rfft(gradient)[0, 0].abs().square()
    near = (torch.fft.rfftfreq(time, 1 / RATE) - 1000.0).abs() < 200.0
    assert float(power[near].sum() / power.sum()) > 3 * float(before[near].sum() / before.sum())


def test_shaping_works_in_frames_of_about_32_ms() -> None:
    tone = torch.sin(2 * torch.pi * 1000.0 * torch.arange(4000) / 16_000)[None, None]
    click = torch.zeros(1, 1, 4000)
    click[..., 2000] = 1.0
    for rate, size in ((16_000, 512), (8_000, 256)):
        shaped = shape_gradient(click, tone, 1.0, rate)[0, 0].abs()
        beyond = torch.cat([shaped[: 2000 - size], shaped[2000 + size :]])
        assert float(beyond.max()) < 1e-6
        assert float(shaped[2000 - size : 2000 - size // 2].max()) > 1e-4


def test_refining_tells_what_is_heard_where_nothing_can_be_done() -> None:
    layer = nn.Linear(SAMPLES, 3)
    layer.bias.data = torch.tensor([0.0, 1.0, 0.0])
    module = nn.Sequential(nn.Flatten(), layer)
    spotter = Classifier(
        module, labels=tuple("abc"), sample_rate=RATE, clip_samples=SAMPLES, name="biased"
    )
    x = torch.zeros(2, 1, SAMPLES)
    found = refine(spotter, x, torch.tensor([1, 2]), SNR(20.0), x, steps=2, step=0.5)
    assert found.success.tolist() == [True, False]
    assert found.gradients.tolist() == [0, 0]


def test_what_is_refined_begins_within_the_range_of_a_file() -> None:
    spotter, _ = linear(3)
    x = torch.full((1, 1, SAMPLES), 0.875)
    start = torch.full_like(x, 0.5)
    found = refine(spotter, x, torch.tensor([0]), Linf(0.5), start, steps=0, step=0.5)
    torch.testing.assert_close(found.delta, torch.full_like(x, 0.125))


def test_what_makes_no_sense_is_refused() -> None:
    spotter, _ = linear()
    x, target = clips(1), torch.tensor([0])
    with pytest.raises(MondegreenError, match="steps is 0"):
        ProjectedGradient(steps=0)
    for options in ({"step": 0.0}, {"kappa": -1.0}, {"shaping": float("nan")}):
        with pytest.raises(MondegreenError, match=next(iter(options))):
            ProjectedGradient(**options)  # type: ignore[arg-type]
    with pytest.raises(MondegreenError, match="needs a budget"):
        ProjectedGradient()(spotter, x, target, budget=None)
    with pytest.raises(MondegreenError, match="steps is -1"):
        refine(spotter, x, target, SNR(20.0), x, steps=-1, step=1.0)


def test_name_and_parameters() -> None:
    attack = ProjectedGradient(steps=7, kappa=0.5)
    assert attack.name == "pgd-7"
    assert attack.parameters()["kappa"] == 0.5
    assert "steps=7" in repr(attack)
    assert default_step(SNR(20.0), fresh=True) > 0.0
    assert default_step(Linf(0.001), fresh=True) == default_step(Linf(0.001), fresh=False)


def test_twenty_steps_fool_the_shipped_spotter(real_data: Path) -> None:
    classifier = load_classifier("zoo:speech-commands")
    options = DataOptions(data=real_data / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    data = open_test_split(options, *shape, "validation")
    random = torch.Generator().manual_seed(1)
    x, label = data.sample(24, random)
    target = draw_targets(label, torch.arange(10), random)
    rates = {
        steps: float(
            ProjectedGradient(steps=steps)(classifier, x, target, budget=SNR(30.0))
            .success.double()
            .mean()
        )
        for steps in (3, 20)
    }
    assert rates[20] >= 0.95
    assert rates[3] < rates[20]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_the_search_runs_on_cuda() -> None:
    spotter, _ = linear(3)
    x = clips(3).cuda()
    spotter.cuda()
    target = (spotter(x).argmax(dim=1) + 1) % 3
    for budget in (SNR(20.0), L2(0.2), Linf(0.01)):
        result = ProjectedGradient(steps=3, start="random")(spotter, x, target, budget=budget)
        assert result.x_adv.is_cuda
        assert bool(budget.satisfied(result.x, result.x_adv - result.x).all())
