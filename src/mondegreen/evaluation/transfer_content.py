"""What a transfer found, as files: rates in ``transfer.json``, every pair in ``pairs.csv``."""

from __future__ import annotations

import csv
import datetime
import io
from typing import Any

import numpy as np
import numpy.typing as npt

from mondegreen.evaluation.pairs import Pairs
from mondegreen.evaluation.results import describe_budget, describe_classifier, describe_data
from mondegreen.evaluation.rows import about_pairs
from mondegreen.evaluation.transfer_sources import TransferBench
from mondegreen.metrics.success import bootstrap_interval
from mondegreen.runs import command_line, environment

FORMAT = 1

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def transfer_content(
    measured: list[dict[str, Any]], before: Ints, bench: TransferBench, pairs: Pairs
) -> dict[str, Any]:
    """Return what ``transfer.json`` holds.

    Args:
        measured: What the files of the rows hold.
        before: What every classifier hears in the unperturbed clip of every pair.
        bench: What all rows have in common.
        pairs: The pairs of every row.
    """
    right = before == pairs.source
    return {
        "format": FORMAT,
        "classifiers": [
            {
                **describe_classifier(column.classifier),
                "name": column.name,
                "network": column.classifier.name,
                "clean_accuracy": _clean_accuracy(pairs, right[number]),
                "baseline_rate": float((before[number] == pairs.target).mean()),
                "right_pairs": int(right[number].sum()),
            }
            for number, column in enumerate(bench.columns)
        ],
        "budget": describe_budget(bench.budget),
        "dataset": describe_data(bench.data, bench.split, bench.split_kind),
        "pairs": about_pairs(pairs, len(bench.available()), bench.data, bench.labels),
        "rows": [_row(row, right, bench, pairs) for row in measured],
        "seed": bench.options.seed,
        "command": command_line(),
        "environment": environment(),
        "duration_seconds": sum(row["duration_seconds"] for row in measured),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _row(row: dict[str, Any], right: Bools, bench: TransferBench, pairs: Pairs) -> dict[str, Any]:
    """Return a row with its rates in place of what was heard."""
    hidden = ("format", "settings", "heard", "seen")
    heard, groups = np.array(row["heard"]), _groups(bench)[pairs.clip]

    def rate(name: str, success: Bools, where: Bools) -> dict[str, Any]:
        if not where.any():
            return {f"{name}_rate": None, f"{name}_interval": None}
        random = np.random.default_rng(bench.options.seed)
        ends = bootstrap_interval(success[where], groups[where], random)
        return {f"{name}_rate": float(success[where].mean()), f"{name}_interval": list(ends)}

    # An untargeted attack reaches a target by chance only: that is no rate of its success.
    meant = np.full(len(pairs), not row["untargeted"])
    cells = [
        {
            "seen": seen,
            **rate("success", after == pairs.target, meant),
            **rate("untargeted", after != pairs.source, was_right),
        }
        for seen, after, was_right in zip(row["seen"], heard, right, strict=True)
    ]
    return {key: value for key, value in row.items() if key not in hidden} | {"cells": cells}


def _groups(bench: TransferBench) -> npt.NDArray[np.str_]:
    return np.array([clip.group for clip in bench.data.clips])


def _clean_accuracy(pairs: Pairs, right: Bools) -> float:
    """Return the share of clips, each counted once, that are heard as what they are."""
    _, first = np.unique(pairs.clip, return_index=True)
    return float(right[first].mean())


def pairs_csv(
    measured: list[dict[str, Any]], before: Ints, bench: TransferBench, pairs: Pairs
) -> str:
    """Return one line a pair: which, and what every classifier heard, untouched and attacked."""
    labels, names = bench.labels, bench.data.names()
    heard = [("untouched", before.tolist()), *((row["name"], row["heard"]) for row in measured)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    titles = [f"{name} heard by {column.name}" for name, _ in heard for column in bench.columns]
    writer.writerow(["clip", "source", "target", *titles])
    for pair in range(len(pairs)):
        place = (names[pairs.clip[pair]], labels[pairs.source[pair]], labels[pairs.target[pair]])
        every = [labels[one[pair]] for _, columns in heard for one in columns]
        writer.writerow([*place, *every])
    return text.getvalue()
