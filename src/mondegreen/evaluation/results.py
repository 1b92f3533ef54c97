"""Turn an evaluation into files: results.json, pairs.csv and samples to listen to."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MissingExtraError
from mondegreen.evaluation.channels import through_channels
from mondegreen.evaluation.evaluate import Evaluation, describe, network_cost
from mondegreen.evaluation.pairs import Floats, Pairs
from mondegreen.evaluation.samples import write_samples
from mondegreen.files import write_json, write_text
from mondegreen.metrics.own import Metric, score
from mondegreen.metrics.quality import quality
from mondegreen.metrics.success import (
    bootstrap_interval,
    escape_matrix,
    success_matrix,
    success_rates,
)
from mondegreen.metrics.summary import summarize
from mondegreen.runs import command_line, environment

QUALITY = ("pesq_nb", "pesq_wb", "stoi")


@dataclass(frozen=True)
class Setting:
    """What was evaluated, for the result file."""

    attack: Attack
    classifier: Classifier
    data: ClipDataset
    budget: Budget | None
    split: str
    split_kind: str
    seed: int


def measure_quality(
    evaluation: Evaluation, sample_rate: int, workers: int | None = None
) -> str | None:
    """Fill in PESQ and STOI of the kept pairs.

    Returns:
        None, or why nothing could be measured: the extra that is missing.
    """
    kept, pairs = evaluation.kept, evaluation.pairs
    try:
        scores = quality(torch.stack(kept.x), torch.stack(kept.x_adv), sample_rate, workers)
    except MissingExtraError as error:
        return str(error)
    for name in QUALITY:
        getattr(pairs, name)[kept.rows] = getattr(scores, name)
    return None


def measure_own(evaluation: Evaluation, metrics: Mapping[str, Metric], sample_rate: int) -> None:
    """Score the kept pairs by measures from outside of the package.

    Raises:
        MondegreenError: One does not return a number a pair.
    """
    kept = evaluation.kept
    for name, metric in metrics.items() if kept.rows else ():
        x, x_adv = torch.stack(kept.x), torch.stack(kept.x_adv)
        kept.scores[name] = score(name, metric, x, x_adv, sample_rate)


def results(evaluation: Evaluation, setting: Setting, reason: str | None) -> dict[str, Any]:
    """Return the content of ``results.json``.

    Args:
        evaluation: What was measured.
        setting: On what.
        reason: Why PESQ and STOI are missing, or None.
    """
    pairs, s = evaluation.pairs, setting
    labels = s.classifier.labels
    if pairs.untargeted:
        rates, counts = escape_matrix(pairs.source, pairs.after, len(labels))
    else:
        rates, counts = success_matrix(pairs.source, pairs.target, pairs.success, len(labels))
    return {
        "format": 1,
        "goal": goal(pairs),
        "classifier": describe_classifier(s.classifier),
        "attack": describe(s.attack),
        "budget": describe_budget(s.budget),
        "dataset": describe_data(s.data, s.split, s.split_kind),
        **outcome(evaluation, s.data, s.seed, reason),
        "metrics": {name: _summary(values) for name, values in evaluation.kept.scores.items()},
        "success_matrix": [[None if math.isnan(v) else float(v) for v in row] for row in rates],
        "pair_counts": counts.tolist(),
        "per_target": _per_target(evaluation, labels),
        "milliseconds_per_clip": evaluation.timing,
        "generator": network_cost(s.attack, s.classifier.clip_samples),
        "channels": through_channels(evaluation.listening, pairs, s.data, s.seed),
        "seed": s.seed,
        "command": command_line(),
        "environment": environment(),
        "duration_seconds": evaluation.duration_seconds,
        "created": evaluation.created,
    }


def outcome(
    evaluation: Evaluation, data: ClipDataset, seed: int, reason: str | None
) -> dict[str, Any]:
    """Return how many pairs succeeded and at which quality, as result files state it.

    Args:
        evaluation: What was measured.
        data: The clips.
        seed: Seeds the interval's draws.
        reason: Why PESQ and STOI are missing, or None.
    """
    pairs = evaluation.pairs
    overall = success_rates(
        pairs.source, pairs.target, pairs.before, pairs.after, untargeted=pairs.untargeted
    )
    groups = np.array([clip.group for clip in data.clips])[pairs.clip]
    # Pairs of one speaker are not independent, so whole speakers are drawn again.
    low, high = bootstrap_interval(pairs.success, groups, np.random.default_rng(seed))
    return {
        "pairs": len(pairs),
        "success_rate": overall.rate,
        "success_interval": [low, high],
        "success_rate_correct": _finite(overall.correct),
        "baseline_rate": overall.baseline,
        "clean_accuracy": evaluation.clean_accuracy,
        "snr_db": _summary(pairs.snr_db),
        **{name: _quality(evaluation, name, reason) for name in QUALITY},
    }


def spending(evaluation: Evaluation) -> dict[str, float | int | None]:
    """Return what a clip cost: queries, gradients, seconds, and the memory of a batch."""
    pairs = evaluation.pairs
    return {
        "queries_per_clip": float(pairs.queries.mean()),
        "gradients_per_clip": float(pairs.gradients.mean()),
        "seconds_per_clip": float(pairs.seconds.mean()),
        "peak_memory_bytes": evaluation.totals.peak_memory_bytes,
    }


def goal(pairs: Pairs) -> str:
    """Return ``targeted``, or ``untargeted`` where any label but the clip's own is a success."""
    return "untargeted" if pairs.untargeted else "targeted"


