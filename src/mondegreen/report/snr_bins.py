"""Success by the signal-to-noise ratio that the adversarial clips ended at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from mondegreen.report.pairs import Pair

STEPS_DB = (1.0, 2.0, 5.0, 10.0, 20.0)
MOST = 12
LEAST_SPREAD_DB = 1.0
"""Where nine pairs of ten lie closer together than this, bins would show nothing but rounding."""


@dataclass(frozen=True)
class Bin:
    """The pairs whose ratio lies in ``[low, high)`` dB, and how many of them succeeded."""

    low: float
    high: float
    pairs: int
    successes: int

    @property
    def rate(self) -> float:
        """Successes over pairs."""
        return self.successes / self.pairs


def success_by_snr(pairs: Sequence[Pair]) -> list[Bin]:
    """Return the bins that hold pairs, by rising ratio; none where the ratios hardly differ.

    Pairs without a finite ratio are left out.
    """
    known = [
        (pair.snr_db, pair.success)
        for pair in pairs
        if pair.snr_db is not None and math.isfinite(pair.snr_db)
    ]
    if not known:
        return []
    ratios = np.array([ratio for ratio, _ in known])
    hits = np.array([success for _, success in known])
    low, high = np.quantile(ratios, (0.05, 0.95))
    if high - low < LEAST_SPREAD_DB:
        return []
    width = next((s for s in STEPS_DB if (ratios.max() - ratios.min()) / s <= MOST), STEPS_DB[-1])
    place = np.floor(ratios / width).astype(int)
    return [
        Bin(width * i, width * (i + 1), int((place == i).sum()), int(hits[place == i].sum()))
        for i in np.unique(place).tolist()
    ]


WIDTH, HEIGHT, HEAD, FOOT = 420.0, 150.0, 22.0, 52.0


def bins_svg(bins: Sequence[Bin]) -> Markup:
    """Return the success of the bins as bars, with the number of pairs under each."""
    label = "Success by signal-to-noise ratio: " + "; ".join(
        f"{one.low:g} to {one.high:g} dB {100 * one.rate:.0f} % of {one.pairs:,}" for one in bins
    )
    low, high = bins[0].low, bins[-1].high
    scale = WIDTH / (high - low)
    return Markup(
        '<svg class="histogram" viewBox="-14 {top} {across} {down}" role="img" '
        'aria-label="{label}">{bars}<path class="axis" d="M0 {height}H{width}"/>'
        '<text x="{width}" y="{edges}">{high:g}</text>'
        '<text x="{middle}" y="{title}">dB (above), pairs (below)</text></svg>'
    ).format(
        top=-HEAD,
        across=WIDTH + 28,
        down=HEAD + HEIGHT + FOOT,
        label=label,
        bars=Markup("").join(_bar(one, scale * (one.low - low), scale) for one in bins),
        height=HEIGHT,
        width=WIDTH,
        edges=HEIGHT + 17,
        high=high,
        middle=WIDTH / 2,
        title=HEIGHT + FOOT - 2,
    )


def _bar(one: Bin, left: float, scale: float) -> Markup:
    """Return a bar with its rate above, its lower edge and its pairs below."""
    wide = scale * (one.high - one.low)
    filled = HEIGHT * one.rate
    return Markup(
        '<rect class="empty" x="{x:.1f}" y="0" width="{wide:.1f}" height="{height}"/>'
        '<rect x="{x:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{filled:.1f}"/>'
        '<text class="rate" x="{middle:.1f}" y="{above:.1f}">{percent:.0f} %</text>'
        '<text x="{left:.1f}" y="{edges}">{low:g}</text>'
        '<text class="count" x="{middle:.1f}" y="{counts}">{pairs:,}</text>'
    ).format(
        x=left + 1,
        wide=wide - 2,
        height=HEIGHT,
        top=HEIGHT - filled,
        filled=filled,
        middle=left + wide / 2,
        above=HEIGHT - filled - 6,
        percent=100 * one.rate,
        left=left,
        edges=HEIGHT + 17,
        low=one.low,
        counts=HEIGHT + 33,
        pairs=one.pairs,
    )
