from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import nn

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.gan.discriminator import Discriminator, DiscriminatorConfig
from mondegreen.generators.generator import Generator, describe_classifier
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.generators.unet import UNetConfig
from mondegreen.presets import (
    INPUT_CHANGES,
    ClassifierKind,
    NetworkKind,
    Preset,
    classifier_architecture,
    classifier_training,
    generator_network,
    generator_training,
)

PRESETS: tuple[Preset, ...] = get_args(Preset)
CLASSIFIERS: tuple[ClassifierKind | None, ...] = (None, *get_args(ClassifierKind))
NETWORKS: tuple[NetworkKind | None, ...] = (None, *get_args(NetworkKind))
LABELS = ("yes", "no", "up")


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def classifier_config(preset: Preset, kind: ClassifierKind | None) -> ClassifierConfig:
    front_end, backbone = classifier_architecture(preset, kind)
    return ClassifierConfig(labels=LABELS, front_end=front_end, backbone=backbone)


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_classifier_builds(preset: Preset, kind: ClassifierKind | None) -> None:
    config = classifier_config(preset, kind)
    with torch.device("meta"):
        classifier = Classifier.from_config(config)
    default = "wide-resnet" if preset == "paper" else "tc-resnet"
    assert classifier.name.startswith(kind or default)
    if preset != "paper":
        assert count(classifier) < 300_000
        logits = Classifier.from_config(config).eval()(torch.zeros(1, 1, 16_384))
        assert logits.shape == (1, 3) and torch.isfinite(logits).all()


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_generator_builds(preset: Preset, kind: NetworkKind | None) -> None:
    network = generator_network(preset, kind)
    assert network.kind == (kind or ("unet" if preset == "paper" else "spectral"))
    classifier = Classifier.from_config(classifier_config("smoke", None))
    config = describe_classifier(classifier, network, (), 20.0)
    assert config.targets == LABELS
    if preset == "paper" or kind is None:
        with torch.device("meta"):
            assert count(Generator(config)) > (1_000_000 if preset == "paper" else 10_000)
        return
    x = 0.1 * torch.randn(2, 1, 16_384, generator=torch.Generator().manual_seed(0))
    delta = Generator(config).eval()(x, torch.tensor([0, 2]))
    assert delta.shape == x.shape and torch.isfinite(delta).all() and delta.any()


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_training_fits_its_network(preset: Preset, kind: NetworkKind | None) -> None:
    training = generator_training(preset, kind)
    if isinstance(generator_network(preset, kind), UNetConfig):
        assert isinstance(training.discriminator, DiscriminatorConfig)
        assert training.budget is None
        assert training.warm_up_epochs < training.epochs
        with torch.device("meta"):
            size = count(Discriminator(training.discriminator))
        assert (size == 97_472_202) == (preset == "paper")
    else:
        assert training.discriminator is None and training.budget is not None
        assert training.budget.at(0.0) < training.budget.at(0.3) < training.budget.at(1.0) == 25.0
        assert training.augment == INPUT_CHANGES
        assert training.patience == 0


def test_the_paper_preset_is_the_paper() -> None:
    training = generator_training("paper", None)
    assert training == generator_training("paper", "unet")
    assert (training.epochs, training.warm_up_epochs, training.batch_size) == (50, 3, 64)
    assert (training.learning_rate, training.optimizer, training.seed) == (2e-4, "adam", 1024)
    weights = training.weights
    assert (weights.adversarial, weights.alpha, weights.beta, weights.gamma) == (1, 1, 1, 100)
    assert generator_network("paper", None) == UNetConfig()
    with torch.device("meta"):
        classifier = Classifier.from_config(classifier_config("paper", None))
    assert classifier.name == "wide-resnet-28-10"


def test_larger_presets_train_longer() -> None:
    epochs = [classifier_training(preset).epochs for preset in ("smoke", "demo", "cpu")]
    assert epochs == sorted(set(epochs)) and epochs[0] <= 2
    epochs = [generator_training(preset, "spectral").epochs for preset in PRESETS]
    assert epochs == sorted(set(epochs)) and epochs[0] <= 2
    assert generator_training("smoke", "unet").epochs <= 2


def test_inputs_are_shifted_and_scaled_but_nothing_is_mixed_in() -> None:
    assert INPUT_CHANGES.shift_seconds > 0 and INPUT_CHANGES.gain_db > 0
    assert INPUT_CHANGES.noise_probability == INPUT_CHANGES.babble_probability == 0
    assert INPUT_CHANGES.speed == 0


def test_the_networks_of_the_small_presets_differ_in_size() -> None:
    presets: tuple[Preset, ...] = ("smoke", "demo", "cpu")
    smoke, demo, cpu = (generator_network(preset, "spectral") for preset in presets)
    assert isinstance(smoke, SpectralConfig) and isinstance(demo, SpectralConfig)
    assert cpu == SpectralConfig(dial=True)
    assert smoke.width < demo.width < SpectralConfig().width
    assert smoke.width < demo.width and smoke.blocks < demo.blocks
    widths = [generator_network(preset, "unet") for preset in PRESETS]
    assert all(isinstance(network, UNetConfig) for network in widths)
