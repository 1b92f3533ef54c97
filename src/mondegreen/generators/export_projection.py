"""The end of an exported generator: the wanted ratio, the budget, and the cut to [-1, 1]."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mondegreen.generators.export_graph import DOUBLE, SINGLE, GraphBuilder, integers

_MARGIN = 1.0 - 2.0**-20  # more than float32 rounds, in the sums and in two products
_TINIEST = 1e-30  # norm that float32 cannot keep, and that counts as zero


@dataclass(frozen=True)
class Clips:
    """What is known of the clips."""

    time: str
    """Number of samples, one integer."""
    tail: str
    """Number of zeros that make ``time`` a multiple of the hop, one integer."""
    energy: str
    """Sum of squares, float64, ``(batch, 1, 1)``."""
    power: str
    """Mean square plus 1e-12, float64, ``(batch, 1, 1)``."""


def sum_of_squares(build: GraphBuilder, blocks: str) -> str:
    """Add the nodes for each clip's sum of squares.

    In float32 within a block and in float64 over the blocks: as exact as it has to be, at half the
    cost of float64 throughout.

    Shape:
        - blocks: ``(batch, count, samples)``
        - Output: float64, ``(batch, 1, 1)``
    """
    sums = build.node("ReduceSum", build.node("Mul", blocks, blocks), integers(2))
    return build.node("ReduceSum", build.node("Cast", sums, to=DOUBLE), integers(1))


def add_projection(
    build: GraphBuilder, x: str, clips: Clips, hop: int, attenuation: str | None
) -> None:
    """Add the outputs ``proposal`` and ``delta``.

    All factors are found from sums over ``x``, so the samples are gone through twice only, and
    once more for the cut. As in :meth:`mondegreen.budgets.SNR.project`, bounds below 1e-30 count as
    zero and a scaled perturbation stays below its bound by more than float32 rounds.

    Args:
        build: The graph, whose inputs are ``waveform``, ``snr_db`` and maybe ``quietness``.
        x: What the network drew, ``(batch, 1, time)``.
        clips: Facts on the clips.
        hop: Samples in a block of a sum.
        attenuation: By how many dB to stay below the budget at full quietness,
            ``(batch, 1, 1)``, for a network with a dial.
    """
    pads = build.node("Concat", integers(0), clips.tail, axis=0)
    padded = build.node("Pad", x, pads, "", integers(2))
    energy = sum_of_squares(build, build.node("Reshape", padded, integers(0, -1, hop)))
    snr_db = build.node("Unsqueeze", "snr_db", integers(1, 2))
    if attenuation is None:
        build.node("Identity", x, output="proposal")
    else:
        quietness = build.node("Unsqueeze", "quietness", integers(1, 2))
        wanted_db = build.node("Add", snr_db, build.node("Mul", quietness, attenuation))
        time = build.node("Cast", clips.time, to=DOUBLE)
        power = build.node("Div", energy, build.node("Mul", clips.power, time))
        power = build.node("Add", power, np.float64(1e-12))
        scale = build.node("Div", _power_ratio(build, wanted_db), power)
        energy = build.node("Mul", energy, scale)
        build.node("Mul", x, _root(build, scale), output="proposal")
    bound = build.node("Mul", clips.energy, _power_ratio(build, snr_db))
    none = build.node("Less", bound, np.float64(_TINIEST**2))
    bound = build.node("Where", none, np.float64(0.0), bound)
    bound = build.node("Mul", bound, np.float64(_MARGIN**2))
    scale = build.node("Div", bound, build.node("Max", energy, np.float64(1e-300)))
    scale = build.node("Min", scale, np.float64(1.0))
    delta = build.node("Mul", "proposal", _root(build, scale))
    # Not clip(x + delta) - x: that sum rounds, and a quiet delta would exceed its budget.
    delta = build.node("Max", delta, build.node("Sub", np.float32(-1.0), "waveform"))
    build.node("Min", delta, build.node("Sub", np.float32(1.0), "waveform"), output="delta")


def _power_ratio(build: GraphBuilder, db: str) -> str:
    """Return the power of a perturbation, relative to the clip's, at a signal-to-noise ratio."""
    exponent = build.node(
        "Mul", build.node("Cast", db, to=DOUBLE), np.float64(-math.log(10.0) / 10.0)
    )
    return build.node("Exp", exponent)


def _root(build: GraphBuilder, x: str) -> str:
    return build.node("Cast", build.node("Sqrt", x), to=SINGLE)
