"""Beside Foolbox (Rauber et al. 2020): perturbations as small, and as many successes.

Foolbox does not round to 16 bits, changes the variable by a hyperbolic tangent and has one learning
rate for all clips, where ours are shares of each clip's level. For clips of one level, far from
full scale, the same settings can be given to both.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.carlini_wagner import CarliniWagner
from mondegreen.attacks.deepfool import DeepFool
from mondegreen.audio import quantize
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.gan.validation import draw_targets

foolbox = pytest.importorskip("foolbox")

RATE, SAMPLES, FRAME = 8000, 2000, 100
LEVEL = 0.1
TOLERANCE = 1.03  # how much longer than Foolbox's the median perturbation may be


class Bands(nn.Module):
    """A small network on logarithms of spectra, as spotters are, with fixed random weights."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(7)
            self.layers = nn.Sequential(
                nn.Flatten(), nn.Linear(SAMPLES // FRAME * 51, 32), nn.ReLU(), nn.Linear(32, 5)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        frames = torch.fft.rfft(x.reshape(len(x), -1, FRAME))
        logits: Tensor = 20.0 * self.layers((frames.abs().square() + 1e-3).log())
        return logits


def bands() -> tuple[Classifier, Tensor, Tensor]:
    """Return the small network, clips of one level and a label that each is not heard as."""
    spotter = Classifier(
        Bands(), labels=tuple("abcde"), sample_rate=RATE, clip_samples=SAMPLES, name="bands"
    ).freeze()
    x = levelled(torch.randn(8, 1, SAMPLES, generator=torch.Generator().manual_seed(2)).cumsum(2))
    return spotter, x, spotter(x).argsort(dim=1, descending=True)[:, 2]


def shipped(folder: Path) -> tuple[Classifier, Tensor, Tensor]:
    """Return the shipped spotter, recordings brought to one level, and targets drawn for them."""
    classifier = load_classifier("zoo:speech-commands")
    options = DataOptions(data=folder / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    random = torch.Generator().manual_seed(1)
    x, label = open_test_split(options, *shape, "validation").sample(4, random)
    return classifier, levelled(x), draw_targets(label, torch.arange(10), random)


def levelled(x: Tensor) -> Tensor:
    """Return waveforms of equal energy; the few samples beyond full scale are cut."""
    x = x - x.mean(dim=2, keepdim=True)
    return quantize((LEVEL * x / x.square().mean(dim=2, keepdim=True).sqrt()).clamp(-0.9, 0.9))


def carlini_wagner(
    samples: int,
    *,
    steps: int = 50,
    constants: int = 4,
    constant: float = 1e-4,
    rate: float = 1e-3,
    untargeted: bool = False,
) -> tuple[Attack, object]:
    """Return ours and theirs with the same settings."""
    mine = CarliniWagner(
        steps=steps,
        binary_search_steps=constants,
        initial_const=constant,
        learning_rate=rate,
        abort_early=False,
        untargeted=untargeted,
    )
    theirs = foolbox.attacks.L2CarliniWagnerAttack(
        steps=steps,
        binary_search_steps=constants,
        initial_const=constant * LEVEL**2 * samples,
        stepsize=rate * LEVEL,
        confidence=mine.confidence,
        abort_early=False,
    )
    return mine, theirs


def compare(
    classifier: Classifier, x: Tensor, target: Tensor, mine: Attack, theirs: object
) -> tuple[Tensor, Tensor]:
    """Assert that both succeed as often; return the norms of both, shortest first."""
    criterion = (
        foolbox.criteria.Misclassification(target)
        if mine.untargeted
        else foolbox.criteria.TargetedMisclassification(target)
    )
    model = foolbox.PyTorchModel(classifier, bounds=(-1.0, 1.0), device="cpu")
    _, x_adv, success = theirs(model, x, criterion, epsilons=None)  # type: ignore[operator]
    result = mine(classifier, x, target, budget=None)
    assert int(result.success.sum()) == int(success.sum())
    return norms(result.x_adv - x)[result.success], norms(x_adv - x)[success]


def norms(delta: Tensor) -> Tensor:
    return delta.square().sum(dim=(1, 2)).sqrt()


@pytest.mark.parametrize("untargeted", [False, True])
def test_carlini_wagner_is_as_small_as_foolboxes(untargeted: bool) -> None:
    spotter, x, target = bands()
    if untargeted:
        target = spotter(x).argmax(dim=1)
    attacks = carlini_wagner(SAMPLES, untargeted=untargeted)
    mine, theirs = compare(spotter, x, target, *attacks)
    assert len(mine) == len(x)
    assert float(mine.median()) <= TOLERANCE * float(theirs.median())
    # Nor is it another method: no clip's perturbation is of another size.
    assert bool((mine > 0.5 * theirs).all())


def test_carlini_wagner_is_as_small_on_recordings(real_data: Path) -> None:
    spotter, x, target = shipped(real_data)
    # A first constant that is enough, because ours would take longer steps from there on.
    attacks = carlini_wagner(x.shape[2], steps=40, constants=2, constant=1e-3, rate=2e-3)
    mine, theirs = compare(spotter, x, target, *attacks)
    assert len(mine) == len(x)
    assert float(mine.median()) <= TOLERANCE * float(theirs.median())


def test_deepfool_is_as_small_as_foolboxes() -> None:
    spotter, x, _ = bands()
    own = spotter(x).argmax(dim=1)
    theirs = foolbox.attacks.L2DeepFoolAttack(steps=50, overshoot=0.02)
    short, long = compare(spotter, x, own, DeepFool(untargeted=True), theirs)
    assert len(short) == len(x)
    assert float(short.median()) <= TOLERANCE * float(long.median())
    assert bool((short > 0.5 * long).all())


def test_deepfool_is_as_small_on_recordings(real_data: Path) -> None:
    spotter, x, _ = shipped(real_data)
    own = spotter(x).argmax(dim=1)
    theirs = foolbox.attacks.L2DeepFoolAttack(steps=50, overshoot=0.02)
    short, long = compare(spotter, x, own, DeepFool(untargeted=True), theirs)
    assert len(short) == len(x)
    assert float(short.median()) <= TOLERANCE * float(long.median())
