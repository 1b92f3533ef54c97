"""The spectral generator's transform as matrix products, for ONNX, which has no complex numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mondegreen.generators.export_graph import END, GraphBuilder, integers

Array = np.ndarray[Any, Any]

_FIRST, _SECOND = (0, -1), (1, END)  # every frame's first and second block, of all blocks


@dataclass(frozen=True)
class Part:
    """Some bins of all frames' spectra, ``(batch, frames, len(bins))`` each."""

    real: str
    imaginary: str
    bins: Array
    """Which."""


class Transform(Protocol):
    """Short-time Fourier transform and its inverse, of half-overlapping square-root Hann frames.

    As :class:`mondegreen.generators.spectral.Spectrum`, but for the frames' padding, and with the
    bins in parts.
    """

    def forward(self, build: GraphBuilder, x: str) -> list[Part]:
        """Add the nodes that transform ``x``.

        Shape:
            - x: ``(batch, 1, (frames + 1) * hop)``
        """
        ...

    def inverse(self, build: GraphBuilder, parts: list[Part]) -> str:
        """Add the nodes that overlap-add the frames of a spectrum, in the same parts.

        Shape:
            - Output: ``(batch, 1, (frames - 1) * hop)``, without the first and the last block
        """
        ...


def make_transform(window: int) -> Transform:
    """Return the fastest transform for frames of ``window`` samples, twice the hop."""
    return PlainTransform(window) if window % 4 else FoldedTransform(window)


class PlainTransform:
    """The transform as it is defined, for frames that cannot be folded twice.

    Args:
        window: Samples in a frame, twice the hop.
    """

    def __init__(self, window: int) -> None:
        self.hop = window // 2
        self.bins = np.arange(self.hop + 1)
        n = np.arange(window)
        taper = np.sin(math.pi / window * n)
        there, back = _waves(n, self.bins, window)
        self.there = [_single(taper[:, None] * wave) for wave in there]
        self.back = [_single(wave * taper) for wave in back]

    def forward(self, build: GraphBuilder, x: str) -> list[Part]:
        """Add the nodes of the transform; see :meth:`Transform.forward`."""
        blocks = build.node("Reshape", x, integers(0, -1, self.hop))
        first, second = (_rows(build, blocks, rows) for rows in (_FIRST, _SECOND))
        real, imaginary = (
            build.node(
                "Add",
                build.node("MatMul", first, matrix[: self.hop]),
                build.node("MatMul", second, matrix[self.hop :]),
            )
            for matrix in self.there
        )
        return [Part(real, imaginary, self.bins)]

    def inverse(self, build: GraphBuilder, parts: list[Part]) -> str:
        """Add the nodes of the inverse; see :meth:`Transform.inverse`."""
        real, imaginary = (
            build.node("MatMul", plane, matrix)
            for plane, matrix in zip((parts[0].real, parts[0].imaginary), self.back, strict=True)
        )
        frames = build.node("Add", real, imaginary)
        first = _cut(build, frames, _SECOND, (0, self.hop))
        second = _cut(build, frames, _FIRST, (self.hop, END))
        return build.node("Reshape", build.node("Add", first, second), integers(0, 1, -1))


