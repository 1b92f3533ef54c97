"""``mondegreen harden report``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.clips import data_of
from mondegreen.cli.options import Device, choose_device, parse, say
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.hardening_about import about_generator, about_training
from mondegreen.evaluation.hardening_bench import (
    HardeningBench,
    HardeningOptions,
    Subject,
    measure_hardening,
)
from mondegreen.generators.generator import Generator, load_generator
from mondegreen.report.hardening_results import load_hardening
from mondegreen.report.hardening_tables import print_hardening, write_hardening
from mondegreen.runs import Run
from mondegreen.zoo import resolve


@dataclass(frozen=True)
class HardenReport:
    """Options of ``harden report``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the first hardened classifier was trained on, divided
    alike."""
    out: Path
    """Folder for cells/, hardening.json, table.md and the figure; the same command continues there,
    and further classifiers may join what is finished."""
    measure: Annotated[HardeningOptions, tyro.conf.arg(name="")]
    classifiers: tuple[Path, ...] = ()
    """Run folders, or zoo:<name>: first the classifier before hardening, then those after."""
    names: tuple[str, ...] = ()
    """Their names in tables; by default before and the names of the folders."""
    generators: tuple[Path, ...] = ()
    """Run folders of generators, each trained against one of the classifiers after that was
    finished; each attacks the one that it was trained against."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    json: bool = False
    """Print hardening.json instead of the tables."""


@dataclass(frozen=True)
class Rules:
    """What cannot change in a measurement's folder. Classifiers may join."""

    data: DataOptions
    measure: HardeningOptions
    device: str


def run(words: Sequence[str]) -> None:
    """Parse the words, measure and report."""
    default = HardenReport(
        data=DataOptions(), out=Path("runs/hardening-report"), measure=HardeningOptions()
    )
    description = "Before and after hardening: fresh attacks on test clips, and a verdict."
    execute(parse(HardenReport, words, "harden report", description, default))


def execute(options: HardenReport) -> None:
    """Measure what is not measured yet; write and print the tables and the figure."""
    if len(options.classifiers) < 2:
        raise MondegreenError(
            "--classifiers needs two or more: the one before hardening, then those after."
        )
    subjects = _subjects(options)
    first, after = subjects[0].classifier, options.classifiers[1]
    data = data_of(after, options.data, beside=(*options.classifiers, *options.generators))
    clips = open_test_split(data, first.labels, first.sample_rate, first.clip_samples, "test")
    bench = HardeningBench(clips, "test", data.kind_of_split, options.measure)
    run = Run(options.out, Rules(data, options.measure, first.device.type))
    folder = run.folder
    content = measure_hardening(subjects, bench, folder, tell=say)
    found = load_hardening(folder / "hardening.json")
    files = write_hardening(folder, found)
    if options.json:
        print(json.dumps(content, indent=2))
    else:
        print_hardening(found)
    say(f"Written to {folder}: hardening.json, {', '.join(file.name for file in files)}")


def _subjects(options: HardenReport) -> list[Subject]:
    """Load every classifier with the generator that was trained against it."""
    places = options.classifiers
    names = options.names or ("before", *(resolve(place).resolve().name for place in places[1:]))
    if len(names) != len(places):
        raise MondegreenError(
            f"--names gives {', '.join(names)} to {len(places)} classifiers; give each its own."
        )
    for name in names:
        if not re.fullmatch(r"\w[\w.+= -]*", name):
            raise MondegreenError(
                f"--names {name!r} cannot name a folder; take letters, digits, points and dashes."
            )
    device = choose_device(options.device)
    generators = _generators(options.generators)
    subjects = []
    for name, place in zip(names, places, strict=True):
        classifier = load_classifier(place).to(device)
        generator, about = generators.pop(classifier.fingerprint(), (None, None))
        training = about_training(resolve(place))
        told = {"training": training, "generator": about}
        subjects.append(
            Subject(name, classifier, generator.to(device) if generator else None, told)
        )
    if generators:
        left = ", ".join(about["folder"] for _, about in generators.values())
        raise MondegreenError(f"--generators: {left} was trained against none of the classifiers.")
    return subjects


def _generators(places: Sequence[Path]) -> dict[str, tuple[Generator, dict[str, Any]]]:
    """Return the generators by the fingerprint of the classifier that they attack."""
    found: dict[str, tuple[Generator, dict[str, Any]]] = {}
    for place in places:
        generator = load_generator(place)
        fingerprint = generator.config.classifier_fingerprint
        if fingerprint in found:
            raise MondegreenError(
                f"--generators: {found[fingerprint][1]['folder']} and {place} attack the same "
                "classifier; give one for each."
            )
        about = {
            "folder": str(place),
            "fingerprint": generator.fingerprint(),
            **about_generator(resolve(place)),
        }
        found[fingerprint] = (generator, about)
    return found
