"""Batches that do not fit into memory, worked off in parts."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import TypeVar

import torch

from mondegreen.errors import MondegreenError

R = TypeVar("R")
_MOST_SAMPLES = 2**23
"""Of the waveforms that are attacked at once: 64 clips of eight seconds at 16 kHz. Spectrograms and
gradients take a hundred bytes for each of them."""


def at_once(clips: int, clip_samples: int) -> int:
    """Return how many clips to work on at once: as many as wished, fewer where they are long.

    Example:
        >>> at_once(64, 16_384), at_once(64, 30 * 22_050)
        (64, 12)
    """
    return min(clips, max(1, _MOST_SAMPLES // clip_samples))


class Parts:
    """Into how many parts a batch is cut; twice as many each time that the memory runs out.

    The gradients of the parts are added up, each weighted by its share of the clips, so a step is
    that of the whole batch, but for its rounding and for batch normalisation, which sees a part.

    Args:
        count: Parts to begin with.
        least: Clips that a part needs, two for batch normalisation.
    """

    def __init__(self, count: int = 1, *, least: int = 2) -> None:
        self.count, self.least = count, least
        self.fixed = False
        """Whether batches stay whole, because other processes hold a share of each."""

    def fit(self, size: int, attempt: Callable[[list[slice]], R]) -> R:
        """Call ``attempt`` with the parts of a batch, and with smaller ones where they do not fit.

        Args:
            size: Clips of the batch.
            attempt: Starts over at each call.

        Raises:
            MondegreenError: Not even the smallest parts fit.
        """
        while True:
            try:
                return attempt(self.of(size))
            except torch.OutOfMemoryError as error:
                if self.fixed:
                    raise MondegreenError(
                        f"a share of {size} clips does not fit into the device's memory. Start "
                        "more processes, or choose a smaller --training.batch-size."
                    ) from error
                if size // (2 * self.count) < self.least:
                    raise MondegreenError(
                        f"a batch of {size} clips does not fit into the device's memory, not even "
                        f"in {self.count} parts. Close what else uses it, or choose a smaller "
                        "network or --device cpu."
                    ) from error
            # Outside of the handler: the error's frames hold the tensors that have to go.
            self.count *= 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            print(
                f"note: out of memory; batches of {size} clips are now worked off in {self.count} "
                "parts, whose gradients are added up.",
                file=sys.stderr,
            )

    def of(self, size: int) -> list[slice]:
        """Return the parts of a batch, as even as can be.

        Example:
            >>> [(part.start, part.stop) for part in Parts(2).of(5)]
            [(0, 3), (3, 5)]
        """
        count = 1 if self.fixed else max(1, min(self.count, size // self.least))
        small, larger = divmod(size, count)
        stops = [small * number + min(number, larger) for number in range(count + 1)]
        return [slice(a, b) for a, b in itertools.pairwise(stops)]
