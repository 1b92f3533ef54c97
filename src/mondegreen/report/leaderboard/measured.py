"""What Mondegreen measured of an entry: rows of the result files that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mondegreen.report.fields import Interval
from mondegreen.report.results import AttackedClassifier, BudgetUsed, DataUsed


@dataclass(frozen=True)
class MeasuredRow:
    """One attack on the entry, under one budget, through one channel."""

    attack: str
    """As the result file names it."""
    settings: dict[str, Any]
    """The attack's own parameters; empty where the file does not hold them."""
    goal: str
    knowledge: str
    budget: str
    channel: str
    pairs: int
    groups: int
    """Speakers or tracks."""
    success: float
    interval: Interval
    right: float | None
    """Share of the adversarial clips that are still heard rightly, where it was counted."""
    file: str

    @property
    def robust(self) -> float:
        """Share of the pairs in which the attack does not get what it wants."""
        return 1.0 - self.success

    @property
    def robust_interval(self) -> Interval:
        """Its 95 % interval."""
        return 1.0 - self.interval[1], 1.0 - self.interval[0]


@dataclass(frozen=True)
class Measured:
    """Everything that one result file says of one entry."""

    file: str
    classifier: AttackedClassifier
    """Without what stands before it."""
    data: DataUsed
    clean_accuracy: float
    """Of untouched clips, behind the defence."""
    rows: tuple[MeasuredRow, ...]
    clean_through: dict[str, float] = field(default_factory=dict)
    """The same after channels on the way."""
    failed_checks: tuple[str, ...] = ()
    """Signs of masked gradients that were found."""
    checked: bool = False
    """Whether they were looked for."""


def plain_budget(budget: BudgetUsed) -> str:
    """Return a budget as entries write it.

    Example:
        >>> plain_budget(BudgetUsed("snr", 20.0)), plain_budget(BudgetUsed("none", None))
        ('snr:20', 'none')
    """
    if budget.value is None or budget.kind == "none":
        return "none"
    return f"{budget.kind}:{budget.value:g}"
