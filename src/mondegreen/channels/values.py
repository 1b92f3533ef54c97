"""Hyper-parameters of channels: numbers, ranges to draw from, words; and the errors about them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mondegreen.channels.streams import Streams
from mondegreen.errors import MondegreenError

Range = float | tuple[float, float]
"""A number, or two: then each clip draws its own between them."""


def check_number(channel: str, option: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number from ``low`` to ``high``.

    Raises:
        MondegreenError: It is not.
    """
    if not _is_number(value, low, high):
        raise MondegreenError(
            f"channel {channel}: {option} is {value!r}; give a number from {low:g} to {high:g}."
        )


def check_count(channel: str, option: str, value: object, low: int, high: int) -> None:
    """Refuse what is no integer from ``low`` to ``high``.

    Raises:
        MondegreenError: It is not.
    """
    if not isinstance(value, int) or not _is_number(value, low, high):
        raise MondegreenError(
            f"channel {channel}: {option} is {value!r}; give a whole number from {low} to {high}."
        )


def check_range(channel: str, option: str, value: object, low: float, high: float) -> None:
    """Refuse what is neither a number from ``low`` to ``high`` nor two of them in order.

    Raises:
        MondegreenError: It is not.
    """
    ends = value if isinstance(value, tuple) else (value, value)
    inside = len(ends) == 2 and all(_is_number(end, low, high) for end in ends)
    if not inside or ends[0] > ends[1]:
        raise MondegreenError(
            f"channel {channel}: {option} is {value!r}; give a number from {low:g} to {high:g}, or "
            "two as in 10..20, of which the first is not larger, to draw from."
        )


def check_word(channel: str, option: str, value: object, words: Sequence[str]) -> None:
    """Refuse what is none of the words.

    Raises:
        MondegreenError: It is none.
    """
    if value not in words:
        raise MondegreenError(
            f"channel {channel}: {option} is {value!r}; choose one of {', '.join(words)}."
        )


def _is_number(value: object, low: float, high: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and low <= value <= high


def varies(value: Range) -> bool:
    """Tell whether clips draw different values."""
    return isinstance(value, tuple) and value[0] < value[1]


def pick(value: Range, clips: int, streams: Streams) -> Tensor:
    """Return a value for each clip, ``(batch,)``, float32; draws only where they vary."""
    if isinstance(value, tuple) and varies(value):
        return streams.uniform(*value)
    return torch.full((clips,), float(value[0] if isinstance(value, tuple) else value))
