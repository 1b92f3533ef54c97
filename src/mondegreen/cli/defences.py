"""``mondegreen defences``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.defended import Defended
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.clips import data_of
from mondegreen.cli.loading import classifier_folder, open_named, shared_targets
from mondegreen.cli.options import Device, choose_device, join_repeated, parse, say
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import Cell, build_cells
from mondegreen.evaluation.channel_bench import ChannelOptions
from mondegreen.evaluation.defence_bench import measure_defences
from mondegreen.evaluation.defence_certificates import certificates
from mondegreen.evaluation.recipes import Entry, cross, without_repeats
from mondegreen.evaluation.shields import (
    Lessons,
    Shield,
    ShieldOptions,
    defence_shield,
    detector_shield,
)
from mondegreen.evaluation.sieges import EVERY, DefenceBench, Siege
from mondegreen.evaluation.specs import Sources
from mondegreen.files import read_json
from mondegreen.generators.generator import Generator
from mondegreen.report.defence_results import load_defences
from mondegreen.report.defence_tables import print_defences, write_defences
from mondegreen.runs import Run
from mondegreen.zoo import resolve

DEFENCES = (
    "quantize:bits=7",
    "smooth:samples=5",
    "median:samples=5",
    "resample:hz=6000",
    "bandpass:low_hz=100,high_hz=4000",
    "gate:db=50",
    "gaussian:sigma=0.005@16",
)
"""What is tried where nothing is named."""


@dataclass(frozen=True)
class Defences:
    """Options of ``defences``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the generator was trained on, divided alike."""
    out: Path
    """Folder for rows/, defences.json, table.md and figures; the same command continues there, and
    further attacks and budgets join what is finished."""
    measure: Annotated[ChannelOptions, tyro.conf.arg(name="")]
    make: Annotated[ShieldOptions, tyro.conf.arg(name="")]
    defence: tuple[str, ...] = DEFENCES
    """Channels as mondegreen channels takes them and, after @, how many votes a random one gets:
    median:samples=5, lowpass:hz=4000+quantize:bits=8, gaussian:sigma=0.005@16."""
    detector: tuple[str, ...] = ("consistency:quantize:bits=7", "residual")
    """consistency:CHANNEL compares what is heard before and after a channel; residual learns from
    what smoothing removes of training clips. Both reject what they suspect."""
    attacks: tuple[str, ...] = ("generator", "pgd:steps=20", "pgd:steps=20,kappa=1000")
    """Attacks that know nothing of a defence, as for mondegreen compare."""
    knowing: tuple[str, ...] = ("pgd:steps=20,kappa=1000,shaping=0",)
    """Attacks that search through each defence and each detector."""
    lessons: tuple[str, ...] = ("generator@snr:20", "generator@snr:25", "pgd:steps=10@snr:20")
    """Attacks with budgets whose clips, made of training clips, a detector that learns hears."""
    budgets: tuple[str, ...] = ("snr:20", "snr:25")
    """snr:DB, l2:EPS or linf:EPS; every attack meets every budget."""
    generator: Path = Path("zoo:speech-commands")
    """Run folder of the generator that knows no defence, or zoo:<name>."""
    retrained: tuple[Path, ...] = ()
    """Run folders of generators that were trained through defences (train generator --channel)."""
    classifier: Path | None = None
    """Run folder of the classifier; by default the one that the generator was trained against."""
    target: tuple[str, ...] = ()
    """Labels to reach; by default all that every generator knows."""
    certify: int = 50
    """Test clips for which a defence by Gaussian noise gets certificates; 0 none."""
    certify_draws: int = 400
    """Votes that each certificate counts."""
    on: Literal["validation", "test"] = "test"
    """Which split to measure on."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    json: bool = False
    """Print defences.json instead of tables."""


@dataclass(frozen=True)
class Rules:
    """What cannot change in a measurement's folder. Attacks and budgets may join."""

    data: DataOptions
    measure: ChannelOptions
    make: Annotated[ShieldOptions, tyro.conf.arg(name="")]
    defence: tuple[str, ...]
    detector: tuple[str, ...]
    lessons: tuple[str, ...]
    classifier: str
    target: tuple[str, ...]
    certify: tuple[int, int]
    on: str
    device: str


def run(words: Sequence[str]) -> None:
    """Parse the words, measure and report."""
    default = Defences(
        data=DataOptions(),
        out=Path("runs/defences"),
        measure=ChannelOptions(),
        make=ShieldOptions(),
    )
    for option in ("--defence", "--detector"):
        words = join_repeated(words, option)
    description = "Do defences and detectors hold against who knows them, and what do they cost?"
    execute(parse(Defences, words, "defences", description, default))


