"""Perceptual evaluation of speech quality (ITU-T P.862, P.862.1 and P.862.2)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from torch import Tensor

from mondegreen.metrics.extras import require
from mondegreen.metrics.pool import score_pairs

Floats = npt.NDArray[np.float64]
PesqMode = Literal["nb", "wb"]


def pesq_scores(
    x: Tensor,
    x_adv: Tensor,
    sample_rate: int,
    mode: PesqMode = "nb",
    workers: int | None = None,
) -> Floats:
    """Return the PESQ of every perturbed clip; more is better.

    * ``nb``: narrow-band P.862, the paper's scale. -0.5 is worst, 4.5 is identity, and what people
      hear lies mostly between 1 and 4.5. The ``pesq`` package returns this score mapped to MOS-LQO
      by P.862.1 (identity: 4.549); it is mapped back by :func:`raw_pesq`.
    * ``wb``: wide-band P.862.2, MOS-LQO, from 1.04 to 4.644 (identity).

    PESQ is defined for speech. Clips at other rates than 8 kHz (``nb`` only) and 16 kHz are
    resampled to 16 kHz. NaN stands for a failure: no utterance was found, the clip is silent or not
    finite, shorter than 0.25 s, or longer than 20 s (ITU's reference code, on which the package
    rests, can overflow its table of utterances from there on).

    Args:
        x: The clips.
        x_adv: The perturbed clips.
        sample_rate: In Hz.
        mode: ``nb`` or ``wb``.
        workers: The most processes to use; every core by default, 1 stays in this process.

    Shape:
        - x, x_adv: ``(batch, time)`` or ``(batch, 1, time)``
        - Output: ``(batch,)``

    Raises:
        MissingExtraError: The package ``pesq`` is not installed.
        ValueError: The shapes or the mode are wrong.
    """
    if mode not in ("nb", "wb"):
        raise ValueError(f"PESQ knows the modes nb and wb, not {mode!r}")
    require("pesq", "quality")
    description = f"PESQ ({mode})"
    if mode == "wb":
        wide = score_pairs(
            x, x_adv, sample_rate, ["pesq_wb"], workers=workers, description=description
        )
        return wide[:, 0]
    narrow = score_pairs(
        x, x_adv, sample_rate, ["pesq_nb_lqo"], workers=workers, description=description
    )
    return raw_pesq(narrow[:, 0])


def raw_pesq(mos_lqo: npt.ArrayLike) -> Floats:
    r"""Return P.862 scores from the MOS-LQO that P.862.1 maps them to.

    .. math:: raw = \frac{4.6607 - \ln(4 / (y - 0.999) - 1)}{1.4945}

    is the inverse of P.862.1's :math:`y = 0.999 + 4 / (1 + \exp(4.6607 - 1.4945\, raw))`. Results
    are limited to the range of P.862, -0.5 to 4.5.

    Args:
        mos_lqo: MOS-LQO; NaN stays NaN.

    Example:
        >>> raw_pesq([1.6072, 4.5486]).round(2).tolist()
        [1.97, 4.5]
    """
    mapped = np.clip(np.asarray(mos_lqo, dtype=np.float64), 1.0, 4.99)
    raw: Floats = (4.6607 - np.log(4.0 / (mapped - 0.999) - 1.0)) / 1.4945
    return np.clip(raw, -0.5, 4.5)
