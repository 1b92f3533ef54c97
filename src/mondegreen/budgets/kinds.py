"""The three budgets, and how they are written on a command line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from mondegreen.budgets.budget import (
    Budget,
    BudgetError,
    BudgetKind,
    clip_norm,
    clip_values,
    finite_number,
    flush,
    in_precision_of,
    per_clip,
)

MAX_DB = 300.0
"""Signal-to-noise ratios beyond ±300 dB are refused: float32 itself spans some 150 dB."""


@dataclass(frozen=True)
class SNR(Budget):
    """Signal-to-noise ratio of at least ``db`` dB (paper: eq. 15, as energies over the clip).

    ``sum(delta²) <= sum(x²) * 10^(-db / 10)``. A silent clip allows no perturbation at all.

    Args:
        db: The ratio in dB, in [-300, 300].

    Raises:
        BudgetError: ``db`` is not a number in that range.

    Example:
        >>> x, delta = torch.ones(1, 1, 100), torch.ones(1, 1, 100)
        >>> round(SNR(20).project(x, delta).max().item(), 4)
        0.1
    """

    kind: ClassVar[BudgetKind] = "snr"
    db: float

    def __post_init__(self) -> None:
        """Check the value."""
        db = finite_number(self.kind, self.db)
        if abs(db) > MAX_DB:
            raise BudgetError(f"snr:{db:g} is out of range; use {-MAX_DB:g} to {MAX_DB:g} dB.")
        object.__setattr__(self, "db", db)

    @property
    def value(self) -> float:
        """The ratio in dB."""
        return self.db

    def with_value(self, value: float) -> Self:
        """Return ``SNR(value)``."""
        return type(self)(value)

    def describe(self) -> str:
        """Return, say, ``SNR >= 20 dB``."""
        return f"SNR >= {self.db:g} dB"

    def norm(self, delta: Tensor) -> Tensor:
        """Return the Euclidean norm of every clip."""
        return clip_norm(delta, 2.0)

    def bound(self, x: Tensor, db: Tensor | None = None) -> Tensor:
        """Return ``sqrt(sum(x²)) * 10^(-db / 20)``; see :meth:`Budget.bound`."""
        return flush(clip_norm(x, 2.0) * 10.0 ** (-clip_values(self.db, db, x) / 20.0))

    def project(self, x: Tensor, delta: Tensor, db: Tensor | None = None) -> Tensor:
        """Scale down onto ``db``, one number or one a clip; see :meth:`Budget.project`."""
        return super().project(x, delta, db)


@dataclass(frozen=True)
class _NormBudget(Budget):
    """A bound that does not depend on the clip."""

    eps: float

    def __post_init__(self) -> None:
        """Check the value."""
        eps = finite_number(self.kind, self.eps)
        if eps < 0.0:
            raise BudgetError(f"{self.kind}:{eps:g} is negative; use 0 or more.")
        object.__setattr__(self, "eps", eps)

    @property
    def value(self) -> float:
        """The largest norm."""
        return self.eps

    def with_value(self, value: float) -> Self:
        """Return the same kind of budget for ``eps = value``."""
        return type(self)(value)

    def bound(self, x: Tensor, eps: Tensor | None = None) -> Tensor:
        """Return ``eps`` for every clip; see :meth:`Budget.bound`."""
        return flush(clip_values(self.eps, eps, x))


@dataclass(frozen=True)
class L2(_NormBudget):
    """Euclidean norm of at most ``eps`` over the whole clip, ``sqrt(sum(delta²)) <= eps``.

    The norm grows with the length of the clip: 0.5 over 16,384 samples is 0.0039 a sample (RMS).

    Args:
        eps: The norm, 0 or more, for waveforms in [-1, 1].

    Raises:
        BudgetError: ``eps`` is not a finite number, or negative.

    Example:
        >>> round(L2(0.5).project(torch.zeros(1, 1, 4), torch.ones(1, 1, 4)).norm().item(), 4)
        0.5
    """

    kind: ClassVar[BudgetKind] = "l2"

    def describe(self) -> str:
        """Return, say, ``L2 norm <= 0.5``."""
        return f"L2 norm <= {self.eps:g}"

    def norm(self, delta: Tensor) -> Tensor:
        """Return the Euclidean norm of every clip."""
        return clip_norm(delta, 2.0)


@dataclass(frozen=True)
class Linf(_NormBudget):
    """Every sample of the perturbation within ``±eps``, ``max |delta| <= eps``.

    Args:
        eps: The largest change of a sample, 0 or more, for waveforms in [-1, 1].

    Raises:
        BudgetError: ``eps`` is not a finite number, or negative.

    Example:
        >>> Linf(0.25).project(torch.zeros(1, 1, 3), torch.tensor([[[-1.0, 0.125, 1.0]]])).tolist()
        [[[-0.25, 0.125, 0.25]]]
    """

    kind: ClassVar[BudgetKind] = "linf"

    def describe(self) -> str:
        """Return, say, ``max |delta| <= 0.002``."""
        return f"max |delta| <= {self.eps:g}"

    def norm(self, delta: Tensor) -> Tensor:
        """Return the largest magnitude of every clip."""
        return clip_norm(delta, math.inf)

    def project(self, x: Tensor, delta: Tensor, eps: Tensor | None = None) -> Tensor:
        """Clip every sample to ``±eps``, one number or one a clip: the nearest point.

        The gradient is one inside and zero where a sample is clipped. See :meth:`Budget.project`.
        """
        delta = in_precision_of(x, delta)
        limit = per_clip(_round_down(self.bound(x, eps), delta.dtype), x)
        return torch.minimum(torch.maximum(delta, -limit), limit)


def parse_budget(text: str) -> Budget:
    """Read ``snr:20``, ``l2:0.5`` or ``linf:0.002``.

    Args:
        text: The kind, a colon, and the value (dB for ``snr``).

    Raises:
        BudgetError: The kind is unknown, or the value is no number, infinite or out of range.

    Example:
        >>> parse_budget("snr:20")
        SNR(db=20.0)
    """
    kinds: dict[str, type[SNR] | type[L2] | type[Linf]] = {"snr": SNR, "l2": L2, "linf": Linf}
    kind, _, number = text.partition(":")
    budget = kinds.get(kind.strip().lower())
    try:
        value = float(number)
    except ValueError:
        budget = None
    if budget is None:
        raise BudgetError(f"budget {text!r} is not understood; write snr:20, l2:0.5 or linf:0.002.")
    return budget(value)


def _round_down(bound: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the largest numbers of ``dtype`` that do not exceed ``bound``."""
    nearest = bound.to(dtype)
    below = torch.nextafter(nearest, torch.zeros_like(nearest))
    return torch.where(nearest.to(torch.float64) > bound, below, nearest)
