"""What every attack has to keep to, whatever it does: one table, all attacks, goals and budgets."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.attack import Attack, AttackResult
from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.attacks.linear_filter import LinearFilter, LinearFilterAttack
from mondegreen.attacks.universal import UniversalAttack, UniversalPerturbation, describe_universal
from mondegreen.audio import quantize, wav_round_trip
from mondegreen.budgets import SNR, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.specs import CLASSES
from mondegreen.generators.generator import Generator, describe_classifier
from mondegreen.generators.spectral import SpectralConfig

RATE, SAMPLES, LABELS = 8000, 1024, 4
BUDGETS = ("snr:20", "snr:35", "l2:0.1", "linf:0.002", "none")

SETTINGS: dict[str, dict[str, Any]] = {
    "fgsm": {},
    "bim": {"steps": 3},
    "pgd": {"steps": 3, "start": "random"},
    "mi-fgsm": {"steps": 3},
    "apgd": {"steps": 6},
    "cw": {"steps": 10, "binary_search_steps": 5},
    "deepfool": {"steps": 4},
    "genetic": {"population": 6, "iterations": 4},
    "pso": {"particles": 4, "epochs": 2, "iterations": 3},
    "square": {"queries": 20},
}
"""The smallest settings of each attack that is made from its options alone."""

TRAINED = ("generator", "universal", "filter")
ONE_WAY = ("universal", "filter")
UNBOUNDED = ("cw", "deepfool", "genetic", "pso", "square", *TRAINED)
"""Those that need no budget: they seek the smallest perturbation, or have a bound of their own."""


class Ears(nn.Module):
    """Smooth logits that are neither linear nor easy, and weights that could get gradients."""

    basis: Tensor

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(3)
        self.register_buffer("basis", torch.randn(SAMPLES, 16, generator=random))
        self.weight = nn.Parameter(torch.randn(16, LABELS, generator=random))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = torch.tanh(x[:, 0] @ self.basis) @ self.weight
        return logits


@pytest.fixture
def spotter() -> Classifier:
    """Four labels that a faint noise can change."""
    return Classifier(
        Ears(), labels=("a", "b", "c", "d"), sample_rate=RATE, clip_samples=SAMPLES, name="ears"
    ).eval()


def clips() -> Tensor:
    """Faint ones, a loud one that touches full scale, and silence."""
    random = torch.Generator().manual_seed(5)
    levels = torch.tensor([0.02, 0.05, 0.2, 2.0, 0.0])[:, None, None]
    return quantize((levels * torch.randn(5, 1, SAMPLES, generator=random)).clamp(-1.0, 1.0))


def make(name: str, spotter: Classifier, *, untargeted: bool) -> Attack:
    if name == "generator":
        torch.manual_seed(1)
        network = SpectralConfig(width=16, blocks=1)
        trained = Generator(describe_classifier(spotter, network, (), 20.0)).eval()
        return GeneratorAttack(generator=trained, refine=2, untargeted=untargeted)
    random = torch.Generator().manual_seed(1)
    if name == "universal":
        config = describe_universal(spotter, "perturbation", 20.0)
        return UniversalAttack(perturbations=UniversalPerturbation(config).draw(random))
    if name == "filter":
        config = describe_universal(spotter, "filter", 20.0)
        return LinearFilterAttack(filters=LinearFilter(config).draw(random))
    module, _, place = CLASSES[name].partition(":")
    kind = getattr(importlib.import_module(module), place)
    attack: Attack = kind(**SETTINGS[name], untargeted=untargeted)
    return attack


def labels(spotter: Classifier, x: Tensor, *, untargeted: bool) -> Tensor:
    """What every clip is heard as or, targeted, the label after it."""
    with torch.no_grad():
        heard: Tensor = spotter(x).argmax(dim=1)
    return heard if untargeted else (heard + 1) % LABELS


CASES = [
    pytest.param(name, untargeted, budget, id=f"{name}-{goal}-{budget}")
    for name in (*SETTINGS, *TRAINED)
    for goal, untargeted in (("targeted", False), ("untargeted", True))
    for budget in BUDGETS
    if not (untargeted and name in ONE_WAY)
]


def test_no_attack_is_forgotten() -> None:
    assert {*SETTINGS, "generator"} == set(CLASSES)


@pytest.mark.parametrize(("name", "untargeted", "text"), CASES)
def test_every_attack_keeps_the_protocol(
    spotter: Classifier, name: str, untargeted: bool, text: str
) -> None:
    x = clips()
    target = labels(spotter, x, untargeted=untargeted)
    attack = make(name, spotter, untargeted=untargeted)
    budget = None if text == "none" else parse_budget(text)
    if budget is None and name not in UNBOUNDED:
        with pytest.raises(MondegreenError, match="budget"):
            attack(spotter, x, target, budget=None)
        return
    result = attack(spotter, x, target, budget=budget)

    assert torch.equal(result.x, x)
    assert result.x_adv.shape == x.shape and result.logits.shape == (len(x), LABELS)
    assert bool(torch.isfinite(result.x_adv).all())
    assert float(result.x_adv.abs().max()) <= 1.0
    read = wav_round_trip(result.x_adv, RATE)
    assert torch.equal(read, result.x_adv)
    if budget is not None:
        assert bool(budget.satisfied(x, read - x, 1e-4).all())
    check_success(spotter, result, target, untargeted)
    check_costs(result)
    if isinstance(budget, SNR):
        assert torch.equal(result.x_adv[-1], x[-1])  # silence
        for spent in (result.gradients, result.queries):
            assert spent is None or name in TRAINED or int(spent[-1]) == 0
    assert spotter.get_parameter("module.weight").grad is None

    # Neither what was attacked before nor the mode of the caller matters.
    with torch.inference_mode():
        again = attack(spotter, x.clone(), target.clone(), budget=budget)
    assert torch.equal(again.x_adv, result.x_adv)
    assert torch.equal(again.success, result.success)


def check_success(
    spotter: Classifier, result: AttackResult, target: Tensor, untargeted: bool
) -> None:
    """The flag says what the classifier says of the clips that were returned."""
    with torch.no_grad():
        logits = spotter(result.x_adv)
    torch.testing.assert_close(logits, result.logits)
    reached = result.logits.argmax(dim=1) == target
    assert torch.equal(result.success, reached != untargeted)


def check_costs(result: AttackResult) -> None:
    """What is counted is counted for every clip."""
    for spent in (result.gradients, result.queries):
        if spent is not None:
            assert spent.shape == (len(result.x),) and spent.dtype == torch.int64
            assert bool((spent >= 0).all())


@pytest.mark.parametrize("untargeted", [False, True], ids=["targeted", "untargeted"])
@pytest.mark.parametrize("name", SETTINGS)
def test_every_attack_is_rebuilt_from_what_it_shows(
    spotter: Classifier, name: str, untargeted: bool
) -> None:
    attack = make(name, spotter, untargeted=untargeted)
    again = eval(repr(attack), {type(attack).__name__: type(attack)})
    assert again.parameters() == attack.parameters()
    assert repr(again) == repr(attack)
    assert again.untargeted is untargeted and attack.parameters()["untargeted"] is untargeted
    for option, value in SETTINGS[name].items():
        assert attack.parameters()[option] == value


@pytest.mark.parametrize("name", SETTINGS)
def test_every_attack_takes_options_by_name_only(name: str) -> None:
    module, _, place = CLASSES[name].partition(":")
    with pytest.raises(TypeError):
        getattr(importlib.import_module(module), place)(1)


@pytest.mark.parametrize("name", SETTINGS)
def test_strong_attacks_get_somewhere(spotter: Classifier, name: str) -> None:
    x = clips()[:3]
    target = labels(spotter, x, untargeted=True)
    attack = make(name, spotter, untargeted=True)
    loud = attack(spotter, x, target, budget=SNR(0.0))
    assert int(loud.success.sum()) >= 1
