"""How fast a training step and an attack are here, with the threads as they are and with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.loading import load_classifier
from mondegreen.doctor.selftest import MODEL, chirps
from mondegreen.generators.generator import load_generator
from mondegreen.metrics.timing import milliseconds

Times = dict[str, float]

_REPEATS = 5


def time_work() -> dict[str, Times]:
    """Return median milliseconds of each kind of work, by the number of threads."""
    works = {"training step, 32 clips": _training(), "attack, 1 clip": _attack()}
    counts = dict.fromkeys((torch.get_num_threads(), 1))
    found: dict[str, Times] = {name: {} for name in works}
    for count in counts:
        with threads(count):
            for name, work in works.items():
                device = torch.device("cpu")
                found[name][str(count)] = milliseconds(
                    work, repeats=_REPEATS, warmup=2, device=device
                )
    return found


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with so many threads inside of the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _training() -> Callable[[], None]:
    """Return a step of the default keyword spotter's training."""
    classifier = Classifier.from_config(ClassifierConfig(labels=("no", "yes")))
    optimizer = torch.optim.AdamW(classifier.parameters())
    x = chirps(classifier.clip_samples).repeat(8, 1, 1)
    label = torch.arange(len(x)) % 2

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(classifier(x), label).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def _attack() -> Callable[[], None]:
    """Return an attack by the generator that comes with the package."""
    classifier = load_classifier(MODEL)
    generator = load_generator(MODEL, classifier)
    attack = GeneratorAttack(generator=generator)
    x, target = chirps(classifier.clip_samples)[:1], torch.zeros(1, dtype=torch.long)

    def once() -> None:
        attack.perturb(classifier, x, target, generator.budget)

    return once
