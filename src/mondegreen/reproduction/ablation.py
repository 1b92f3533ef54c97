"""The ablation's trainings (section V-D), gathered from their folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mondegreen.audio import read_audio
from mondegreen.files import read_json
from mondegreen.reproduction.generators import training_rows
from mondegreen.reproduction.plan import SOURCE, TARGET, VARIANTS, Variant, ablation_folder

LOUDEST = 0.1
CURVE = (
    "epoch",
    "step",
    "train/success",
    "validation/success",
    "generator/total",
    "generator/l2",
    "generator/hinge",
    "train/snr_db",
)


def ablation(out: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """Return every training of the ablation that was evaluated.

    Args:
        out: The reproduction's folder.
        seeds: Of the trainings of each variant.
    """
    runs = [
        _run(out, variant, seed)
        for variant in VARIANTS
        for seed in seeds
        if (ablation_folder(out, variant, seed) / "evaluation" / "results.json").is_file()
    ]
    if not runs:
        return {"missing": "no training of the ablation was evaluated"}
    return {"setting": "speech", "source": SOURCE, "target": TARGET, "runs": runs}


def _run(out: Path, variant: Variant, seed: int) -> dict[str, Any]:
    folder = ablation_folder(out, variant, seed)
    results = read_json(folder / "evaluation" / "results.json")
    rows = training_rows(folder / "generator")
    successes = [row["train/success"] for row in rows if row.get("train/success") is not None]
    samples = read_json(folder / "evaluation" / "samples" / "samples.json")
    return {
        "variant": variant.name,
        "reading": variant.reading,
        "seed": seed,
        "curve": [{name: row.get(name) for name in CURVE} for row in rows],
        "best_train_success": max(successes, default=0.0),
        "last_train_success": successes[-1] if successes else 0.0,
        "success_rate": results["success_rate"],
        "pairs": results["pairs"],
        "snr_db": results["snr_db"]["mean"],
        "pesq_nb": results["pesq_nb"]["mean"],
        "energy_in_tenth": _concentration(folder / "evaluation" / "samples", samples),
        "training_seconds": sum(row.get("seconds") or 0.0 for row in rows),
        "example": _example(out, folder / "evaluation" / "samples", samples),
    }


def _example(out: Path, folder: Path, samples: Sequence[dict[str, Any]]) -> dict[str, str] | None:
    if not samples:
        return None
    place = folder.relative_to(out)
    return {kind: str(place / samples[0][kind]) for kind in ("original", "adversarial")}


def _concentration(folder: Path, samples: Sequence[dict[str, Any]]) -> float | None:
    """Return the share of a perturbation's energy in its loudest tenth, over the kept samples.

    0.1 for a perturbation of constant size, 1 for one that is confined to a tenth of the clip.
    """
    shares = []
    for sample in samples:
        original, adversarial = (
            read_audio(folder / sample[kind])[0].reshape(-1) for kind in ("original", "adversarial")
        )
        energy = np.sort((adversarial - original).astype(np.float64) ** 2)[::-1]
        if energy.sum() > 0.0:
            loudest = energy[: round(LOUDEST * energy.size)]
            shares.append(float(loudest.sum() / energy.sum()))
    return float(np.mean(shares)) if shares else None
