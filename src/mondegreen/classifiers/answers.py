"""From whatever a model returns to logits, one row a clip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mondegreen.classifiers.contract import Output
from mondegreen.errors import MondegreenError

TINY = 1e-20
"""Added to probabilities before their logarithm, so that values and gradients stay finite. In
float32 it changes none above 1e-12, and so never the largest."""

_SUM_TOLERANCE = 2e-3
NAMES = ("logits", "probabilities", "probs", "scores", "output", "outputs", "prediction")
"""What the labels' numbers are called in an answer of several fields, the likeliest first."""


def picked(answer: Any, field: str | None) -> Tensor:
    """Return the tensor of an answer that is one, or that holds one in a field.

    Args:
        answer: A tensor, an array, a dictionary, a tuple, or an object with attributes.
        field: The key, attribute or position; None where the answer is the tensor itself.

    Raises:
        MondegreenError: There is no such field, or it holds no numbers.
    """
    found = answer
    if field is not None:
        try:
            found = _part(answer, field)
        except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
            raise MondegreenError(f"the model's answer has no field {field!r}.") from error
    if isinstance(found, (np.ndarray, list)):
        try:
            found = torch.as_tensor(np.asarray(found))
        except (TypeError, ValueError) as error:
            raise MondegreenError(f"the model's answer holds no numbers ({error}).") from error
    if not isinstance(found, Tensor):
        raise MondegreenError(f"the model's answer is a {type(found).__name__}, not a tensor.")
    return found if found.is_floating_point() else found.float()


def _part(answer: Any, field: str) -> Any:
    if isinstance(answer, Mapping):
        return {str(key): value for key, value in answer.items()}[field]
    if isinstance(answer, (tuple, list)) and field.isdecimal():
        return answer[int(field)]
    return getattr(answer, field)


def fields_of(answer: Any) -> Iterator[str | None]:
    """Yield where in an answer the labels' numbers may be, the likeliest first."""
    if isinstance(answer, (Tensor, np.ndarray)):
        yield None
    elif isinstance(answer, Mapping):
        yield from sorted(map(str, answer), key=_rank)  # which keeps the order of equals
    elif isinstance(answer, tuple) and hasattr(answer, "_fields"):  # a named tuple
        yield from sorted(answer._fields, key=_rank)
    elif isinstance(answer, (tuple, list)):
        yield from map(str, range(len(answer)))
    else:
        yield from (name for name in NAMES if hasattr(answer, name))


def _rank(name: str) -> int:
    return NAMES.index(name) if name in NAMES else len(NAMES)


def rows(answer: Tensor, clips: int, labels: int) -> Tensor:
    """Return an answer as one row a clip, without axes of length one.

    Shape:
        - Output: ``(clips, labels)``, or ``(clips, 1)`` where one number stands for two labels

    Raises:
        MondegreenError: The answer is of another shape.

    Example:
        >>> rows(torch.zeros(2, 3, 1, 1), clips=2, labels=3).shape
        torch.Size([2, 3])
    """
    if clips == 1 and answer.shape == (labels,):  # some models drop the axis of a lone clip
        return answer[None]
    axes = [size for size in answer.shape[1:] if size != 1]
    if answer.dim() and len(answer) == clips:
        if axes == [labels]:
            return answer.reshape(clips, labels)
        if labels == 2 and not axes:
            return answer.reshape(clips, 1)
    count = answer.shape[1] if answer.dim() == 2 and len(answer) == clips else None
    if count is not None:
        raise MondegreenError(
            f"the model answers with {count} numbers for each clip, but {labels} labels were "
            "given; name a label for each, in their order."
        )
    raise MondegreenError(
        f"the model's answer to {clips} clips has the shape {tuple(answer.shape)}, not "
        f"({clips}, {labels})."
    )


def to_logits(numbers: Tensor, output: Output, labels: int) -> Tensor:
    """Return logits whose arg-max is the model's, differentiable, finite at probabilities of 0.

    Args:
        numbers: The model's answer, one row a clip.
        output: What they are.
        labels: Number of labels.

    Shape:
        - Input: ``(batch, labels)``, or ``(batch, 1)`` for the second of two labels
        - Output: ``(batch, labels)``

    Example:
        >>> to_logits(torch.tensor([[0.25, 0.75]]), "probabilities", 2).softmax(dim=1)
        tensor([[0.2500, 0.7500]])
    """
    numbers = numbers.float()
    if output == "probabilities" and numbers.shape[1] == 1:
        output = "sigmoid"
    if output == "probabilities":
        return (numbers + TINY).log()
    if output == "sigmoid":
        numbers = (numbers + TINY).log() - (1.0 - numbers).clamp_min(0.0).add(TINY).log()
    if numbers.shape[1] == 1 and labels == 2:
        if output == "log-probabilities":
            numbers = numbers - (-torch.expm1(numbers)).clamp_min(TINY).log()
        numbers = torch.cat([torch.zeros_like(numbers), numbers], dim=1)
    return numbers


def kind_of(numbers: Tensor) -> Output:
    """Tell what a model's numbers are.

    Args:
        numbers: Answers to different clips, ``(batch, labels)``.

    Raises:
        MondegreenError: They lie in [0, 1] without adding up to 1, so they may be logits as well
            as probabilities of a sigmoid; or they are NaN or infinite.

    Example:
        >>> kind_of(torch.tensor([[0.9, 0.1], [0.2, 0.8]]))
        'probabilities'
    """
    numbers = numbers.detach().double()
    if bool(numbers.isnan().any() | (numbers == torch.inf).any()):
        raise MondegreenError(
            "the model answers with NaN or infinity to ordinary clips. Look at its scaling "
            "(--scaling) and its weights."
        )
    if bool(((numbers >= 0.0) & (numbers <= 1.0 + _SUM_TOLERANCE)).all()):
        if numbers.shape[1] > 1 and _one(numbers.sum(dim=1)):
            return "probabilities"
        raise MondegreenError(
            "the model's numbers lie between 0 and 1 without adding up to 1: they may be logits or "
            "the probabilities of a sigmoid. Say which: --output logits or --output sigmoid."
        )
    if bool((numbers <= _SUM_TOLERANCE).all()) and _one(numbers.exp().sum(dim=1)):
        return "log-probabilities"
    return "logits"


def _one(sums: Tensor) -> bool:
    return bool(((sums - 1.0).abs() < _SUM_TOLERANCE).all())