def execute(options: Defences) -> None:
    """Measure what is not measured yet; write and print tables, verdicts and figures."""
    place = resolve(options.generator)
    classifier = load_classifier(options.classifier or classifier_folder(place))
    if isinstance(classifier, Defended):
        raise MondegreenError("--classifier is defended already; name the one behind the defence.")
    classifier.to(choose_device(options.device))
    (plain,) = open_named([place], (), classifier).values()
    for one in options.retrained:
        _refuse_untaught(one)
    names = [one.name for one in options.retrained]
    retrained = open_named(options.retrained, names, classifier) if names else {}
    named = () if options.classifier is None else (options.classifier,)
    data = data_of(place, options.data, beside=(*options.retrained, *named))
    target = options.target or shared_targets([plain, *retrained.values()], classifier)
    rules = _rules(options, data, classifier, target)
    run = Run(options.out, rules)
    folder = run.folder
    attacks = build_cells(_entries(options, options.attacks), classifier, Sources(plain))
    bench = _bench(options, data, classifier, target, plain)
    sieges = plan(options, bench, attacks, retrained)
    proofs = certificates(bench, folder, options.certify, options.certify_draws)
    content = measure_defences(sieges, bench, folder, proofs, tell=say)
    found = load_defences(options.out / "defences.json")
    files = write_defences(options.out, found)
    if options.json:
        print(json.dumps(content, indent=2))
    else:
        print_defences(found)
    say(f"Written to {options.out}: defences.json, {', '.join(file.name for file in files)}")


def _refuse_untaught(place: Path) -> None:
    """Refuse a generator that met nothing between itself and the classifier while it learned."""
    path = resolve(place) / "config.json"
    saved = read_json(path) if path.is_file() else None
    if not (isinstance(saved, dict) and saved.get("channel")):
        raise MondegreenError(
            f"--retrained {place}: it was trained through no channel, so it knows no defence. Name "
            "the folder of a training with: mondegreen train generator --channel."
        )


def _entries(options: Defences, attacks: Sequence[str]) -> list[Entry]:
    return without_repeats(cross(list(attacks), list(options.budgets)))


def _rules(
    options: Defences, data: DataOptions, classifier: Classifier, target: tuple[str, ...]
) -> Rules:
    for label in target:
        classifier.label_index(label)
    return Rules(
        data=data,
        measure=options.measure,
        make=options.make,
        defence=options.defence,
        detector=options.detector,
        lessons=options.lessons,
        classifier=classifier.fingerprint(),
        target=target,
        certify=(options.certify, options.certify_draws),
        on=options.on,
        device=classifier.device.type,
    )


def _bench(
    options: Defences,
    data: DataOptions,
    classifier: Classifier,
    target: tuple[str, ...],
    plain: Generator,
) -> DefenceBench:
    """Open the clips, and make every defence and detector."""
    shape = (classifier.labels, classifier.sample_rate, classifier.clip_samples)
    shields = [defence_shield(text, classifier, options.make) for text in options.defence]
    if options.detector:
        teachers = build_cells(cross(list(options.lessons), []), classifier, Sources(plain))
        lessons = Lessons(
            train=open_test_split(data, *shape, "train"),
            validation=open_test_split(data, *shape, "validation"),
            attacks=[(cell.attack, cell.budget) for cell in teachers],
        )
        shields += [
            detector_shield(text, classifier, options.make, lessons) for text in options.detector
        ]
    return DefenceBench(
        classifier=classifier,
        shields=tuple(shields),
        data=open_test_split(data, *shape, options.on),
        split=options.on,
        split_kind=data.kind_of_split,
        options=options.measure,
        targets=target,
    )


def plan(
    options: Defences,
    bench: DefenceBench,
    attacks: Sequence[Cell],
    retrained: Mapping[str, Generator],
) -> list[Siege]:
    """Return the rows: who attacks, knowing what."""
    sieges = [Siege(cell, bench.classifier) for cell in attacks]
    for name, generator in retrained.items():
        entries = _entries(options, ["generator"])
        for cell in build_cells(entries, bench.classifier, Sources(generator)):
            label = f"retrained {name}"
            sieges.append(Siege(Cell(label, cell.attack, cell.budget), bench.classifier, EVERY))
    for shield in bench.shields:
        sieges += _knowing(options, shield)
    return sieges


def _knowing(options: Defences, shield: Shield) -> list[Siege]:
    cells = build_cells(_entries(options, options.knowing), shield.known, Sources())
    return [Siege(cell, shield.known, shield.name) for cell in cells]
