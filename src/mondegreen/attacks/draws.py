"""Random numbers of a batch, of which each clip has a stream of its own."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from mondegreen.audio import Normalization, float_to_pcm16


def _signed(word: int) -> int:
    """Return the 64 bits of ``word`` as PyTorch's integers hold them."""
    return word - 2**64 if word >= 2**63 else word


_WEYL = _signed(0x9E3779B97F4A7C15)
_FIRST, _SECOND = _signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB)


class Draws:
    """Counter-based random numbers (SplitMix64; Steele et al. 2014, doi 10.1145/2660193.2660195).

    The stream of a clip depends on the seed, its samples and its target, not on the clips beside
    it nor on which of them are still attacked. All streams are drawn at once, on the clips' device,
    with the same numbers on every device.

    Args:
        seed: Of all streams.
        x: Clips on the 16-bit grid, ``(batch, 1, time)``.
        target: Their targets, ``(batch,)``.
        normalization: How 16-bit PCM became floats.

    Example:
        >>> draws = Draws(7, torch.zeros(3, 1, 4), torch.tensor([0, 1, 1]))
        >>> u = draws.uniform(torch.arange(3), 2)
        >>> u.shape, bool((u[1] == u[2]).all()), bool((u[0] == u[1]).any())
        (torch.Size([3, 2]), True, False)
    """

    def __init__(
        self, seed: int, x: Tensor, target: Tensor, normalization: Normalization = "pcm"
    ) -> None:
        pcm = float_to_pcm16(x, normalization).cpu().contiguous().numpy()
        words = []
        for clip, label in zip(pcm, target.tolist(), strict=True):
            digest = hashlib.blake2b(clip.tobytes(), digest_size=8, salt=b"mondegreen")
            digest.update(f"{seed} {label}".encode())
            words.append(_signed(int.from_bytes(digest.digest(), "little")))
        self._keys = torch.tensor(words, dtype=torch.int64, device=x.device)
        self._calls = 0

    def words(self, rows: Tensor, *shape: int) -> Tensor:
        """Return 64 random bits each, as int64: the next of the streams of ``rows``.

        With a longer first dimension the earlier numbers stay what they are.

        Shape:
            - rows: ``(rows,)``
            - Output: ``(rows, *shape)``
        """
        self._calls += 1
        start = _mix(self._keys[rows] + _signed(self._calls * 0xD1B54A32D192ED03 % 2**64))
        count = torch.Size(shape).numel()
        steps = torch.arange(1, count + 1, device=rows.device) * _WEYL
        return _mix(start[:, None] + steps).view(len(rows), *shape)

    def halves(self, rows: Tensor, *shape: int) -> Tensor:
        """Return 16 random bits each, as int16; the last dimension is a multiple of four."""
        *outer, last = shape
        return self.words(rows, *outer, last // 4).view(torch.int16)

    def bytes(self, rows: Tensor, *shape: int) -> Tensor:
        """Return 8 random bits each, as int8; the last dimension is a multiple of eight."""
        *outer, last = shape
        return self.words(rows, *outer, last // 8).view(torch.int8)

    def uniform(self, rows: Tensor, *shape: int) -> Tensor:
        """Return numbers in (0, 1), float64."""
        # 52 bits and a half: neither end can be reached.
        return ((self.words(rows, *shape) >> 12 & (1 << 52) - 1).double() + 0.5) * 2.0**-52

    def below(self, count: int, rows: Tensor, *shape: int) -> Tensor:
        """Return integers from 0 to ``count - 1``, int64."""
        return (self.uniform(rows, *shape) * count).long().clamp_(max=count - 1)


def _mix(z: Tensor) -> Tensor:
    """Spread every bit of fresh words over all of them, in place."""
    z ^= z >> 30 & (1 << 34) - 1  # PyTorch shifts the sign in
    z *= _FIRST
    z ^= z >> 27 & (1 << 37) - 1
    z *= _SECOND
    z ^= z >> 31 & (1 << 33) - 1
    return z
