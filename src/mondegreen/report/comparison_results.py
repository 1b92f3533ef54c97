"""What a comparison measured: ``comparison.json``, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.files import read_json
from mondegreen.report.fields import Fields
from mondegreen.report.results import (
    AttackedClassifier,
    AttackUsed,
    BudgetUsed,
    Cost,
    DataUsed,
    Quality,
    read_attack,
    read_budget,
    read_classifier,
    read_cost,
    read_data,
    read_interval,
    read_quality,
)

FORMAT = 1

TITLES = {
    "generator": "generator",
    "pgd": "gradient search",
    "universal": "universal perturbation",
    "filter": "filter and perturbation",
}
"""Families as readers know them; others keep the name they were given."""


def family_title(family: str) -> str:
    """Return a family's name for readers.

    Example:
        >>> family_title("pgd:restarts=2"), family_title("my_attacks:Burst")
        ('gradient search (restarts=2)', 'my_attacks:Burst')
    """
    kind, _, options = family.partition(":")
    if kind not in TITLES:
        return family
    return TITLES[kind] + (f" ({options})" if options else "")


@dataclass(frozen=True)
class CellResult:
    """One attack under one budget."""

    label: str
    family: str
    """Cells that differ in steps or quietness share it."""
    steps: int | None
    quietness: float | None
    attack: AttackUsed
    budget: BudgetUsed
    success_rate: float
    success_interval: tuple[float, float] | None
    success_rate_correct: float | None
    snr_db: Quality
    pesq_nb: Quality
    pesq_wb: Quality
    stoi: Quality
    cost: Cost
    mean_ms: float | None
    """Mean milliseconds a clip at batch 1: what a clip costs where some need more steps."""
    queries: float | None
    """Clips that went forward through the classifier, for one perturbed clip."""
    gradients: float | None
    """Gradients of the classifier's output, for one perturbed clip."""
    peak_memory_bytes: int | None

    @property
    def title(self) -> str:
        """The attack's name for readers, such as ``gradient search, 20 steps``."""
        text = family_title(self.family)
        if self.steps is not None and (self.steps or self.family != "generator"):
            count = f"{self.steps} step" + ("" if self.steps == 1 else "s")
            text += f" + {count}" if self.family.startswith("generator") else f", {count}"
        return text if self.quietness is None else f"{text}, quietness {self.quietness:g}"

    @property
    def budget_db(self) -> float | None:
        """The signal-to-noise ratio to keep, in dB; None under other budgets."""
        return self.budget.value if self.budget.kind == "snr" else None


@dataclass(frozen=True)
class Comparison:
    """A ``comparison.json``, validated; rates lie in [0, 1]."""

    classifier: AttackedClassifier
    data: DataUsed
    pairs: int
    available: int
    quality_pairs: int
    clips: int
    groups: int
    """Speakers or tracks among the pairs."""
    baseline_rate: float
    clean_accuracy: float
    timing: Mapping[str, Any]
    cells: tuple[CellResult, ...]
    seed: int
    command: str
    environment: Mapping[str, Any]
    duration_seconds: float
    created: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The attacks, in the order of the cells."""
        return tuple(dict.fromkeys(cell.label for cell in self.cells))

    @property
    def budgets_db(self) -> tuple[float, ...]:
        """The signal-to-noise ratios among the budgets, rising, in dB."""
        return tuple(sorted({c.budget_db for c in self.cells if c.budget_db is not None}))

    def of(self, label: str) -> list[CellResult]:
        """Return the cells of an attack that have a signal-to-noise ratio, by rising ratio."""
        found = [cell for cell in self.cells if cell.label == label]
        found = [cell for cell in found if cell.budget_db is not None]
        return sorted(found, key=lambda cell: cell.budget_db or 0.0)


def load_comparison(path: Path) -> Comparison:
    """Read and check a ``comparison.json``. Fields that this version does not know are left out.

    Raises:
        MondegreenError: The file is missing, not JSON, of another format, or a field is missing or
            damaged; the message names the file and the field.
    """
    top = Fields.of(read_json(path), str(path))
    if top.value("format") != FORMAT:
        top.fail("format", f"this version reads format {FORMAT}, found {top.value('format')!r}")
    pairs = top.child("pairs")
    cells = top.value("cells")
    if not isinstance(cells, list) or not cells:
        top.fail("cells", "expected a list of cells")
    return Comparison(
        classifier=read_classifier(top.child("classifier")),
        data=read_data(top.child("dataset")),
        pairs=pairs.count("count"),
        available=pairs.count("available"),
        quality_pairs=pairs.count("quality"),
        clips=pairs.count("clips"),
        groups=pairs.count("groups"),
        baseline_rate=top.rate("baseline_rate"),
        clean_accuracy=top.rate("clean_accuracy"),
        timing=top.child("timing").values,
        cells=tuple(
            _cell(Fields.of(cell, f"{path}: cell {number}"))
            for number, cell in enumerate(cells, start=1)
        ),
        seed=top.count("seed"),
        command=top.text("command"),
        environment=top.child("environment").values,
        duration_seconds=top.number("duration_seconds"),
        created=top.text("created"),
    )


def _cell(fields: Fields) -> CellResult:
    def count(name: str) -> int | None:
        return None if fields.values.get(name) is None else fields.count(name)

    times, network = (fields.optional_child(n) for n in ("milliseconds_per_clip", "generator"))
    return CellResult(
        label=fields.text("label"),
        family=fields.text("family"),
        steps=count("steps"),
        quietness=fields.optional_rate("quietness"),
        attack=read_attack(fields.child("attack")),
        budget=read_budget(fields.child("budget")),
        success_rate=fields.rate("success_rate"),
        success_interval=read_interval(fields),
        success_rate_correct=fields.optional_rate("success_rate_correct"),
        snr_db=read_quality(fields, "snr_db"),
        pesq_nb=read_quality(fields, "pesq_nb"),
        pesq_wb=read_quality(fields, "pesq_wb"),
        stoi=read_quality(fields, "stoi"),
        cost=read_cost(times, network),
        mean_ms=times.optional_number("batch1_mean") if times else None,
        queries=fields.optional_number("queries_per_clip"),
        gradients=fields.optional_number("gradients_per_clip"),
        peak_memory_bytes=count("peak_memory_bytes"),
    )
