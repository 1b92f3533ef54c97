"""What every budget can do, and the norms that budgets are made of."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from mondegreen.errors import MondegreenError

BudgetKind = Literal["snr", "l2", "linf"]

TOLERANCE_DB = 1e-4
"""By how much :meth:`Budget.satisfied` lets a norm exceed its bound."""

_TINIEST = 1e-30  # bounds below count as zero: float32 has no precision left down there
_MARGIN = 1.0 - 2.0**-21  # 4e-6 dB, more than the scaling can lose when it rounds to float32


class BudgetError(MondegreenError, ValueError):
    """A budget that makes no sense: not a number, infinite, negative, or of an unknown kind."""


@dataclass(frozen=True)
class Budget(ABC):
    """A bound on a norm of the perturbation, clip by clip."""

    kind: ClassVar[BudgetKind]

    @property
    @abstractmethod
    def value(self) -> float:
        """The number that the budget is named by, in dB or as a norm."""

    @abstractmethod
    def with_value(self, value: float) -> Self:
        """Return a budget of the same kind with another value.

        Raises:
            BudgetError: The value is out of range.
        """

    @abstractmethod
    def describe(self) -> str:
        """Return the budget as a reader would write it, with its unit."""

    @abstractmethod
    def norm(self, delta: Tensor) -> Tensor:
        """Return the norm that the budget bounds, one number a clip, in float64.

        Shape:
            - delta: ``(batch, ..., time)``
            - Output: ``(batch,)``
        """

    @abstractmethod
    def bound(self, x: Tensor, value: Tensor | None = None, /) -> Tensor:
        """Return the largest norm allowed, one number a clip, in float64.

        Args:
            x: The unperturbed clips.
            value: A value for every clip, instead of the budget's own.

        Shape:
            - x: ``(batch, ..., time)``
            - value: ``(batch,)``
            - Output: ``(batch,)``

        Raises:
            ValueError: ``x`` has no batch dimension, or ``value`` not one number a clip.
        """

    def project(self, x: Tensor, delta: Tensor, value: Tensor | None = None, /) -> Tensor:
        """Scale every perturbation that is too large down onto its bound.

        ``delta * min(1, bound / norm)``: the nearest point of the budget in the Euclidean sense.
        Perturbations that keep the budget come back bit by bit; where the bound is zero (silence,
        under a signal-to-noise ratio) the result is zero. Differentiable with respect to both
        arguments, with finite gradients at zero too. A perturbation that holds NaN stays NaN.

        Args:
            x: The unperturbed clips.
            delta: The perturbations; a batch of one is spread over the clips.
            value: A value for every clip, instead of the budget's own.

        Shape:
            - x, delta: ``(batch, ..., time)``
            - value: ``(batch,)``
            - Output: as ``x``, in the finer precision of both and at least float32

        Raises:
            ValueError: As for :meth:`bound`.
        """
        delta = in_precision_of(x, delta)
        norm, bound = self.norm(delta), self.bound(x, value)
        inside = norm <= bound
        # The inner `where` keeps 0 / 0 out of the gradient of the branch that is not taken.
        scale = _MARGIN * bound / torch.where(inside, torch.ones_like(norm), norm)
        scaled = delta * per_clip(scale, x).to(delta.dtype)
        return torch.where(per_clip(inside, x), delta, scaled)

    def satisfied(self, x: Tensor, delta: Tensor, tolerance: float = TOLERANCE_DB) -> Tensor:
        """Tell which clips keep the budget; NaN never does.

        Args:
            x: The unperturbed clips.
            delta: Their perturbations.
            tolerance: By how many dB the norm may exceed its bound.

        Shape:
            - x, delta: ``(batch, ..., time)``
            - Output: bool, ``(batch,)``
        """
        limit = self.bound(x) * 10.0 ** (tolerance / 20.0)
        return torch.le(self.norm(delta), limit)

    def __str__(self) -> str:
        """Return the text that :func:`parse_budget` reads."""
        return f"{self.kind}:{self.value!r}"


def finite_number(kind: str, value: float) -> float:
    """Return ``value`` as a float.

    Raises:
        BudgetError: It is not a number, NaN or infinite.
    """
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise BudgetError(f"{kind}:{value} is no number; write for example {kind}:1.") from error
    if not math.isfinite(number):
        raise BudgetError(f"{kind}:{value} is not finite; leave the budget out to have none.")
    return number


def clip_norm(x: Tensor, order: float) -> Tensor:
    """Return the norm of every clip over all dimensions but the first, accumulated in float64."""
    if x.ndim < 2:
        raise ValueError(f"expected clips as (batch, ..., time), got the shape {tuple(x.shape)}")
    dims = tuple(range(1, x.ndim))
    norm: Tensor = torch.linalg.vector_norm(x, order, dim=dims, dtype=torch.float64)
    return norm


def clip_values(default: float, values: Tensor | None, x: Tensor) -> Tensor:
    """Return ``values``, or ``default`` for every clip of ``x``, as float64 on its device."""
    if values is None:
        return torch.full((len(x),), default, dtype=torch.float64, device=x.device)
    if values.shape != (len(x),):
        raise ValueError(f"expected {len(x)} values, one a clip, got {tuple(values.shape)}")
    return values.to(x.device, torch.float64)


def flush(bound: Tensor) -> Tensor:
    """Replace bounds that float32 cannot keep by zero."""
    return torch.where(bound < _TINIEST, torch.zeros_like(bound), bound)


def per_clip(values: Tensor, x: Tensor) -> Tensor:
    """Reshape one number a clip so that it multiplies ``x``."""
    return values.reshape(-1, *(1,) * (x.ndim - 1))


def in_precision_of(x: Tensor, delta: Tensor) -> Tensor:
    """Return ``delta`` in the finer precision of both, at least float32: half is too coarse."""
    finer = torch.promote_types(x.dtype, delta.dtype)
    return delta.to(torch.promote_types(finer, torch.float32))
