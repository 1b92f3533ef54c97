"""One of the processes that are timed: ``python -m benchmarks.scaling.child FOLDER COUNT``."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from benchmarks.scaling.trainings import ClassifierSteps, generator_training
from lightning_fabric import Fabric
from torch import Tensor

from mondegreen.allocator import keep_memory
from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.budgets import SNR
from mondegreen.epochs import Epoch
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate
from mondegreen.gan.training import GeneratorTrainer
from mondegreen.interruption import StopRequest
from mondegreen.processes.group import Processes
from mondegreen.processes.place import Place, ProcessOptions, find_place
from mondegreen.processes.starting import together

STEPS, WARM_UP, PAIRS = 8, 2, 256


def timed(step: Callable[[], object]) -> tuple[float, float]:
    """Return the ms that a call takes on the clock and of this process's processor time."""
    start, worked = time.perf_counter(), time.process_time()
    step()
    return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - worked)


def median_ms(
    step: Callable[[], object], calls: int = STEPS, warm_up: int = WARM_UP
) -> tuple[float, float]:
    """Return the median ms of some calls after the first ones: clock, and processor."""
    times = [timed(step) for _ in range(calls)][warm_up:]
    clock, processor = zip(*times, strict=True)
    return statistics.median(clock), statistics.median(processor)


class Sent:
    """Counts the sums that are sent, and their bytes."""

    def __init__(self) -> None:
        self.counts = dict[str, list[int]]()

    @contextmanager
    def watching(self, name: str) -> Iterator[None]:
        """Count what is sent inside of the block."""
        plain, counts = Processes.sum, self.counts.setdefault(name, [0, 0])

        def counted(processes: Processes, tensors: Sequence[Tensor]) -> None:
            counts[0] += 1
            counts[1] += sum(one.numel() * one.element_size() for one in tensors)
            plain(processes, tensors)

        Processes.sum = counted  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            Processes.sum = plain  # type: ignore[method-assign]

    def a_step(self) -> dict[str, dict[str, float]]:
        """Return messages and bytes a step."""
        return {
            name: {"messages": messages / STEPS, "bytes": size / STEPS}
            for name, (messages, size) in self.counts.items()
        }


def measure(folder: Path, fabric: Fabric, place: Place) -> dict[str, Any]:
    """Take steps, and evaluate; return times and messages."""
    processes, sent = Processes(fabric), Sent()
    trainer = generator_training(folder, "cpu", fabric, place)
    losses, asked, agreed = trainer._epoch(), StopRequest(), StopRequest()

    def generator_step() -> None:
        next(losses)
        processes.agree(asked, agreed)

    spotter = ClassifierSteps(folder, "cpu", fabric, processes)

    def classifier_step() -> None:
        spotter.step()
        processes.agree(asked, agreed)

    found: dict[str, Any] = {}
    for name, step in (("generator", generator_step), ("classifier", classifier_step)):
        with sent.watching(name):
            found[name] = median_ms(step)
    found["evaluation"] = evaluation_ms(trainer, processes)
    if place.count == 1:
        return found | {"drawing": drawing_ms(trainer, spotter)}
    return found | {"sent": sent.a_step(), "network": network(trainer, processes)}


def evaluation_ms(trainer: GeneratorTrainer, processes: Processes) -> tuple[float, float]:
    """Return the ms that a pair takes in an evaluation of the generator."""
    options = EvaluationOptions(pairs=PAIRS, quality_pairs=0, samples=0, timing_repeats=0)
    attack = GeneratorAttack(generator=trainer.state.average.eval())
    data = trainer.train_data.subset(list(range(32)))

    def run() -> None:
        evaluate(
            attack,
            trainer.classifier,
            data,
            budget=SNR(25.0),
            options=options,
            processes=processes,
        )

    clock, processor = median_ms(run, calls=3, warm_up=1)
    return clock / PAIRS, processor / PAIRS


class _OneClip(Processes):
    """Stands for so many processes that each has one clip of a batch."""

    def share(self, size: int) -> slice:
        return slice(0, 1)


def drawing_ms(trainer: GeneratorTrainer, spotter: ClassifierSteps) -> dict[str, float]:
    """Return the processor's ms of a step that every process spends, however few its clips are.

    That is reading the whole batch and drawing its random numbers.
    """
    trainer.batches.processes = _OneClip()
    drawn = trainer.batches.draw(Epoch(0, 0), lambda: 0.0)
    epoch = Epoch(0, 0)
    batches = epoch.batches(spotter.data, spotter.batch_size, "pcm")

    def draw() -> None:
        spotter.augment(next(batches)[0], epoch.random, slice(0, 1))

    return {"generator": median_ms(lambda: next(drawn))[1], "classifier": median_ms(draw)[1]}


def network(trainer: GeneratorTrainer, processes: Processes) -> dict[str, float]:
    """Return what a message takes at least, and how many bytes pass in a second."""
    count = sum(one.numel() for one in trainer.state.generator.parameters())
    small, large = torch.zeros(1), torch.zeros(count)
    latency = median_ms(lambda: processes.sum([small]), 200)[0]
    whole = median_ms(lambda: processes.sum([large]), 50)[0]
    return {"latency_ms": latency, "bytes_a_second": 4e3 * count / max(whole - latency, 1e-3)}


def main() -> None:
    """Measure, and print it as JSON."""
    torch.set_num_threads(1)
    keep_memory()
    place = find_place(ProcessOptions(devices=int(sys.argv[2])), os.environ)
    with together(place, "cpu") as fabric:
        print(json.dumps(measure(Path(sys.argv[1]), fabric, place)))


if __name__ == "__main__":
    main()
