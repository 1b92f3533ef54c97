"""What the processes of one command share: batches, sums of gradients and numbers, a wish to stop.

Every process draws the random numbers of a whole batch and works on its share of the clips.
Gradients are added up, not averaged, for each loss is weighted by its share of the whole batch; so
a step is that of one process with the whole batch, but for rounding.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from mondegreen.errors import PeerEndedError
from mondegreen.interruption import StopRequest

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")
_BROKEN = ("gloo", "nccl", "connection", "timed out", "socket")


class Processes:
    """The processes of a command, seen from one of them; alone, nothing is sent or copied.

    Args:
        fabric: A launched one; None for one process.

    Example:
        >>> alone = Processes()
        >>> alone.first, alone.share(5), alone.total({"loss": 0.5}, ("loss",))
        (True, slice(0, 5, None), {'loss': 0.5})
    """

    def __init__(self, fabric: Fabric | None = None) -> None:
        self._fabric = fabric
        self.count = 1 if fabric is None else fabric.world_size
        self.rank = 0 if fabric is None else fabric.global_rank
        self.batch = 0
        """Clips of the whole batch that all are at; see :meth:`begin`."""

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there is only this one."""
        return self.count == 1

    @property
    def fabric(self) -> Fabric:
        """The Fabric of several processes."""
        assert self._fabric is not None, "only asked for where there are several"
        return self._fabric

    def share(self, size: int) -> slice:
        """Return the rows of a batch that are this process's, as even as can be."""
        return share(size, self.rank, self.count)

    def begin(self, size: int) -> slice:
        """Tell how many clips the next batch has in all processes; return this one's rows."""
        self.batch = size
        return self.share(size)

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace every gradient by the sum over the processes, in one message."""
        if not self.alone:
            self.sum([one.grad for one in parameters if one.grad is not None])

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one type by the sums over the processes, in one message."""
        if self.alone:
            return
        flat = torch.cat([one.reshape(-1) for one in tensors])
        with self.broken():
            summed = self.fabric.all_reduce(flat, reduce_op="sum")
        assert isinstance(summed, Tensor)
        _scatter(summed, tensors)

    def total(self, values: dict[str, float], names: Sequence[str]) -> dict[str, float]:
        """Return the sums of named numbers over the processes.

        Args:
            values: This process's; where only others have a number, it counts as 0 here.
            names: All names that any process may have.
        """
        if self.alone:
            return values
        rows = [(values.get(name, 0.0), float(name in values)) for name in names]
        sums = torch.tensor(rows, dtype=torch.float64, device=self._device)
        self.sum([sums])
        found = zip(names, sums.tolist(), strict=True)
        return {name: value for name, (value, present) in found if present}

    def agree(self, asked: StopRequest, agreed: StopRequest) -> None:
        """Have all processes stop at the same step, where one of them was asked to.

        Args:
            asked: What this process was asked for.
            agreed: What all of them obey; the same object where there is only one process.
        """
        if self.alone or agreed:
            return
        wishes = {str(asked.signal): 1.0} if asked else {}
        kinds = (signal.SIGTERM, signal.SIGINT)
        wished = self.total(wishes, [str(int(kind)) for kind in kinds])
        agreed.signal = next((int(kind) for kind in kinds if wished.get(str(int(kind)))), None)
        if agreed:
            asked.signal = None

    def gather(self, value: T) -> list[T] | None:
        """Return what each process has, in the first one; None in the others."""
        if self.alone:
            return [value]
        found: list[Any] | None = [None] * self.count if self.first else None
        with self.broken():
            torch.distributed.gather_object(value, found)
        return found

    def from_first(self, make: Callable[[], T]) -> T:
        """Return what the first process makes; the others do not call ``make``."""
        if self.alone:
            return make()
        made: Any = make() if self.first else None
        with self.broken():
            found: T = self.fabric.broadcast(made)
        return found

    def align(self, tensors: Iterable[Tensor]) -> None:
        """Take over the first process's values, so that unlike processors cannot drift apart."""
        if self.alone:
            return
        with torch.no_grad():
            mine = [one.data for one in tensors if one.is_floating_point()]
            flat = torch.cat([one.reshape(-1) for one in mine])
            with self.broken():
                torch.distributed.broadcast(flat, 0)
            _scatter(flat, mine)

    def wait(self) -> None:
        """Wait until all are here."""
        if not self.alone:
            with self.broken():
                self.fabric.barrier()

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Turn a connection that broke inside of the block into an error that says so.

        Raises:
            PeerEndedError: It broke.
        """
        try:
            yield
        except RuntimeError as error:
            text = str(error).lower()
            if self.alone or not any(word in text for word in _BROKEN):
                raise
            raise PeerEndedError(
                "another process of this command ended or cannot be reached. What was saved is "
                "whole; the same command goes on from there, on as many processes as you like."
            ) from error

    @property
    def _device(self) -> torch.device:
        return self.fabric.device


def share(size: int, rank: int, count: int) -> slice:
    """Return which rows of a batch one of several processes works on.

    Example:
        >>> [share(5, rank, 2) for rank in (0, 1)]
        [slice(0, 3, None), slice(3, 5, None)]
    """
    small, larger = divmod(size, count)
    start = small * rank + min(rank, larger)
    return slice(start, start + small + (rank < larger))


def _scatter(flat: Tensor, tensors: Sequence[Tensor]) -> None:
    """Write the parts of one long tensor back into those it was made of."""
    parts = torch.split(flat, [one.numel() for one in tensors])
    for one, part in zip(tensors, parts, strict=True):
        one.copy_(part.reshape(one.shape))
