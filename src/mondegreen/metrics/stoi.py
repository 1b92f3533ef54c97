"""Short-time objective intelligibility."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from mondegreen.metrics.extras import require
from mondegreen.metrics.pool import score_pairs

Floats = npt.NDArray[np.float64]


def stoi_scores(x: Tensor, x_adv: Tensor, sample_rate: int, workers: int | None = None) -> Floats:
    """Return the intelligibility of every perturbed clip (Taal et al., IEEE TASLP 19(7), 2011).

    The mean correlation of short-time envelopes in third-octave bands, at 10 kHz, over the frames
    within 40 dB of the loudest; 1 is identity, 0 no relation. NaN stands for a failure: the clip
    is silent or not finite, or holds less than 0.4 s of sound after the silent frames are gone,
    as short words do.

    Args:
        x: The clips.
        x_adv: The perturbed clips.
        sample_rate: In Hz.
        workers: The most processes to use; every core by default, 1 stays in this process.

    Shape:
        - x, x_adv: ``(batch, time)`` or ``(batch, 1, time)``
        - Output: ``(batch,)``

    Raises:
        MissingExtraError: The package ``pystoi`` is not installed.
        ValueError: The shapes are wrong.
    """
    require("pystoi", "quality")
    scores = score_pairs(x, x_adv, sample_rate, ["stoi"], workers=workers, description="STOI")
    return scores[:, 0]
