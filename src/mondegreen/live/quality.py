"""PESQ for a server: in processes of its own, so that a crash in its C code ends no page."""

from __future__ import annotations

import importlib.util
import math
from contextlib import ExitStack
from queue import SimpleQueue
from types import TracebackType
from typing import Self

import numpy as np
from torch import Tensor

from mondegreen.audio import resample
from mondegreen.errors import MondegreenError
from mondegreen.metrics.pesq import raw_pesq
from mondegreen.metrics.pool import WorkerProcess

_RATE = 16_000


class Pesq:
    """Narrow-band PESQ of one pair at a time, asked for by several threads.

    Use it as a context: the processes start with the first pairs and end with the block.

    Args:
        processes: How many pairs can be scored at once.
    """

    def __init__(self, processes: int) -> None:
        self._count = processes
        self._idle: SimpleQueue[WorkerProcess] = SimpleQueue()
        self._stack = ExitStack()

    @property
    def installed(self) -> bool:
        """Whether the package ``pesq`` is there."""
        return importlib.util.find_spec("pesq") is not None

    def __enter__(self) -> Self:
        """Return itself."""
        for _ in range(self._count):
            self._idle.put(self._stack.enter_context(WorkerProcess()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes."""
        self._stack.close()

    def __call__(self, x: Tensor, x_adv: Tensor, sample_rate: int) -> float | None:
        """Return P.862's score, -0.5 to 4.5; None where it cannot be computed.

        Shape:
            - x, x_adv: ``(1, 1, time)``
        """
        if not self.installed:
            return None
        pair = [resample(clip.flatten(), sample_rate, _RATE).numpy() for clip in (x, x_adv)]
        process = self._idle.get()
        try:
            score = process.score(pair[0], pair[1], _RATE, ["pesq_nb_lqo"])[0]
        except MondegreenError:
            return None
        finally:
            self._idle.put(process)
        raw = float(raw_pesq(np.array([score]))[0])
        return raw if math.isfinite(raw) else None
