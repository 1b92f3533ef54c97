"""What defences were worth: ``defences.json``, checked field by field."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

from mondegreen.report.fields import Fields, Interval
from mondegreen.report.intervals import needed_interval
from mondegreen.report.measurement import OnPairs, read_on_pairs
from mondegreen.report.results import (
    AttackedClassifier,
    AttackUsed,
    BudgetUsed,
    Quality,
    read_attack,
    read_budget,
    read_classifier,
    read_quality,
)

FORMAT = 1
EVERY = "*"
"""What a generator that was retrained through defences is said to know."""


@dataclass(frozen=True)
class Proven:
    """What randomised smoothing proves; radii are L2 norms."""

    clips: int
    certified_right: int
    """Clips whose right label is certain within some radius."""
    abstained: int
    draws: int
    highest_radius: float | None
    """That of a clip that all draws hear alike; None where it is not known."""
    median_radius: float | None
    median_snr_db: float | None
    lowest_snr_db: float | None
    """Of the clip that is certain against the loudest perturbation."""

    @property
    def capped(self) -> bool:
        """Whether the median radius tells of the number of draws, not of the classifier."""
        median, most = self.median_radius, self.highest_radius
        return median is not None and most is not None and median >= most * (1.0 - 1e-6)


@dataclass(frozen=True)
class Alarms:
    """How a detector's threshold was chosen, and what it does to clips nobody attacked."""

    chosen_on: int
    trained_on: int
    false_alarm_rate: float
    false_alarm_interval: Interval


@dataclass(frozen=True)
class DefenceUsed:
    """A defence, and what it costs where nobody attacks."""

    name: str
    kind: str
    """``defence`` or ``detector``."""
    settings: str
    straight_through: bool
    clean_accuracy: float
    accuracy_loss: float
    loss_interval: Interval
    proven: Proven | None
    alarms: Alarms | None


@dataclass(frozen=True)
class Rates:
    """What is heard in the adversarial clips; rates lie in [0, 1]."""

    success_rate: float
    success_interval: Interval
    true_label_rate: float
    true_label_interval: Interval


@dataclass(frozen=True)
class Detection:
    """How a detector tells clips that fool the classifier from those that nobody attacked."""

    positives: int
    auc: float
    auc_interval: Interval
    detected_rate: float
    detected_interval: Interval
    roc: tuple[float, ...]
    """Detection at evenly spaced false alarm rates from 0 to 1."""


@dataclass(frozen=True)
class DefenceRow:
    """One attack under one budget, and what every defence left of it."""

    label: str
    knows: str | None
    attack: AttackUsed
    budget: BudgetUsed
    snr_db: Quality
    direct: Rates
    """Without a defence."""
    cells: Mapping[str, Rates]
    """By the name of the defence."""
    detections: Mapping[str, Detection]


@dataclass(frozen=True)
class DefenceResults(OnPairs):
    """A ``defences.json``, validated."""

    classifier: AttackedClassifier
    clean_accuracy: float
    baseline_rate: float
    defences: tuple[DefenceUsed, ...]
    rows: tuple[DefenceRow, ...]

    @property
    def budgets(self) -> tuple[BudgetUsed, ...]:
        """The budgets, each once, in the order of the rows."""
        return tuple(dict.fromkeys(row.budget for row in self.rows))

    def meeting(self, defence: DefenceUsed, budget: BudgetUsed) -> tuple[DefenceRow, ...]:
        """Return the rows of a budget whose clips met a defence."""
        return tuple(r for r in self.rows if r.budget == budget and defence.name in r.cells)


def knows(row: DefenceRow, defence: DefenceUsed) -> bool:
    """Tell whether an attack knows a defence; a retrained generator knows no detector."""
    return row.knows == defence.name or (row.knows == EVERY and defence.kind == "defence")


def load_defences(path: Path) -> DefenceResults:
    """Read and check a ``defences.json``. Fields that this version does not know are left out.

    Raises:
        MondegreenError: The file is missing, not JSON, of another format, or a field is missing or
            damaged; the message names the file and the field.
    """
    top = Fields.read(path, FORMAT)
    defences = tuple(_defence(one) for one in top.children("defences"))
    names, pairs = {one.name for one in defences}, top.child("pairs").count("count")
    return DefenceResults(
        **read_on_pairs(top),
        classifier=read_classifier(top.child("classifier")),
        clean_accuracy=top.rate("clean_accuracy"),
        baseline_rate=top.rate("baseline_rate"),
        defences=defences,
        rows=tuple(_row(one, names, pairs) for one in top.children("rows")),
    )


