"""Trainings and evaluations on one and on two processes, and what a step computes and sends.

Each round runs one process, then two, one thread each, so that a busy machine slows both; medians
over the rounds count. Two cores are needed, and about two minutes where nothing else runs:

    .venv/bin/python -m benchmarks.scaling --out results/scaling.json
    .venv/bin/python -m mondegreen.report.docs_tables results docs
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.scaling.trainings import (
    SAMPLES,
    ClassifierSteps,
    Size,
    counted_macs,
    generator_training,
    write_noise,
)
from lightning_fabric import Fabric

from mondegreen.epochs import Epoch
from mondegreen.files import write_json
from mondegreen.presets import classifier_training
from mondegreen.processes.group import Processes
from mondegreen.processes.place import Place
from mondegreen.runs import environment

WORK = ("generator", "classifier", "evaluation")


def run(folder: Path, count: int) -> dict[str, Any]:
    """Run as many processes; return what the first one measured."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = str(one.getsockname()[1])
    variables = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.scaling.child", str(folder), str(count)],
            env={**os.environ, **variables, "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    said = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise SystemExit("a process failed; see above.")
    measured: dict[str, Any] = json.loads(said[0].splitlines()[-1])
    return measured


def networks(folder: Path) -> list[dict[str, Any]]:
    """Return what a step computes for a clip, counted while it is taken, and how long training is.

    The multiply-accumulates are those of all networks in all passes, forward and backward.
    """
    fabric, found = Fabric(accelerator="cpu", devices=1), list[dict[str, Any]]()
    sizes: tuple[Size, ...] = ("cpu", "paper")
    for size in sizes:
        trainer = generator_training(folder, size, fabric, Place())
        trainer._now = Epoch(0, 0)
        batch = next(trainer.batches.draw(trainer._now, lambda: 0.0))
        pair = replace(batch.part(slice(0, 2)), whole=2)
        adversary = trainer.state.adversary
        judge = adversary.network.parameters() if adversary is not None else ()
        parameters = [*trainer.state.generator.parameters(), *judge]
        found.append(
            {
                **{"name": "generator", "preset": size, "batch_size": trainer.training.batch_size},
                "labelled": trainer.batches.labelled_size,
                "parameters": sum(one.numel() for one in parameters),
                "macs_a_clip": counted_macs(lambda t=trainer, b=pair: t._step(b)) / 2,  # type: ignore[misc]
                "epochs": trainer.training.epochs,
            }
        )
        training = classifier_training(size, None)
        spotter = ClassifierSteps(folder, size, fabric, Processes(), 2)
        found.append(
            {
                **{"name": "classifier", "preset": size, "batch_size": training.batch_size},
                "labelled": training.batch_size,
                "parameters": spotter.classifier.parameter_count(),
                "macs_a_clip": counted_macs(spotter.step) / 2,
                "epochs": training.epochs,
            }
        )
    return found


def gathered(rounds: list[dict[int, dict[str, Any]]]) -> dict[str, Any]:
    """Return the medians over the rounds."""

    def median(count: int, *names: str | int) -> float:
        values = []
        for one in rounds:
            value: Any = one[count]
            for name in names:
                value = value[name]
            values.append(float(value))
        return statistics.median(values)

    def every(which: int) -> dict[str, dict[str, float]]:
        return {name: {str(count): median(count, name, which) for count in (1, 2)} for name in WORK}

    return {
        "ms": every(0),
        "processor_ms": every(1),
        "all_ms": {
            name: {str(count): [one[count][name] for one in rounds] for count in (1, 2)}
            for name in WORK
        },
        "drawing_ms": {name: median(1, "drawing", name) for name in WORK[:2]},
        "sent": rounds[0][2]["sent"],
        "network": {name: median(2, "network", name) for name in ("latency_ms", "bytes_a_second")},
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_noise(folder)
        rounds = [{count: run(folder, count) for count in (1, 2)} for _ in range(options.rounds)]
        counted = networks(folder)
    content = {
        **{"format": 1, "rounds": options.rounds, "threads": 1, "load_before": load},
        **gathered(rounds),
        **{"networks": counted, "clip_bytes": 2 * SAMPLES, "environment": environment()},
    }
    write_json(options.out, content)
    for name, times in content["ms"].items():
        worked = content["processor_ms"][name]
        print(
            f"{name}: {times['1']:.1f} ms on one process, {times['2']:.1f} ms on two; of the "
            f"processor {worked['1']:.1f} and {worked['2']:.1f} ms each"
        )


if __name__ == "__main__":
    main()
