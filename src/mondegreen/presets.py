"""Named configurations: ``smoke`` for tests, ``demo`` and ``cpu`` for two cores, ``paper``."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

from mondegreen.classifiers.backbones import BackboneConfig
from mondegreen.classifiers.features import (
    FrontEndConfig,
    LogMelConfig,
    PaperMFCCConfig,
    WaveformConfig,
)
from mondegreen.classifiers.sample_cnn import SampleCNNConfig
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.classifiers.training import ClassifierTraining
from mondegreen.classifiers.wide_resnet import WideResNetConfig
from mondegreen.data.augment import AugmentConfig
from mondegreen.gan.config import BudgetSchedule, GeneratorTraining
from mondegreen.gan.discriminator import DiscriminatorConfig
from mondegreen.gan.losses import LossWeights
from mondegreen.generators.generator import NetworkConfig
from mondegreen.generators.own import OwnConfig
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.generators.unet import UNetConfig

Preset = Literal["smoke", "demo", "cpu", "paper"]
NetworkKind = Literal["spectral", "unet"]
ClassifierKind = Literal["tc-resnet", "wide-resnet", "sample-cnn"]

INPUT_CHANGES = AugmentConfig(speed=0.0, noise_probability=0.0, babble_probability=0.0)
"""Changes to the clips that a generator is trained on: shift and gain only."""

SOUND_CHANGES = AugmentConfig(noise_probability=0.0, babble_probability=0.0)
"""Changes to the clips that a classifier of music or sounds is trained on: nothing is mixed in,
since noise itself is among the sounds."""


def classifier_architecture(
    preset: Preset, kind: ClassifierKind | None
) -> tuple[FrontEndConfig, BackboneConfig]:
    """Return front end and backbone; ``paper`` is WideResNet-28-10 on 32 x 32 MFCC."""
    if kind is None:
        kind = "wide-resnet" if preset == "paper" else "tc-resnet"
    if kind == "wide-resnet":
        size = WideResNetConfig() if preset == "paper" else WideResNetConfig(depth=10, width=1)
        return PaperMFCCConfig(), size
    if kind == "sample-cnn":
        width = {"smoke": 0.0625, "demo": 0.125, "cpu": 0.25, "paper": 1.0}[preset]
        return WaveformConfig(), SampleCNNConfig(width=width)
    if preset in ("smoke", "demo"):
        return LogMelConfig(hop=320), TCResNetConfig(dropout=0.3)
    return LogMelConfig(), TCResNetConfig(width=1.5, dropout=0.3)


def classifier_training(preset: Preset, kind: ClassifierKind | None = None) -> ClassifierTraining:
    """Return the hyper-parameters of a classifier's training."""
    if kind == "sample-cnn":
        return _sample_cnn_training(preset)
    if preset == "smoke":
        return ClassifierTraining(epochs=2, batch_size=16)
    if preset == "demo":
        return ClassifierTraining(epochs=24)
    if preset == "cpu":
        return ClassifierTraining(epochs=80)
    return ClassifierTraining(epochs=30, learning_rate=1e-3, weight_decay=5e-2)


def _sample_cnn_training(preset: Preset) -> ClassifierTraining:
    return ClassifierTraining(
        epochs={"smoke": 2, "demo": 15, "cpu": 40, "paper": 100}[preset],
        batch_size=16 if preset == "smoke" else 32,
        augment=SOUND_CHANGES,
    )


def generator_network(preset: Preset, kind: str | None) -> NetworkConfig:
    """Return the generator's network; ``paper`` is the paper's U-Net, the others are spectral.

    Args:
        preset: How large it is.
        kind: ``spectral``, ``unet`` or, from outside, ``module:Class``; None for the preset's.
    """
    if kind is None:
        kind = "unet" if preset == "paper" else "spectral"
    if kind == "unet":
        width = {"smoke": 0.125, "demo": 0.125, "cpu": 0.25, "paper": 1.0}[preset]
        return UNetConfig(width=width)
    if kind != "spectral":
        return OwnConfig(place=kind)
    if preset == "smoke":
        return SpectralConfig(width=32, blocks=2, dial=True)
    if preset == "demo":
        return SpectralConfig(width=96, blocks=4, dial=True)
    return SpectralConfig(dial=True)


def generator_training(preset: Preset, kind: str | None) -> GeneratorTraining:
    """Return the hyper-parameters of a generator's training.

    A U-Net is trained as in the paper (Algorithm 1, eq. 5 to 10), at the preset's size. The
    spectral generator is trained by the same loop with a budget that tightens, a margin loss and
    an average of the weights; so is one from outside, which has no dial to be quiet.
    """
    if kind == "unet" or (kind is None and preset == "paper"):
        return _paper_training(preset)
    epochs = {"smoke": 2, "demo": 14, "cpu": 60, "paper": 80}[preset]
    hearing = 2.0 if kind in (None, "spectral") else 0.0
    return GeneratorTraining(
        epochs=epochs,
        warm_up_epochs=0,
        batch_size={"smoke": 8, "paper": 64}.get(preset, 32),
        weights=LossWeights(adversarial=1.0, alpha=0.0, beta=0.0, gamma=0.0, hearing=hearing),
        classifier_loss="margin",
        discriminator=None,
        budget=BudgetSchedule(final_db=25.0, spread_db=(-5.0, 8.0)),
        optimizer="adamw",
        learning_rate=2e-3,
        schedule="cosine",
        gradient_clip=1.0,
        ema=0.998,
        patience=0,
        unlabelled_share=0.5,
        augment=INPUT_CHANGES,
    )


def front_end_at(config: FrontEndConfig, sample_rate: int) -> FrontEndConfig:
    """Return a log-mel front end for another rate: frames last as long, bands reach as far up.

    One that is for this rate already, and any other front end, stays as it is.

    Example:
        >>> slow = front_end_at(LogMelConfig(), 8000)
        >>> isinstance(slow, LogMelConfig) and (slow.window, slow.hop, slow.fft, slow.high)
        (240, 80, 256, 3800.0)
    """
    if not isinstance(config, LogMelConfig) or config.sample_rate == sample_rate:
        return config
    ratio = sample_rate / config.sample_rate
    window = max(2, round(config.window * ratio))
    return replace(
        config,
        sample_rate=sample_rate,
        window=window,
        hop=max(1, round(config.hop * ratio)),
        fft=1 << (window - 1).bit_length(),
        low=min(config.low, 0.01 * sample_rate),
        high=config.high * min(1.0, ratio),
    )


def network_at(config: NetworkConfig, sample_rate: int) -> NetworkConfig:
    """Return a generator's network for another rate than 16 kHz: frames last about as long.

    Example:
        >>> [network_at(SpectralConfig(), rate).window for rate in (8000, 16000, 48000)]
        [256, 512, 2048]
    """
    if not isinstance(config, SpectralConfig) or sample_rate == 16_000:
        return config
    window = max(16, 2 ** round(math.log2(config.window * sample_rate / 16_000)))
    return replace(config, window=window, hop=window // 2)


def _paper_training(preset: Preset) -> GeneratorTraining:
    if preset == "paper":
        return GeneratorTraining()
    width = {"smoke": 0.0625, "demo": 0.0625, "cpu": 0.125}[preset]
    small = DiscriminatorConfig(width=width)
    if preset == "smoke":
        return GeneratorTraining(epochs=2, warm_up_epochs=1, batch_size=8, discriminator=small)
    return GeneratorTraining(batch_size=32, discriminator=small)