def _defence(fields: Fields) -> DefenceUsed:
    proven = fields.optional_child("certificate")
    kind = fields.text("kind")
    if kind not in ("defence", "detector"):
        fields.fail("kind", f"{kind!r} is neither defence nor detector")
    return DefenceUsed(
        name=fields.text("name"),
        kind=kind,
        settings=fields.text("settings"),
        straight_through=fields.flag("straight_through"),
        clean_accuracy=fields.rate("clean_accuracy"),
        accuracy_loss=fields.number("accuracy_loss"),
        loss_interval=fields.interval("loss_interval", rates=False),
        proven=None if proven is None else _proven(proven, fields.text("settings")),
        alarms=_alarms(fields) if kind == "detector" else None,
    )


def _proven(fields: Fields, settings: str) -> Proven:
    draws = fields.count("draws")
    most = fields.optional_number("highest_radius")
    return Proven(
        clips=fields.count("clips"),
        certified_right=fields.count("certified_right"),
        abstained=fields.count("abstained"),
        draws=draws,
        highest_radius=_highest_radius(settings, draws) if most is None else most,
        median_radius=fields.optional_number("median_radius"),
        median_snr_db=fields.optional_number("median_snr_db"),
        lowest_snr_db=fields.optional_number("lowest_snr_db"),
    )


def _highest_radius(settings: str, draws: int) -> float | None:
    """Return the radius where all draws agree, for files that do not hold it.

    Args:
        settings: Of the defence, such as ``Gaussian(sigma=0.005)``.
        draws: How many there were; 99.9 % is the confidence of all such files.
    """
    found = re.fullmatch(r"Gaussian\(sigma=(\d+(?:\.\d+)?(?:e-?\d+)?)\)", settings)
    share = 0.001 ** (1.0 / draws) if draws else 0.0
    if found is None or share <= 0.5:
        return None
    most = float(found[1]) * NormalDist().inv_cdf(share)
    return most if math.isfinite(most) else None


def _alarms(fields: Fields) -> Alarms:
    return Alarms(
        chosen_on=fields.count("chosen_on"),
        trained_on=fields.count("trained_on"),
        false_alarm_rate=fields.rate("false_alarm_rate"),
        false_alarm_interval=fields.interval("false_alarm_interval"),
    )


def _row(fields: Fields, names: set[str], pairs: int) -> DefenceRow:
    knows = fields.value("knows")
    if knows is not None and knows != EVERY and knows not in names:
        fields.fail("knows", f"{knows!r} is none of the defences")
    cells = {one.text("defence"): one for one in fields.children("cells")}
    if not cells.keys() <= names:
        fields.fail("cells", "there is one of a defence that is not listed")
    detections = {name: one.optional_child("detection") for name, one in cells.items()}
    return DefenceRow(
        label=fields.text("label"),
        knows=knows,
        attack=read_attack(fields.child("attack")),
        budget=read_budget(fields.child("budget")),
        snr_db=read_quality(fields, "snr_db"),
        direct=_rates(fields.child("direct"), pairs),
        cells={name: _rates(one, pairs) for name, one in cells.items()},
        detections={name: _detection(one) for name, one in detections.items() if one is not None},
    )


def _rates(fields: Fields, pairs: int) -> Rates:
    success, right = fields.rate("success_rate"), fields.rate("true_label_rate")
    return Rates(
        success_rate=success,
        success_interval=needed_interval(fields, success, pairs),
        true_label_rate=right,
        true_label_interval=needed_interval(fields, right, pairs, "true_label_interval"),
    )


def _detection(fields: Fields) -> Detection:
    curve = fields.value("roc")
    if not isinstance(curve, list) or not all(isinstance(one, (int, float)) for one in curve):
        fields.fail("roc", "expected a list of numbers")
    positives, detected = fields.count("positives"), fields.rate("detected_rate")
    return Detection(
        positives=positives,
        auc=fields.rate("auc"),
        auc_interval=fields.interval("auc_interval"),
        detected_rate=detected,
        detected_interval=needed_interval(fields, detected, positives, "detected_interval"),
        roc=tuple(float(one) for one in curve),
    )
