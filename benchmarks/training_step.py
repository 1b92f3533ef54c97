"""Time of a default CPU training step of the generator, against an earlier version.

Each round trains some epochs on noise in a process of its own, one version after the other, so that
a busy machine slows both; medians over the rounds are compared. On one thread it is the processor's
time, which is the same whoever else wants the processor; on several, that of the clock on the wall.
The earlier version is a checkout:

    git worktree add build/first 80c3da8
    .venv/bin/python benchmarks/training_step.py --earlier build/first/src --threads 1
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from mondegreen.files import write_json
from mondegreen.runs import environment

CLIPS, EPOCHS = 320, 3


def child(folder: Path, threads: int) -> None:
    """Train for some epochs with whichever version is imported; print ms a step of each epoch."""
    import numpy as np
    import soundfile
    import torch
    from lightning_fabric import Fabric

    from mondegreen.allocator import keep_memory
    from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
    from mondegreen.cli.train_generator import default
    from mondegreen.data.augment import Augment
    from mondegreen.data.cache import ClipCache
    from mondegreen.data.dataset import ClipDataset
    from mondegreen.data.folder import folder_corpus
    from mondegreen.data.noise import NoiseBank
    from mondegreen.gan.training import GeneratorTrainer
    from mondegreen.generators.generator import describe_classifier
    from mondegreen.presets import classifier_architecture
    from mondegreen.runs import Run

    torch.set_num_threads(threads)
    keep_memory()
    random = np.random.default_rng(0)
    labels = tuple(f"label{number}" for number in range(10))
    for number in range(CLIPS):
        path = folder / "clips" / labels[number % 10] / f"s{number}_nohash_0.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * random.standard_normal(16_000), 16_000)
    front, backbone = classifier_architecture("cpu", None)
    classifier = Classifier.from_config(
        ClassifierConfig(labels=labels, front_end=front, backbone=backbone, clip_samples=16_384)
    )
    clock, ends = _clock(threads), list[float]()

    class TimedRun(Run):
        def log(self, *given: Any, **more: Any) -> None:
            ends.append(clock())
            super().log(*given, **more)

    corpus = folder_corpus(folder / "clips")
    cache = ClipCache.build(
        corpus, sample_rate=16_000, clip_samples=16_384, folder=folder / "cache"
    )
    data = ClipDataset(corpus, cache)
    options = default("cpu")
    training = replace(options.training, epochs=EPOCHS)
    assert training.budget is not None and training.augment is not None
    trainer = GeneratorTrainer(
        describe_classifier(classifier, options.architecture, (), training.budget.final_db),
        training,
        classifier=classifier,
        splits={"train": data, "validation": data.subset([0, 1])},
        unlabelled=data,
        augment=Augment(training.augment, 16_000, NoiseBank((), 16_000), data),
        run=TimedRun(folder / "run", options),
        fabric=Fabric(accelerator="cpu", devices=1),
    )
    trainer.fit()
    line = (folder / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[0]
    steps = json.loads(line)["step"]
    print(json.dumps([1e3 * (end - begin) / steps for begin, end in pairwise(ends)]))


def _clock(threads: int) -> Callable[[], float]:
    return time.process_time if threads == 1 else time.perf_counter


def parts(threads: int, rounds: int) -> dict[str, float]:
    """Return the median ms that each part of a step takes, one after the other in turn."""
    import torch

    from mondegreen.allocator import keep_memory
    from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
    from mondegreen.cli.train_generator import default
    from mondegreen.gan.audibility import build_hearing
    from mondegreen.gan.losses import margin_loss
    from mondegreen.generators.generator import Generator, describe_classifier
    from mondegreen.presets import classifier_architecture

    torch.set_num_threads(threads)
    keep_memory()
    labels = tuple(f"label{number}" for number in range(10))
    front, backbone = classifier_architecture("cpu", None)
    config = ClassifierConfig(labels=labels, front_end=front, backbone=backbone)
    classifier = Classifier.from_config(config).freeze()
    options = default("cpu")
    generator = Generator(describe_classifier(classifier, options.architecture, (), 25.0))
    optimizer = torch.optim.AdamW(generator.parameters(), fused=True)
    hearing = build_hearing("loudness", 16_000)
    batch = options.training.batch_size
    x, target = 0.1 * torch.randn(batch, 1, 16_384), torch.arange(batch) % 10
    asked = torch.rand(batch, generator=torch.Generator().manual_seed(0)) < 0.5
    delta = (0.01 * torch.randn_like(x)).requires_grad_()

    def generate() -> None:
        generator(x, target, quietness=0.5).square().mean().backward()

    def classify() -> None:
        margin_loss(classifier(x + delta), target).backward()  # type: ignore[no-untyped-call]

    def hear() -> None:
        hearing(x[asked], (x + delta)[asked]).sum().backward()

    calls = {
        "generator, forward and backward": generate,
        "classifier, forward and backward": classify,
        "hearing, forward and backward": hear,
        "optimiser": optimizer.step,
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    clock = _clock(threads)
    for index in range(rounds + 2):
        for name, call in calls.items():
            start = clock()
            call()
            if index >= 2:
                times[name].append(1e3 * (clock() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def measure(source: Path | None, threads: int) -> list[float]:
    """Return ms a step of some epochs of one version, in a process of its own."""
    variables = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    if source is not None:
        variables["PYTHONPATH"] = str(source.resolve())
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--child", folder, "--threads", str(threads)]
        done = subprocess.run(command, check=True, env=variables, capture_output=True, text=True)
    times: list[float] = json.loads(done.stdout.splitlines()[-1])
    return times


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--earlier", type=Path, help="src folder of the other version")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="also write a JSON file")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        child(options.child, options.threads)
        return
    times: dict[str, list[float]] = {"now": [], "earlier": []}
    for _ in range(options.rounds):
        times["now"] += measure(None, options.threads)
        if options.earlier is not None:
            times["earlier"] += measure(options.earlier, options.threads)
    found = {name: statistics.median(values) for name, values in times.items() if values}
    spent = parts(options.threads, 10 * options.rounds)
    for name, median in found.items():
        print(f"{name}: {median:.1f} ms a step ({options.threads} threads, batch 32)")
    if "earlier" in found:
        print(f"times faster: {found['earlier'] / found['now']:.2f}")
    for name, median in spent.items():
        print(f"  {name}: {median:.1f} ms")
    if options.out is not None:
        about = {"threads": options.threads, "rounds": options.rounds, "all_ms": times}
        content = {"ms_a_step": found, "parts_ms": spent, **about, "environment": environment()}
        write_json(options.out, content)


if __name__ == "__main__":
    main()
