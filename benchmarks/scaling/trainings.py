"""The trainings whose steps are timed, on clips of noise: they cost what speech costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import torch
from lightning_fabric import Fabric
from torch.utils.flop_counter import FlopCounterMode

from mondegreen.classifiers import training as classifiers
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.cli.train_generator import default
from mondegreen.data.augment import Augment
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.folder import folder_corpus
from mondegreen.data.noise import NoiseBank
from mondegreen.epochs import Epoch
from mondegreen.gan.training import GeneratorTrainer
from mondegreen.generators.generator import describe_classifier
from mondegreen.presets import classifier_architecture, classifier_training
from mondegreen.processes.follower import open_run
from mondegreen.processes.group import Processes
from mondegreen.processes.layers import share_layers
from mondegreen.processes.place import Place

Size = Literal["cpu", "paper"]

CLIPS, RATE, SAMPLES = 640, 16_000, 16_384
LABELS = tuple(f"label{number}" for number in range(10))


def write_noise(folder: Path) -> None:
    """Write the clips and decode them into the cache."""
    random = np.random.default_rng(0)
    for number in range(CLIPS):
        path = folder / "clips" / LABELS[number % 10] / f"s{number}_nohash_0.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * random.standard_normal(RATE), RATE)
    open_noise(folder)


def open_noise(folder: Path) -> ClipDataset:
    """Return the clips that :func:`write_noise` wrote."""
    corpus, cache = folder_corpus(folder / "clips"), folder / "cache"
    clips = ClipCache.build(corpus, sample_rate=RATE, clip_samples=SAMPLES, folder=cache)
    return ClipDataset(corpus, clips)


def _classifier_config(size: Size) -> ClassifierConfig:
    front, backbone = classifier_architecture(size, None)
    return ClassifierConfig(labels=LABELS, front_end=front, backbone=backbone, clip_samples=SAMPLES)


def generator_training(folder: Path, size: Size, fabric: Fabric, place: Place) -> GeneratorTrainer:
    """Return the training of a preset's generator against that preset's classifier."""
    torch.manual_seed(0)
    classifier, data = Classifier.from_config(_classifier_config(size)).freeze(), open_noise(folder)
    options = default(size)
    training = replace(options.training, warm_up_epochs=0)
    augment = None
    if training.augment is not None:
        augment = Augment(training.augment, RATE, NoiseBank((), RATE), data)
    targets = () if size == "cpu" else LABELS[:1]  # the paper's network knows one
    final_db = training.budget.final_db if training.budget else None
    return GeneratorTrainer(
        describe_classifier(classifier, options.architecture, targets, final_db),
        training,
        classifier=classifier,
        splits={"train": data, "validation": data.subset([0, 1])},
        unlabelled=data,
        augment=augment,
        run=open_run(folder / f"{size}-{time.time_ns()}", options, place),
        fabric=fabric,
    )


class ClassifierSteps:
    """The training of a preset's classifier, step by step.

    Args:
        folder: Of the clips.
        size: The preset.
        fabric: Device and precision.
        processes: Who shares each batch.
        batch_size: Clips a step; by default the preset's.
    """

    def __init__(
        self,
        folder: Path,
        size: Size,
        fabric: Fabric,
        processes: Processes,
        batch_size: int | None = None,
    ) -> None:
        torch.manual_seed(0)
        training = classifier_training(size, None)
        training = replace(training, batch_size=batch_size or training.batch_size)
        self.batch_size = training.batch_size
        self.classifier = Classifier.from_config(_classifier_config(size))
        self.data = open_noise(folder)
        share_layers(self.classifier, processes)
        state = classifiers._new_state(self.classifier, training, 1000, processes)
        self.augment = Augment(training.augment, RATE, NoiseBank((), RATE), self.data)
        self._taken = classifiers._train_epoch(
            state, training, Epoch(0, 0), self.data, self.augment, fabric
        )

    def step(self) -> None:
        """Take the next step."""
        next(self._taken)


def counted_macs(step: Callable[[], object]) -> float:
    """Return the multiply-accumulates of a step, its forward and backward passes."""
    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops()) / 2
