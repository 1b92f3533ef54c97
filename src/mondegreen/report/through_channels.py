"""What was left of an attack after channels: a part of ``results.json``, and a small table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mondegreen.report.fields import Fields, Interval
from mondegreen.report.formatting import DASH
from mondegreen.report.intervals import read_interval

if TYPE_CHECKING:
    from mondegreen.report.results import Results  # which reads this part by this module

HEAD = ("channel", "clean accuracy", "doing nothing", "success", "of what succeeded")
"""Titles of the table's columns."""

NOTE = (
    "The adversarial clips were made without knowing any channel. “Clean accuracy” is that of the "
    "classifier on the untouched clips after the channel, “doing nothing” how often these are "
    "heard as the target, “of what succeeded” the share of the pairs that succeed without the "
    "channel and still do with it."
)


@dataclass(frozen=True)
class ThroughChannel:
    """What was heard after a channel; rates lie in [0, 1]."""

    channel: str
    clean_accuracy: float
    baseline_rate: float
    success_rate: float
    success_interval: Interval | None
    survival_rate: float | None
    """Of the pairs that succeed without the channel; None where there are none."""
    true_label_rate: float
    """Adversarial clips that are heard as what they are."""


def read_channels(top: Fields, pairs: int) -> tuple[ThroughChannel, ...]:
    """Return the entries of the field ``channels``; none where it is absent."""
    if top.values.get("channels") is None:
        return ()
    return tuple(_read(one, pairs) for one in top.children("channels"))


def _read(fields: Fields, pairs: int) -> ThroughChannel:
    return ThroughChannel(
        channel=fields.text("channel"),
        clean_accuracy=fields.rate("clean_accuracy"),
        baseline_rate=fields.rate("baseline_rate"),
        success_rate=(rate := fields.rate("success_rate")),
        success_interval=read_interval(fields, rate, pairs),
        survival_rate=fields.optional_rate("survival_rate"),
        true_label_rate=fields.rate("true_label_rate"),
    )


def channel_rows(results: Results) -> list[tuple[str, ...]]:
    """Return the texts of the table: without a channel first, then each of them."""
    direct = (
        "none",
        _percent(results.clean_accuracy),
        _percent(results.baseline_rate),
        with_ends(results.success_rate, results.success_interval),
        DASH,
    )
    return [direct, *map(_row, results.channels)]


def _row(one: ThroughChannel) -> tuple[str, ...]:
    return (
        one.channel,
        _percent(one.clean_accuracy),
        _percent(one.baseline_rate),
        with_ends(one.success_rate, one.success_interval),
        _percent(one.survival_rate),
    )


def _percent(rate: float | None) -> str:
    return DASH if rate is None else f"{100 * rate:.1f} %"


def with_ends(rate: float, ends: Interval | None) -> str:
    """Return a rate in percent with the ends of its interval.

    Example:
        >>> with_ends(0.5, (0.401, 0.612))
        '50.0 % (40.1 to 61.2)'
    """
    if ends is None:
        return _percent(rate)
    low, high = (f"{100 * end:.1f}" for end in ends)
    return f"{_percent(rate)} ({low} to {high})"
