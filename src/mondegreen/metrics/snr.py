"""Signal-to-noise ratio of a perturbed clip."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def snr_db(x: Tensor, x_adv: Tensor) -> Tensor:
    r"""Return the energy ratio of clip and perturbation in dB (paper: eq. 15).

    .. math:: 10 \log_{10} \frac{\sum_t x_t^2}{\sum_t (x_{adv,t} - x_t)^2}

    Sums run over the whole clip, in float64. An unperturbed clip has an infinite ratio. A clip of
    zero energy has none: NaN, which :func:`mondegreen.metrics.summary.summarize` counts as failed.

    Args:
        x: The clips.
        x_adv: The perturbed clips.

    Shape:
        - x, x_adv: ``(batch, ..., time)``
        - Output: ``(batch,)``, float64

    Raises:
        ValueError: The shapes differ, or there is no batch dimension.

    Example:
        >>> x = torch.ones(1, 1, 100)
        >>> round(snr_db(x, 1.1 * x).item(), 3)
        20.0
    """
    if x.shape != x_adv.shape or x.ndim < 2:
        raise ValueError(
            f"expected two waveforms (batch, ..., time), got {tuple(x.shape)} and "
            f"{tuple(x_adv.shape)}"
        )
    signal = x.to(torch.float64)
    noise = x_adv.to(torch.float64) - signal
    dims = tuple(range(1, x.ndim))
    energy, noise_energy = signal.square().sum(dims), noise.square().sum(dims)
    ratio = 10.0 * (energy.log10() - noise_energy.log10())
    return torch.where(energy > 0, ratio, torch.full_like(ratio, math.nan))
