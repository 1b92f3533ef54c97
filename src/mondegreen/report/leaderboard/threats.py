"""Against whom an entry is said to hold, and the figures that were reported for it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from mondegreen.metrics.success import wilson_interval
from mondegreen.report.leaderboard.schema import Sheet

GOALS = ("untargeted", "targeted")
"""Any label but the right one; one label that the attacker chose."""

_BUDGET = r"none|(snr|l2|linf):\d{1,6}(\.\d{1,12})?"


@dataclass(frozen=True)
class Reported:
    """What somebody says they measured."""

    robust: float
    """Share of the pairs in which the attack does not get what it wants."""
    clean_accuracy: float | None
    pairs: int | None
    source: str
    """Where the figure stands, such as a table of a paper."""

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of as many independent pairs; the figure alone where none are named."""
        if self.pairs is None:
            return self.robust, self.robust
        return wilson_interval(round(self.robust * self.pairs), self.pairs)


@dataclass(frozen=True)
class ThreatModel:
    """An attacker: what is wanted, what is known, how loud it may be and what lies between."""

    goal: str
    knowledge: str
    budget: str
    """``snr:DB``, ``l2:EPS``, ``linf:EPS`` or ``none``."""
    channel: str
    """What the clip passes on its way; empty for nothing."""
    attack: str
    """What the reported figure was measured with; empty for the strongest."""
    reported: Reported | None


def read_threat(fields: Sheet, knowledge: Collection[str]) -> ThreatModel:
    """Return one threat model of an entry.

    Args:
        fields: The object.
        knowledge: What an attacker may know.

    Raises:
        MondegreenError: A field is missing, unknown or damaged.
    """
    fields.only("goal", "knowledge", "budget", "channel", "attack", "reported")
    reported = fields.optional_sheet("reported")
    budget = fields.matching("budget", _BUDGET, "a budget such as snr:30, l2:0.5, linf:0.002")
    return ThreatModel(
        goal=fields.choice("goal", GOALS),
        knowledge=fields.choice("knowledge", knowledge),
        budget=_plain(budget),
        channel=fields.optional_words("channel", 200),
        attack=fields.optional_words("attack", 120),
        reported=None if reported is None else _reported(reported),
    )


def _plain(budget: str) -> str:
    """Return a budget as it is written everywhere: ``snr:20``, not ``snr:20.0``."""
    kind, colon, value = budget.partition(":")
    return budget if not colon else f"{kind}:{float(value):g}"


def _reported(fields: Sheet) -> Reported:
    fields.only("robust_accuracy", "success_rate", "clean_accuracy", "pairs", "source")
    robust, success = (fields.optional_rate(name) for name in ("robust_accuracy", "success_rate"))
    if (robust is None) == (success is None):
        fields.fail("robust_accuracy", "give it or success_rate, the share of the others: not both")
    pairs = fields.optional_count("pairs")
    if pairs == 0:
        fields.fail("pairs", "0 pairs tell nothing; leave it out where it is not known")
    return Reported(
        robust=robust if robust is not None else 1.0 - (success or 0.0),
        clean_accuracy=fields.optional_rate("clean_accuracy"),
        pairs=pairs,
        source=fields.words("source", 300),
    )


def budget_order(budget: str) -> tuple[str, float]:
    """Return what budgets are sorted by: their kind, and then their value.

    Example:
        >>> sorted(["snr:30", "snr:5", "none"], key=budget_order)
        ['none', 'snr:5', 'snr:30']
    """
    kind, _, value = budget.partition(":")
    return kind, float(value or 0.0)


def budget_title(budget: str) -> str:
    """Return a budget for readers.

    Example:
        >>> budget_title("snr:30"), budget_title("linf:0.01"), budget_title("none")
        ('SNR ≥ 30 dB', 'max |δ| ≤ 0.01', 'no budget')
    """
    found = re.fullmatch(r"(snr|l2|linf):(.+)", budget)
    if found is None:
        return "no budget"
    kind, value = found.groups()
    if kind == "snr":
        return f"SNR ≥ {value} dB"
    return f"‖δ‖₂ ≤ {value}" if kind == "l2" else f"max |δ| ≤ {value}"
