"""What the pairs of a comparison's cells say together: curves, thresholds and differences."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mondegreen.evaluation.evaluate import Evaluation
from mondegreen.evaluation.thresholds import (
    Threshold,
    of_budgets,
    of_pairs,
    reach_db,
    success_curve,
)
from mondegreen.metrics.success import bootstrap_interval

GENERATOR = "generator"
"""The label of the generator without refinement or quietness."""

PAIRWISE = ("outcomes", "pair_snr_db", "pair_queries")
"""Fields of a cell's file that hold one entry a pair."""


def pairwise(evaluation: Evaluation) -> dict[str, str | None]:
    """Return what a cell's file says of every pair, each field one text in the order of the pairs.

    ``outcomes`` has a 1 for a success and a 0 for a failure. ``pair_snr_db`` are numbers between
    spaces, ``inf`` where a clip was left alone and ``nan`` where it has no energy.
    ``pair_queries`` are None where the attack does not count them for each clip.
    """
    pairs = evaluation.pairs
    own = evaluation.totals.clip_by_clip
    return {
        "outcomes": "".join("1" if hit else "0" for hit in pairs.success),
        "pair_snr_db": " ".join(f"{value:.4f}" for value in pairs.snr_db),
        "pair_queries": " ".join(f"{value:.0f}" for value in pairs.queries) if own else None,
    }


def curves(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell's success over queries and, of the smallest perturbations, over their SNR.

    Of attacks that take gradients, queries are not all that they ask for: they have no such curve.

    Args:
        cell: The content of its file.

    Returns:
        ``success_over_queries`` and ``success_over_snr``, each None or a list of pairs of numbers.
    """
    success = _outcomes(cell)
    found: dict[str, Any] = {"success_over_queries": None, "success_over_snr": None}
    if cell["pair_queries"] is not None and not cell["gradients_per_clip"]:
        needed = np.where(success, _numbers(cell["pair_queries"]), np.inf)
        found["success_over_queries"] = _points(*success_curve(needed, falling=False))
    if cell["smallest"]:
        reach = reach_db(_numbers(cell["pair_snr_db"]), success)
        found["success_over_snr"] = _points(*success_curve(reach, falling=True))
    return found


def thresholds(
    cells: Sequence[dict[str, Any]], groups: npt.ArrayLike, seed: int
) -> list[dict[str, Any]]:
    """Return the signal-to-noise ratios at which each attack still succeeds so often.

    Args:
        cells: Contents of their files.
        groups: The speaker, track or clip of every pair.
        seed: Of the intervals.

    Returns:
        One entry for each attack that was measured under two ratios or more, or that seeks the
        smallest perturbation: its ``label``, whether it is of the latter kind, and its ``levels``.
    """
    found = []
    for label in dict.fromkeys(cell["label"] for cell in cells):
        mine = [cell for cell in cells if cell["label"] == label]
        random = np.random.default_rng(seed)
        bounded = [cell for cell in mine if cell["budget"]["kind"] == "snr"]
        bounded.sort(key=lambda cell: float(cell["budget"]["value"]))
        if len(bounded) > 1:
            db = [cell["budget"]["value"] for cell in bounded]
            success = [_outcomes(cell) for cell in bounded]
            found.append(_entry(label, False, of_budgets(db, success, groups, random)))
        for cell in mine:
            if cell["smallest"]:
                reach = reach_db(_numbers(cell["pair_snr_db"]), _outcomes(cell))
                found.append(_entry(label, True, of_pairs(reach, groups, random)))
    return found


def differences(
    cells: Sequence[dict[str, Any]], groups: npt.ArrayLike, seed: int
) -> list[dict[str, Any] | None]:
    """Return how much more often each attack succeeds than the generator under the same budget.

    Both met the same pairs, so what they share is no part of the difference's interval, as it is
    of the two intervals of the rates.

    Args:
        cells: Contents of their files.
        groups: The speaker, track or clip of every pair.
        seed: Of the intervals.

    Returns:
        For each cell its ``difference`` and the 95 % ``interval`` of that, over groups, both in
        [-1, 1]; None for the generator itself, and where it was not measured.
    """
    generators = [cell for cell in cells if cell["label"] == GENERATOR]
    found: list[dict[str, Any] | None] = []
    for cell in cells:
        own = next((one for one in generators if one["budget"] == cell["budget"]), None)
        if own is None or own is cell:
            found.append(None)
            continue
        gained = _outcomes(cell).astype(float) - _outcomes(own).astype(float)
        ends = bootstrap_interval(gained, groups, np.random.default_rng(seed), least=-1.0)
        found.append({"difference": float(gained.mean()), "interval": list(ends)})
    return found


def _entry(label: str, smallest: bool, levels: Sequence[Threshold]) -> dict[str, Any]:
    return {
        "label": label,
        "smallest": smallest,
        "levels": [dataclasses.asdict(level) for level in levels],
    }


def _outcomes(cell: dict[str, Any]) -> npt.NDArray[np.bool_]:
    return np.array([letter == "1" for letter in cell["outcomes"]])


def _numbers(text: str) -> npt.NDArray[np.float64]:
    return np.array([float(word) for word in text.split()])


def _points(values: Sequence[float], shares: Sequence[float]) -> list[list[float]]:
    return [[round(v, 4), round(share, 4)] for v, share in zip(values, shares, strict=True)]
