"""A classifier whose answer can be worked out by hand, and six clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from torch import Tensor, nn

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.folder import folder_corpus

SAMPLES = 1024
LABELS = ("a", "b", "c")


class Slots(nn.Module):
    """Hears the third of the clip in which most of the energy lies."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the energies of the thirds."""
        parts = x[:, 0, : 3 * (SAMPLES // 3)].reshape(len(x), 3, -1)
        energies: Tensor = parts.square().sum(dim=2) * 100.0
        return energies


@pytest.fixture
def classifier() -> Classifier:
    return Classifier(
        Slots(), labels=LABELS, sample_rate=16_000, clip_samples=SAMPLES, name="slots"
    ).freeze()


@pytest.fixture
def data(tmp_path: Path) -> ClipDataset:
    """Two clips a label; one clip of 'b' sounds like 'a', one of 'c' is silent."""
    rng = np.random.default_rng(0)
    for index, label in enumerate(LABELS):
        (tmp_path / "clips" / label).mkdir(parents=True)
        for take in range(2):
            slot = 0 if (label, take) == ("b", 1) else index
            x = np.zeros(SAMPLES)
            third = SAMPLES // 3
            x[slot * third : (slot + 1) * third] = 0.2 * rng.standard_normal(third)
            if (label, take) == ("c", 1):
                x[:] = 0.0
            path = tmp_path / "clips" / label / f"s{index}{take}_nohash_0.wav"
            soundfile.write(path, x.clip(-1, 1), 16_000)
    corpus = folder_corpus(tmp_path / "clips")
    cache = ClipCache.build(
        corpus, sample_rate=16_000, clip_samples=SAMPLES, folder=tmp_path / "cache"
    )
    return ClipDataset(corpus, cache)
