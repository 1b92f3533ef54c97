"""Small data sets written to temporary folders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mondegreen.data import TEN_WORDS, Corpus, speech_commands

SPEAKERS = tuple(hashlib.sha1(str(n).encode()).hexdigest()[:8] for n in range(40))


def write_clip(path: Path, seed: int = 0, samples: int = 400, rate: int = 16000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-3000, 3000, samples)
    soundfile.write(str(path), noise.astype(np.int16), rate)


@pytest.fixture(scope="session")
def words_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten words said by forty speakers, two other words and background noise; read only."""
    root = tmp_path_factory.mktemp("words")
    for number, word in enumerate((*TEN_WORDS, "bed", "cat")):
        for speaker, name in enumerate(SPEAKERS):
            suffix = "flac" if speaker % 2 else "wav"
            write_clip(root / word / f"{name}_nohash_0.{suffix}", seed=100 * number + speaker)
    write_clip(root / "_background_noise_" / "hum.wav", samples=5000)
    return root


@pytest.fixture
def words(words_folder: Path) -> Corpus:
    """The ten words of :func:`words_folder`."""
    return speech_commands(words_folder)


@pytest.fixture
def pair_folder(tmp_path: Path) -> Iterator[Path]:
    """Two labels with six clips each, of different lengths; tests may change it."""
    root = tmp_path / "pair"
    for number, label in enumerate(("cat", "dog")):
        for clip in range(6):
            write_clip(
                root / label / f"{clip}.wav", seed=10 * number + clip, samples=80 + 20 * clip
            )
    yield root
