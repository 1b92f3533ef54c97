"""A model made elsewhere, given waveforms and answering with logits as all classifiers here do."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.classifiers.answers import picked, rows, to_logits
from mondegreen.classifiers.contract import Contract

_NO_CODE = (lambda: None).__code__


@dataclass(frozen=True)
class Finding:
    """One fact about a model, and where it is from."""

    what: str
    found: str
    how: str
    """``given``, ``told by the model``, ``detected``, ``assumed`` or ``warning``."""


@dataclass(frozen=True)
class AdoptedConfig:
    """What changes the answers of an adopted model beside its weights; part of the fingerprint."""

    contract: Contract
    identity: str
    """SHA-256 of the file or address of the service that it is from; else a text of its parts."""


@dataclass
class Sent:
    """What a model was asked so far, also while it was tried in other ways."""

    clips: int = 0


class Adopted(nn.Module):
    """A model behind its contract: waveforms in [-1, 1] to logits.

    Args:
        module: The model, or any function.
        contract: What it is given, and how it answers.
        labels: Number of labels.
        sample_rate: Of the waveforms, in Hz.
        identity: What tells it from other models beside its weights; by default its parts.
        differentiable: Whether gradients pass the model. Otherwise it is called without them.
        sent: Counts the clips that the model is asked about.

    Attributes:
        findings: What probing found out.
        changing: Names of buffers that the model makes or changes while it answers. They count for
            no fingerprint.
    """

    def __init__(
        self,
        module: Callable[..., Any],
        contract: Contract,
        *,
        labels: int,
        sample_rate: int,
        identity: str | None = None,
        differentiable: bool = True,
        sent: Sent | None = None,
    ) -> None:
        super().__init__()
        self.model = module if isinstance(module, nn.Module) else Called(module)
        self.config = AdoptedConfig(contract, identity or parts_of(self.model))
        self.labels, self.sample_rate = labels, sample_rate
        self.differentiable = differentiable
        self.sent = sent or Sent()
        self.findings: tuple[Finding, ...] = ()
        self.changing: tuple[str, ...] = ()

    def forward(self, x: Tensor) -> Tensor:
        """Return logits.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: ``(batch, labels)``
        """
        if self.differentiable:
            return to_logits(self.numbers(x), self.config.contract.output, self.labels)
        with torch.no_grad():
            numbers = self.numbers(x.detach()).to(x.device)
            return to_logits(numbers, self.config.contract.output, self.labels)

    def numbers(self, x: Tensor) -> Tensor:
        """Return what the model answers, one row a clip.

        Raises:
            MondegreenError: The answer is not what the contract says.
        """
        size = self.config.contract.batch
        if size is None:
            return self._ask(x)
        return torch.cat([self._ask(part, size) for part in torch.split(x, size)])

    def _ask(self, x: Tensor, size: int | None = None) -> Tensor:
        """Ask once; where the model takes only so many clips at once, silence fills them up."""
        contract, clips = self.config.contract, len(x)
        if size is not None and clips < size:
            x = F.pad(x, (0, 0, 0, 0, 0, size - clips))
        self.sent.clips += len(x)
        answer = self.model(contract.prepare(x, self.sample_rate))
        return rows(picked(answer, contract.field), len(x), self.labels)[:clips]


class Called(nn.Module):
    """A function as a module; modules that it keeps become parts of it, weights and all."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function
        self.kept = nn.ModuleList(modules_of(function))

    def forward(self, x: Tensor) -> Any:
        """Call it."""
        return self.function(x)

    def extra_repr(self) -> str:
        """Name the function."""
        return str(getattr(self.function, "__qualname__", type(self.function).__name__))


def modules_of(function: Callable[..., Any]) -> list[nn.Module]:
    """Return the modules that a function is bound to, closes over, keeps or names.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> modules_of(lambda x: layer(x)) == modules_of(layer.forward) == [layer]
        True
    """
    owner = getattr(function, "__self__", None)
    kept = [owner, *getattr(function, "__dict__", {}).values()]
    if not isinstance(owner, nn.Module):
        kept += getattr(owner, "__dict__", {}).values()
    for plain in (getattr(function, "__func__", function), type(function).__call__):
        for cell in getattr(plain, "__closure__", None) or ():
            with suppress(ValueError):  # a cell that is not filled yet
                kept.append(cell.cell_contents)
        names = getattr(plain, "__globals__", {})
        kept += [names.get(name) for name in getattr(plain, "__code__", _NO_CODE).co_names]
    return list({id(one): one for one in _modules_in(kept)}.values())


def _modules_in(things: Iterable[Any], depth: int = 3) -> Iterator[nn.Module]:
    """Yield the modules among things, and in the lists and dictionaries among them."""
    for one in things:
        if isinstance(one, nn.Module):
            yield one
        elif depth and isinstance(one, (list, tuple)):
            yield from _modules_in(one, depth - 1)
        elif depth and isinstance(one, dict):
            yield from _modules_in(one.values(), depth - 1)


def parts_of(module: nn.Module) -> str:
    """Return a text of a module's structure, the same in every process.

    Names and settings of all its parts, and the source of its classes where Python has it: two
    models of equal weights that compute something else are told apart.
    """
    texts = [re.sub(r" at 0x[0-9a-f]+", "", repr(module))]
    for kind in dict.fromkeys(type(part) for part in module.modules()):
        if kind.__module__.partition(".")[0] not in ("torch", "mondegreen"):
            try:
                texts.append(inspect.getsource(kind))
            except (OSError, TypeError):
                texts.append(kind.__qualname__)
    if isinstance(module, Called):
        try:
            texts.append(inspect.getsource(module.function))
        except (OSError, TypeError):
            texts.append(module.extra_repr())
    return "\n".join(texts)
