"""The pairs to listen to: their clips as WAV files, and what is known of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from mondegreen.audio import write_wav
from mondegreen.classifiers.classifier import Classifier
from mondegreen.evaluation.evaluate import Evaluation
from mondegreen.files import write_json


def write_samples(
    folder: Path,
    evaluation: Evaluation,
    classifier: Classifier,
    names: Sequence[str],
    limit: int,
) -> None:
    """Write up to ``limit`` pairs of each cell of the matrix, and ``samples.json``.

    Args:
        folder: Where to.
        evaluation: What was measured.
        classifier: What was attacked; knows rate and scale.
        names: Of the data set's clips.
        limit: Pairs of each source and target.

    Raises:
        MondegreenError: The folder cannot be written.
    """
    pairs, kept = evaluation.pairs, evaluation.kept
    seen: dict[tuple[int, int], int] = {}
    listed: list[dict[str, Any]] = []
    stems: set[str] = set()
    for place, row in enumerate(kept.rows):
        cell = (int(pairs.source[row]), int(pairs.target[row]))
        seen[cell] = seen.get(cell, 0) + 1
        if seen[cell] > limit:
            continue
        source, target = (classifier.labels[index] for index in cell)
        clip = names[pairs.clip[row]]
        # The whole name: a.wav and a.flac may stand side by side.
        file = clip.partition("/")[2]
        stem = f"{source}_{target}_{file}".replace("/", "-").replace(".", "-")
        if stem in stems:
            stem = f"{stem}-{row}"
        stems.add(stem)
        files = {"original": f"{stem}.original.wav", "adversarial": f"{stem}.adversarial.wav"}
        scale, rate = classifier.normalization, classifier.sample_rate
        write_wav(folder / files["original"], kept.x[place][0], rate, scale)
        write_wav(folder / files["adversarial"], kept.x_adv[place][0], rate, scale)
        known = _describe(evaluation, place, classifier.labels)
        listed.append({"source": source, "target": target, "clip": clip, **known, **files})
    write_json(folder / "samples.json", listed)


def _describe(evaluation: Evaluation, place: int, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return what became of a kept pair, with the classifier's probabilities of all labels."""
    pairs, kept = evaluation.pairs, evaluation.kept
    row = kept.rows[place]
    return {
        "before": labels[pairs.before[row]],
        "after": labels[pairs.after[row]],
        "success": bool(pairs.success[row]),
        "snr_db": _finite(pairs.snr_db[row]),
        "pesq_nb": _finite(pairs.pesq_nb[row]),
        "before_probability": float(pairs.before_probability[row]),
        "after_probability": float(pairs.after_probability[row]),
        "before_probabilities": _by_label(kept.heard_before[place], labels),
        "after_probabilities": _by_label(kept.heard_after[place], labels),
    }


def _by_label(probabilities: Tensor, labels: tuple[str, ...]) -> dict[str, float] | None:
    """Return what was heard of every label; None where it is not known."""
    if len(probabilities) != len(labels):
        return None
    return {label: round(p, 6) for label, p in zip(labels, probabilities.tolist(), strict=True)}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
