"""The generator as an attack: refinement, quietness, and what it counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.attacks.gradient import default_step, refine
from mondegreen.budgets import L2, SNR, Budget, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.gan.validation import draw_targets
from mondegreen.generators.generator import Generator, describe_classifier, load_generator
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.generators.unet import UNetConfig

SAMPLES = 4000


def generator(
    classifier: Classifier, budget_db: float | None = 20.0, dial: bool = False
) -> Generator:
    torch.manual_seed(1)
    network = SpectralConfig(width=16, blocks=1, dial=dial)
    return Generator(describe_classifier(classifier, network, (), budget_db)).eval()


def clips(count: int = 3) -> Tensor:
    time = torch.arange(SAMPLES) / 8000
    random = torch.Generator().manual_seed(4)
    x = 0.05 * torch.randn(count, 1, SAMPLES, generator=random)
    return x + 0.1 * torch.sin(2 * torch.pi * 300.0 * time)


def test_without_refinement_there_are_no_gradients(tone_spotter: Classifier) -> None:
    network = generator(tone_spotter)
    attack = GeneratorAttack(generator=network)
    x, target = clips(), torch.tensor([0, 1, 2])
    result = attack(tone_spotter, x, target, budget=SNR(15.0))
    assert result.gradients is None
    assert attack.name == "generator-spectral"
    expected = network(result.x, target, SNR(15.0)).detach()
    assert torch.equal(attack.perturb(tone_spotter, result.x, target, SNR(15.0)), expected)


@pytest.mark.parametrize("text", ["snr:15", "snr:40", "l2:0.5", "linf:0.005"])
def test_refinement_keeps_the_budget_and_never_makes_worse(
    tone_spotter: Classifier, text: str
) -> None:
    network, budget = generator(tone_spotter), parse_budget(text)
    x, target = clips(6), torch.tensor([0, 1, 2, 0, 1, 2])
    plain = GeneratorAttack(generator=network)(tone_spotter, x, target, budget=budget)
    attack = GeneratorAttack(generator=network, refine=5)
    refined = attack(tone_spotter, x, target, budget=budget)
    assert bool(budget.satisfied(refined.x, refined.x_adv - refined.x, 1e-4).all())
    assert bool((refined.success >= plain.success).all())
    assert refined.gradients is not None
    assert bool((refined.gradients <= 5).all())
    # Clips are only changed where the forward pass alone did not do.
    unchanged = (refined.x_adv == plain.x_adv).flatten(1).all(dim=1)
    assert torch.equal(unchanged, refined.gradients == 0)
    assert attack.name == "generator-spectral+5"


def test_refinement_makes_more_clips_succeed(tone_spotter: Classifier) -> None:
    x, target, budget = clips(8), torch.full((8,), 2), SNR(3.0)
    network = generator(tone_spotter)  # untrained: a bad start, so the steps have to be long
    rates = []
    for steps in (0, 10):
        attack = GeneratorAttack(generator=network, refine=steps, step=0.6)
        rates.append(float(attack(tone_spotter, x, target, budget=budget).success.double().mean()))
    assert rates[0] < 0.5
    assert rates[1] == 1.0


def test_it_is_the_shared_search_from_the_generators_proposal(tone_spotter: Classifier) -> None:
    network, x = generator(tone_spotter), clips()
    target, budget = torch.tensor([1, 2, 2]), SNR(10.0)
    delta = GeneratorAttack(generator=network, refine=2, step=0.3).perturb(
        tone_spotter, x, target, budget
    )
    start = network(x, target, budget).detach()
    found = refine(tone_spotter, x, target, budget, start, steps=2, step=0.3)
    assert torch.equal(delta, found.delta)
    other = GeneratorAttack(generator=network, refine=2).perturb(tone_spotter, x, target, budget)
    assert default_step(budget, fresh=False) != 0.3
    assert not torch.equal(delta, other)


def test_refinement_needs_a_budget(tone_spotter: Classifier) -> None:
    torch.manual_seed(1)
    free = Generator(describe_classifier(tone_spotter, UNetConfig(width=0.0625), (), None)).eval()
    x, target = clips(1), torch.tensor([2])
    with pytest.raises(MondegreenError, match="needs a budget"):
        GeneratorAttack(generator=free, refine=1)(tone_spotter, x, target, budget=None)
    own = GeneratorAttack(generator=generator(tone_spotter, 25.0), refine=1)
    delta = own.perturb(tone_spotter, x, target, None)
    assert bool(SNR(25.0).satisfied(x, delta).all())


def test_quietness_reaches_the_generator(tone_spotter: Classifier) -> None:
    network, x = generator(tone_spotter, dial=True), clips()
    target, budget = torch.tensor([0, 1, 2]), SNR(20.0)
    for level in (0.0, 1.0):
        attack = GeneratorAttack(generator=network, quietness=level)
        expected = network(x, target, budget, quietness=level).detach()
        assert torch.equal(attack.perturb(tone_spotter, x, target, budget), expected)
        assert attack.parameters()["quietness"] == level
    deaf = GeneratorAttack(generator=generator(tone_spotter), quietness=0.5)
    with pytest.raises(MondegreenError, match="quietness"):
        deaf.perturb(tone_spotter, x, target, budget)


def test_what_makes_no_sense_is_refused(tone_spotter: Classifier) -> None:
    network = generator(tone_spotter)
    for options in ({"refine": -1}, {"quietness": 1.5}, {"quietness": float("nan")}, {"step": 0.0}):
        with pytest.raises(MondegreenError):
            GeneratorAttack(generator=network, **options)


@pytest.mark.parametrize("budget", [SNR(30.0), L2(0.1)])
def test_the_shipped_generator_refined(real_data: Path, budget: Budget) -> None:
    classifier = load_classifier("zoo:speech-commands")
    network = load_generator("zoo:speech-commands", classifier)
    options = DataOptions(data=real_data / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    random = torch.Generator().manual_seed(1)
    x, label = open_test_split(options, *shape, "validation").sample(32, random)
    target = draw_targets(label, torch.arange(10), random)
    plain, refined = (
        GeneratorAttack(generator=network, refine=steps)(classifier, x, target, budget=budget)
        for steps in (0, 5)
    )
    assert int(refined.success.sum()) >= int(plain.success.sum())
    assert refined.gradients is not None
    assert float(refined.gradients.double().mean()) < 2.5  # most clips need none
