"""Random numbers of a batch, of which each clip has a generator of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor

_SEEDS = 2**32  # PyTorch's generator on the CPU uses so many


class Streams:
    """A random generator for each clip: what it draws does not depend on the clips beside it.

    Args:
        seeds: One for each clip.

    Example:
        >>> alone, beside = Streams([7]).normal(4), Streams([7, 8]).normal(4)
        >>> bool((alone[0] == beside[0]).all())
        True
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    @classmethod
    def draw(cls, clips: int, generator: torch.Generator) -> Self:
        """Return streams for a batch, whose seeds a generator on the CPU draws.

        The seed of a clip depends on its place in the batch, not on how many clips follow.
        """
        return cls(torch.randint(_SEEDS, (clips,), generator=generator).tolist())

    @classmethod
    def of_content(cls, x: Tensor, seed: int, draws: int = 1) -> Self:
        """Return streams that follow from the clips: the same clip meets the same draws.

        Whoever does not know the seed cannot tell them from chance, and another clip, were it other
        by one bit, meets others.

        Args:
            x: Clips, ``(batch, 1, time)``.
            seed: Of all draws.
            draws: Streams for each clip, side by side as of ``x.repeat_interleave(draws, 0)``.

        Example:
            >>> x = torch.zeros(2, 1, 4)
            >>> one, two = Streams.of_content(x, 7, 1).normal(3)
            >>> bool((one == two).all())
            True
        """
        seeds = []
        for clip in (x.detach() + 0.0).float().cpu().contiguous().numpy():  # no negative zero
            digest = hashlib.blake2b(clip.tobytes(), digest_size=8, salt=b"mondegreen")
            for draw in range(draws):
                own = digest.copy()
                own.update(f"{seed} {draw}".encode())
                seeds.append(int.from_bytes(own.digest(), "little") % _SEEDS)
        return cls(seeds)

    def after(self, clips: int) -> Self:
        """Return the streams without those of the first clips."""
        rest = type(self)(())
        rest.generators = self.generators[clips:]
        return rest

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.generators)

    def uniform(self, low: float, high: float) -> Tensor:
        """Return a number from [low, high) for each clip, ``(batch,)``."""
        drawn = torch.stack([torch.rand((), generator=one) for one in self.generators])
        return low + (high - low) * drawn

    def below(self, count: int) -> Tensor:
        """Return an integer from 0 to ``count - 1`` for each clip, ``(batch,)``, int64."""
        return torch.stack([torch.randint(count, (), generator=one) for one in self.generators])

    def rand(self, samples: int) -> Tensor:
        """Return numbers from [0, 1), ``(batch, 1, samples)``."""
        return torch.stack([torch.rand(1, samples, generator=one) for one in self.generators])

    def normal(self, samples: int) -> Tensor:
        """Return Gaussian numbers of unit variance, ``(batch, 1, samples)``."""
        return torch.stack([torch.randn(1, samples, generator=one) for one in self.generators])
