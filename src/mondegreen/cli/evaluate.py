"""``mondegreen evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.budgets import Budget
from mondegreen.channels import parse_channel
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.clips import data_of, of_labels
from mondegreen.cli.loading import (
    choose_budget,
    classifier_folder,
    generator_for,
    shared_targets,
)
from mondegreen.cli.options import Device, choose_device, join_repeated, parse, say, shared_work
from mondegreen.configs import free
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.channels import Listening
from mondegreen.evaluation.evaluate import EvaluationOptions, all_pairs, evaluate, pairs_of
from mondegreen.evaluation.partial import Partial
from mondegreen.evaluation.results import (
    Setting,
    measure_own,
    measure_quality,
    write_evaluation,
)
from mondegreen.files import read_json
from mondegreen.generators.generator import Generator
from mondegreen.metrics.own import load_metrics
from mondegreen.processes.follower import open_run
from mondegreen.processes.group import Processes
from mondegreen.processes.place import Place, ProcessOptions
from mondegreen.processes.starting import shared
from mondegreen.report.page import write_figures, write_report
from mondegreen.report.results import load_results
from mondegreen.report.terminal import print_results
from mondegreen.zoo import resolve

BATCHES = "batches.part"
"""Folder of the batches that are finished while the others are not."""


@dataclass(frozen=True)
class Evaluate:
    """Options of ``evaluate``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the generator was trained on. With or without, they are
    divided as in that training, unless --split says otherwise."""
    generator: Path
    """Run folder of the generator, or zoo:<name> for one that comes with the package."""
    out: Path
    """Folder for results.json, pairs.csv, samples, figures and report.html."""
    measure: Annotated[EvaluationOptions, tyro.conf.arg(name="")]
    classifier: Path | None = None
    """Run folder of the classifier, or a model such as my_model.py:build; by default the one that
    the generator was trained against."""
    transfer: bool = False
    """Allow a generator that was trained against another classifier: measure what carries over.
    With a classifier that gives no gradients this goes without saying."""
    budget: str | None = None
    """snr:DB, l2:EPS, linf:EPS or none; by default the budget that it was trained for."""
    refine: int = 0
    """Gradient steps that follow the generator's proposal, each kept within the budget."""
    quietness: float = 0.0
    """0 to 1: how inaudible to be beyond the budget, for generators trained for it."""
    target: tuple[str, ...] = ()
    """Labels to reach; by default all that the generator knows."""
    source: tuple[str, ...] = ()
    """Attack only clips of these labels; by default all."""
    channel: tuple[str, ...] = ()
    """Hear the same clips through channels, too: names as mondegreen channels takes them, such as
    phone-call over-the-air mp3:kbps=64+noise:snr_db=30. The attack does not know them."""
    metric: tuple[str, ...] = ()
    """Measures of your own, as module:function from (x, x_adv, sample_rate) to one number a clip.
    They are computed for the same pairs as PESQ."""
    on: Literal["train", "validation", "test"] = "test"
    """Which split to measure on."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    report: bool = True
    """Write the figures and the page, besides the results."""
    processes: Annotated[ProcessOptions, tyro.conf.arg(name="")] = free(ProcessOptions())


def run(words: Sequence[str]) -> None:
    """Parse the words, measure and report."""
    default = Evaluate(
        data=DataOptions(),
        generator=Path("runs/generator"),
        out=Path("runs/evaluation"),
        measure=EvaluationOptions(),
    )
    description = "Measure success, signal-to-noise ratio, PESQ, STOI and time over a split."
    words = join_repeated(join_repeated(words, "--channel"), "--metric")
    execute(parse(Evaluate, words, "evaluate", description, default))


def execute(options: Evaluate) -> None:
    """Measure, unless the same was measured already; write and print the results."""
    with shared_work(options.processes) as place:
        _execute(options, place)


def _execute(options: Evaluate, place: Place) -> None:
    channels = {text: parse_channel(text) for text in options.channel}
    load_metrics(options.metric)  # before anything takes time
    model = resolve(options.generator)
    heard_by = options.classifier or classifier_folder(model)
    classifier = load_classifier(heard_by)
    generator = generator_for(model, classifier, transfer=options.transfer)
    budget = choose_budget(options.budget, generator)
    options = replace(options, data=data_of(model, options.data, beside=(heard_by,)))
    asked = replace(options, report=True)  # a page may be added later
    run = open_run(options.out, asked, place)
    folder = run.folder
    path = folder / "results.json"
    with shared(place, choose_device(options.device).type) as processes:
        if not processes.from_first(path.is_file):
            listening = Listening(channels, options.measure.seed)
            _measure(options, classifier, generator, budget, listening, processes)
        elif processes.first:
            _refuse_stale(path, classifier, generator)
            Partial(folder / BATCHES, {}).remove()  # it was killed between the results and this
    if not processes.first:
        return
    if options.report:
        write_figures(folder)
        page = write_report(folder)
    print_results(load_results(path))
    say(f"Results: {path}" + (f"\nReport:  {page}" if options.report else ""))


def _refuse_stale(path: Path, classifier: Classifier, generator: Generator) -> None:
    """Refuse results of networks that were trained anew in the same folders."""
    content = read_json(path)
    found = [
        content[part].get("fingerprint") if isinstance(content.get(part), dict) else None
        for part in ("classifier", "attack")
    ]
    if found != [classifier.fingerprint(), generator.fingerprint()]:
        raise MondegreenError(
            f"{path} was measured with other weights. Delete {path.parent} or choose another --out."
        )


def _measure(
    options: Evaluate,
    classifier: Classifier,
    generator: Generator,
    budget: Budget | None,
    listening: Listening,
    processes: Processes,
) -> None:
    data = open_test_split(
        options.data,
        classifier.labels,
        classifier.sample_rate,
        classifier.clip_samples,
        options.on,
    )
    data = of_labels(data, classifier, options.source)
    device = choose_device(options.device)
    classifier.to(device)
    generator.to(device)
    attack = GeneratorAttack(
        generator=generator, refine=options.refine, quietness=options.quietness
    )
    targets = options.target or shared_targets([generator], classifier)
    pairs = pairs_of(options.measure, all_pairs(classifier, data, targets))
    settings = {
        "classifier": classifier.fingerprint(),
        "generator": generator.fingerprint(),
        "budget": str(budget),
        "pairs": pairs.fingerprint(data.names(), classifier.labels),
    }
    batches = _begun(options.out, settings) if processes.first else None
    found = evaluate(
        attack,
        classifier,
        data,
        budget=budget,
        options=options.measure,
        pairs=pairs,
        partial=batches,
        listening=listening,
        processes=processes,
    )
    if batches is None:
        return
    listened = options.measure.quality_pairs != 0
    measure_own(found, load_metrics(options.metric), classifier.sample_rate)
    reason = measure_quality(found, classifier.sample_rate) if listened else "not asked for"
    kind, seed = options.data.kind_of_split, options.measure.seed
    setting = Setting(attack, classifier, data, budget, options.on, kind, seed)
    write_evaluation(options.out, found, setting, reason, options.measure.samples)
    batches.remove()


def _begun(out: Path, settings: dict[str, Any]) -> Partial:
    """Return the batches that are finished, unless they were made with something else."""
    batches = Partial(out / BATCHES, settings)
    if batches.found() not in (None, settings):
        raise MondegreenError(
            f"{batches.folder} was begun with other weights or clips. Delete {out} or "
            "choose another --out."
        )
    if len(batches):
        say(f"goes on after batch {len(batches)}")
    return batches
