"""What a reproduction measured of one way to train generators, and parts that may be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from mondegreen.report.fields import Fields
from mondegreen.report.intervals import read_interval
from mondegreen.report.results import (
    BudgetUsed,
    Cost,
    Quality,
    TargetScore,
    read_budget,
    read_cost,
    read_quality,
    read_targets,
)

NOT_PART = "not part of this run"

Part = TypeVar("Part")


@dataclass(frozen=True)
class Missing:
    """Something that was not measured, and why."""

    reason: str


def read_part(fields: Fields, name: str, read: Callable[[Fields], Part]) -> Part | Missing:
    """Return a part of the file; a missing one with its reason.

    Raises:
        MondegreenError: It is there and damaged.
    """
    if fields.values.get(name) is None:
        return Missing(NOT_PART)
    child = fields.child(name)
    if "missing" in child.values:
        return Missing(child.text("missing").strip().rstrip(".") or "no reason is given")
    return read(child)


@dataclass(frozen=True)
class GeneratorScores:
    """Generators of one kind against all test clips; rates in [0, 1], matrices [source][target].

    Args:
        networks: How many there are: one a target, or one for all.
        width: Share of the channels that the network has in its full size.
        cost: Time a clip, and size of one network.
        steps: Of all trainings together, as are the seconds.
    """

    network: str
    width: float
    networks: int
    budget: BudgetUsed
    steps: int
    training_seconds: float | None
    pairs: int
    success_rate: float
    success_interval: tuple[float, float] | None
    success_rate_correct: float | None
    baseline_rate: float
    success_matrix: tuple[tuple[float | None, ...], ...]
    pair_counts: tuple[tuple[int, ...], ...]
    per_target: Mapping[str, TargetScore]
    snr_db: Quality
    pesq_nb: Quality
    pesq_wb: Quality
    stoi: Quality
    cost: Cost
    missing_targets: Mapping[str, str]

    @property
    def parameters(self) -> int | None:
        """Of all networks together."""
        return None if self.cost.parameters is None else self.networks * self.cost.parameters

    @property
    def errors(self) -> list[float]:
        """The error rates of all cells that were measured, row by row (the paper's Fig. 6)."""
        return [1.0 - rate for row in self.success_matrix for rate in row if rate is not None]

    def of_source(self, row: int) -> float | None:
        """Return the average success over the targets of one source label."""
        known = [rate for rate in self.success_matrix[row] if rate is not None]
        return fmean(known) if known else None


def read_generators(fields: Fields, labels: tuple[str, ...]) -> GeneratorScores:
    """Return the scores of one kind of generator.

    Raises:
        MondegreenError: A field is missing or damaged.
    """
    size = len(labels)
    missing = fields.optional_child("missing_targets")
    reasons = {} if missing is None else {name: missing.text(name) for name in missing.values}
    networks, width = fields.count("networks"), fields.number("width")
    if networks < 1:
        fields.fail("networks", "expected at least one network")
    if width <= 0:
        fields.fail("width", "expected a positive number")
    return GeneratorScores(
        network=fields.text("network"),
        width=width,
        networks=networks,
        budget=read_budget(fields.child("budget")),
        steps=fields.count("steps"),
        training_seconds=fields.optional_number("training_seconds"),
        pairs=(pairs := fields.count("pairs")),
        success_rate=(rate := fields.rate("success_rate")),
        success_interval=read_interval(fields, rate, pairs),
        success_rate_correct=fields.optional_rate("success_rate_correct"),
        baseline_rate=fields.rate("baseline_rate"),
        success_matrix=fields.rates("success_matrix", size),
        pair_counts=fields.counts("pair_counts", size),
        per_target=read_targets(fields.child("per_target"), labels),
        snr_db=read_quality(fields, "snr_db"),
        pesq_nb=read_quality(fields, "pesq_nb"),
        pesq_wb=read_quality(fields, "pesq_wb"),
        stoi=read_quality(fields, "stoi"),
        cost=read_cost(fields.optional_child("milliseconds_per_clip"), fields),
        missing_targets=reasons,
    )
