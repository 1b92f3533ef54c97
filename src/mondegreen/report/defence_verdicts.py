"""What a defence is worth, as a rule over numbers and their intervals."""

from __future__ import annotations

from dataclasses import dataclass

from mondegreen.report.defence_results import (
    DefenceResults,
    DefenceRow,
    DefenceUsed,
    knows,
)
from mondegreen.report.fields import Interval
from mondegreen.report.results import BudgetUsed

COST = 0.05
"""A defence that surely costs more of the accuracy than this costs too much."""

HELD = 0.2
"""A defence holds where surely no more than this share of the pairs succeeds."""

FELT = 0.1
"""An attack that surely loses more than this of its success, in points, feels the defence."""

COSTS = "costs too much accuracy"
HOLDS = "holds"
PLAIN_ONLY = "only against the plain attacker"
WEAKENS = "weakens, does not hold"
USELESS = "does not help"
UNKNOWN = "cannot say"

RULE = (
    "In this order, each beyond chance, that is, by the end of a 95 % interval over speakers. "
    f"**{COSTS}**: untouched clips lose more than {100 * COST:.0f} points of accuracy. "
    f"**{UNKNOWN}**: nobody who knows it was tried, or no attack has more than "
    f"{100 * HELD:.0f} % of the pairs without it. "
    f"**{HOLDS}**: the strongest attack that was tried, by anybody, has at most "
    f"{100 * HELD:.0f} % of the pairs. "
    f"**{PLAIN_ONLY}**: plain attacks lose more than {100 * FELT:.0f} points of success to it, and "
    f"one that knows it does not, or has more than all of them. **{WEAKENS}**: all attacks lose "
    f"more than {100 * FELT:.0f} points. **{USELESS}**: the rest."
)
"""The rule of :func:`judge` in words."""


@dataclass(frozen=True)
class Verdict:
    """What became of the strongest attacks on one defence under one budget."""

    words: str
    direct: DefenceRow | None
    """The strongest plain attack where there is no defence."""
    plain: DefenceRow | None
    """The strongest plain attack on the defence."""
    knowing: DefenceRow | None
    """The strongest attack that knows the defence."""


def judge(found: DefenceResults, defence: DefenceUsed, budget: BudgetUsed) -> Verdict:
    """Return the verdict on a defence under a budget; :data:`RULE` says how it is made.

    The strongest of several attacks is the one with the highest success: the attacker may choose.
    """
    met = found.meeting(defence, budget)
    ignorant = [row for row in met if row.knows is None]
    direct = max(ignorant, key=lambda row: row.direct.success_rate, default=None)
    plain = _strongest(ignorant, defence)
    knowing = _strongest([row for row in met if knows(row, defence)], defence)
    return Verdict(_words(defence, direct, plain, knowing), direct, plain, knowing)


def _strongest(rows: list[DefenceRow], defence: DefenceUsed) -> DefenceRow | None:
    return max(rows, key=lambda row: row.cells[defence.name].success_rate, default=None)


def _words(
    defence: DefenceUsed,
    direct: DefenceRow | None,
    plain: DefenceRow | None,
    knowing: DefenceRow | None,
) -> str:
    if defence.loss_interval[0] > COST:
        return COSTS
    if direct is None or plain is None or knowing is None:
        return UNKNOWN
    if direct.direct.success_interval[0] <= HELD:
        return UNKNOWN  # the attacks were weak before
    ends = [row.cells[defence.name].success_interval for row in (plain, knowing)]
    return _among(direct.direct.success_interval[0], *ends)


def _among(before: float, ignorant: Interval, informed: Interval) -> str:
    """Return the words for intervals of success, all attackers tried.

    Args:
        before: Lower end without the defence.
        ignorant: Of the strongest that knows nothing.
        informed: Of the strongest that knows the defence.
    """
    if max(ignorant[1], informed[1]) <= HELD:
        return HOLDS
    felt, felt_by_all = (
        end < before - FELT for end in (ignorant[1], max(ignorant[1], informed[1]))
    )
    if felt_by_all and informed[0] <= ignorant[1]:
        return WEAKENS
    return PLAIN_ONLY if felt else USELESS
