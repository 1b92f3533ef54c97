"""``mondegreen train universal``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, get_args

import tyro

from mondegreen.attacks.universal import UniversalKind, describe_universal
from mondegreen.attacks.universal_training import UniversalTrainer, UniversalTraining
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.clips import data_of
from mondegreen.cli.options import Device, choose_device, parse, peek, say
from mondegreen.configs import free
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.runs import Run

UniversalPreset = Literal["smoke", "cpu"]


@dataclass(frozen=True)
class TrainUniversal:
    """Options of ``train universal``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the classifier was trained on. With or without, they are
    divided as in that training, unless --split says otherwise."""
    classifier: Path
    """Run folder of the classifier to attack, zoo:<name>, or a model such as my_model.py:build."""
    out: Path
    """The run's folder; the same command continues there."""
    training: UniversalTraining
    kind: UniversalKind = "perturbation"
    """perturbation: one waveform a target; filter: a linear filter and a waveform a target."""
    taps: int = 1024
    """Taps of each filter."""
    snr_db: float | None = None
    """Train for this signal-to-noise ratio, in place of --training.budget.final-db."""
    epochs: int | None = None
    """Passes over the training split, in place of --training.epochs."""
    preset: UniversalPreset = "cpu"
    """smoke or cpu: the defaults of --training."""
    tensorboard: bool = free(False)
    """Write losses, gradient norms and sounds for TensorBoard, too, to <out>/tensorboard (extra
    track); it changes nothing else, and may be given or left out when a run is continued."""
    device: Device = "auto"
    """auto, cpu or cuda."""


def default(preset: UniversalPreset) -> TrainUniversal:
    """Return the options of a preset."""
    smoke = UniversalTraining(epochs=2, batch_size=8)
    return TrainUniversal(
        data=DataOptions(),
        classifier=Path("runs/classifier"),
        out=Path("runs/universal"),
        training=smoke if preset == "smoke" else UniversalTraining(),
        preset=preset,
    )


def run(words: Sequence[str]) -> None:
    """Parse the words and train."""
    preset = peek(words, "--preset", get_args(UniversalPreset)) or "cpu"
    description = (
        "Train the generator's trivial rivals: one perturbation for all clips, or a filter."
    )
    options = default(preset)  # type: ignore[arg-type]
    execute(parse(TrainUniversal, words, "train universal", description, options))


def execute(options: TrainUniversal) -> None:
    """Train a universal perturbation or filter, or continue, or say that it is trained."""
    classifier = load_classifier(options.classifier)
    options = replace(options, data=data_of(options.classifier, options.data))
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    splits = {name: open_test_split(options.data, *shape, name) for name in ("train", "validation")}
    training = with_changes(options.training, options.snr_db, options.epochs)
    config = describe_universal(
        classifier, options.kind, training.budget.final_db, taps=options.taps
    )
    classifier.to(choose_device(options.device))
    folder = Run(options.out, options, tensorboard=options.tensorboard)
    trainer = UniversalTrainer(config, training, classifier=classifier, splits=splits, run=folder)
    success = trainer.fit()
    folder.finish({"validation/success": success, "epochs": trainer.epoch})
    say(
        f"universal {options.kind} for {len(classifier.labels)} targets: {100 * success:.1f} % "
        f"success on validation clips. Saved in {options.out}."
    )


def with_changes(
    training: UniversalTraining, snr_db: float | None, epochs: int | None
) -> UniversalTraining:
    """Return the training with its final budget and its length set, where they are given."""
    if snr_db is not None:
        training = replace(training, budget=replace(training.budget, final_db=snr_db))
    return training if epochs is None else replace(training, epochs=epochs)
