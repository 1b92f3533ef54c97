"""``mondegreen train classifier``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

import tyro

from mondegreen.audio import Normalization
from mondegreen.classifiers.accuracy import accuracy
from mondegreen.classifiers.backbones import BackboneConfig
from mondegreen.classifiers.classifier import ClassifierConfig
from mondegreen.classifiers.features import FrontEndConfig
from mondegreen.classifiers.loading import load_classifier
from mondegreen.classifiers.training import ClassifierTraining, train_classifier
from mondegreen.cli.options import (
    Device,
    Precision,
    choose_speed,
    parse,
    peek,
    say,
    shared_work,
    warn_of_unknown_speakers,
)
from mondegreen.configs import free
from mondegreen.data.augment import Augment
from mondegreen.data.options import DataOptions, Material, open_material
from mondegreen.errors import MondegreenError
from mondegreen.presets import (
    ClassifierKind,
    Preset,
    classifier_architecture,
    classifier_training,
    front_end_at,
)
from mondegreen.processes.follower import open_run
from mondegreen.processes.place import Place, ProcessOptions
from mondegreen.processes.starting import together
from mondegreen.runs import Run

SAMPLE_RATE = 16_000
CLIP_SAMPLES = 16_384


@dataclass(frozen=True)
class TrainClassifier:
    """Options of ``train classifier``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    out: Path
    """The run's folder; the same command continues there."""
    training: ClassifierTraining
    front_end: FrontEndConfig
    architecture: BackboneConfig
    preset: Preset = "cpu"
    """smoke, demo, cpu or paper: the defaults of every other option."""
    model: ClassifierKind | None = None
    """tc-resnet (small, trains on a CPU), wide-resnet (the paper's for speech) or sample-cnn (the
    paper's for music); by default the preset's."""
    sample_rate: int = SAMPLE_RATE
    """In Hz; clips of another rate are resampled. The frames of a log-mel front end last as long at
    every rate."""
    clip_samples: int | None = None
    """Samples in a clip; by default 16384 at 16 kHz, and as long at other rates."""
    normalization: Normalization = "pcm"
    """How 16-bit PCM becomes floats: x / 32768, or the paper's eq. 12."""
    tensorboard: bool = free(False)
    """Write losses, gradient norms and sounds for TensorBoard, too, to <out>/tensorboard (extra
    track); it changes nothing else, and may be given or left out when a run is continued."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    precision: Precision = "32-true"
    """Mixed precision pays on GPUs."""
    compile: bool = False
    """Compile the networks by torch.compile: the first steps take a minute or more, the others less
    on GPUs."""
    fast: bool = False
    """On a GPU, --precision bf16-mixed and --compile; on a CPU, where they seldom pay, neither."""
    processes: Annotated[ProcessOptions, tyro.conf.arg(name="")] = free(ProcessOptions())


def default(preset: Preset, model: ClassifierKind | None = None) -> TrainClassifier:
    """Return the options of a preset."""
    front_end, architecture = classifier_architecture(preset, model)
    return TrainClassifier(
        data=DataOptions(),
        out=Path("runs/classifier"),
        training=classifier_training(preset, model),
        front_end=front_end,
        architecture=architecture,
        preset=preset,
        model=model,
        normalization="paper" if preset == "paper" else "pcm",
    )


def run(words: Sequence[str]) -> None:
    """Parse the words and train."""
    preset = peek(words, "--preset", get_args(Preset)) or "cpu"
    description = "Train a classifier of labelled clips, to be attacked afterwards."
    model = peek(words, "--model", get_args(ClassifierKind))
    options = default(preset, model)  # type: ignore[arg-type]
    execute(parse(TrainClassifier, words, "train classifier", description, options))


def execute(options: TrainClassifier) -> None:
    """Train a classifier, or continue, or say that it is trained."""
    with shared_work(options.processes) as place:
        _train(options, place)


def _train(options: TrainClassifier, place: Place) -> None:
    rate = options.sample_rate
    samples = options.clip_samples or round(CLIP_SAMPLES * rate / SAMPLE_RATE)
    if min(rate, samples) < 1:
        raise MondegreenError("--sample-rate and --clip-samples have to be 1 or more.")
    material = open_material(options.data, None, rate, samples)
    warn_of_unknown_speakers(material.corpus)
    config = ClassifierConfig(
        labels=material.corpus.labels,
        front_end=front_end_at(options.front_end, rate),
        backbone=options.architecture,
        sample_rate=rate,
        clip_samples=samples,
        normalization=options.normalization,
    )
    folder = open_run(options.out, options, place, tensorboard=options.tensorboard)
    augment = Augment(options.training.augment, rate, material.noise, material.unlabelled)
    device, precision, compiled = choose_speed(options)
    with together(place, device.type, precision) as fabric:
        work = config, options.training, material.splits, augment, folder, fabric
        train_classifier(*work, compiled=compiled)
    if place.rank == 0:
        _tell(options, material, folder, place)


def _tell(options: TrainClassifier, material: Material, run: Run, place: Place) -> None:
    """Write and print what came out."""
    best = load_classifier(options.out)
    test = material.splits["test"]
    summary = {
        "validation/accuracy": accuracy(best, material.splits["validation"]),
        "test/accuracy": accuracy(best, test),
    }
    run.finish(summary | ({"processes": place.count} if place.count > 1 else {}))
    say(
        f"{best.name}: {best.parameter_count():,} parameters, "
        f"{100 * summary['test/accuracy']:.2f} % of {len(test)} test clips "
        f"({len(test.groups)} unseen groups) right. Saved in {options.out}."
    )
