"""A measure from outside of the package: ``evaluate --metric module:function``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from mondegreen.errors import MondegreenError
from mondegreen.extensions import find, is_place

Floats = npt.NDArray[np.float64]
Metric = Callable[[Tensor, Tensor, int], npt.ArrayLike]
"""From clips, their adversarial versions (both ``(batch, 1, time)``) and the sample rate in Hz to
one number a clip; NaN where it cannot be measured."""


def load_metrics(places: Sequence[str]) -> dict[str, Metric]:
    """Import measures by their places.

    Args:
        places: Each as ``module:function``.

    Raises:
        MondegreenError: One is not there, or is no function.

    Example:
        >>> list(load_metrics(["mondegreen.metrics.stoi:stoi_scores"]))
        ['mondegreen.metrics.stoi:stoi_scores']
    """
    found = {}
    for place in places:
        asked = f"metric {place!r}"
        if not is_place(place):
            raise MondegreenError(f"{asked}: write module:function.")
        found[place] = find(place, asked)
        if not callable(found[place]):
            raise MondegreenError(f"{asked}: {place} is no function.")
    return found


def score(name: str, metric: Metric, x: Tensor, x_adv: Tensor, sample_rate: int) -> Floats:
    """Return what a measure says of every pair.

    Args:
        name: The measure's, for the error message.
        metric: The measure.
        x: The clips.
        x_adv: The perturbed clips.
        sample_rate: In Hz.

    Shape:
        - x, x_adv: ``(batch, 1, time)``
        - Output: ``(batch,)``

    Raises:
        MondegreenError: It does not return one number a clip.

    Example:
        >>> import torch
        >>> x, x_adv = torch.zeros(2, 1, 4), torch.full((2, 1, 4), 0.5)
        >>> score("peak", lambda x, y, rate: (y - x).abs().amax(dim=(1, 2)), x, x_adv, 16_000)
        array([0.5, 0.5])
    """
    values = np.asarray(metric(x, x_adv, sample_rate), dtype=np.float64)
    if values.shape != (len(x),):
        raise MondegreenError(
            f"metric {name!r} returned the shape {values.shape} for {len(x)} clips; return one "
            "number a clip."
        )
    return values
