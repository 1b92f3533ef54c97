"""``mondegreen audit``: how easily is a classifier fooled, in the minutes that there are?"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import tyro

from mondegreen.audit.gather import Subject, gather
from mondegreen.audit.plan import Audited, Words, stages
from mondegreen.audit.sizes import Amounts, Sizes, choose_sizes
from mondegreen.audit.speed import BATCH, Speed, measure_speed
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.loading import load_classifier
from mondegreen.classifiers.sources.opening import find_source
from mondegreen.cli import adopt
from mondegreen.cli.clips import data_of, data_words
from mondegreen.cli.options import Device, choose_device, parse, say
from mondegreen.configs import from_dict
from mondegreen.data.options import DataOptions, Material, open_material
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.evaluate import all_pairs
from mondegreen.files import read_json, write_json
from mondegreen.fitting import at_once
from mondegreen.generators.generator import NetworkConfig, load_generator
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.presets import Preset, generator_network, network_at
from mondegreen.report.audit.page import write_audit
from mondegreen.report.audit.results import load_audit
from mondegreen.report.audit.terminal import print_audit
from mondegreen.runs import Run
from mondegreen.stages.runner import run_stages
from mondegreen.stages.stage import FAILED, Outcome
from mondegreen.zoo import resolve

ZOO = "zoo:speech-commands"
MOST_TARGETS = 10
"""Of a model with more labels, so many are drawn as targets where none are named."""
SHORT_MINUTES = 20
"""In less, a smaller generator gets further."""


@dataclass(frozen=True)
class Audit:
    """Options of ``audit``."""

    model: Annotated[str, tyro.conf.Positional]
    """The classifier: a run's folder, zoo:<name>, or a model made elsewhere, as mondegreen adopt
    takes it: my_model.py:build, a file of TorchScript, torch.export or ONNX, an address, hf:NAME.
    --labels are its labels, in the order of its answers."""
    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the classifier was trained on. With or without, they are
    divided as in that training, unless --split says otherwise."""
    about: Annotated[ModelOptions, tyro.conf.arg(name="")]
    out: Path = Path("runs/audit")
    """Folder of the audit; the same command continues there."""
    minutes: float = 10.0
    """About how long it may take; more minutes train a better generator and measure more clips."""
    target: tuple[str, ...] = ()
    """Labels to reach; by default all, and of more than ten labels ten that are drawn."""
    start_from: str | None = None
    """Generator to go on from, a run's folder or zoo:<name>; scratch for none. By default the one
    that comes with the package, where it fits: ten targets at 16 kHz."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    seed: int = 1024
    """Draws the targets."""
    jobs: int = 0
    """Stages at once; they share the cores. 0: two where there are two cores and no GPU."""

    def __post_init__(self) -> None:
        """Refuse a time in which nothing can be measured."""
        if not 0.0 < self.minutes <= 10_000.0:
            raise MondegreenError(f"--minutes is {self.minutes:g}; give a number above 0.")
        if self.jobs < 0 or self.seed < 0:
            raise MondegreenError("--jobs and --seed must be 0 or more.")


@dataclass(frozen=True)
class Rules:
    """What cannot change in an audit's folder."""

    model: str
    data: DataOptions
    about: ModelOptions
    target: tuple[str, ...]
    start_from: str | None
    minutes: float
    device: Device
    seed: int


@dataclass(frozen=True)
class Plan:
    """What was found and decided at the start, so that a continued audit keeps to it."""

    classifier: str
    """Fingerprint."""
    speed: Speed
    sizes: Sizes


def run(words: Sequence[str]) -> None:
    """Parse the words and audit."""
    description = (
        "Train a generator against a classifier, search with and without its gradients, and tell "
        "in plain words how easily it is fooled, within about so many minutes."
    )
    default = Audit(model=tyro.MISSING, data=DataOptions(), about=ModelOptions())
    execute(parse(Audit, words, "audit", description, default))


def execute(options: Audit) -> None:
    """Run every stage that is not finished; write, and print, what was found."""
    device = choose_device(options.device)
    rules = {one.name: getattr(options, one.name) for one in fields(Rules)}
    run = Run(options.out, Rules(**rules))  # nobody else works in the folder as long as it lives
    folder = run.folder
    place = _place(options)
    classifier = load_classifier(place)
    data = data_of(Path(place), options.data)
    targets = _targets(options, classifier)
    start = _start(options, classifier, targets)
    preset: Preset = "demo" if options.minutes < SHORT_MINUTES else "cpu"
    shape = (classifier.labels, classifier.sample_rate, classifier.clip_samples)
    material = open_material(data, *shape)
    jobs = options.jobs or (2 if device.type == "cpu" and (os.cpu_count() or 1) > 1 else 1)
    network = None
    if classifier.differentiable:
        network = _network(start, preset, classifier.sample_rate)
    classifier.to(device)
    plan = _plan(folder, classifier, network, material, targets, options.minutes, jobs)
    classifier.cpu()
    audited = Audited(
        out=options.out,
        classifier=place,
        data=data_words(data),
        targets=() if set(targets) >= set(classifier.labels) else targets,
        device=device.type,
        network=(*_network_words(start, preset), *_batch_words(classifier.clip_samples)),
    )
    every = stages(audited, plan.sizes)
    _tell_plan(plan, jobs)
    outcomes = run_stages(every, folder, jobs=jobs, tell=say)
    subject = Subject(classifier, options.model, options.minutes, plan.speed, plan.sizes)
    gather(folder, subject, every, outcomes)
    page = write_audit(folder)
    print_audit(load_audit(folder / "audit.json"))
    say(f"Everything measured: {folder / 'audit.json'}\nReport: {page}")
    _refuse_failures(outcomes)


