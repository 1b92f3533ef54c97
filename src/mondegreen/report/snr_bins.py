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


WIDTH, HEIGHT, FOOT = 420.0, 150.0, 52.0


def bins_svg(bins: Sequence[Bin]) -> Markup:
    """Return the success of the bins as bars, with the number of pairs under each."""
    low, high = bins[0].low, bins[-1].high
    scale = WIDTH / (high - low)
    parts = []
    for one in bins:
        left, width, top = scale * (one.low - low), scale * (one.high - one.low), 1 - one.rate
        parts.append(
            Markup(
                '<rect class="empty" x="{0:.1f}" y="0" width="{1:.1f}" height="{2}"/>'
                '<rect x="{0:.1f}" y="{3:.1f}" width="{1:.1f}" height="{4:.1f}"/>'
                '<text x="{5:.1f}" y="{6}">{7:g}</text>'
                '<text class="count" x="{8:.1f}" y="{9}">{10:,}</text>'
            ).format(
                left + 1,
                width - 2,
                HEIGHT,
                HEIGHT * top,
                HEIGHT * one.rate,
                left,
                HEIGHT + 17,
                one.low,
                left + width / 2,
                HEIGHT + 33,
                one.pairs,
            )
        )
    label = "Success by signal-to-noise ratio: " + "; ".join(
        f"{one.low:g} to {one.high:g} dB {100 * one.rate:.0f} % of {one.pairs:,}" for one in bins
    )
    return Markup(
        '<svg class="histogram" viewBox="-14 -8 {} {}" role="img" aria-label="{}">{}'
        '<path class="axis" d="M0 {}H{}"/><text x="{}" y="{}">{:g}</text>'
        '<text x="{}" y="{}">dB (above), pairs (below)</text></svg>'
    ).format(
        WIDTH + 28,
        HEIGHT + FOOT + 8,
        label,
        Markup("").join(parts),
        HEIGHT,
        WIDTH,
        WIDTH,
        HEIGHT + 17,
        high,
        WIDTH / 2,
        HEIGHT + FOOT - 2,
    )
