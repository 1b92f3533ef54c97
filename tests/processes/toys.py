"""Trainings of the smallest size, for one process or a share of several."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch
from lightning_fabric import Fabric

from mondegreen.channels import parse_channel
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.classifiers.training import ClassifierTraining, train_classifier
from mondegreen.data.augment import Augment, AugmentConfig
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.folder import folder_corpus
from mondegreen.data.noise import NoiseBank
from mondegreen.gan.channel_mix import ChannelMix
from mondegreen.gan.config import BudgetSchedule, GeneratorTraining
from mondegreen.gan.discriminator import DiscriminatorConfig
from mondegreen.gan.losses import LossWeights
from mondegreen.gan.training import GeneratorTrainer
from mondegreen.generators.generator import describe_classifier
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.generators.unet import UNetConfig
from mondegreen.processes.follower import open_run
from mondegreen.processes.place import Place

RATE, SAMPLES = 8000, 2048
LABELS = ("low", "middle", "high")
SPECTRAL = SpectralConfig(window=128, hop=64, patch=1, width=16, blocks=1, bands=24, dial=True)
BUDGETED = GeneratorTraining(
    epochs=2,
    warm_up_epochs=0,
    batch_size=5,  # uneven shares, and two clips in the last batch of 17
    weights=LossWeights(alpha=0.0, beta=0.0, gamma=0.0, hearing=0.5),
    classifier_loss="margin",
    discriminator=None,
    budget=BudgetSchedule(final_db=10.0, start_db=0.0),
    optimizer="adamw",
    learning_rate=1e-3,
    ema=0.9,
    patience=0,
    unlabelled_share=0.2,
)
PAPER = GeneratorTraining(
    epochs=2,
    warm_up_epochs=1,
    batch_size=5,
    discriminator=DiscriminatorConfig(width=0.0625),
    learning_rate=1e-3,
)
SPOTTER = ClassifierTraining(epochs=2, batch_size=5, learning_rate=1e-3)


@dataclass(frozen=True)
class Toys:
    """Seventeen noisy tones, and a classifier with random weights."""

    data: ClipDataset
    config: ClassifierConfig
    classifier: Classifier


def write_tones(folder: Path) -> None:
    """Write the clips and decode them into the cache."""
    random = torch.Generator().manual_seed(3)
    for number in range(17):
        label = LABELS[number % 3]
        time = torch.arange(SAMPLES) / RATE
        x = 0.3 * torch.sin(2 * math.pi * 400 * (number % 3 + 1) * time)
        x = x + 0.05 * torch.randn(SAMPLES, generator=random)
        path = folder / "clips" / label / f"speaker{number}_nohash_0.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, x.numpy(), RATE)
    open_toys(folder)


def open_toys(folder: Path) -> Toys:
    """Return what :func:`write_tones` wrote."""
    corpus = folder_corpus(folder / "clips")
    cache = ClipCache.build(corpus, sample_rate=RATE, clip_samples=SAMPLES, folder=folder / "cache")
    config = ClassifierConfig(
        labels=corpus.labels,
        front_end=LogMelConfig(
            sample_rate=RATE, window=256, hop=128, fft=256, filters=20, high=3900, coefficients=12
        ),
        backbone=TCResNetConfig(width=0.5, dropout=0.3),
        sample_rate=RATE,
        clip_samples=SAMPLES,
    )
    torch.manual_seed(0)
    return Toys(ClipDataset(corpus, cache), config, Classifier.from_config(config).freeze())


def augment(toys: Toys) -> Augment:
    """Return every change to clips that there is."""
    config = AugmentConfig(shift_seconds=0.01, noise_probability=0.5, babble_probability=0.5)
    return Augment(config, RATE, NoiseBank((), RATE), toys.data)


def budgeted(folder: Path, toys: Toys, fabric: Fabric, place: Place) -> GeneratorTrainer:
    """Return the training of a spectral generator: budget, hearing, channels, unlabelled clips."""
    noise = ChannelMix(("noise",), (parse_channel("noise:snr_db=20"),), 0.7)
    return GeneratorTrainer(
        describe_classifier(toys.classifier, SPECTRAL, (), 10.0),
        BUDGETED,
        classifier=toys.classifier,
        splits={"train": toys.data, "validation": toys.data},
        unlabelled=toys.data,
        augment=augment(toys),
        channels=noise,
        run=open_run(folder, BUDGETED, place),
        fabric=fabric,
    )


def paper(folder: Path, toys: Toys, fabric: Fabric, place: Place) -> GeneratorTrainer:
    """Return the training of the paper's generator: batch norm and dropout in its discriminator."""
    return GeneratorTrainer(
        describe_classifier(toys.classifier, UNetConfig(width=0.25), ("high",), None),
        PAPER,
        classifier=toys.classifier,
        splits={"train": toys.data, "validation": toys.data},
        unlabelled=None,
        augment=None,
        run=open_run(folder, PAPER, place),
        fabric=fabric,
    )


def spotter(
    folder: Path, toys: Toys, fabric: Fabric, place: Place, training: ClassifierTraining = SPOTTER
) -> Classifier:
    """Train a classifier: batch norm and dropout."""
    splits = {"train": toys.data, "validation": toys.data}
    run = open_run(folder, training, place)
    return train_classifier(toys.config, training, splits, augment(toys), run, fabric)


def train_all(folder: Path, fabric: Fabric, place: Place) -> None:
    """Run every training into folders of its own."""
    toys = open_toys(folder.parent)
    for name, make in (("budgeted", budgeted), ("paper", paper)):
        make(folder / name, toys, fabric, place).fit()
    spotter(folder / "spotter", toys, fabric, place)


def dying(folder: Path, fabric: Fabric, place: Place, at: int, die: Callable[[], None]) -> None:
    """Train, and have the second process call ``die`` before a step of the last epoch."""
    work = budgeted(folder, open_toys(folder.parent), fabric, place)
    step = work._step

    def step_or_die(batch: object) -> object:
        if place.rank == 1 and work.state.step == at:
            die()
        return step(batch)  # type: ignore[arg-type]

    work._step = step_or_die  # type: ignore[assignment, method-assign]
    work.fit()
