"""A server of forks and small inputs, made once for all tests here."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pytest
import soundfile
from benchmarks.reliability.commands import LABELS, SPEAKERS, prepare
from benchmarks.reliability.killing import Bench, fork_server

RATE = 16_000


@dataclass(frozen=True)
class Commands:
    """Every long command, ready to be run."""

    words: dict[str, tuple[str, ...]]
    server: ForkServerContext
    folder: Path
    data: Path

    def bench(self, name: str, place: Path) -> Bench:
        """Return what runs a command below a folder."""
        return Bench(self.words[name], place, self.server)


def write_tones(root: Path) -> None:
    """Write a noisy tone a label and speaker, in Speech Commands' names."""
    rng = np.random.default_rng(7)
    time = np.arange(RATE) / RATE
    for index, label in enumerate(LABELS):
        (root / label).mkdir(parents=True)
        for speaker in range(SPEAKERS):
            pitch = (300 + 500 * index) * rng.uniform(0.9, 1.1)
            x = 0.3 * np.sin(2 * np.pi * pitch * time) * np.exp(-3 * time)
            x += 0.01 * rng.standard_normal(RATE)
            soundfile.write(root / label / f"{speaker:08x}_nohash_0.wav", x, RATE)


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """Train the networks that the commands need."""
    root = tmp_path_factory.mktemp("reliability")
    write_tones(root / "data")
    (root / "setup").mkdir()
    server = fork_server()
    words = prepare(root / "setup", root / "data", server)
    return Commands(words, server, root / "setup", root / "data")
