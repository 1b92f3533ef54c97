"""Classifiers before and after hardening, under the same attacks on the same clips."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.attacks.square import SquareAttack
from mondegreen.budgets import SNR
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import Cell, finished, partial, save
from mondegreen.evaluation.evaluate import EvaluationOptions, all_pairs, evaluate
from mondegreen.evaluation.hardening_checks import UNBOUNDED_DB, Rates, checks, loss_along_steps
from mondegreen.evaluation.pairs import Pairs, draw_pairs
from mondegreen.evaluation.results import (
    describe_classifier,
    describe_data,
    goal,
    outcome,
    spending,
)
from mondegreen.files import write_json
from mondegreen.generators.generator import Generator
from mondegreen.metrics.success import bootstrap_interval
from mondegreen.runs import command_line, environment

FORMAT = 1

KEPT = (
    "label",
    "attack",
    "budget",
    "pairs",
    "success_rate",
    "success_interval",
    "gradients_per_clip",
    "queries_per_clip",
    "duration_seconds",
)
"""Fields of a cell's file that ``hardening.json`` holds."""


@dataclass(frozen=True)
class HardeningOptions:
    """How much is measured; the same for every classifier."""

    snr_db: tuple[float, ...] = (20.0, 25.0, 30.0, 35.0, 40.0)
    """Signal-to-noise ratios of the attacks, in dB."""
    pairs: int = 200
    """Clips for the untargeted attacks, and pairs of a clip and a target for the targeted ones,
    drawn evenly over source and target; -1 all."""
    steps: int = 50
    """Gradient steps of projected gradient descent."""
    restarts: int = 3
    """Its runs where gradient masking is checked."""
    queries: int = 500
    """Queries a clip of the square attack."""
    square_pairs: int = 60
    """Clips for the square attack, drawn from those, spread over the labels."""
    check_db: float = 30.0
    """Signal-to-noise ratio at which gradient masking is checked; one of --snr-db."""
    batch_size: int = 64
    """Clips attacked at once. What is interrupted continues after the last finished batch."""
    seed: int = 1024
    """Seeds every draw."""

    def __post_init__(self) -> None:
        """Refuse numbers that nothing can be measured with."""
        counts = (self.steps, self.restarts, self.queries, self.square_pairs, self.batch_size)
        if min(counts) < 1 or self.pairs == 0 or self.seed < 0:
            raise MondegreenError(
                "steps, restarts, queries, square-pairs and batch-size must be 1 or more, seed 0 "
                "or more, pairs not 0."
            )
        if self.check_db not in self.snr_db or len(set(self.snr_db)) < len(self.snr_db):
            raise MondegreenError(
                f"--check-db is {self.check_db:g}; it must be one of --snr-db, each given once."
            )


@dataclass(frozen=True)
class Subject:
    """A classifier, and what is known of it."""

    name: str
    classifier: Classifier
    generator: Generator | None
    """One that was trained against it and took no part in its training."""
    about: dict[str, Any]
    """How it and its generator were trained."""


@dataclass(frozen=True)
class HardeningBench:
    """What all classifiers have in common."""

    data: ClipDataset
    split: str
    split_kind: str
    options: HardeningOptions

    def draw(self, classifier: Classifier, *, untargeted: bool) -> Pairs:
        """Return the pairs, the same for all classifiers of the same labels."""
        available = all_pairs(classifier, self.data, untargeted=untargeted)
        random = np.random.default_rng(self.options.seed)
        return draw_pairs(available, self.options.pairs, random)

    def few(self, pairs: Pairs) -> Pairs:
        """Return those for the square attack, spread over the labels."""
        random = np.random.default_rng(self.options.seed)
        return draw_pairs(pairs, self.options.square_pairs, random)


