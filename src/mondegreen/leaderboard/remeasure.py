"""Cheap attacks of an entry's own measurements, tried again on a few of the same clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.budgets import parse_budget
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.specs import CLASSES
from mondegreen.extensions import construct, find
from mondegreen.generators.generator import Generator, load_generator
from mondegreen.leaderboard.subjects import Subject
from mondegreen.leaderboard.trials import Trial, right_clips, try_out
from mondegreen.report.leaderboard.entry import Entry
from mondegreen.report.leaderboard.flags import meet
from mondegreen.report.leaderboard.knowledge import KNOWING, KNOWLEDGE, attack_kind
from mondegreen.report.leaderboard.measured import Measured, MeasuredRow
from mondegreen.report.leaderboard.threats import GOALS

DEAREST = 200
"""Gradients or queries a clip of an attack that is still cheap."""


@dataclass(frozen=True)
class Again:
    """A measured row, and the attack that it was measured with."""

    row: MeasuredRow
    attack: Attack
    cost: int


def cheapest(measured: Sequence[Measured]) -> list[Again]:
    """Return for each goal the cheapest attack that can be made again, and of those who know most.

    Of its budgets, the one whose success is nearest to a half is taken: there a change shows.
    """
    generator = load_generator(Path("zoo:speech-commands"))
    rows = [row for one in measured for row in one.rows if not row.channel]
    every = [one for one in (_again(row, generator) for row in rows) if one is not None]
    found = []
    for goal in GOALS:
        again = [one for one in every if one.row.goal == goal]
        most = max((KNOWLEDGE.index(one.row.knowledge) for one in again), default=0)
        informed = [one for one in again if one.row.knowledge == KNOWLEDGE[most]]
        for choices in (again, informed):
            if choices:
                found.append(min(choices, key=_cheap_and_telling))
    return list({id(one): one for one in found}.values())


def _cheap_and_telling(one: Again) -> tuple[int, float]:
    return one.cost, abs(one.row.success - 0.5)


def _again(row: MeasuredRow, generator: Generator) -> Again | None:
    """Return how to make an attack again; None where it cannot be, or is too dear."""
    settings = {key: value for key, value in row.settings.items() if key != "name"}
    kind = attack_kind(row.attack)
    if row.budget == "none" or "channel" in settings:
        return None
    if "network" in settings:
        return _generator_again(row, settings, generator)
    cost = _cost(settings)
    if kind not in CLASSES or cost is None or not 0 < cost <= DEAREST:
        return None
    try:
        attack = construct(find(CLASSES[kind], row.attack), settings, row.attack)
    except MondegreenError:
        return None  # of another version, with other parameters
    return Again(row, attack, cost)


def _generator_again(
    row: MeasuredRow, settings: dict[str, Any], generator: Generator
) -> Again | None:
    if settings.get("fingerprint") != generator.fingerprint() or settings.get("refine"):
        return None
    quietness = settings.get("quietness") or 0.0
    untargeted = settings.get("untargeted") is True
    made = GeneratorAttack(generator=generator, quietness=quietness, untargeted=untargeted)
    return Again(row, made, 1)


def _cost(settings: dict[str, Any]) -> int | None:
    counts = [settings.get(name) for name in ("steps", "queries", "iterations")]
    first = next((one for one in counts if isinstance(one, int)), None)
    runs = settings.get("restarts", 1)
    return None if first is None or not isinstance(runs, int) else first * max(1, runs)


def remeasure(
    entry: Entry,
    measured: Sequence[Measured],
    subject: Subject,
    data: ClipDataset,
    pairs: int,
    seed: int,
) -> Iterable[tuple[str, str, str, bool]]:
    """Yield what was measured beside what is found on a few pairs, and whether they agree.

    They agree where the 95 % interval of the measurement and the binomial one of the few pairs have
    a point in common.

    Args:
        entry: The entry.
        measured: What its result files say.
        subject: The classifier behind its defence.
        data: The clips that it was measured on.
        pairs: How many are tried.
        seed: Of their draw.

    Raises:
        MondegreenError: These are other clips, or no attack of the measurements is cheap enough.
    """
    _refuse_other_clips(entry, data)
    again = cheapest(measured)
    if not again:
        raise MondegreenError(
            f"entry {entry.name}: none of its attacks can be made again cheaply; give no --data to "
            "compare it on synthetic voices."
        )
    right = right_clips(subject.deployed, data)
    low, high = right.interval
    clean = measured[0].clean_accuracy
    yield "untouched clips heard rightly", _points(clean), str(right), low <= clean <= high
    trials = [_trial(one, subject) for one in again]
    outcomes = try_out(trials, subject.deployed, data, pairs, seed)
    for one, outcome in zip(again, outcomes, strict=True):
        title = f"{one.row.goal} {one.row.attack}, {one.row.budget}"
        agrees = meet(one.row.interval, outcome.interval)
        yield title, _points(one.row.success), str(outcome), agrees


def _refuse_other_clips(entry: Entry, data: ClipDataset) -> None:
    listed = entry.data
    if (data.corpus.name, len(data)) != (listed.corpus, listed.clips):
        raise MondegreenError(
            f"entry {entry.name} was measured on {listed.clips} clips of {listed.corpus}, and here "
            f"are {len(data)} of {data.corpus.name}. Give the same clips by --data, divided alike."
        )


def _trial(one: Again, subject: Subject) -> Trial:
    attacked = subject.known if one.row.knowledge == KNOWING else subject.plain
    return Trial(one.row.attack, one.attack, parse_budget(one.row.budget), attacked)


def _points(rate: float) -> str:
    return f"{100 * rate:.0f} %"
