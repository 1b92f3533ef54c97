"""One pass over the training clips, which can be left after any batch and taken up there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from mondegreen.audio import Normalization
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError

SAVE_SECONDS = 300.0
"""A training that is killed loses about so much work, also where an epoch takes longer."""

_NAMED = 4


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Return the random generator of one epoch, so that a resumed run repeats it exactly.

    The global generator, which dropout draws from, is seeded alike.
    """
    torch.manual_seed(_seed(seed, epoch))
    return torch.Generator().manual_seed(_seed(seed, epoch))


def _seed(seed: int, epoch: int) -> int:
    return seed * 100_003 + epoch


class Epoch:
    """One pass over the training clips, its random numbers, and the sums of its losses.

    Args:
        seed: The training's.
        number: Epochs before this one.
        saved: What :meth:`state_dict` returned, to go on from there; None for the beginning.

    Raises:
        MondegreenError: ``saved`` is damaged.
    """

    def __init__(self, seed: int, number: int, saved: dict[str, Any] | None = None) -> None:
        self.seed, self.number = seed, number
        self.random = epoch_generator(seed, number)
        self.batch, self.steps, self.sums = 0, 0, dict[str, float]()
        self._before, self._saved = 0.0, saved
        self._began = self._kept = time.perf_counter()
        if saved is not None:
            try:
                self.batch, self.steps = int(saved["batch"]), int(saved["steps"])
                self.sums = {str(name): float(value) for name, value in saved["sums"].items()}
                self._before = float(saved["seconds"])
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise _damaged() from error

    def batches(
        self, data: ClipDataset, size: int, normalization: Normalization
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches that are left, as :meth:`ClipDataset.epoch` does."""
        batches = data.epoch(size, self.random, normalization=normalization, skip=self.batch)
        for x, label in batches:
            self._restore()  # by now the order has been drawn anew
            yield x, label

    def _restore(self) -> None:
        saved, self._saved = self._saved, None
        if saved is None:
            return
        try:
            self.random.set_state(saved["random"])
            torch.set_rng_state(saved["torch"])
            if torch.cuda.is_available() and len(saved["cuda"]) == torch.cuda.device_count():
                torch.cuda.set_rng_state_all(saved["cuda"])
        except (KeyError, TypeError, RuntimeError) as error:
            raise _damaged() from error

    def add(self, losses: dict[str, float]) -> None:
        """Count a batch as done, and its losses into the means."""
        self.batch, self.steps = self.batch + 1, self.steps + 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def means(self) -> dict[str, float]:
        """Return the mean of every loss over the steps that were taken."""
        return {name: value / max(1, self.steps) for name, value in self.sums.items()}

    @property
    def seconds(self) -> float:
        """Time spent on this epoch, over all attempts."""
        return self._before + time.perf_counter() - self._began

    def due(self) -> bool:
        """Tell whether so much work is unsaved that it should be saved; once for each time."""
        now = time.perf_counter()
        if now - self._kept < SAVE_SECONDS:
            return False
        self._kept = now
        return True

    def state_dict(self) -> dict[str, Any]:
        """Return the place within the epoch, for a checkpoint."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        return {
            "batch": self.batch,
            "steps": self.steps,
            "sums": self.sums,
            "seconds": self.seconds,
            "random": self.random.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": cuda,
        }

    def describe(self, data: ClipDataset, size: int) -> str:
        """Name the batch at work, for an error message.

        Example:
            ``epoch 3, step 2 (32 clips: yes/a.wav, no/b.wav, no/c.wav, up/d.wav and 28 more)``
        """
        random = torch.Generator().manual_seed(_seed(self.seed, self.number))
        order = torch.randperm(len(data), generator=random)
        names = data.names(order[self.batch * size : (self.batch + 1) * size])
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        clips = f"{len(names)} clips: {', '.join(names[:_NAMED])}{more}"
        return f"epoch {self.number + 1}, step {self.batch + 1} ({clips})"


def _damaged() -> MondegreenError:
    return MondegreenError(
        "the checkpoint's place within its epoch is damaged; delete the run to begin again."
    )
