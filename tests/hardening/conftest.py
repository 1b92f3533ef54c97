"""Three tones by thirty speakers, and a small classifier that knows them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
import torch
from torch.nn import functional as F

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.data.dataset import ClipDataset, open_splits
from mondegreen.data.folder import folder_corpus
from mondegreen.generators.generator import Generator, describe_classifier
from mondegreen.generators.spectral import SpectralConfig

TONES = {"low": 300.0, "middle": 700.0, "high": 1500.0}
RATE, SAMPLES = 4000, 1024


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors are fastest on one thread, and sums then have one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ClipDataset]:
    """Each word is a tone in noise, said by thirty speakers of different pitch."""
    root = tmp_path_factory.mktemp("tones")
    random = np.random.default_rng(0)
    for label, frequency in TONES.items():
        (root / label).mkdir()
        for speaker in range(30):
            phase = 2 * np.pi * frequency * random.uniform(0.85, 1.15) * np.arange(1000) / RATE
            x = random.uniform(0.1, 0.5) * np.sin(phase) + 0.02 * random.standard_normal(1000)
            soundfile.write(str(root / label / f"speaker{speaker}_nohash_0.wav"), x, RATE)
    parts = open_splits(
        folder_corpus(root), sample_rate=RATE, clip_samples=SAMPLES, cache_folder=root / "_cache"
    )
    return {str(name): part for name, part in parts.items()}


@pytest.fixture(scope="session")
def config() -> ClassifierConfig:
    """Three labels, clips of 1,024 samples at 4 kHz, some thousand parameters."""
    front_end = LogMelConfig(
        sample_rate=RATE, window=120, hop=60, fft=128, filters=12, high=1900.0, coefficients=10
    )
    return ClassifierConfig(
        labels=("high", "low", "middle"),
        front_end=front_end,
        backbone=TCResNetConfig(width=0.25, dropout=0.1),
        sample_rate=RATE,
        clip_samples=SAMPLES,
    )


@pytest.fixture(scope="session")
def trained(splits: dict[str, ClipDataset], config: ClassifierConfig) -> Classifier:
    """A classifier that has learned the tones, and nothing of attacks."""
    torch.manual_seed(5)
    classifier = Classifier.from_config(config).train()
    optimizer = torch.optim.AdamW(classifier.parameters(), 5e-3)
    random = torch.Generator().manual_seed(0)
    for _ in range(8):
        for x, label in splits["train"].epoch(32, random):
            optimizer.zero_grad()
            F.cross_entropy(classifier(x), label).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return classifier.freeze()


@pytest.fixture
def generator(trained: Classifier) -> Generator:
    """An untrained generator for all three labels."""
    torch.manual_seed(1)
    network = SpectralConfig(window=128, hop=64, width=16, blocks=1, bands=24)
    return Generator(describe_classifier(trained, network, (), 20.0))
