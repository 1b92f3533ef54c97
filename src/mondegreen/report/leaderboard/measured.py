"""What Mondegreen measured of an entry: rows of the result files that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mondegreen.metrics.success import wilson_interval
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


def sure_interval(rate: float, interval: Interval | None, pairs: int) -> Interval:
    """Return a 95 % interval of a rate that is never a single point.

    Result files may hold none, or, where every pair succeeded or none, one without any width. Its
    far end is then the exact one of as many independent pairs (Clopper and Pearson, 1934).

    Example:
        >>> low, high = sure_interval(1.0, (1.0, 1.0), 60)
        >>> round(low, 3), high
        (0.94, 1.0)
    """
    if interval is None:
        return wilson_interval(round(rate * pairs), pairs)
    if interval[0] < interval[1] or rate not in (0.0, 1.0):
        return interval
    beyond = 1.0 - 0.025 ** (1.0 / max(pairs, 1))
    return (1.0 - beyond, 1.0) if rate else (0.0, beyond)
