"""A tiny classifier, its clips, and trainings against it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import pytest
import soundfile
import torch
from lightning_fabric import Fabric
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.folder import folder_corpus
from mondegreen.gan.config import BudgetSchedule, GeneratorTraining
from mondegreen.gan.discriminator import DiscriminatorConfig
from mondegreen.gan.losses import LossWeights
from mondegreen.gan.training import GeneratorTrainer
from mondegreen.generators.generator import Generator, NetworkConfig, describe_classifier
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.runs import Run

SAMPLES = 2048
SPECTRAL = SpectralConfig(window=128, hop=64, patch=1, width=16, blocks=1, bands=24, phase=True)
QUIET = SpectralConfig(window=128, hop=64, patch=1, width=16, blocks=1, bands=24, dial=True)
BUDGETED = GeneratorTraining(
    epochs=3,
    warm_up_epochs=0,
    batch_size=6,
    weights=LossWeights(alpha=0.0, beta=0.0, gamma=0.0),
    classifier_loss="margin",
    discriminator=None,
    budget=BudgetSchedule(final_db=10.0, start_db=0.0),
    optimizer="adamw",
    learning_rate=1e-2,
    ema=0.9,
    patience=0,
)
PAPER = GeneratorTraining(
    epochs=3,
    warm_up_epochs=1,
    batch_size=6,
    discriminator=DiscriminatorConfig(width=0.0625),
)


@pytest.fixture
def data(tmp_path: Path) -> ClipDataset:
    """Twelve noisy tones under three labels."""
    random = torch.Generator().manual_seed(3)
    for number, label in enumerate(("low", "middle", "high")):
        (tmp_path / "clips" / label).mkdir(parents=True)
        for take in range(4):
            time = torch.arange(SAMPLES) / 8000
            x = 0.3 * torch.sin(2 * math.pi * 400 * (number + 1) * time)
            x = x + 0.05 * torch.randn(SAMPLES, generator=random)
            path = tmp_path / "clips" / label / f"speaker{take}_nohash_0.wav"
            soundfile.write(path, x.numpy(), 8000)
    corpus = folder_corpus(tmp_path / "clips")
    cache = ClipCache.build(
        corpus, sample_rate=8000, clip_samples=SAMPLES, folder=tmp_path / "cache"
    )
    return ClipDataset(corpus, cache)


@pytest.fixture
def classifier(data: ClipDataset) -> Classifier:
    torch.manual_seed(0)
    config = ClassifierConfig(
        labels=data.corpus.labels,
        front_end=LogMelConfig(
            sample_rate=8000, window=256, hop=128, fft=256, filters=20, high=3900, coefficients=12
        ),
        backbone=TCResNetConfig(width=0.5),
        sample_rate=8000,
        clip_samples=SAMPLES,
    )
    return Classifier.from_config(config).freeze()


def trainer(
    folder: Path,
    training: GeneratorTraining,
    classifier: Classifier,
    data: ClipDataset,
    network: NetworkConfig = SPECTRAL,
    targets: tuple[str, ...] = (),
    precision: Literal["32-true", "bf16-mixed"] = "32-true",
) -> GeneratorTrainer:
    db = training.budget.final_db if training.budget else None
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)
    return GeneratorTrainer(
        describe_classifier(classifier, network, targets, db),
        training,
        classifier=classifier,
        splits={"train": data, "validation": data},
        unlabelled=None,
        augment=None,
        run=Run(folder, training),
        fabric=fabric,
    )


def weights(generator: Generator) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in generator.parameters()]


def teach(classifier: Classifier, data: ClipDataset) -> None:
    """Train the classifier on its twelve clips, in place."""
    classifier.requires_grad_(True).train()
    optimizer = torch.optim.Adam(classifier.parameters(), 1e-2)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(classifier(data.waveforms()), data.labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    classifier.freeze()


def same(left: list[Tensor], right: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))
