"""``mondegreen transfer``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mondegreen.budgets import parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.clips import data_of
from mondegreen.cli.options import Device, choose_device, parse, say
from mondegreen.cli.transfer_sources import TrainedGenerator, attack_sources, open_generators
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.transfer import transfer
from mondegreen.evaluation.transfer_sources import (
    Column,
    TransferBench,
    TransferOptions,
    asked_of,
    refuse_unlike,
)
from mondegreen.report.transfer_results import load_transfer
from mondegreen.report.transfer_tables import print_transfer, write_transfer
from mondegreen.runs import Run
from mondegreen.zoo import resolve


@dataclass(frozen=True)
class Transfer:
    """Options of ``transfer``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the first classifier was trained on. With or without, they are
    divided as in that training, unless --split says otherwise."""
    out: Path
    """Folder for rows/, transfer.json, pairs.csv, tables and figure; the same command continues
    there, and further attacks and generators join what is finished."""
    measure: Annotated[TransferOptions, tyro.conf.arg(name="")]
    classifiers: tuple[Path, ...] = ()
    """Run folders of the classifiers, or zoo:<name>; each hears the clips of every row."""
    names: tuple[str, ...] = ()
    """Their names in tables; by default those of their networks, or of their folders."""
    attacks: tuple[str, ...] = ()
    """Such as pgd:steps=20,kappa=1000 (which does not stop at its own success, and so carries
    further) or my_module:MyAttack, made against each of the classifiers. generator, generator+3 and
    the like are made by each of the generators."""
    leave_one_out: bool = False
    """Make the attacks against all classifiers but one together, too, for each one left out."""
    generators: tuple[Path, ...] = ()
    """Run folders of generators, or zoo:<name>, whatever they were trained against."""
    generator_names: tuple[str, ...] = ()
    """Their names in tables; by default those of their folders."""
    budget: str = "snr:20"
    """snr:DB, l2:EPS or linf:EPS, the same for all."""
    target: tuple[str, ...] = ()
    """Labels to reach; by default all that every generator knows."""
    on: Literal["train", "validation", "test"] = "test"
    """Which split to measure on."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    json: bool = False
    """Print transfer.json instead of a table."""


@dataclass(frozen=True)
class Rules:
    """What cannot change in a transfer's folder. Attacks and generators may join."""

    data: DataOptions
    measure: TransferOptions
    classifiers: tuple[str, ...]
    names: tuple[str, ...]
    budget: str
    target: tuple[str, ...]
    on: str
    device: str


def run(words: Sequence[str]) -> None:
    """Parse the words, measure and report."""
    default = Transfer(data=DataOptions(), out=Path("runs/transfer"), measure=TransferOptions())
    description = "Make adversarial clips against one classifier and let others hear them."
    execute(parse(Transfer, words, "transfer", description, default))


def execute(options: Transfer) -> None:
    """Measure what is not measured yet; write and print the table and the figure."""
    columns = _columns(options)
    generators = open_generators(options.generators, options.generator_names, columns)
    sources = attack_sources(options.attacks, columns, generators, options.leave_one_out)
    device = choose_device(options.device)
    for classifier in [one.classifier for one in columns] + [one.classifier for one in sources]:
        classifier.to(device)
    for trained in generators:
        trained.generator.to(device)
    bench, rules = _bench(options, columns, generators)
    run = Run(options.out, rules)
    content = transfer(sources, bench, run.folder, tell=say)
    found = load_transfer(options.out / "transfer.json")
    files = write_transfer(options.out, found)
    if options.json:
        print(json.dumps(content, indent=2))
    else:
        print_transfer(found)
    say(f"Written to {options.out}: transfer.json, {', '.join(file.name for file in files)}")


def _columns(options: Transfer) -> tuple[Column, ...]:
    """Return the classifiers with their names."""
    loaded = [load_classifier(place) for place in options.classifiers]
    names = list(options.names) or [classifier.name for classifier in loaded]
    if not options.names and len(set(names)) < len(names):
        names = [resolve(place).name for place in options.classifiers]
    if len(names) != len(loaded):
        raise MondegreenError(
            f"--names gives {len(names)} names to {len(loaded)} classifiers; give one to each."
        )
    columns = tuple(
        Column(name, one, asked_of(one)) for name, one in zip(names, loaded, strict=True)
    )
    refuse_unlike(columns)
    return columns


def _bench(
    options: Transfer, columns: tuple[Column, ...], generators: Sequence[TrainedGenerator]
) -> tuple[TransferBench, Rules]:
    """Open the clips; return what all rows share, and what the folder must keep to."""
    first = columns[0].classifier
    first_place, *others = options.classifiers
    data = data_of(first_place, options.data, beside=(*others, *options.generators))
    clips = open_test_split(data, first.labels, first.sample_rate, first.clip_samples, options.on)
    targets = _targets(options, first, generators)
    budget = parse_budget(options.budget)
    bench = TransferBench(
        columns, clips, options.on, data.kind_of_split, budget, options.measure, targets
    )
    rules = Rules(
        data=data,
        measure=options.measure,
        classifiers=tuple(column.classifier.fingerprint() for column in columns),
        names=tuple(column.name for column in columns),
        budget=str(budget),
        target=targets,
        on=options.on,
        device=first.device.type,
    )
    return bench, rules


def _targets(
    options: Transfer, classifier: Classifier, generators: Sequence[TrainedGenerator]
) -> tuple[str, ...]:
    """Return the labels to reach, which every generator has to know."""
    known = [one.generator.config.targets for one in generators]
    shared = tuple(name for name in classifier.labels if all(name in each for each in known))
    for label in options.target:
        classifier.label_index(label)
        if label not in shared:
            raise MondegreenError(f"--target {label}: not every generator was trained for it.")
    if not shared:
        raise MondegreenError("these generators share no target; leave one of them out.")
    return options.target or shared
