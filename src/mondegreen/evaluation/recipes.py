"""Comparisons by name: which attacks meet at which budgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mondegreen.budgets import Budget, parse_budget
from mondegreen.evaluation.specs import AttackSpec, parse_spec

RecipeName = Literal["curves", "pareto"]

CURVE_DB = (10, 15, 20, 25, 30, 35, 40)
DIAL_DB = 20
DIAL = (0.25, 0.5, 0.75, 1.0)
PARETO_DB = (25, 30, 35, 40)
REFINEMENTS = (0, 1, 2, 3, 5, 10)
SEARCHES = (1, 2, 3, 5, 10, 20)


@dataclass(frozen=True)
class Entry:
    """An attack and the budget it has to keep; None sets no limit."""

    spec: AttackSpec
    budget: Budget | None


def recipe(name: RecipeName, *, dial: bool = False) -> list[Entry]:
    """Return the cells of a named comparison.

    * ``curves``: generator, generator with 5 refining steps, gradient search of 20 steps, universal
      perturbation and filter with perturbation from 10 to 40 dB; and the generator's quietness at
      20 dB.
    * ``pareto``: the generator refined by 0 to 10 steps beside searches of 1 to 20 steps from zero,
      from 25 to 40 dB.

    Args:
        name: Which.
        dial: Whether the generator knows quietness.

    Example:
        >>> len(recipe("curves")), len(recipe("curves", dial=True)), len(recipe("pareto"))
        (35, 39, 48)
    """
    if name == "curves":
        attacks = ["generator", "generator+5", "pgd:steps=20", "universal", "filter"]
        cells = cross(attacks, [f"snr:{db}" for db in CURVE_DB])
        quiet = [f"generator:quietness={level:g}" for level in DIAL] if dial else []
        return cells + cross(quiet, [f"snr:{DIAL_DB}"])
    refined = ["generator" + (f"+{steps}" if steps else "") for steps in REFINEMENTS]
    searched = [f"pgd:steps={steps}" for steps in SEARCHES]
    return cross(refined + searched, [f"snr:{db}" for db in PARETO_DB])


def cross(attacks: list[str], budgets: list[str]) -> list[Entry]:
    """Return every attack with every budget, budget by budget.

    Args:
        attacks: Short strings, see :func:`~mondegreen.evaluation.specs.parse_spec`.
        budgets: ``snr:DB``, ``l2:EPS``, ``linf:EPS`` or ``none``.

    Raises:
        MondegreenError: One is not understood.

    Example:
        >>> [(entry.spec.text, entry.budget) for entry in cross(["pgd"], ["snr:20", "none"])]
        [('pgd', SNR(db=20.0)), ('pgd', None)]
    """
    specs = [parse_spec(text) for text in attacks]
    limits = [None if text == "none" else parse_budget(text) for text in budgets]
    return [Entry(spec, budget) for budget in limits for spec in specs]


def without_repeats(entries: list[Entry]) -> list[Entry]:
    """Return the cells in order, each once.

    Example:
        >>> len(without_repeats(cross(["pgd", "pgd"], ["snr:20"])))
        1
    """
    found = {(entry.spec.text, str(entry.budget)): entry for entry in entries}
    return list(found.values())
