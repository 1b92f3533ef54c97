"""A tiny corpus and networks trained on it through the command line, once for all tests here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mondegreen.cli.main import main

RATE = 16_000


@dataclass(frozen=True)
class Trained:
    """Folders that the commands made."""

    data: Path
    cache: Path
    classifier: Path
    generator: Path
    clip: Path


def write_corpus(root: Path, labels: tuple[str, ...] = ("low", "mid", "high")) -> None:
    """Write a corpus of noisy tones: thirty speakers, one clip a label."""
    rng = np.random.default_rng(7)
    time = np.arange(RATE) / RATE
    for index, label in enumerate(labels):
        (root / label).mkdir(parents=True)
        for speaker in range(30):
            pitch = (300 + 500 * index) * rng.uniform(0.9, 1.1)
            x = 0.3 * np.sin(2 * np.pi * pitch * time) * np.exp(-3 * time)
            x += 0.01 * rng.standard_normal(RATE)
            soundfile.write(root / label / f"{speaker:08x}_nohash_0.wav", x, RATE)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a classifier and a generator at the smallest size."""
    root = tmp_path_factory.mktemp("trained")
    write_corpus(root / "data")
    data, cache = str(root / "data"), str(root / "cache")
    classifier, generator = str(root / "classifier"), str(root / "generator")
    smoke = ["--preset", "smoke", "--device", "cpu"]
    words = ["train", "classifier", *smoke, "--data", data, "--cache", cache]
    assert main([*words, "--out", classifier]) == 0
    words = ["train", "generator", *smoke, "--classifier", classifier]
    assert main([*words, "--out", generator, "--training.epochs", "1"]) == 0
    clip = root / "data" / "low" / "00000000_nohash_0.wav"
    return Trained(root / "data", root / "cache", root / "classifier", root / "generator", clip)
