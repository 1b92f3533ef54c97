"""The whole job from Python in a few calls, with the defaults of the command line.

Example:
    Two labels of noise and a linear model; a generator of one epoch; how often it succeeds.

    >>> import numpy, soundfile, tempfile
    >>> from mondegreen import SNR, GeneratorAttack, evaluate
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("no", "yes"):
    ...     (folder / "clips" / name).mkdir(parents=True)
    ...     for speaker in range(30):
    ...         noise = numpy.random.default_rng(speaker).uniform(-0.1, 0.1, 1000)
    ...         soundfile.write(folder / "clips" / name / f"s{speaker}_nohash_0.wav", noise, 8000)
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1000, 2))

    From here on, these are the five lines.

    >>> spotter = Classifier.from_module(
    ...     model, labels=("no", "yes"), sample_rate=8000, clip_samples=1000
    ... )
    >>> clips = open_clips(folder / "clips", spotter, cache=folder / "cache")
    >>> generator = train_generator(spotter, clips, folder / "run", epochs=1, preset="smoke")
    >>> attack = GeneratorAttack(generator=generator)
    >>> found = evaluate(attack, spotter, clips["test"], budget=SNR(20))
    >>> len(found.pairs), round(found.mean_snr_db, 1)
    (8, 20.0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mondegreen.allocator import keep_memory
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.tag_goals import goals_of
from mondegreen.data.augment import Augment
from mondegreen.data.dataset import ClipDataset, open_splits
from mondegreen.data.folder import open_corpus
from mondegreen.data.noise import NoiseBank
from mondegreen.data.splits import SplitKind
from mondegreen.errors import MondegreenError
from mondegreen.gan.config import BudgetSchedule, GeneratorTraining
from mondegreen.gan.training import GeneratorTrainer
from mondegreen.generators.generator import (
    Generator,
    GeneratorConfig,
    NetworkConfig,
    describe_classifier,
    load_generator,
)
from mondegreen.presets import NetworkKind, Preset, generator_network, generator_training
from mondegreen.runs import Run
from mondegreen.zoo import resolve


@dataclass(frozen=True)
class Training:
    """What a run of :func:`train_generator` was asked for; kept in its ``config.json``."""

    generator: GeneratorConfig
    training: GeneratorTraining
    start_from: str | None


def open_clips(
    folder: str | Path,
    classifier: Classifier,
    *,
    split: SplitKind = "speaker",
    group_pattern: str | None = None,
    cache: str | Path | None = None,
) -> dict[str, ClipDataset]:
    """Open a folder of labelled clips as a classifier hears them, divided into three parts.

    Args:
        folder: ``<label>/<clip>``, the layout of Speech Commands, GTZAN or ESC-10, or, for a
            tagger with goals, one with a ``tags.csv``.
        classifier: Prescribes labels, sample rate and length.
        split: How the clips are divided; by speaker or recording, so that no voice is in two parts.
        group_pattern: Regular expression whose first group, found in a file's name, names its
            speaker.
        cache: Folder of decoded clips; by default ``$MONDEGREEN_CACHE`` or ``~/.cache/mondegreen``.

    Returns:
        Data sets named ``train``, ``validation`` and ``test``.

    Raises:
        MondegreenError: The folder cannot be read as a corpus, lacks a label, or a part would be
            empty.
    """
    corpus = open_corpus(
        Path(folder),
        labels=classifier.labels,
        group_pattern=group_pattern,
        goals=goals_of(classifier),
    )
    parts = open_splits(
        corpus,
        split,
        sample_rate=classifier.sample_rate,
        clip_samples=classifier.clip_samples,
        cache_folder=None if cache is None else Path(cache),
    )
    return {str(name): data for name, data in parts.items()}


def train_generator(
    classifier: Classifier,
    clips: Mapping[str, ClipDataset],
    out: str | Path,
    *,
    targets: Sequence[str] = (),
    snr_db: float = 25.0,
    epochs: int | None = None,
    start_from: str | Path | None = None,
    preset: Preset = "cpu",
    network: NetworkKind | None = None,
    device: str = "cpu",
) -> Generator:
    """Train a generator against a classifier; the same call continues an interrupted training.

    Args:
        classifier: The frozen classifier; gradients have to reach its waveforms.
        clips: Data sets named ``train`` and ``validation``, as from :func:`open_clips`.
        out: The run's folder.
        targets: Labels to reach; by default all, by one network.
        snr_db: The signal-to-noise ratio to train for, in dB.
        epochs: Passes over the training clips; by default the preset's.
        start_from: A trained generator to go on from: its folder, or ``zoo:<name>``. Its
            architecture is taken over.
        preset: ``smoke``, ``demo``, ``cpu`` or ``paper``.
        network: ``spectral`` or ``unet``; by default the preset's.
        device: ``cpu`` or ``cuda``.

    Returns:
        The generator of the best epoch on the validation clips, frozen.

    Raises:
        MondegreenError: A part is missing, a target is unknown, the classifier has no gradients, or
            the folder holds another run.
    """
    from lightning_fabric import Fabric  # takes seconds

    keep_memory()
    for name in ("train", "validation"):
        if name not in clips:
            raise MondegreenError(f"train_generator needs clips[{name!r}]; see open_clips.")
    training = generator_training(preset, network)
    training = replace(training, epochs=training.epochs if epochs is None else epochs)
    schedule = training.budget or BudgetSchedule(
        start_db=snr_db, final_db=snr_db, ramp=0.0, spread_db=(0.0, 0.0)
    )
    training = replace(training, budget=replace(schedule, final_db=snr_db))
    start = None if start_from is None else load_generator(resolve(Path(start_from)))
    shape: NetworkConfig = start.config.network if start else generator_network(preset, network)
    config = describe_classifier(classifier, shape, tuple(targets), snr_db)
    asked = Training(config, training, None if start_from is None else str(start_from))
    augment = None
    if training.augment is not None:
        noise = NoiseBank((), classifier.sample_rate)
        augment = Augment(training.augment, classifier.sample_rate, noise, None)
    trainer = GeneratorTrainer(
        config,
        training,
        classifier=classifier,
        splits=dict(clips),
        unlabelled=None,
        augment=augment,
        run=Run(Path(out), asked),
        fabric=Fabric(accelerator=torch.device(device).type, devices=1),
    )
    if start is not None and trainer.state.step == 0:
        trainer.start_from(start)
    return trainer.fit().to(classifier.device)