class FoldedTransform:
    r"""The transform of frames folded twice, which takes a quarter of the products.

    A frame :math:`f` of N samples is folded about its middle, which leaves cosines of its even part
    and sines of its odd part (Oppenheim and Schafer, *Discrete-Time Signal Processing*, section
    8.4: symmetry of the transform of real sequences), and then about the middle of that,

    .. math:: \cos \tfrac{2 \pi k (N/2 - n)}{N} = (-1)^k \cos \tfrac{2 \pi k n}{N},

    which leaves one half of the sums for even k and the other for odd k; likewise, with the signs
    changed, for the sines. So each of four products has :math:`n = 0 \ldots N/4` for half of the
    bins. With :math:`w_n = \sin(\pi n / N)`, the square-root Hann window, a frame of blocks a and b
    has, for real parts at even and odd k, the sums

    .. math:: w_n (a_n + b_{N/2-n}) \pm w_{N/2-n} (a_{N/2-n} + b_n),

    and for imaginary parts those of the differences. What both share, :math:`w_{N/2-n}`, is in
    the matrices; the ratio of the two, :math:`\tan(\pi n / N)`, is not.

    Args:
        window: Samples in a frame, twice the hop and a multiple of 4.
    """

    def __init__(self, window: int) -> None:
        self.hop, self.quarter = window // 2, window // 4
        n = np.arange(self.quarter + 1)
        taper = np.cos(math.pi / window * n)
        self.ratio = _single(np.tan(math.pi / window * n))
        # At both ends n and N/2 - n, or the sums' two halves, are the same sample, taken twice.
        ends = np.where((n == 0) | (n == self.quarter), 0.5, 1.0)
        self.bins = [np.arange(first, self.hop + 1, 2) for first in (0, 1)]
        self.there, self.back = [], []
        for bins in self.bins:
            there, back = _waves(n, bins, window)
            self.there += [_single((ends * taper)[:, None] * wave) for wave in there]
            self.back += [_single(wave * taper) for wave in back]

    def forward(self, build: GraphBuilder, x: str) -> list[Part]:
        """Add the nodes of the transform; see :meth:`Transform.forward`."""
        near, far = self._quarters(build, x)
        near_a, near_b = (_rows(build, near, rows) for rows in (_FIRST, _SECOND))
        far_a, far_b = (_rows(build, far, rows) for rows in (_FIRST, _SECOND))
        planes = []
        for fold, signs in (("Add", ("Add", "Sub")), ("Sub", ("Sub", "Add"))):
            outer = build.node("Mul", build.node(fold, near_a, far_b), self.ratio)
            inner = build.node(fold, far_a, near_b)
            planes += [build.node(sign, outer, inner) for sign in signs]
        even, odd, imaginary_even, imaginary_odd = planes
        folds = (even, imaginary_even, odd, imaginary_odd)
        a, b, c, d = (build.node("MatMul", *pair) for pair in zip(folds, self.there, strict=True))
        return [Part(a, b, self.bins[0]), Part(c, d, self.bins[1])]

    def inverse(self, build: GraphBuilder, parts: list[Part]) -> str:
        """Add the nodes of the inverse; see :meth:`Transform.inverse`."""
        planes = [plane for part in parts for plane in (part.real, part.imaginary)]
        even, imaginary_even, odd, imaginary_odd = (
            build.node("MatMul", *pair) for pair in zip(planes, self.back, strict=True)
        )
        sums = build.node("Add", even, odd), build.node("Add", imaginary_odd, imaginary_even)
        rests = build.node("Sub", even, odd), build.node("Sub", imaginary_odd, imaginary_even)
        low, high = (0, self.quarter), (1, self.quarter + 1)
        near_a = _cut(build, build.node("Add", *sums), _SECOND, low)
        near_b = _cut(build, build.node("Sub", *rests), _FIRST, low)
        far_a = _cut(build, build.node("Add", *rests), _SECOND, high)
        far_b = _cut(build, build.node("Sub", *sums), _FIRST, high)
        near = build.node("Add", build.node("Mul", near_a, self.ratio[:-1]), near_b)
        far = build.node("Add", far_a, build.node("Mul", far_b, self.ratio[1:]))
        far = _pick(build, far, np.arange(self.quarter - 1, -1, -1))
        return build.node("Reshape", build.node("Concat", near, far, axis=2), integers(0, 1, -1))

    def _quarters(self, build: GraphBuilder, x: str) -> tuple[str, str]:
        """Return the samples n, and N/2 - n, of each block, for n from 0 to N/4."""
        blocks = build.node("Reshape", x, integers(0, -1, self.hop))
        near = _cut(build, blocks, (0, END), (0, self.quarter + 1))
        # Sample N/2 is the next block's first.
        ahead = build.node("Pad", x, integers(-1, 1), "", integers(2))
        blocks = build.node("Reshape", ahead, integers(0, -1, self.hop))
        return near, _pick(build, blocks, np.arange(self.hop - 1, self.hop - self.quarter - 2, -1))


def _waves(n: Array, bins: Array, window: int) -> tuple[list[Array], list[Array]]:
    """Return cosine and negative sine for both directions, ``(n, bins)`` and ``(bins, n)``."""
    # In float64, and with the angle taken modulo one turn: no rounding but the last.
    angle = 2.0 * math.pi / window * (n[:, None] * bins % window)
    there = [np.cos(angle), -np.sin(angle)]
    # Every bin stands for its mirror image too, but the first and the last.
    weight = np.where((bins == 0) | (bins == window // 2), 1.0, 2.0)[:, None] / window
    return there, [weight * wave.T for wave in there]


def _rows(build: GraphBuilder, x: str, rows: tuple[int, int]) -> str:
    """Return some of the rows of each clip."""
    return build.node("Slice", x, integers(rows[0]), integers(rows[1]), integers(1))


def _cut(build: GraphBuilder, x: str, rows: tuple[int, int], columns: tuple[int, int]) -> str:
    """Return some of the rows and columns of each clip."""
    starts, ends = zip(rows, columns, strict=True)
    return build.node("Slice", x, integers(*starts), integers(*ends), integers(1, 2))


def _pick(build: GraphBuilder, x: str, columns: Array) -> str:
    """Return columns in any order: of the transpose, where they lie together, in half the time."""
    rows = build.node("Gather", build.node("Transpose", x, perm=[2, 0, 1]), columns, axis=0)
    return build.node("Transpose", rows, perm=[1, 2, 0])


def _single(values: Array) -> Array:
    return values.astype(np.float32)
