"""``mondegreen harden``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from mondegreen.classifiers.accuracy import accuracy
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.loading import load_classifier, read_classifier_config
from mondegreen.classifiers.places import (
    defended_file,
    ensemble_file,
    find_checkpoint,
    goals_file,
)
from mondegreen.classifiers.sheet import Sheet, read_sheet
from mondegreen.classifiers.sources import is_source
from mondegreen.cli.clips import data_of
from mondegreen.cli.options import Device, choose_device, parse, say
from mondegreen.configs import free
from mondegreen.data.augment import Augment
from mondegreen.data.options import DataOptions, open_material
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import load_generator
from mondegreen.hardening.config import Hardening
from mondegreen.hardening.hearing_floor import raise_floor
from mondegreen.hardening.methods import build
from mondegreen.hardening.training import Hardener
from mondegreen.runs import Run


@dataclass(frozen=True)
class Harden:
    """Options of ``harden``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the classifier was trained on. With or without, they are
    divided as in that training, unless --split says otherwise."""
    classifier: Path
    """Run folder of the classifier to harden, also of an adopted one, or zoo:<name>; it is left as
    it is."""
    out: Path
    """The hardened classifier's run folder, which other commands take as --classifier; the same
    command continues there."""
    training: Annotated[Hardening, tyro.conf.arg(name="")]
    generator: Path | None = None
    """Run folder of a generator for the same labels, or zoo:<name>, for the methods generator and
    refined."""
    floor: float | None = None
    """First raise the floor under the log-mel spectrum of the classifier's front end to this power,
    such as 0.01, so that very faint sounds are not heard."""
    tensorboard: bool = free(False)
    """Write losses, gradient norms and sounds for TensorBoard, too, to <out>/tensorboard (extra
    track); it changes nothing else, and may be given or left out when a run is continued."""
    device: Device = "auto"
    """auto, cpu or cuda."""


def run(words: Sequence[str]) -> None:
    """Parse the words and harden."""
    default = Harden(
        data=DataOptions(),
        classifier=Path("runs/classifier"),
        out=Path("runs/hardened"),
        training=Hardening(),
    )
    description = "Train a classifier to withstand attacks, going on from its trained weights."
    execute(parse(Harden, words, "harden", description, default))


def execute(options: Harden) -> None:
    """Harden a classifier, or continue, or say that it is hardened."""
    config = _description(options.classifier)
    classifier = load_classifier(options.classifier).to(choose_device(options.device))
    training = options.training
    beside: tuple[Path, ...] = ()
    generator = None
    if options.generator is not None and training.needs_generator:
        generator = load_generator(options.generator).to(classifier.device)
        _refuse_other_labels(generator.config.labels, classifier.labels, options.generator)
        beside = (options.generator,)
    method = build(training, generator)
    options = replace(options, data=data_of(options.classifier, options.data, beside=beside))
    material = open_material(
        options.data, classifier.labels, classifier.sample_rate, classifier.clip_samples
    )
    classifier, config = _raise_floor(classifier, config, options.floor)
    folder = Run(options.out, options, tensorboard=options.tensorboard)
    augment = Augment(training.augment, classifier.sample_rate, material.noise, material.unlabelled)
    original = load_classifier(options.classifier).to(classifier.device)
    hardener = Hardener(
        classifier,
        config,
        method,
        training,
        splits=material.splits,
        augment=augment,
        run=folder,
        reference=original,
    )
    hardened = hardener.fit()
    test = material.splits["test"]
    selection, before = hardener.state.selection, hardener.before
    summary = {
        "before/validation/accuracy": before["accuracy"],
        "before/validation/robust": before["robust"],
        "validation/accuracy": selection.clean,
        "validation/robust": selection.robust,
        "test/accuracy": accuracy(hardened, test),
        "before/test/accuracy": accuracy(original, test),
        "within_limit": selection.within,
        "epoch": selection.epoch,
        "epochs": hardener.state.epoch,
        "cpu_seconds": hardener.state.cpu_seconds,
        "cpu_seconds_to_kept": hardener.seconds_to_kept(),
    }
    folder.finish(summary)
    _tell(options, hardener)


def _description(place: Path) -> ClassifierConfig | Sheet:
    """Return the description of a classifier that a hardened copy can be saved by.

    Raises:
        MondegreenError: It consists of others, or is a model that was not adopted.
    """
    if ensemble_file(place) is not None or defended_file(place) is not None:
        raise MondegreenError(f"{place} is made of other classifiers; harden these one by one.")
    if goals_file(place) is not None:
        raise MondegreenError(f"{place} is a tagger with goals, which have no right answer.")
    if is_source(place):
        raise MondegreenError(
            f"{place} is a model made elsewhere: adopt it first (mondegreen adopt), and harden the "
            "folder."
        )
    sheet = read_sheet(find_checkpoint(place, "classifier.json") / "classifier.json")
    return read_classifier_config(place) if sheet is None else sheet


def _raise_floor(
    classifier: Classifier, config: ClassifierConfig | Sheet, floor: float | None
) -> tuple[Classifier, ClassifierConfig | Sheet]:
    """Return the classifier that training begins with, and its description."""
    if floor is None:
        return classifier, config
    if isinstance(config, Sheet):
        raise MondegreenError(
            f"--floor: {classifier.name} was made elsewhere, and its front end is its own affair; "
            "leave the option out."
        )
    return raise_floor(classifier, config, floor)


def _refuse_other_labels(theirs: tuple[str, ...], ours: tuple[str, ...], where: Path) -> None:
    if theirs != ours:
        raise MondegreenError(
            f"{where} was trained for the labels {', '.join(theirs)}; this classifier knows "
            f"{', '.join(ours)}. Give a generator for the same labels in the same order."
        )


def _tell(options: Harden, hardener: Hardener) -> None:
    """Say what was reached on the validation clips, and whether the limit was kept."""
    training, kept, before = options.training, hardener.state.selection, hardener.before
    say(
        f"{training.method}: of the validation clips {100 * kept.clean:.1f} % are heard rightly "
        f"(before: {100 * before['accuracy']:.1f} %), and under attack at {training.select_db:g} "
        f"dB {100 * kept.robust:.1f} % (before: {100 * before['robust']:.1f} %). Epoch "
        f"{kept.epoch} is saved in {options.out}."
    )
    if not kept.within:
        say(
            f"warning: no epoch stayed within --max-loss {training.max_loss:g} points of clean "
            "accuracy; the one that lost least was kept. Train longer, with a lower --share or a "
            "higher --snr-db, or begin with a wider classifier."
        )
