"""How a perturbed clip sounds: PESQ and STOI in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from mondegreen.metrics.extras import require
from mondegreen.metrics.pesq import raw_pesq
from mondegreen.metrics.pool import Measure, score_pairs

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class QualityScores:
    """One score a pair; NaN where a measure failed."""

    pesq_nb: Floats
    """Narrow-band P.862, -0.5 to 4.5: see :func:`mondegreen.metrics.pesq.pesq_scores`."""
    pesq_wb: Floats
    """Wide-band P.862.2, MOS-LQO, 1.04 to 4.644."""
    stoi: Floats
    """Short-time objective intelligibility, at most 1."""


def quality(
    x: Tensor,
    x_adv: Tensor,
    sample_rate: int,
    workers: int | None = None,
    *,
    stoi: bool = True,
) -> QualityScores:
    """Return PESQ (narrow- and wide-band) and STOI of every pair, on all cores.

    Args:
        x: The clips.
        x_adv: The perturbed clips.
        sample_rate: In Hz.
        workers: The most processes to use; every core by default, 1 stays in this process.
        stoi: Whether STOI is wanted, whose packages take seconds to load; else it is NaN.

    Shape:
        - x, x_adv: ``(batch, time)`` or ``(batch, 1, time)``

    Raises:
        MissingExtraError: The package ``pesq`` or ``pystoi`` is not installed.
        ValueError: The shapes are wrong.
    """
    for package in ("pesq", "pystoi") if stoi else ("pesq",):
        require(package, "quality")
    measures: list[Measure] = ["pesq_nb_lqo", "pesq_wb"]
    scores = score_pairs(
        x,
        x_adv,
        sample_rate,
        [*measures, "stoi"] if stoi else measures,
        workers=workers,
        description="PESQ and STOI" if stoi else "PESQ",
    )
    missing = np.full(len(scores), np.nan)
    return QualityScores(raw_pesq(scores[:, 0]), scores[:, 1], scores[:, 2] if stoi else missing)