def _place(options: Audit) -> str:
    """Return what --classifier takes: the model, or the folder that a foreign one is adopted in."""
    if find_source(options.model) is None:
        return options.model
    folder = options.out / "model"
    if not (folder / "classifier.json").is_file():
        adopt.execute(
            adopt.Adopt(model=options.model, data=options.data, options=options.about, out=folder)
        )
    return str(folder)


def _targets(options: Audit, classifier: Classifier) -> tuple[str, ...]:
    """Return the labels to reach."""
    for target in options.target:
        classifier.label_index(target)
    if options.target or len(classifier.labels) <= MOST_TARGETS:
        return options.target or classifier.labels
    drawn = random.Random(options.seed).sample(classifier.labels, MOST_TARGETS)
    say(f"note: {MOST_TARGETS} of {len(classifier.labels)} labels are targets: {', '.join(drawn)}")
    return tuple(drawn)


def _start(options: Audit, classifier: Classifier, targets: tuple[str, ...]) -> str | None:
    """Return the generator to go on from, None for random weights."""
    if options.start_from == "scratch" or not classifier.differentiable:
        return None
    if options.start_from is not None:
        return options.start_from
    known = load_generator(resolve(Path(ZOO))).config
    fits = len(known.targets) == len(targets) and known.sample_rate == classifier.sample_rate
    return ZOO if fits else None


def _network(start: str | None, preset: Preset, sample_rate: int) -> NetworkConfig:
    """Return the generator's network, as the training will have it."""
    if start is not None:
        return load_generator(resolve(Path(start))).config.network
    network = generator_network(preset, "spectral")
    assert isinstance(network, SpectralConfig), "asked for"
    return network_at(replace(network, dial=False), sample_rate)


def _network_words(start: str | None, preset: Preset) -> Words:
    """Return the options of the generator's training."""
    hearing = ("--training.weights.hearing", "0")
    if start is None:
        return ("--preset", preset, *hearing, "--architecture.no-dial")
    begun = ("--training.budget.start-db", "25", "--training.budget.ramp", "0")
    return ("--preset", "cpu", "--start-from", start, *hearing, *begun)


def _batch_words(clip_samples: int) -> Words:
    """Return the option for a smaller batch, where clips are so long that one takes much memory."""
    size = at_once(BATCH, clip_samples)
    return ("--training.batch-size", str(size)) if size < BATCH else ()


def _plan(
    folder: Path,
    classifier: Classifier,
    network: NetworkConfig | None,
    material: Material,
    targets: tuple[str, ...],
    minutes: float,
    jobs: int,
) -> Plan:
    """Return how much is measured: as decided before, or decide now."""
    path = folder / "plan.json"
    if path.is_file():
        plan = from_dict(Plan, read_json(path), str(path))
        if plan.classifier != classifier.fingerprint():
            raise MondegreenError(
                f"{folder} was begun with other weights. Delete it or choose another --out."
            )
        return plan
    threads = max(1, (os.cpu_count() or 1) // jobs)
    speed = measure_speed(classifier, network, threads)
    test = material.splits["test"]
    amounts = Amounts(
        train_clips=len(material.splits["train"]),
        validation_clips=len(material.splits["validation"]),
        labelled=BATCH // 2 if material.unlabelled is not None else BATCH,
        pairs=len(all_pairs(classifier, test, targets)),
        clips=len(test),
    )
    plan = Plan(
        classifier.fingerprint(), speed, choose_sizes(speed, amounts, minutes, together=jobs > 1)
    )
    write_json(path, asdict(plan))
    return plan


def _tell_plan(plan: Plan, jobs: int) -> None:
    sizes = plan.sizes
    whole = sizes.seconds.alone() if jobs == 1 else sizes.seconds.together()
    trained = f"{sizes.epochs} epochs of training, " if sizes.epochs else ""
    say(
        f"plan: {trained}{sizes.pairs} pairs with gradients, {sizes.blind_pairs} without, at most "
        f"{sizes.queries} queries a clip; about {max(1.0, whole / 60):.0f} min"
    )
    for note in sizes.notes:
        say(f"note: more than the time allows: {note}")


def _refuse_failures(outcomes: dict[str, Outcome]) -> None:
    failed = [name for name, outcome in outcomes.items() if outcome.state == FAILED]
    if failed:
        raise MondegreenError(
            f"{len(failed)} of {len(outcomes)} stages failed. {failed[0]}: "
            f"{outcomes[failed[0]].reason}. The same command tries them again."
        )
