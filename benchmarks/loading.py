"""What loading costs: the share of a training step, memory over many clips, PESQ on all cores.

    .venv/bin/python benchmarks/loading.py --data speech_commands --out results/loading.json

Steps are those of the ``cpu`` preset on real clips, computed by one thread. The many clips are
100,000 short recordings in a temporary folder (hard links to a thousand files): they are listed,
decoded, read in shuffled batches and classified, in a process of their own for each number.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from mondegreen.allocator import keep_memory
from mondegreen.classifiers.accuracy import accuracy
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.training import train_classifier
from mondegreen.cli import train_classifier as classifier_command
from mondegreen.cli import train_generator as generator_command
from mondegreen.data.augment import Augment
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset, Positions
from mondegreen.data.folder import folder_corpus, open_corpus
from mondegreen.data.noise import NoiseBank
from mondegreen.files import write_json
from mondegreen.gan.training import GeneratorTrainer
from mondegreen.generators.generator import describe_classifier
from mondegreen.metrics.pool import score_pairs
from mondegreen.presets import classifier_architecture
from mondegreen.runs import Run, command_line, environment

RATE, SAMPLES, SHORT = 16_000, 16_384, 1_600
LABELS, DISTINCT = 10, 1_000


class Clock:
    """Adds up the seconds spent in blocks, by name: of the processor, and of the clock."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}

    @contextmanager
    def __call__(self, name: str, without: str | None = None) -> Iterator[None]:
        """Time a block, but for what is spent on another one inside of it."""
        begun, inside = _now(), self.of(without)
        try:
            yield
        finally:
            spent = [
                b - a - (d - c)
                for a, b, c, d in zip(begun, _now(), inside, self.of(without), strict=True)
            ]
            self.spent[name] = [a + b for a, b in zip(self.of(name), spent, strict=True)]

    def of(self, name: str | None) -> list[float]:
        """Return what was spent on a block."""
        return list(self.spent.get(name or "", [0.0, 0.0]))


def _now() -> list[float]:
    return [time.process_time(), time.perf_counter()]


class TimedClips(ClipDataset):
    """Clips whose reading is timed."""

    clock: Clock

    def waveforms(self, positions: Positions | None = None, *rest: Any, **named: Any) -> Tensor:
        """Read, and time it."""
        with self.clock("reading"):
            return super().waveforms(positions, *rest, **named)


class TimedAugment(Augment):
    """Changes to clips, timed, without the reading that babble asks for."""

    clock: Clock

    def __call__(self, x: Tensor, generator: torch.Generator, rows: slice = slice(None)) -> Tensor:
        """Change, and time it."""
        with self.clock("changing", without="reading"):
            return super().__call__(x, generator, rows)


