"""The protocol: budgets after rounding, re-scoring, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.budgets import L2, SNR, Budget, Linf, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import Generator, describe_classifier
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.generators.unet import UNetConfig

RATE, SAMPLES, TONES = 8000, 4000, (300.0, 900.0, 2100.0)


class AddTone(Attack):
    """Adds the target's tone at a fixed level."""

    def __init__(self, *, level: float) -> None:
        self.level = level

    @property
    def name(self) -> str:
        return "add-tone"

    def parameters(self) -> dict[str, Any]:
        return {"level": self.level}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        time = torch.arange(x.shape[2]) / RATE
        frequency = torch.tensor(TONES)[target]
        return self.level * torch.sin(2 * torch.pi * frequency[:, None, None] * time)


def tone(frequency: float, level: float = 0.3, seconds: float = 0.5, rate: int = RATE) -> Tensor:
    time = torch.arange(int(seconds * rate)) / rate
    return level * torch.sin(2 * torch.pi * frequency * time)


@pytest.mark.parametrize(
    "x", [torch.zeros(1, SAMPLES), torch.zeros(1, 2, SAMPLES), torch.ones(1, 1, SAMPLES).short()]
)
def test_other_things_than_waveforms_are_refused(tone_spotter: Classifier, x: Tensor) -> None:
    with pytest.raises(MondegreenError, match=r"floats in \[-1, 1\] of shape \(batch, 1, time\)"):
        AddTone(level=0.5)(tone_spotter, x, torch.tensor([2]), budget=None)


@pytest.mark.parametrize("budget", [None, SNR(20.0)])
@pytest.mark.parametrize("level", [float("nan"), float("inf")])
def test_an_attack_that_went_astray_is_named(
    tone_spotter: Classifier, budget: Budget | None, level: float
) -> None:
    x = tone(300.0)[None, None]
    with pytest.raises(MondegreenError, match="add-tone returned NaN or infinite"):
        AddTone(level=level)(tone_spotter, x, torch.tensor([2]), budget=budget)


def test_perturbations_of_another_shape_are_named(
    tone_spotter: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = tone(300.0)[None, None]
    monkeypatch.setattr(AddTone, "perturb", lambda *_: torch.zeros(1, 1, 8))
    with pytest.raises(MondegreenError, match=r"add-tone returned .* shape \(1, 1, 8\) for clips"):
        AddTone(level=0.1)(tone_spotter, x, torch.tensor([2]), budget=SNR(20.0))


def test_a_loud_tone_wins_and_a_quiet_one_does_not(tone_spotter: Classifier) -> None:
    x = tone(300.0)[None, None]
    target = torch.tensor([2])
    assert bool(AddTone(level=0.5)(tone_spotter, x, target, budget=None).success)
    assert not bool(AddTone(level=0.1)(tone_spotter, x, target, budget=None).success)
    # 20 dB below the original tone, the same attack has to fail.
    bounded = AddTone(level=0.5)(tone_spotter, x, target, budget=SNR(20.0))
    assert not bool(bounded.success)
    assert bounded.logits.argmax().item() == 0


@settings(max_examples=40, deadline=None)
@given(
    level=st.floats(1e-5, 1.0),
    added=st.floats(1e-5, 2.0),
    budget=st.sampled_from([SNR(5.0), SNR(20.0), SNR(45.0), L2(0.2), Linf(0.01), Linf(1e-5)]),
)
def test_the_budget_holds_after_rounding(level: float, added: float, budget: Budget) -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(SAMPLES, 3))
    spotter = Classifier(
        module, labels=("a", "b", "c"), sample_rate=RATE, clip_samples=SAMPLES, name="linear"
    ).freeze()
    x = torch.cat([tone(300.0, level)[None, None], torch.zeros(1, 1, SAMPLES)])
    result = AddTone(level=added)(spotter, x, torch.tensor([1, 2]), budget=budget)
    assert bool(budget.satisfied(result.x, result.x_adv - result.x).all())
    steps = result.x_adv * 32768
    assert torch.equal(steps, steps.round())
    assert float(result.x_adv.abs().max()) <= 1.0


def test_silence_is_left_alone_under_an_snr_budget(tone_spotter: Classifier) -> None:
    x = torch.zeros(1, 1, SAMPLES)
    result = AddTone(level=0.5)(tone_spotter, x, torch.tensor([1]), budget=SNR(20.0))
    assert torch.equal(result.x_adv, x)


@pytest.mark.parametrize("target", [torch.tensor([0, 1]), torch.tensor([3]), torch.tensor([-1])])
def test_wrong_targets_are_refused(tone_spotter: Classifier, target: Tensor) -> None:
    with pytest.raises(MondegreenError, match="target"):
        AddTone(level=0.1)(tone_spotter, torch.zeros(1, 1, SAMPLES), target, budget=None)


def test_repr_shows_the_hyper_parameters() -> None:
    assert repr(AddTone(level=0.25)) == "AddTone(level=0.25)"


@pytest.mark.parametrize("network", [SpectralConfig(width=16, blocks=1), UNetConfig(width=0.25)])
def test_generator_attack_keeps_other_budgets_than_its_own(
    tone_spotter: Classifier, network: SpectralConfig | UNetConfig
) -> None:
    torch.manual_seed(1)
    generator = Generator(describe_classifier(tone_spotter, network, (), 20.0)).eval()
    attack = GeneratorAttack(generator=generator)
    x = 0.1 * torch.randn(3, 1, SAMPLES)
    for text in ("snr:30", "l2:0.05", "linf:0.001"):
        budget = parse_budget(text)
        result = attack(tone_spotter, x, torch.tensor([0, 1, 2]), budget=budget)
        assert bool(budget.satisfied(result.x, result.x_adv - result.x).all())
        assert bool((result.x_adv != result.x).flatten(1).any(dim=1).all())
    assert attack.name == f"generator-{network.kind}"


def test_a_generator_knows_labels_by_their_names(tone_spotter: Classifier) -> None:
    config = describe_classifier(tone_spotter, SpectralConfig(width=16, blocks=1), (), 20.0)
    attack = GeneratorAttack(generator=Generator(config).eval())
    x = 0.1 * torch.randn(1, 1, SAMPLES, generator=torch.Generator().manual_seed(3))
    made = attack(tone_spotter, x, ["low"], budget=None).x_adv
    known = tone_spotter.labels
    tone_spotter.labels = known[::-1]
    assert torch.equal(attack(tone_spotter, x, ["low"], budget=None).x_adv, made)
    tone_spotter.labels = tuple(f"{name} tone" for name in known)
    with pytest.raises(MondegreenError, match=r"knows the labels .*, not low tone of"):
        attack(tone_spotter, x, ["low tone"], budget=None)
