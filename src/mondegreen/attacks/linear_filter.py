"""A linear filter and a constant perturbation for each target: the stronger trivial rival.

``delta = h_t * x + level(x) v_t`` at the level that just meets the budget. It knows the clip, but
only as far as a fixed linear filter can. A generator that did no better would be a filter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.attacks.universal import (
    Universal,
    UniversalAttack,
    UniversalConfig,
    fill_with_noise,
    read_universal,
)
from mondegreen.audio import fit_length
from mondegreen.classifiers.classifier import Classifier


def filter_same(x: Tensor, taps: Tensor) -> Tensor:
    """Convolve each clip with its own filter, aligned so that the middle tap does not delay.

    ``y[t] = sum_k h[k] x[t - k + taps // 2]``, with zeros around the clip; by FFT.

    Args:
        x: The clips.
        taps: The filters, ``(batch, taps)``.

    Shape:
        - x, output: ``(batch, time)``

    Example:
        >>> x = torch.tensor([[1.0, 2.0, 3.0]])
        >>> filter_same(x, torch.tensor([[0.0, 2.0, 0.0]])).round(decimals=4).tolist()
        [[2.0, 4.0, 6.0]]
    """
    time, count = x.shape[1], taps.shape[1]
    size = time + count - 1
    product = torch.fft.rfft(x, size) * torch.fft.rfft(taps, size)
    full: Tensor = torch.fft.irfft(product, size)
    return full[:, count // 2 : count // 2 + time]


class LinearFilter(Universal):
    """A finite impulse response and a waveform for each target.

    The taps are kept as ``taps * sqrt(count)``, so that all numbers here are of one order and one
    learning rate suits them.

    Args:
        config: Labels, length and number of taps.
    """

    def __init__(self, config: UniversalConfig) -> None:
        super().__init__(config)
        count = len(config.labels)
        self.filters = nn.Parameter(torch.zeros(count, config.taps))
        self.perturbations = nn.Parameter(torch.zeros(count, config.clip_samples))

    def draw(self, random: torch.Generator) -> Self:
        """Fill in faint noise."""
        fill_with_noise(self.filters, 0.1, random)
        fill_with_noise(self.perturbations, 0.1, random)
        return self

    def propose(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the filtered clip plus the target's waveform at the clip's level."""
        filtered = filter_same(x[:, 0], F.embedding(target, self.filters) / self.config.taps**0.5)
        level = x.square().mean(dim=(1, 2)).add(1e-12).sqrt()[:, None]
        constant = fit_length(F.embedding(target, self.perturbations), x.shape[2])
        return (filtered + level * constant)[:, None]


class LinearFilterAttack(UniversalAttack):
    """Filter each clip by the target's filter and add the target's waveform.

    Args:
        filters: Trained filters.
    """

    def __init__(self, *, filters: LinearFilter) -> None:
        super().__init__(perturbations=filters)


def load_universal(folder: str | Path, classifier: Classifier) -> LinearFilterAttack:
    """Load linear filters as an attack.

    Args:
        folder: The run of ``mondegreen train universal --kind filter``.
        classifier: The classifier they were trained against.

    Raises:
        MondegreenError: As for :func:`mondegreen.attacks.universal.read_universal`.
    """
    return LinearFilterAttack(filters=read_universal(LinearFilter, "filter", folder, classifier))
