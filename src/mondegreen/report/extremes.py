"""The pairs at the ends: hardest to hear, easiest to hear, furthest from the target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mondegreen.report.views import PairView

COUNT = 3
SPREAD_DB = 1.0
"""Where the ratios differ by less, they rank nothing: all clips spent the same budget."""


@dataclass(frozen=True)
class Extreme:
    """Some pairs that can be heard, and what they are the ends of."""

    title: str
    note: str
    views: tuple[PairView, ...]


def extremes(views: Sequence[PairView], count: int = COUNT) -> list[Extreme]:
    """Return up to ``count`` pairs at each end; ends that nothing is known of are left out.

    Only pairs with sounds are shown, for they are to be listened to.
    """
    heard = [view for view in views if view.sound is not None]
    good = [view for view in heard if view.sample.success]
    failed = [view for view in heard if not view.sample.success]
    ratios = [view.sample.snr_db for view in good if view.sample.snr_db is not None]
    wide = bool(ratios) and max(ratios) - min(ratios) >= SPREAD_DB
    found = [
        Extreme(
            "Quietest successes",
            "highest signal-to-noise ratio",
            _first(good, lambda view: _minus(view.sample.snr_db), count) if wide else (),
        ),
        Extreme(
            "Hardest to hear",
            "successes of the highest PESQ, narrow-band",
            _first(good, lambda view: _minus(view.sample.pesq_nb), count),
        ),
        Extreme(
            "Easiest to hear",
            "successes of the lowest PESQ, narrow-band",
            _first(good, lambda view: view.sample.pesq_nb, count),
        ),
        Extreme(
            "Worst failures",
            "failures that gave the target least probability",
            _first(failed, lambda view: view.sample.after_probability, count),
        ),
    ]
    return [one for one in found if one.views]


def _first(
    views: Sequence[PairView], key: Callable[[PairView], float | None], count: int
) -> tuple[PairView, ...]:
    known = [(value, view.index, view) for view in views if (value := key(view)) is not None]
    return tuple(view for _, _, view in sorted(known, key=lambda entry: entry[:2])[:count])


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
