"""``mondegreen compare``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.clips import data_of
from mondegreen.cli.loading import (
    choose_budget,
    classifier_folder,
    generator_for,
    shared_targets,
)
from mondegreen.cli.options import Device, choose_device, parse, say
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.bench import Bench, CompareOptions
from mondegreen.evaluation.cells import build_cells
from mondegreen.evaluation.compare import compare, compare_share
from mondegreen.evaluation.recipes import Entry, RecipeName, cross, recipe, without_repeats
from mondegreen.evaluation.specs import Sources
from mondegreen.generators.generator import Generator
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.report.comparison_page import write_comparison_page
from mondegreen.report.comparison_results import load_comparison
from mondegreen.report.comparison_tables import print_comparison, write_comparison
from mondegreen.runs import Run
from mondegreen.zoo import resolve


@dataclass(frozen=True)
class Compare:
    """Options of ``compare``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the generator or, without one, the classifier was trained
    on. With or without, they are divided as in that training, unless --split says otherwise."""
    out: Path
    """Folder for cells/, comparison.json, pairs.csv, tables, figures and a page; the same command
    continues there, and further attacks and budgets join what is finished."""
    measure: Annotated[CompareOptions, tyro.conf.arg(name="")]
    attacks: tuple[str, ...] = ()
    """Such as generator, generator+3 (3 refining steps), generator:quietness=0.5, fgsm, bim,
    pgd:steps=20, mi-fgsm, apgd, cw, deepfool, genetic, pso, square, universal, filter, or your own
    as module:Class or module:Class:option=value. cw@none has a budget of its own."""
    budgets: tuple[str, ...] = ()
    """snr:DB, l2:EPS, linf:EPS or none; every attack meets every budget, but for those that have
    one of their own."""
    untargeted: bool = False
    """Any label but a clip's own is a success, for all attacks. Universal perturbations and filters
    cannot do that."""
    recipe: RecipeName | None = None
    """curves (attacks from 10 to 40 dB), pareto (refinement beside searches, step by step),
    black-box (attacks without gradients) or paper-table-1 (the paper's attacks at one ratio, and as
    they were published); --attacks and --budgets add to it."""
    generator: Path = Path("zoo:speech-commands")
    """Run folder of the generator, or zoo:<name> for one that comes with the package."""
    universal: Path | None = None
    """Run folder of the universal perturbations."""
    filter: Path | None = None
    """Run folder of the filters with perturbations."""
    classifier: Path | None = None
    """Run folder of the classifier, or a model such as my_model.py:build; by default the one that
    the generator was trained against."""
    transfer: bool = False
    """Allow a generator that was trained against another classifier."""
    target: tuple[str, ...] = ()
    """Labels to reach, by default all that the generator knows; with --untargeted those to get
    away from, by default all."""
    on: Literal["train", "validation", "test"] = "test"
    """Which split to measure on."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    json: bool = False
    """Print comparison.json instead of a table."""
    share: bool = False
    """Work together with other machines that run the same command on the same --out, on a disk that
    all see: each measures cells that nobody else is at. Afterwards the same command without
    --share measures what is missing, takes the times and writes the results."""


@dataclass(frozen=True)
class Rules:
    """What cannot change in a comparison's folder. Attacks and budgets may join."""

    data: DataOptions
    measure: CompareOptions
    classifier: str
    target: tuple[str, ...]
    untargeted: bool
    on: str
    device: str


def run(words: Sequence[str]) -> None:
    """Parse the words, compare and report."""
    default = Compare(data=DataOptions(), out=Path("runs/comparison"), measure=CompareOptions())
    description = "Compare attacks under the same budgets on the same clips, in one run."
    execute(parse(Compare, words, "compare", description, default))


def execute(options: Compare) -> None:
    """Measure what is not measured yet; write and print the tables and figures."""
    model = resolve(options.generator)
    heard_by = options.classifier or classifier_folder(model)
    classifier = load_classifier(heard_by)
    given = cross(list(options.attacks), list(options.budgets))
    named = recipe(options.recipe) if options.recipe else []
    needed = any(entry.spec.kind == "generator" for entry in [*named, *given])
    generator = generator_for(model, classifier, transfer=options.transfer) if needed else None
    entries = _entries(options, given, generator)
    device = choose_device(options.device)
    classifier.to(device)
    if generator is not None:
        generator.to(device)
    folders = {"universal": options.universal, "filter": options.filter}
    sources = Sources(generator, folders)
    cells = build_cells(entries, classifier, sources, untargeted=options.untargeted)
    trained = [place for place in (heard_by, *folders.values()) if place is not None]
    data = data_of(model if needed else heard_by, options.data, beside=trained)
    bench, rules = _bench(options, data, classifier, generator)
    run = Run(options.out, rules, shared=options.share)
    if options.share:
        left = compare_share(cells, bench, run.folder, tell=say)
        say(
            f"{len(cells) - left} of {len(cells)} cells are finished, others are at {left}. Once "
            "all are, the same command without --share writes the results."
        )
        return
    content = compare(cells, bench, run.folder, tell=say)
    found = load_comparison(options.out / "comparison.json")
    files = [*write_comparison(options.out, found), write_comparison_page(options.out)]
    if options.json:
        print(json.dumps(content, indent=2))
    else:
        print_comparison(found)
    say(f"Written to {options.out}: comparison.json, {', '.join(file.name for file in files)}")


def _entries(options: Compare, given: list[Entry], generator: Generator | None) -> list[Entry]:
    """Return the cells of the recipe and those named, or say what is missing."""
    unbounded = [text for text in options.attacks if "@" not in text]
    if bool(unbounded) != bool(options.budgets):
        raise MondegreenError("--attacks and --budgets go together: give both, or a --recipe.")
    if not (given or options.recipe):
        raise MondegreenError(
            "nothing to compare: give --recipe curves, or --attacks and --budgets, such as "
            "--attacks generator pgd:steps=20 --budgets snr:20 snr:30."
        )
    network = generator.config.network if generator is not None else None
    dial = isinstance(network, SpectralConfig) and network.dial
    entries: list[Entry] = []
    if options.recipe:
        entries = recipe(options.recipe, dial=dial, untargeted=options.untargeted)
    for entry in given:
        if entry.spec.kind == "generator" and generator is not None and entry.budget is None:
            choose_budget("none", generator)  # refuses where the generator needs a budget
    return without_repeats([*entries, *given])


def _bench(
    options: Compare, data: DataOptions, classifier: Classifier, generator: Generator | None
) -> tuple[Bench, Rules]:
    """Open the clips; return what all cells share, and what the folder must keep to."""
    known = shared_targets([generator], classifier) if generator is not None else ()
    targets = options.target or (() if options.untargeted else known)
    if set(targets) >= set(classifier.labels):
        targets = ()  # so that attacks without a generator may join the same folder
    shape = (classifier.labels, classifier.sample_rate, classifier.clip_samples)
    clips = open_test_split(data, *shape, options.on)
    bench = Bench(
        classifier=classifier,
        data=clips,
        split=options.on,
        split_kind=data.kind_of_split,
        options=options.measure,
        targets=targets,
        untargeted=options.untargeted,
        recipe=options.recipe,
    )
    rules = Rules(
        data=data,
        measure=options.measure,
        classifier=classifier.fingerprint(),
        target=targets,
        untargeted=options.untargeted,
        on=options.on,
        device=classifier.device.type,
    )
    return bench, rules
