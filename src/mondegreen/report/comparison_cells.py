"""One attack under one budget, as a comparison measured it."""

from __future__ import annotations

from dataclasses import dataclass

from mondegreen.report.fields import Fields, Interval
from mondegreen.report.intervals import read_interval
from mondegreen.report.results import (
    AttackUsed,
    BudgetUsed,
    Cost,
    Quality,
    read_attack,
    read_budget,
    read_cost,
    read_quality,
)

TITLES = {
    "generator": "generator",
    "fgsm": "fast gradient sign method (FGSM)",
    "bim": "basic iterative method (BIM)",
    "pgd": "gradient search",
    "mi-fgsm": "momentum iterative method (MI-FGSM)",
    "apgd": "auto-PGD (Croce and Hein)",
    "cw": "Carlini and Wagner",
    "deepfool": "DeepFool",
    "genetic": "genetic attack (Alzantot et al.)",
    "pso": "SirenAttack (particle swarm)",
    "square": "square attack (Andriushchenko et al.)",
    "universal": "universal perturbation",
    "filter": "filter and perturbation",
}
"""Families as readers know them; others keep the name they were given."""


def family_title(family: str) -> str:
    """Return a family's name for readers.

    Example:
        >>> family_title("pgd:restarts=2"), family_title("my_attacks:Burst")
        ('gradient search (restarts=2)', 'my_attacks:Burst')
        >>> family_title("genetic:iterations=500")
        'genetic attack (Alzantot et al.; iterations=500)'
    """
    kind, _, options = family.partition(":")
    if kind not in TITLES:
        return family
    title, options = TITLES[kind], options.replace(",", ", ").replace("_", " ")
    if not options:
        return title
    return f"{title[:-1]}; {options})" if title.endswith(")") else f"{title} ({options})"


Point = tuple[float, float]


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
    against_generator: Interval | None
    """95 % interval of the difference to the generator's success under the same budget, on the same
    pairs; None where there is none, or in files that do not hold it."""
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
    """What a batch took at most, beyond what was in use before."""
    seconds: float | None = None
    """Seconds a clip in the run itself, in batches; not side by side with the others."""
    smallest: bool = False
    """Whether the smallest perturbation of each clip was sought."""
    over_queries: tuple[Point, ...] = ()
    """Success, in [0, 1], within so many queries; empty where they are not counted."""
    over_snr: tuple[Point, ...] = ()
    """Success at so many dB and more, by falling ratio; of smallest perturbations only."""

    @property
    def kind(self) -> str:
        """The attack's short name, such as ``pgd``."""
        return self.family.partition(":")[0]

    @property
    def clip_ms(self) -> float | None:
        """Milliseconds that a clip costs: timed side by side or, failing that, in the run."""
        if self.mean_ms is not None or self.seconds is None:
            return self.mean_ms
        return 1000.0 * self.seconds

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


def read_cell(fields: Fields, pairs: int) -> CellResult:
    """Return a cell of a ``comparison.json``, which was measured on so many pairs.

    Raises:
        MondegreenError: A field is missing or damaged.
    """

    def count(name: str) -> int | None:
        return None if fields.values.get(name) is None else fields.count(name)

    times, network = (fields.optional_child(n) for n in ("milliseconds_per_clip", "generator"))
    paired = fields.optional_child("against_generator")
    return CellResult(
        label=fields.text("label"),
        family=fields.text("family"),
        steps=count("steps"),
        quietness=fields.optional_rate("quietness"),
        attack=read_attack(fields.child("attack")),
        budget=read_budget(fields.child("budget")),
        success_rate=(rate := fields.rate("success_rate")),
        success_interval=read_interval(fields, rate, pairs),
        success_rate_correct=fields.optional_rate("success_rate_correct"),
        against_generator=paired.interval("interval", rates=False) if paired else None,
        snr_db=read_quality(fields, "snr_db"),
        pesq_nb=read_quality(fields, "pesq_nb"),
        pesq_wb=read_quality(fields, "pesq_wb"),
        stoi=read_quality(fields, "stoi"),
        cost=read_cost(times, network),
        mean_ms=times.optional_number("batch1_mean") if times else None,
        queries=fields.optional_number("queries_per_clip"),
        gradients=fields.optional_number("gradients_per_clip"),
        peak_memory_bytes=count("peak_memory_bytes"),
        seconds=fields.optional_number("seconds_per_clip"),
        smallest=fields.values.get("smallest") is True,
        over_queries=_points(fields, "success_over_queries"),
        over_snr=_points(fields, "success_over_snr"),
    )


def _points(fields: Fields, name: str) -> tuple[Point, ...]:
    """Return a curve's points; none where there is no curve."""
    listed = fields.values.get(name) or []
    if not isinstance(listed, list) or not all(isinstance(p, list) and len(p) == 2 for p in listed):
        fields.fail(name, "expected a list of pairs of numbers")
    points = []
    for value, share in listed:
        one = Fields({name: value, "share": share}, fields.where)
        points.append((one.number(name), one.rate("share")))
    return tuple(points)