def steps(data: ClipDataset, folder: Path, epochs: int) -> list[dict[str, Any]]:
    """Train both networks for some epochs; return what a step took, and what of it was loading."""
    clock = Clock()
    clips = TimedClips(data.corpus, data.cache, data.indices)
    clips.clock = clock
    splits = {"train": clips, "validation": data.subset([0, 1])}
    front, backbone = classifier_architecture("cpu", None)
    labels = data.corpus.labels
    config = ClassifierConfig(labels, front, backbone, clip_samples=SAMPLES)
    fabric = Fabric(accelerator="cpu", devices=1)

    def augment(options: Any) -> TimedAugment:
        changes = TimedAugment(options, RATE, NoiseBank((), RATE), clips)
        changes.clock = clock
        return changes

    first = classifier_command.default("cpu")
    training = replace(first.training, epochs=epochs)
    rows = []
    with clock("classifier"):
        run = Run(folder / "classifier", first)
        classifier = train_classifier(
            config, training, splits, augment(training.augment), run, fabric
        )
    rows.append(_row("classifier", clock, epochs * -(-len(clips) // training.batch_size)))
    second = generator_command.default("cpu")
    course = replace(second.training, epochs=epochs)
    assert course.budget is not None
    trainer = GeneratorTrainer(
        describe_classifier(classifier, second.architecture, (), course.budget.final_db),
        course,
        classifier=classifier,
        splits=splits,
        unlabelled=clips,
        augment=augment(course.augment),
        run=Run(folder / "generator", second),
        fabric=fabric,
    )
    with clock("generator"):
        trainer.fit()
    return [*rows, _row("generator", clock, trainer.state.step)]


def _row(name: str, clock: Clock, count: int) -> dict[str, Any]:
    row: dict[str, Any] = {"network": name, "steps": count}
    for key, part in (("step", name), ("reading", "reading"), ("changing", "changing")):
        processor, wall = (1e3 * seconds / count for seconds in clock.of(part))
        row[key] = {"processor_ms": processor, "clock_ms": wall}
    clock.spent.clear()
    return row


def write_short_clips(folder: Path, count: int) -> None:
    """Write recordings of a tenth of a second: links to a thousand files of noise."""
    random = np.random.default_rng(0)
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + 2 * SHORT, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16),
        *(b"data", 2 * SHORT),
    )
    for label in range(LABELS):
        (folder / f"label{label}").mkdir(parents=True)
    for number in range(count):
        path = folder / f"label{number % LABELS}" / f"s{number}_nohash_0.wav"
        if number < DISTINCT:
            noise = (3000 * random.standard_normal(SHORT)).astype("<i2")
            path.write_bytes(header + noise.tobytes())
        else:
            first = number % DISTINCT
            os.link(folder / f"label{first % LABELS}" / f"s{first}_nohash_0.wav", path)


def many(count: int, folder: Path) -> dict[str, Any]:
    """List, decode, read and classify many clips; return the memory after each, in bytes."""
    torch.set_num_threads(1)
    keep_memory()
    front, backbone = classifier_architecture("smoke", None)
    labels = tuple(f"label{number}" for number in range(LABELS))
    config = ClassifierConfig(labels, front, backbone, clip_samples=SHORT)
    classifier = Classifier.from_config(config).freeze()
    classifier(torch.zeros(256, 1, SHORT))
    stages = {"at the beginning": _memory()}
    corpus = folder_corpus(folder / "clips")
    stages["listed"] = _memory()
    cache = ClipCache.build(
        corpus, sample_rate=RATE, clip_samples=SHORT, folder=folder / "cache", workers=1
    )
    data = ClipDataset(corpus, cache)
    stages["decoded"] = _memory()
    for number, _ in enumerate(data.epoch(64, torch.Generator().manual_seed(0))):
        if number % 50 == 0:
            stages["read in shuffled batches"] = _larger(stages.get("read in shuffled batches"))
    accuracy(classifier, data)
    stages["classified"] = _memory()
    return {"clips": len(data), "decoded_bytes": cache.data.stat().st_size, "stages": stages}


def _memory() -> dict[str, int]:
    """Return this process's own memory, and what of files it has mapped."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    names = {"anonymous": "RssAnon", "mapped": "RssFile"}
    return {name: 1024 * int(fields[field].split()[0]) for name, field in names.items()}


def _larger(before: dict[str, int] | None) -> dict[str, int]:
    now = _memory()
    return now if before is None else {name: max(now[name], before[name]) for name in now}


def memory(counts: list[int]) -> list[dict[str, Any]]:
    """Return what :func:`many` says of each number of clips, in a process of its own."""
    rows: list[dict[str, Any]] = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            write_short_clips(Path(folder) / "clips", count)
            words = [sys.executable, __file__, "--many", str(count), "--folder", folder]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
    return rows


def pesq(data: ClipDataset, pairs: int, rounds: int) -> dict[str, Any]:
    """Return the seconds that PESQ of some pairs takes with one process and with two, in turn."""
    x = data.waveforms(range(pairs))
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    x_adv = (x + 0.05 * x.square().mean(dim=2, keepdim=True).sqrt() * noise).clamp(-1.0, 1.0)
    seconds: dict[str, list[float]] = {"1": [], "2": []}
    for _ in range(rounds):
        for workers, times in seconds.items():
            start = time.perf_counter()
            count = int(workers)
            score_pairs(x, x_adv, RATE, ["pesq_wb"], workers=count, description="PESQ")
            times.append(time.perf_counter() - start)
    return {"pairs": pairs, "clip_seconds": SAMPLES / RATE, "seconds": seconds}


def main() -> None:
    """Measure everything, print it, and write it where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder of labelled clips")
    parser.add_argument("--clips", type=int, default=640, help="to train on")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="also write a JSON file")
    parser.add_argument("--many", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.many is not None:
        print(json.dumps(many(options.many, options.folder)))
        return
    torch.set_num_threads(1)
    keep_memory()
    corpus = open_corpus(options.data)
    chosen = np.random.default_rng(0).permutation(len(corpus))[: options.clips]
    corpus = corpus.subset(np.sort(chosen))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = ClipCache.build(
            corpus, sample_rate=RATE, clip_samples=SAMPLES, folder=folder / "cache"
        )
        data = ClipDataset(corpus, cache)
        content = {
            "format": 1,
            "steps": steps(data, folder, options.epochs),
            "memory": memory(options.counts),
            "pesq": pesq(data, options.pairs, options.rounds),
            "threads": 1,
            "command": command_line(),
            "environment": environment(),
        }
    print(json.dumps(content, indent=2))
    if options.out is not None:
        write_json(options.out, content)


if __name__ == "__main__":
    main()
