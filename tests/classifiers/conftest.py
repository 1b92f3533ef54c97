"""Small classifiers that build and run in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
import torch

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.data.dataset import ClipDataset, open_splits
from mondegreen.data.folder import folder_corpus

TONES = {"low": 300.0, "middle": 700.0, "high": 1500.0}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors are fastest on one thread, and sums then have one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small_config() -> ClassifierConfig:
    """Three labels, clips of 1,024 samples at 4 kHz, about 3,000 parameters."""
    front_end = LogMelConfig(
        sample_rate=4000, window=120, hop=60, fft=128, filters=12, high=1900.0, coefficients=10
    )
    return ClassifierConfig(
        labels=("high", "low", "middle"),
        front_end=front_end,
        backbone=TCResNetConfig(width=0.25, dropout=0.3),
        sample_rate=4000,
        clip_samples=1024,
    )


@pytest.fixture
def small(small_config: ClassifierConfig) -> Classifier:
    """A classifier with fresh weights and running statistics that are not the initial ones."""
    torch.manual_seed(5)
    classifier = Classifier.from_config(small_config)
    classifier(0.3 * torch.randn(6, 1, 1024))
    return classifier.eval()


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ClipDataset]:
    """Three words, each a tone, said by thirty speakers of different pitch."""
    root = tmp_path_factory.mktemp("tones")
    random = np.random.default_rng(0)
    for label, frequency in TONES.items():
        (root / label).mkdir()
        for speaker in range(30):
            phase = 2 * np.pi * frequency * random.uniform(0.85, 1.15) * np.arange(1000) / 4000
            x = random.uniform(0.1, 0.5) * np.sin(phase) + 0.02 * random.standard_normal(1000)
            soundfile.write(str(root / label / f"speaker{speaker}_nohash_0.wav"), x, 4000)
    parts = open_splits(
        folder_corpus(root), sample_rate=4000, clip_samples=1024, cache_folder=root / "_cache"
    )
    return {str(name): part for name, part in parts.items()}