def describe_classifier(classifier: Classifier) -> dict[str, Any]:
    """Return what identifies a classifier in a result file."""
    return {
        "name": classifier.name,
        "parameters": classifier.parameter_count(),
        "fingerprint": classifier.fingerprint(),
        "labels": list(classifier.labels),
        "sample_rate": classifier.sample_rate,
    }


def describe_data(data: ClipDataset, split: str, split_kind: str) -> dict[str, Any]:
    """Return what identifies the clips in a result file."""
    return {
        "name": data.corpus.name,
        "split": split,
        "split_kind": split_kind,
        "clips": len(data),
        "groups": len(data.groups),
        "silent_clips": data.silent(),
    }


def describe_budget(budget: Budget | None) -> dict[str, Any]:
    """Return a budget's kind and value for a result file."""
    if budget is None:
        return {"kind": "none", "value": None}
    return {"kind": budget.kind, "value": budget.value}


def _summary(values: Floats) -> dict[str, Any]:
    found: dict[str, Any] = dict(summarize(values))
    return found


def _quality(evaluation: Evaluation, name: str, reason: str | None) -> dict[str, Any]:
    if reason is not None:
        return {**_summary(np.array([])), "reason": reason}
    return _summary(getattr(evaluation.pairs, name)[evaluation.kept.rows])


def _per_target(evaluation: Evaluation, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return success and quality for each target: the paper's Table 2.

    Of untargeted pairs, for each label to get away from.
    """
    pairs = evaluation.pairs
    kept = np.zeros(len(pairs), dtype=bool)
    kept[evaluation.kept.rows] = True
    table: dict[str, Any] = {}
    for index, label in enumerate(labels):
        rows = pairs.target == index
        if not rows.any():
            continue
        table[label] = {
            "pairs": int(rows.sum()),
            "success_rate": float(pairs.success[rows].mean()),
            "snr_db": summarize(pairs.snr_db[rows])["mean"],
            **{name: summarize(getattr(pairs, name)[rows & kept])["mean"] for name in QUALITY},
        }
    return table


def write_evaluation(
    folder: Path, evaluation: Evaluation, setting: Setting, reason: str | None, samples: int
) -> dict[str, Any]:
    """Write ``pairs.csv``, ``samples/`` and, last, ``results.json``; return the latter's content.

    Args:
        folder: The run's folder.
        evaluation: What was measured.
        setting: On what.
        reason: Why PESQ and STOI are missing, or None.
        samples: Pairs a source and target to write as WAV files.

    Raises:
        MondegreenError: The folder cannot be written.
    """
    content = results(evaluation, setting, reason)
    write_text(folder / "pairs.csv", _pairs_csv(evaluation, setting))
    write_samples(folder / "samples", evaluation, setting.classifier, setting.data.names(), samples)
    write_json(folder / "results.json", content)
    return content


def _pairs_csv(evaluation: Evaluation, setting: Setting) -> str:
    pairs, labels, names = evaluation.pairs, setting.classifier.labels, setting.data.names()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["clip", "source", "target", "before", "after", "success", "correct", "snr_db"]
    heard = evaluation.listening
    own = evaluation.kept.scores
    writer.writerow([*head, *QUALITY, *(f"after {name}" for name in heard.channels), *own])
    place = {row: number for number, row in enumerate(evaluation.kept.rows)}
    success, correct = pairs.success, pairs.correct
    for row in range(len(pairs)):
        writer.writerow(
            [
                names[pairs.clip[row]],
                *(labels[getattr(pairs, n)[row]] for n in ("source", "target", "before", "after")),
                int(success[row]),
                int(correct[row]),
                *(_number(getattr(pairs, name)[row]) for name in ("snr_db", *QUALITY)),
                *(labels[index] for index in heard.after[:, row]),
                *(_number(v[place[row]]) if row in place else "" for v in own.values()),
            ]
        )
    return text.getvalue()


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else ""


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
