"""What a transfer measured: ``transfer.json``, checked field by field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mondegreen.report.fields import Fields, Interval
from mondegreen.report.intervals import read_interval
from mondegreen.report.measurement import OnPairs, longest_reach, read_on_pairs
from mondegreen.report.results import (
    AttackUsed,
    BudgetUsed,
    Quality,
    read_attack,
    read_budget,
    read_quality,
)

FORMAT = 1


@dataclass(frozen=True)
class Listener:
    """A classifier that heard the clips of every row."""

    name: str
    network: str
    parameters: int
    fingerprint: str
    clean_accuracy: float
    """Share of the untouched clips that it hears as what they are."""
    baseline_rate: float
    """Share of the pairs whose untouched clip it hears as the target already."""
    right_pairs: int
    """Pairs whose untouched clip it hears as what it is."""


@dataclass(frozen=True)
class Heard:
    """What one classifier made of one row's clips; rates lie in [0, 1]."""

    seen: bool
    """Whether the attack, or its training, asked this classifier."""
    success_rate: float | None
    """Pairs heard as the target; None of an untargeted attack, which has none."""
    success_interval: Interval | None
    untargeted_rate: float | None
    """Of the pairs whose clip was heard as what it is, those that are not any more."""
    untargeted_interval: Interval | None


@dataclass(frozen=True)
class TransferRow:
    """One attack, made against one classifier or several."""

    label: str
    against: str
    """What it asked, in words."""
    asked: tuple[str, ...]
    """Fingerprints of the classifiers that it, or its training, asked."""
    attack: AttackUsed
    cells: tuple[Heard, ...]
    snr_db: Quality
    gradients: float | None
    """Mean gradients a clip; None where the attack counts none."""
    queries: float | None


@dataclass(frozen=True)
class Transfer(OnPairs):
    """A ``transfer.json``, validated."""

    listeners: tuple[Listener, ...]
    budget: BudgetUsed
    rows: tuple[TransferRow, ...]

    @property
    def reach(self) -> float:
        """How far a 95 % interval of a targeted success reaches from it at most."""
        return longest_reach(
            (cell.success_rate, cell.success_interval) for row in self.rows for cell in row.cells
        )


def load_transfer(path: Path) -> Transfer:
    """Read and check a ``transfer.json``. Fields that this version does not know are left out.

    Raises:
        MondegreenError: The file is missing, not JSON, of another format, or a field is missing or
            damaged; the message names the file and the field.
    """
    top = Fields.read(path, FORMAT)
    listeners = tuple(_listener(one) for one in _list(top, "classifiers"))
    return Transfer(
        **read_on_pairs(top),
        listeners=listeners,
        budget=read_budget(top.child("budget")),
        rows=tuple(
            _row(one, listeners, top.child("pairs").count("count")) for one in _list(top, "rows")
        ),
    )


def _list(fields: Fields, name: str, size: int | None = None) -> list[Fields]:
    """Return a list of objects: not empty, and of ``size`` if that is given."""
    found = fields.children(name)
    if not found or size not in (None, len(found)):
        fields.fail(name, f"expected a list of {size or 'one or more'} objects")
    return found


def _listener(fields: Fields) -> Listener:
    return Listener(
        name=fields.text("name"),
        network=fields.text("network"),
        parameters=fields.count("parameters"),
        fingerprint=fields.text("fingerprint"),
        clean_accuracy=fields.rate("clean_accuracy"),
        baseline_rate=fields.rate("baseline_rate"),
        right_pairs=fields.count("right_pairs"),
    )


def _row(fields: Fields, listeners: tuple[Listener, ...], pairs: int) -> TransferRow:
    cells = _list(fields, "cells", len(listeners))
    return TransferRow(
        label=fields.text("label"),
        against=fields.text("against"),
        asked=tuple(one.text("fingerprint") for one in _list(fields, "asked")),
        attack=read_attack(fields.child("attack")),
        cells=tuple(
            _heard(one, pairs, listener.right_pairs)
            for one, listener in zip(cells, listeners, strict=True)
        ),
        snr_db=read_quality(fields, "snr_db"),
        gradients=fields.optional_number("gradients_per_clip"),
        queries=fields.optional_number("queries_per_clip"),
    )


def _heard(fields: Fields, pairs: int, right_pairs: int) -> Heard:
    return Heard(
        seen=fields.flag("seen"),
        success_rate=(rate := fields.optional_rate("success_rate")),
        success_interval=read_interval(fields, rate, pairs),
        untargeted_rate=(away := fields.optional_rate("untargeted_rate")),
        untargeted_interval=read_interval(fields, away, right_pairs, "untargeted_interval"),
    )
