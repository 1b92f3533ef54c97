"""An ``audit.json``, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.report.comparison_cells import family_title
from mondegreen.report.fields import Fields
from mondegreen.report.intervals import read_interval
from mondegreen.report.results import (
    AttackedClassifier,
    DataUsed,
    read_classifier,
    read_data,
)

FORMAT = 1
GOALS = ("targeted", "untargeted")


def plain_title(label: str) -> str:
    """Return an attack's name for people who do not know its authors.

    Example:
        >>> plain_title("square:queries=500"), plain_title("pgd:steps=20")
        ('square attack', 'gradient search')
    """
    return family_title(label.partition(":")[0]).partition(" (")[0]


@dataclass(frozen=True)
class Cell:
    """One attack at one ratio, towards chosen labels or away from the right one."""

    label: str
    goal: str
    knows: str
    """white box (gradients), black box (probabilities only), or generator (gradients, but only in
    its training)."""
    budget_db: float
    pairs: int
    success: float
    interval: tuple[float, float]
    queries: float
    """A clip, on average."""
    milliseconds: float
    """A clip, alone."""

    @property
    def title(self) -> str:
        """The attack's name for readers."""
        name, plus, steps = self.label.partition("+")
        if plus:
            return f"{plain_title(name)} and {steps} gradient steps"
        return plain_title(self.label)


@dataclass(frozen=True)
class Confusions:
    """Which label was turned into which by one attack at one ratio."""

    title: str
    budget_db: float
    success: float
    rates: tuple[tuple[float | None, ...], ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class StageRun:
    """A stage and what became of it."""

    name: str
    title: str
    command: str
    state: str
    reason: str
    seconds: float | None


@dataclass(frozen=True)
class AuditResults:
    """Everything that an audit measured."""

    place: str
    classifier: AttackedClassifier
    differentiable: bool
    data: DataUsed
    clean_accuracy: float
    baseline_rate: float
    minutes: float
    notes: tuple[str, ...]
    """What the time did not suffice for."""
    cells: tuple[Cell, ...]
    confusions: Confusions | None
    pesq: float | None
    """Of the generator's clips at :attr:`heard_db`; None where it was not measured."""
    heard_db: float | None
    stages: tuple[StageRun, ...]
    command: str
    environment: Mapping[str, Any]
    created: str

    def of(self, goal: str, knows: str | None = None) -> list[Cell]:
        """Return the cells of a goal, and of attacks that know so much, by rising ratio."""
        found = [c for c in self.cells if c.goal == goal and knows in (None, c.knows)]
        return sorted(found, key=lambda cell: cell.budget_db)


def load_audit(path: Path) -> AuditResults:
    """Read and check an ``audit.json``.

    Raises:
        MondegreenError: The file is missing, not JSON, of another format, or a field is missing or
            damaged; the message names the file and the field.
    """
    top = Fields.read(path, FORMAT)
    classifier = read_classifier(top.child("classifier"))
    heard = top.optional_child("heard")
    cells = tuple(_cell(one) for one in top.children("cells"))
    if not cells:
        top.fail("cells", "no attack was measured")
    return AuditResults(
        place=top.text("place"),
        classifier=classifier,
        differentiable=top.flag("differentiable"),
        data=read_data(top.child("dataset")),
        clean_accuracy=top.rate("clean_accuracy"),
        baseline_rate=top.rate("baseline_rate"),
        minutes=top.number("minutes"),
        notes=tuple(top.child("sizes").texts("notes")),
        cells=cells,
        confusions=_confusions(top, len(classifier.labels)),
        pesq=heard.child("pesq_nb").optional_number("mean") if heard else None,
        heard_db=heard.child("budget").optional_number("value") if heard else None,
        stages=tuple(_stage(one) for one in top.children("stages")),
        command=top.text("command"),
        environment=top.child("environment").values,
        created=top.text("created"),
    )


def _cell(fields: Fields) -> Cell:
    goal = fields.text("goal")
    if goal not in GOALS:
        fields.fail("goal", f"{goal!r} is neither targeted nor untargeted")
    pairs, success = fields.count("pairs"), fields.rate("success_rate")
    interval = read_interval(fields, success, pairs)
    times = fields.optional_child("milliseconds_per_clip")
    alone = times.optional_number("batch1") if times else None
    whole = 1000.0 * fields.number("seconds_per_clip")
    return Cell(
        label=fields.text("label"),
        goal=goal,
        knows=fields.text("knows"),
        budget_db=fields.number("budget_db"),
        pairs=pairs,
        success=success,
        interval=interval or (0.0, 1.0),
        queries=fields.number("queries_per_clip"),
        milliseconds=whole if alone is None else alone,
    )


def _confusions(top: Fields, labels: int) -> Confusions | None:
    fields = top.optional_child("confusions")
    if fields is None:
        return None
    return Confusions(
        title=plain_title(fields.text("label")),
        budget_db=fields.number("budget_db"),
        success=fields.rate("success_rate"),
        rates=fields.rates("rates", labels),
        counts=fields.counts("counts", labels),
    )


def _stage(fields: Fields) -> StageRun:
    return StageRun(
        name=fields.text("name"),
        title=fields.text("title"),
        command=fields.text("command"),
        state=fields.text("state"),
        reason=fields.text("reason"),
        seconds=fields.optional_number("seconds"),
    )
