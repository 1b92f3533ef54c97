"""``mondegreen channels``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mondegreen.channels import parse_channel
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.clips import data_of
from mondegreen.cli.loading import classifier_folder, open_named, shared_targets
from mondegreen.cli.options import Device, choose_device, join_repeated, parse, say
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import Cell, build_cells
from mondegreen.evaluation.channel_bench import ChannelBench, ChannelOptions, measure_channels
from mondegreen.evaluation.channels import Listening
from mondegreen.evaluation.recipes import Entry, cross, without_repeats
from mondegreen.evaluation.specs import Sources
from mondegreen.generators.generator import Generator
from mondegreen.report.channel_results import load_channels
from mondegreen.report.channel_tables import print_channels, write_channels
from mondegreen.runs import Run
from mondegreen.zoo import resolve

CHANNELS = (
    "phone-call",
    "mobile-call",
    "over-the-air",
    "mp3:kbps=64",
    "mp3:kbps=24",
    "opus:kbps=24",
    "aac:kbps=32",
    "quantize:bits=8",
    "lowpass:hz=4000",
    "noise:kind=pink,snr_db=20",
)
"""What is listened through where nothing is named."""


@dataclass(frozen=True)
class Channels:
    """Options of ``channels``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the first generator was trained on, divided alike."""
    out: Path
    """Folder for rows/, channels.json, table.md and the figure; the same command continues there,
    and further attacks and budgets join what is finished."""
    measure: Annotated[ChannelOptions, tyro.conf.arg(name="")]
    channel: tuple[str, ...] = CHANNELS
    """Names, with options after a colon, joined by + to chains: phone-call, mobile-call,
    over-the-air, mp3:kbps=64, lowpass:hz=4000+noise:snr_db=20. A name that there is none of tells
    all that there are."""
    attacks: tuple[str, ...] = ("generator", "pgd:steps=20")
    """As for mondegreen compare. pgd:steps=20,kappa=1000 does not stop at its first success, and
    pgd:steps=20,draws=4,channel=over-the-air searches through a channel. generator is made by each
    of the generators."""
    budgets: tuple[str, ...] = ("snr:25",)
    """snr:DB, l2:EPS or linf:EPS; every attack meets every budget."""
    untargeted: bool = False
    """Any label but a clip's own is a success."""
    generator: tuple[Path, ...] = (Path("zoo:speech-commands"),)
    """Run folders of generators against the same classifier, or zoo:<name>."""
    names: tuple[str, ...] = ()
    """Their names in tables, where there are several; by default those of their folders."""
    classifier: Path | None = None
    """Run folder of the classifier; by default the one that the first generator was trained
    against."""
    target: tuple[str, ...] = ()
    """Labels to reach; by default all that every generator knows."""
    on: Literal["train", "validation", "test"] = "test"
    """Which split to measure on."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    json: bool = False
    """Print channels.json instead of a table."""


@dataclass(frozen=True)
class Rules:
    """What cannot change in a measurement's folder. Attacks and budgets may join."""

    data: DataOptions
    measure: ChannelOptions
    channel: tuple[str, ...]
    classifier: str
    target: tuple[str, ...]
    untargeted: bool
    on: str
    device: str


def run(words: Sequence[str]) -> None:
    """Parse the words, measure and report."""
    default = Channels(data=DataOptions(), out=Path("runs/channels"), measure=ChannelOptions())
    description = "Does an attack survive the way to the classifier: codecs, filters, rooms?"
    execute(parse(Channels, join_repeated(words, "--channel"), "channels", description, default))


def execute(options: Channels) -> None:
    """Measure what is not measured yet; write and print the table and the figure."""
    channels = {text: parse_channel(text) for text in options.channel}
    entries = without_repeats(cross(list(options.attacks), list(options.budgets)))
    if not options.generator:
        raise MondegreenError("--generator is missing: it says which classifier and clips.")
    models = [resolve(place) for place in options.generator]
    classifier = load_classifier(options.classifier or classifier_folder(models[0]))
    classifier.to(choose_device(options.device))
    generators = open_named(models, options.names, classifier)
    cells = _cells(entries, generators, classifier, untargeted=options.untargeted)
    listening = Listening(channels, options.measure.seed)
    named = () if options.classifier is None else (options.classifier,)
    data = data_of(models[0], options.data, beside=(*models[1:], *named))
    bench, rules = _bench(options, data, classifier, generators, listening)
    run = Run(options.out, rules)
    content = measure_channels(cells, bench, run.folder, tell=say)
    found = load_channels(options.out / "channels.json")
    files = write_channels(options.out, found)
    if options.json:
        print(json.dumps(content, indent=2))
    else:
        print_channels(found)
    say(f"Written to {options.out}: channels.json, {', '.join(file.name for file in files)}")


def _cells(
    entries: Sequence[Entry],
    generators: dict[str, Generator],
    classifier: Classifier,
    *,
    untargeted: bool,
) -> list[Cell]:
    """Return the rows: every attack, and those that need a generator once for each of them."""
    cells = []
    for entry in entries:
        trained = entry.spec.kind == "generator"
        makers = generators if trained else {"": next(iter(generators.values()))}
        for name, generator in makers.items():
            (cell,) = build_cells([entry], classifier, Sources(generator), untargeted=untargeted)
            label = name + cell.label.removeprefix("generator") if trained else cell.label
            cells.append(Cell(label, cell.attack, cell.budget))
    return cells


def _bench(
    options: Channels,
    data: DataOptions,
    classifier: Classifier,
    generators: dict[str, Generator],
    listening: Listening,
) -> tuple[ChannelBench, Rules]:
    """Open the clips; return what all rows share, and what the folder must keep to."""
    targets = options.target
    if not (targets or options.untargeted):
        targets = shared_targets(generators.values(), classifier)
    for label in targets:
        classifier.label_index(label)
    shape = (classifier.labels, classifier.sample_rate, classifier.clip_samples)
    clips = open_test_split(data, *shape, options.on)
    bench = ChannelBench(
        classifier=classifier,
        data=clips,
        split=options.on,
        split_kind=data.kind_of_split,
        listening=listening,
        options=options.measure,
        targets=targets,
        untargeted=options.untargeted,
    )
    rules = Rules(
        data=data,
        measure=options.measure,
        channel=options.channel,
        classifier=classifier.fingerprint(),
        target=targets,
        untargeted=options.untargeted,
        on=options.on,
        device=classifier.device.type,
    )
    return bench, rules
