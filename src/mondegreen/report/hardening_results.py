"""Before and after hardening: ``hardening.json``, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from mondegreen.report.fields import Fields
from mondegreen.report.intervals import needed_interval
from mondegreen.report.results import (
    AttackedClassifier,
    AttackUsed,
    DataUsed,
    read_attack,
    read_budget,
    read_classifier,
    read_data,
)

FORMAT = 1


@dataclass(frozen=True)
class Rate:
    """A share of pairs and its 95 % interval over speakers or tracks, both in [0, 1]."""

    value: float
    low: float
    high: float
    pairs: int

    @property
    def complement(self) -> Rate:
        """The share of the other pairs."""
        return Rate(1.0 - self.value, 1.0 - self.high, 1.0 - self.low, self.pairs)


@dataclass(frozen=True)
class Point:
    """One epoch of a training: what it had cost until then, and what it had reached."""

    cpu_seconds: float
    clean: float
    robust: float


@dataclass(frozen=True)
class Trained:
    """How a classifier was hardened."""

    method: str
    settings: Mapping[str, Any]
    floor: float | None
    cpu_seconds: float
    to_kept: float
    """Processor time up to the state that was kept."""
    within_limit: bool
    max_loss: float
    select_db: float
    course: tuple[Point, ...]
    before: Point
    command: str


@dataclass(frozen=True)
class Check:
    """One sign of masked gradients that was looked for."""

    name: str
    value: float
    at_least: float
    holds: bool


@dataclass(frozen=True)
class Hardened:
    """One classifier under all attacks."""

    name: str
    classifier: AttackedClassifier
    clean: Rate
    training: Trained | None
    generator_command: str | None
    """How the generator that attacks it was trained."""
    generator_epochs: int | None
    """For how many epochs it was; None where that is not known."""
    attacks: Mapping[str, Mapping[float, Rate]]
    """Success by attack and signal-to-noise ratio in dB."""
    queries: Mapping[str, int]
    """Queries a clip at most, of attacks that have such a limit."""
    restarts: int
    restarted: float
    """Success of the gradient search with so many restarts."""
    loss_along_steps: tuple[float, ...]
    checks: tuple[Check, ...]
    unreliable: bool
    used: Mapping[str, AttackUsed] = field(default_factory=dict)
    """The attacks' parameters, by their names."""
    goals: Mapping[str, str] = field(default_factory=dict)
    """``targeted`` or ``untargeted``, by the attacks' names."""

    @property
    def generator_start(self) -> str | None:
        """Where the generator's training went on from; None from scratch, or where unknown."""
        words = (self.generator_command or "").split()
        found = [after for word, after in pairwise(words) if word == "--start-from"]
        return found[-1] if found else None

    def robust(self, db: float, attack: str = "pgd") -> Rate | None:
        """Return the accuracy under an untargeted attack, or None where it was not measured."""
        found = self.attacks.get(attack, {}).get(db)
        return None if found is None else found.complement

    def success(self, db: float, attack: str) -> Rate | None:
        """Return the success of an attack, or None where it was not measured."""
        return self.attacks.get(attack, {}).get(db)


@dataclass(frozen=True)
class HardeningResults:
    """A ``hardening.json``, validated."""

    data: DataUsed
    check_db: float
    classifiers: tuple[Hardened, ...]
    seed: int
    command: str
    environment: Mapping[str, Any]
    created: str

    @property
    def before(self) -> Hardened:
        """The classifier before hardening."""
        return self.classifiers[0]

    @property
    def after(self) -> tuple[Hardened, ...]:
        """The hardened ones."""
        return self.classifiers[1:]

    @property
    def ratios(self) -> tuple[float, ...]:
        """All signal-to-noise ratios of the gradient search, in dB, rising."""
        return tuple(sorted(self.before.attacks["pgd"]))


def load_hardening(path: Path) -> HardeningResults:
    """Read and check a ``hardening.json``. Fields that this version does not know are left out.

    Raises:
        MondegreenError: The file is missing, not JSON, of another format, or a field is missing or
            damaged; the message names the file and the field.
    """
    top = Fields.read(path, FORMAT)
    classifiers = tuple(_hardened(one) for one in top.children("classifiers"))
    if len(classifiers) < 2:
        top.fail("classifiers", "expected two or more")
    return HardeningResults(
        data=read_data(top.child("dataset")),
        check_db=top.number("check_db"),
        classifiers=classifiers,
        seed=top.count("seed"),
        command=top.text("command"),
        environment=top.child("environment").values,
        created=top.text("created"),
    )


def _hardened(fields: Fields) -> Hardened:
    data = fields.child("classifier")
    clean = fields.rate("clean_accuracy")
    attacks: dict[str, dict[float, Rate]] = {}
    queries: dict[str, int] = {}
    used: dict[str, AttackUsed] = {}
    goals: dict[str, str] = {}
    for one in fields.children("attacks"):
        label, db = one.text("label"), read_budget(one.child("budget")).value
        if db is None:
            one.fail("budget", "expected a signal-to-noise ratio")
        rate, pairs = one.rate("success_rate"), one.count("pairs")
        attacks.setdefault(label, {})[db] = Rate(rate, *needed_interval(one, rate, pairs), pairs)
        used[label], goals[label] = read_attack(one.child("attack")), one.text("goal")
        limit = one.child("attack").optional_count("queries")
        if limit is not None:
            queries[label] = limit
    if "pgd" not in attacks:
        fields.fail("attacks", "the gradient search pgd is missing")
    generator, restarts = fields.optional_child("generator"), fields.child("restarts")
    training = fields.optional_child("training")
    return Hardened(
        name=fields.text("name"),
        classifier=read_classifier(data),
        clean=Rate(clean, *fields.interval("clean_interval"), 0),
        training=None if training is None else _trained(training),
        generator_command=None if generator is None else generator.optional_text("command"),
        generator_epochs=None if generator is None else generator.optional_count("epochs"),
        attacks=attacks,
        queries=queries,
        restarts=restarts.count("count"),
        restarted=restarts.rate("success_rate"),
        loss_along_steps=fields.numbers("loss_along_steps"),
        checks=tuple(_check(one) for one in fields.children("checks")),
        unreliable=fields.flag("unreliable"),
        used=used,
        goals=goals,
    )


def _trained(fields: Fields) -> Trained:
    before = fields.child("before")
    if not fields.children("course"):
        fields.fail("course", "expected an epoch or more")
    return Trained(
        method=fields.text("method"),
        settings=fields.child("settings").values,
        floor=fields.optional_number("floor"),
        cpu_seconds=fields.number("cpu_seconds"),
        to_kept=fields.number("to_kept"),
        within_limit=fields.flag("within_limit"),
        max_loss=fields.number("max_loss"),
        select_db=fields.number("select_db"),
        course=tuple(
            Point(one.number("cpu_seconds"), one.rate("clean"), one.rate("robust"))
            for one in fields.children("course")
        ),
        before=Point(0.0, before.rate("clean"), before.rate("robust")),
        command=fields.text("command"),
    )


def _check(fields: Fields) -> Check:
    return Check(
        name=fields.text("name"),
        value=fields.number("value"),
        at_least=fields.number("at_least"),
        holds=fields.flag("holds"),
    )
