"""What survived which channel: ``channels.json``, checked field by field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mondegreen.report.fields import Fields, Interval
from mondegreen.report.intervals import read_interval
from mondegreen.report.measurement import OnPairs, longest_reach, read_on_pairs
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


@dataclass(frozen=True)
class ChannelUsed:
    """A channel, and what the classifier hears through it where nobody attacks."""

    name: str
    settings: str
    """Every hyper-parameter."""
    clean_accuracy: float
    baseline_rate: float
    """Pairs whose untouched clip succeeds after the channel."""


@dataclass(frozen=True)
class Survived:
    """What one channel left of one attack; rates lie in [0, 1]."""

    success_rate: float
    success_interval: Interval | None
    survival_rate: float | None
    """Of the pairs that succeed without the channel; None where there are none."""
    true_label_rate: float
    """Adversarial clips that are heard as what they are."""


@dataclass(frozen=True)
class ChannelRow:
    """One attack under one budget."""

    label: str
    attack: AttackUsed
    budget: BudgetUsed
    success_rate: float
    """Without a channel."""
    success_interval: Interval | None
    snr_db: Quality
    cells: tuple[Survived, ...]


@dataclass(frozen=True)
class ChannelResults(OnPairs):
    """A ``channels.json``, validated."""

    goal: str
    classifier: AttackedClassifier
    clean_accuracy: float
    baseline_rate: float
    channels: tuple[ChannelUsed, ...]
    rows: tuple[ChannelRow, ...]

    @property
    def budgets(self) -> tuple[BudgetUsed, ...]:
        """The budgets, each once, in the order of the rows."""
        return tuple(dict.fromkeys(row.budget for row in self.rows))

    def under(self, budget: BudgetUsed) -> tuple[ChannelRow, ...]:
        """Return the rows of one budget."""
        return tuple(row for row in self.rows if row.budget == budget)

    @property
    def reach(self) -> float:
        """How far a 95 % interval of a success through a channel reaches from it at most."""
        return longest_reach(
            (cell.success_rate, cell.success_interval) for row in self.rows for cell in row.cells
        )


def load_channels(path: Path) -> ChannelResults:
    """Read and check a ``channels.json``. Fields that this version does not know are left out.

    Raises:
        MondegreenError: The file is missing, not JSON, of another format, or a field is missing or
            damaged; the message names the file and the field.
    """
    top = Fields.read(path, FORMAT)
    channels = tuple(_channel(one) for one in top.children("channels"))
    return ChannelResults(
        **read_on_pairs(top),
        goal=top.text("goal"),
        classifier=read_classifier(top.child("classifier")),
        clean_accuracy=top.rate("clean_accuracy"),
        baseline_rate=top.rate("baseline_rate"),
        channels=channels,
        rows=tuple(
            _row(one, len(channels), top.child("pairs").count("count"))
            for one in top.children("rows")
        ),
    )


def _channel(fields: Fields) -> ChannelUsed:
    return ChannelUsed(
        name=fields.text("channel"),
        settings=fields.text("settings"),
        clean_accuracy=fields.rate("clean_accuracy"),
        baseline_rate=fields.rate("baseline_rate"),
    )


def _row(fields: Fields, channels: int, pairs: int) -> ChannelRow:
    cells = fields.children("cells")
    if len(cells) != channels:
        fields.fail("cells", f"expected one for each of the {channels} channels")
    return ChannelRow(
        label=fields.text("label"),
        attack=read_attack(fields.child("attack")),
        budget=read_budget(fields.child("budget")),
        success_rate=(rate := fields.rate("success_rate")),
        success_interval=read_interval(fields, rate, pairs),
        snr_db=read_quality(fields, "snr_db"),
        cells=tuple(
            Survived(
                success_rate=(left := cell.rate("success_rate")),
                success_interval=read_interval(cell, left, pairs),
                survival_rate=cell.optional_rate("survival_rate"),
                true_label_rate=cell.rate("true_label_rate"),
            )
            for cell in cells
        ),
    )
