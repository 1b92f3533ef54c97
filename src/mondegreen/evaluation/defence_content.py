"""What a measurement of defences found, as ``defences.json`` states it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mondegreen.evaluation.pairs import Floats, Ints, Pairs
from mondegreen.evaluation.results import describe_classifier, describe_data
from mondegreen.evaluation.rows import about_pairs
from mondegreen.evaluation.shields import Shield
from mondegreen.evaluation.sieges import DefenceBench
from mondegreen.metrics.roc import auc, auc_interval, roc_curve
from mondegreen.metrics.success import bootstrap_interval
from mondegreen.runs import command_line, environment

FORMAT = 1
HIDDEN = ("format", "settings", "direct", "heard", "scores")
"""Fields of a row's file that ``defences.json`` has rates in place of."""

Groups = npt.NDArray[np.str_]
_GRID = 50  # steps of the curve that a file holds


@dataclass(frozen=True)
class Untouched:
    """What was heard in the clips that nobody attacked."""

    direct: Ints
    """Without a defence."""
    heard: Mapping[str, Ints]
    """By the name of the defence."""
    scores: Mapping[str, Floats]
    """Of the detectors, by name."""


def defence_content(
    measured: list[dict[str, Any]],
    bench: DefenceBench,
    pairs: Pairs,
    untouched: Untouched,
    certificates: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what ``defences.json`` holds.

    Args:
        measured: What the files of the rows hold.
        bench: What all rows have in common.
        pairs: The pairs of every row.
        untouched: What is heard in the clips that nobody attacked.
        certificates: What is proven of a defence, by its name.
    """
    labels = bench.data.labels.numpy()
    return {
        "format": FORMAT,
        "classifier": describe_classifier(bench.classifier),
        "dataset": describe_data(bench.data, bench.split, bench.split_kind),
        "pairs": about_pairs(pairs, len(bench.available()), bench.data, bench.classifier.labels),
        "clean_accuracy": float((untouched.direct == labels).mean()),
        "baseline_rate": float((untouched.direct[pairs.clip] == pairs.target).mean()),
        "defences": [
            _shield(shield, bench, pairs, untouched, certificates.get(shield.name))
            for shield in bench.shields
        ],
        "rows": [_row(row, bench, pairs, untouched) for row in measured],
        "seed": bench.options.seed,
        "command": command_line(),
        "environment": environment(),
        "duration_seconds": sum(row["duration_seconds"] for row in measured),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _shield(
    shield: Shield,
    bench: DefenceBench,
    pairs: Pairs,
    untouched: Untouched,
    certificate: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return what a defence is, and what it costs where nobody attacks."""
    labels, groups = bench.data.labels.numpy(), _groups(bench)
    heard = untouched.heard[shield.name]
    right, before = heard == labels, untouched.direct == labels
    lost = before.astype(np.float64) - right
    about = {
        **shield.about,
        "clean_accuracy": float(right.mean()),
        "accuracy_loss": float(lost.mean()),
        "loss_interval": _interval(lost, groups, bench.options.seed, least=-1.0),
        "baseline_rate": float((heard[pairs.clip] == pairs.target).mean()),
        "certificate": None if certificate is None else dict(certificate),
        "threshold": None,
    }
    if shield.watch is None:
        return about
    alarms = untouched.scores[shield.name] > shield.watch.threshold
    return about | {
        "threshold": shield.watch.threshold,
        "chosen_on": shield.watch.chosen_on,
        "trained_on": shield.watch.trained_on,
        "false_alarm_rate": float(alarms.mean()),
        "false_alarm_interval": _interval(alarms, groups, bench.options.seed),
    }


def _row(
    row: dict[str, Any], bench: DefenceBench, pairs: Pairs, untouched: Untouched
) -> dict[str, Any]:
    """Return a row with its rates in place of what was heard."""
    seed, groups = bench.options.seed, _groups(bench)[pairs.clip]
    direct = np.array(row["direct"])
    shields = {shield.name: shield for shield in bench.shields}
    cells = [
        {
            "defence": name,
            **_rates(np.array(heard), pairs, groups, seed),
            "detection": _detection(
                shields[name],
                np.array(row["scores"][name]),
                direct == pairs.target,
                bench,
                pairs,
                untouched,
            )
            if name in row["scores"]
            else None,
        }
        for name, heard in row["heard"].items()
    ]
    kept = {key: value for key, value in row.items() if key not in HIDDEN}
    return kept | {"direct": _rates(direct, pairs, groups, seed), "cells": cells}


def _rates(heard: Ints, pairs: Pairs, groups: Groups, seed: int) -> dict[str, Any]:
    """Return how many adversarial clips are heard as the target, and how many as what they are."""
    success, right = heard == pairs.target, heard == pairs.source
    return {
        "success_rate": float(success.mean()),
        "success_interval": _interval(success, groups, seed),
        "true_label_rate": float(right.mean()),
        "true_label_interval": _interval(right, groups, seed),
    }


def _detection(
    shield: Shield,
    found: Floats,
    success: npt.NDArray[np.bool_],
    bench: DefenceBench,
    pairs: Pairs,
    untouched: Untouched,
) -> dict[str, Any] | None:
    """Return how well a detector tells what fools the classifier from clips nobody attacked.

    None where nothing fools it.
    """
    if not success.any():
        return None
    assert shield.watch is not None
    seed, every = bench.options.seed, _groups(bench)
    benign, groups = untouched.scores[shield.name], every[pairs.clip][success]
    caught = found[success] > shield.watch.threshold
    ends = auc_interval((benign, every), (found[success], groups), np.random.default_rng(seed))
    return {
        "positives": int(success.sum()),
        "auc": auc(benign, found[success]),
        "auc_interval": list(ends),
        "detected_rate": float(caught.mean()),
        "detected_interval": _interval(caught, groups, seed),
        "roc": _curve(benign, found[success]),
    }


def _curve(benign: Floats, found: Floats) -> list[float]:
    """Return the best detection at false alarm rates from 0 to 1, evenly spaced."""
    false, true = roc_curve(benign, found)
    grid = np.arange(_GRID + 1) / _GRID
    places = np.searchsorted(false, grid + 1e-12, side="right") - 1
    rates: list[float] = true[places].tolist()
    return rates


def _groups(bench: DefenceBench) -> Groups:
    return np.array([clip.group for clip in bench.data.clips])


def _interval(
    outcomes: npt.ArrayLike, groups: Groups, seed: int, least: float = 0.0
) -> list[float]:
    return list(bootstrap_interval(outcomes, groups, np.random.default_rng(seed), least=least))
