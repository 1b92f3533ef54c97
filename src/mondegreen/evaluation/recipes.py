"""Comparisons by name: which attacks meet at which budgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mondegreen.budgets import Budget, parse_budget
from mondegreen.evaluation.specs import AttackSpec, parse_spec

RecipeName = Literal["curves", "pareto", "black-box", "paper-table-1"]

CURVE_DB = (10, 15, 20, 25, 30, 35, 40)
DIAL_DB = 20
DIAL = (0.25, 0.5, 0.75, 1.0)
PARETO_DB = (25, 30, 35, 40)
REFINEMENTS = (0, 1, 2, 3, 5, 10)
SEARCHES = (1, 2, 3, 5, 10, 20)
SIGNED = (5, 20)

GENETIC = "genetic:iterations=500"
SWARM = "pso:epochs=10"
SQUARE = "square:queries=5000"
"""Attacks without gradients; their limits stand in their names."""

BLACK_BOX_BUDGETS = ("snr:15", "snr:20", "snr:25", "linf:0.004")
PAPER_BUDGET = "snr:20"
"""Near the mean of the paper's generator, 20.27 dB."""
SWARM_BUDGET = "linf:0.0078125"
"""The eight least significant bits of each sample."""

ONE_WAY = ("universal", "filter")
"""Attacks that only reach targets."""


@dataclass(frozen=True)
class Entry:
    """An attack and the budget it has to keep; None sets no limit."""

    spec: AttackSpec
    budget: Budget | None


def recipe(name: RecipeName, *, dial: bool = False, untargeted: bool = False) -> list[Entry]:
    """Return the cells of a named comparison.

    * ``curves``: generator, generator with 5 refining steps, gradient search of 20 steps, APGD,
      universal perturbation and filter with perturbation from 10 to 40 dB; the smallest
      perturbations of Carlini and Wagner's attack and of DeepFool; and the generator's quietness at
      20 dB.
    * ``pareto``: the generator refined by 0 to 10 steps beside searches of 1 to 20 steps from zero,
      plain, by signs, with momentum and by APGD, from 25 to 40 dB.
    * ``black-box``: genetic, swarm and square attack at three ratios and under one maximum norm.
    * ``paper-table-1``: generator, gradient search, genetic, swarm and square attack and universal
      perturbation at 20 dB; and the paper's two rivals as their authors bounded them.

    Args:
        name: Which.
        dial: Whether the generator knows quietness.
        untargeted: Leave out the attacks that only reach targets.

    Example:
        >>> len(recipe("curves")), len(recipe("curves", dial=True)), len(recipe("pareto"))
        (44, 48, 76)
    """
    makers = {
        "curves": lambda: _curves(dial),
        "pareto": _pareto,
        "black-box": lambda: cross([GENETIC, SWARM, SQUARE], list(BLACK_BOX_BUDGETS)),
        "paper-table-1": _paper,
    }
    entries = makers[name]()
    return [entry for entry in entries if not (untargeted and entry.spec.kind in ONE_WAY)]


def _curves(dial: bool) -> list[Entry]:
    attacks = ["generator", "generator+5", "pgd:steps=20", "apgd", "universal", "filter"]
    cells = cross(attacks, [f"snr:{db}" for db in CURVE_DB])
    quiet = [f"generator:quietness={level:g}" for level in DIAL] if dial else []
    return cells + cross([*quiet, "cw@none", "deepfool@none"], [f"snr:{DIAL_DB}"])


def _pareto() -> list[Entry]:
    attacks = ["generator" + (f"+{steps}" if steps else "") for steps in REFINEMENTS]
    attacks += [f"pgd:steps={steps}" for steps in SEARCHES]
    attacks += ["fgsm"]
    attacks += [f"{kind}:steps={k}" for kind in ("bim", "mi-fgsm", "apgd") for k in SIGNED]
    return cross(attacks, [f"snr:{db}" for db in PARETO_DB])


def _paper() -> list[Entry]:
    alike = ["generator", "pgd:steps=20", GENETIC, SWARM, SQUARE, "universal"]
    return cross([*alike, f"{GENETIC}@none", f"{SWARM}@{SWARM_BUDGET}"], [PAPER_BUDGET])


def cross(attacks: list[str], budgets: list[str]) -> list[Entry]:
    """Return every attack with every budget, budget by budget.

    Args:
        attacks: Short strings, see :func:`~mondegreen.evaluation.specs.parse_spec`. One that ends
            with ``@`` and a budget meets that one only; these come last.
        budgets: ``snr:DB``, ``l2:EPS``, ``linf:EPS`` or ``none``.

    Raises:
        MondegreenError: One is not understood.

    Example:
        >>> [(entry.spec.text, entry.budget) for entry in cross(["pgd", "cw@none"], ["snr:20"])]
        [('pgd', SNR(db=20.0)), ('cw', None)]
    """
    specs = [parse_spec(text) for text in attacks if "@" not in text]
    limits = [_limit(text) for text in budgets]
    found = [Entry(spec, budget) for budget in limits for spec in specs]
    for text in attacks:
        name, own, limit = text.partition("@")
        if own:
            found.append(Entry(parse_spec(name), _limit(limit)))
    return found


def _limit(text: str) -> Budget | None:
    return None if text == "none" else parse_budget(text)


def without_repeats(entries: list[Entry]) -> list[Entry]:
    """Return the cells in order, each once.

    Example:
        >>> len(without_repeats(cross(["pgd", "pgd"], ["snr:20"])))
        1
    """
    found = {(entry.spec.text, str(entry.budget)): entry for entry in entries}
    return list(found.values())