def measure_hardening(
    subjects: Sequence[Subject],
    bench: HardeningBench,
    folder: Path,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Measure what is not measured yet and write ``hardening.json``.

    Args:
        subjects: The classifiers; the first is the one before hardening.
        bench: Clips and rules.
        folder: Holds ``cells/``, a file for each attack on each classifier, and the result.
        tell: Gets a line for every classifier that is finished.

    Returns:
        The content of ``hardening.json``.

    Raises:
        MondegreenError: There are not two classifiers of the same labels, two have one name, or
            one was measured with other settings.
    """
    names = [one.name for one in subjects]
    if len(subjects) < 2 or len(set(names)) < len(names):
        raise MondegreenError("a before and an after are needed, each with a name of its own.")
    for one in subjects[1:]:
        if one.classifier.labels != subjects[0].classifier.labels:
            raise MondegreenError(f"{one.name} and {names[0]} know other labels.")
    measured = []
    for one in subjects:
        measured.append(_measure(one, bench, folder / "cells" / one.name))
        tell(f"{len(measured)} of {len(subjects)}: {one.name}")
    content = {
        "format": FORMAT,
        "dataset": describe_data(bench.data, bench.split, bench.split_kind),
        "check_db": bench.options.check_db,
        "classifiers": measured,
        "seed": bench.options.seed,
        "command": command_line(),
        "environment": environment(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    write_json(folder / "hardening.json", content)
    return content


def _measure(subject: Subject, bench: HardeningBench, folder: Path) -> dict[str, Any]:
    """Return everything about one classifier."""
    o, classifier = bench.options, subject.classifier
    away = bench.draw(classifier, untargeted=True)
    towards = bench.draw(classifier, untargeted=False)
    few = bench.few(away)

    def rows(label: str, attack: Attack, pairs: Pairs) -> list[dict[str, Any]]:
        cells = [Cell(label, attack, SNR(db)) for db in o.snr_db]
        return [_cell(cell, subject, bench, pairs, folder) for cell in cells]

    def one(label: str, attack: Attack, db: float, pairs: Pairs) -> float:
        found = _cell(Cell(label, attack, SNR(db)), subject, bench, pairs, folder)
        return float(found["success_rate"])

    search = _search(o.steps)
    square = SquareAttack(queries=o.queries, untargeted=True, seed=o.seed)
    curves = rows("pgd", search, away)
    curves += rows("pgd targeted", _search(o.steps, untargeted=False), towards)
    if subject.generator is not None:
        curves += rows("generator", GeneratorAttack(generator=subject.generator), towards)
    curves += rows("square", square, few)
    fewer, again = _search(max(1, 2 * o.steps // 5)), _search(o.steps, restarts=o.restarts)
    shaped = ProjectedGradient(steps=o.steps, untargeted=True)
    rates = Rates(
        fewer_steps=one("pgd with fewer steps", fewer, o.check_db, away),
        restarts=one("pgd with restarts", again, o.check_db, away),
        other_ways=max(
            one("pgd shaped", shaped, o.check_db, away),
            one("pgd on the margin", _search(o.steps, loss="margin"), o.check_db, away),
        ),
        gradient_on_few=one("pgd on the square attack's clips", search, o.check_db, few),
        black_box=one("square", square, o.check_db, few),
        unbounded=one("pgd unbounded", search, UNBOUNDED_DB, away),
    )
    losses = loss_along_steps(classifier, bench.data, few, o.check_db, o.steps, o.seed)
    found = checks(rates, losses)
    return {
        "name": subject.name,
        "classifier": describe_classifier(classifier),
        **subject.about,
        **_clean(classifier, bench),
        "attacks": curves,
        "restarts": {"count": o.restarts, "success_rate": rates.restarts},
        "loss_along_steps": losses,
        "checks": found,
        "unreliable": not all(check["holds"] for check in found),
    }


def _search(steps: int, *, untargeted: bool = True, **settings: Any) -> ProjectedGradient:
    """Return textbook projected gradient descent, from a random start.

    Shaped gradients, which :class:`ProjectedGradient` takes by default, find more against a
    classifier that was never attacked, and less against one that was hardened.
    """
    return ProjectedGradient(
        steps=steps, start="random", shaping=0.0, untargeted=untargeted, **settings
    )


def _cell(
    cell: Cell, subject: Subject, bench: HardeningBench, pairs: Pairs, folder: Path
) -> dict[str, Any]:
    """Return what became of the pairs, measured now or before."""
    classifier, o = subject.classifier, bench.options
    about = cell.about()
    settings = {
        "attack": about["attack"],
        "budget": about["budget"],
        "classifier": classifier.fingerprint(),
        "pairs": pairs.fingerprint(bench.data.names(), classifier.labels),
        "batch_size": o.batch_size,
        "seed": o.seed,
        "environment": environment(),
    }
    row = finished(folder, cell, settings)
    if row is None:
        plan = EvaluationOptions(
            batch_size=o.batch_size, quality_pairs=0, samples=0, timing_repeats=0, seed=o.seed
        )
        found = evaluate(
            cell.attack,
            classifier,
            bench.data,
            budget=cell.budget,
            options=plan,
            pairs=pairs,
            partial=partial(folder, cell, settings),
        )
        result = outcome(found, bench.data, o.seed, "not asked for")
        row = {**about, **result, **spending(found), "duration_seconds": found.duration_seconds}
        save(folder, cell, settings, row)
    return {**{name: row[name] for name in KEPT}, "goal": goal(pairs)}


def _clean(classifier: Classifier, bench: HardeningBench) -> dict[str, Any]:
    """Return the accuracy on all untouched clips, with its interval over speakers or tracks."""
    batches = bench.data.batches(128, normalization=classifier.normalization)
    heard = np.concatenate([predict(classifier, x).argmax(1).numpy() for x, _ in batches])
    right = heard == bench.data.labels.numpy()
    groups = np.array([clip.group for clip in bench.data.clips])
    interval = bootstrap_interval(right, groups, np.random.default_rng(bench.options.seed))
    return {"clean_accuracy": float(right.mean()), "clean_interval": list(interval)}
