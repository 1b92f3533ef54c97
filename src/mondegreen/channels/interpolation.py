"""The value of a clip between its samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_ZEROS = 24  # zero crossings of the sinc on each side, as in resampling
_ROLLOFF = 0.945


def play(x: Tensor, position: Tensor, speed: float) -> Tensor:
    """Return the clip at positions between its samples, by a windowed sinc; zero outside.

    Smith, *Digital Audio Resampling*, with the window of
    :class:`mondegreen.resampling.Resampler`. Differentiable.

    Args:
        x: A clip, ``(time,)``.
        position: Where to look, in samples, ``(positions,)``, float64.
        speed: How far apart the positions lie; above 1, what would alias is removed.

    Shape:
        - Output: ``(positions,)``
    """
    cutoff = _ROLLOFF / max(1.0, speed)
    reach = math.ceil(_ZEROS / cutoff)
    base = position.floor()
    offsets = torch.arange(-reach, reach + 1, device=x.device)
    between = (position - base).to(x.dtype)
    distance = (offsets - between[:, None]) * cutoff
    window = torch.cos(distance * (math.pi / (2 * _ZEROS))).square() * (distance.abs() < _ZEROS)
    taps = cutoff * torch.sinc(distance) * window
    padded = torch.nn.functional.pad(x, (1, 1))  # anything outside reads a zero
    index = (base.long()[:, None] + offsets + 1).clamp(0, len(x) + 1)
    return (padded[index] * taps).sum(dim=1)
