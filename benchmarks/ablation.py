"""What each choice in the generator's recipe buys: one short training a variant, all else equal.

Every variant trains from scratch for the same number of steps against the same classifier and is
measured on the validation split: all pairs at 20, 25 and 30 dB after the 16-bit round trip, PESQ of
some of them. The test split is not touched. Finished variants are not run again. With several
``--seeds`` each variant trains once with each, into a result of its own.

    .venv/bin/python -m benchmarks.ablation --classifier runs/spotter --out runs/ablation
    .venv/bin/python -m mondegreen.report.docs_ablation results/ablation docs/generator.md
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.budgets import SNR
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.clips import data_of
from mondegreen.cli.train_generator import TrainGenerator, default, execute
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.options import DataOptions, open_material
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate
from mondegreen.evaluation.results import measure_quality
from mondegreen.files import write_json
from mondegreen.gan.discriminator import DiscriminatorConfig
from mondegreen.gan.spectral_discriminator import SpectralDiscriminatorConfig
from mondegreen.generators.generator import Generator, load_generator
from mondegreen.generators.own import OwnConfig
from mondegreen.metrics.macs import count_macs
from mondegreen.metrics.summary import summarize
from mondegreen.runs import environment

Changes = dict[str, Any]

RECIPE: Changes = {"architecture.dial": False, "training.weights.hearing": 0.0}
VARIANTS: dict[str, Changes] = {
    "the recipe": {},
    "the recipe, another seed": {"training.seed": 7},
    "25 dB from the first step": {"training.budget.ramp": 0.0},
    "budgets within 2 dB of the schedule": {"training.budget.spread_db": (-2.0, 2.0)},
    "cross-entropy instead of the margin": {"training.classifier_loss": "cross-entropy"},
    "no unlabelled speech": {"training.unlabelled_share": 0.0},
    "no shift, no gain": {"training.augment": None},
    "noise in half of the clips": {
        "training.augment.noise_probability": 0.5,
        "training.augment.noise_snr_db": (5.0, 40.0),
    },
    "no average of the weights": {"training.ema": 0.0},
    "a gain for each bin": {"architecture.bands": 0},
    "48 points of the mel scale": {"architecture.bands": 48},
    "phase as input": {"architecture.phase": True},
    "every frame a position": {"architecture.patch": 1, "architecture.kernel": 7},
    "four frames a position": {"architecture.patch": 4},
    "window of 1,024 samples": {
        "architecture.window": 1024,
        "architecture.hop": 512,
        "architecture.patch": 1,
    },
    "a waveform for each target beside the gains": {"architecture.template": True},
    "cross-attention to tokens of the target": {
        "architecture": OwnConfig(place="benchmarks.conditioning:CrossAttention"),
    },
    "a search of 3 gradients distilled, beside the margin": {"training.weights.distill": 100.0},
    "a search of 3 gradients distilled, instead of the margin": {
        "training.weights.adversarial": 0.0,
        "training.weights.distill": 10.0,
    },
    "4 blocks instead of 6": {"architecture.blocks": 4},
    "a spectrum instead of gains": {"architecture.relative": False},
    "the paper's discriminator, 1/8 wide": {
        "training.weights.alpha": 1.0,
        "training.discriminator": DiscriminatorConfig(width=0.125),
    },
    "spectral discriminators and their features": {
        "training.weights.alpha": 1.0,
        "training.weights.matching": 1.0,
        "training.discriminator": SpectralDiscriminatorConfig(),
    },
    "a dial for quietness, by loudness": {
        "architecture.dial": True,
        "training.weights.hearing": 2.0,
    },
    "a dial for quietness, by masking": {
        "architecture.dial": True,
        "training.weights.hearing": 0.3,
        "training.hearing_model": "masking",
    },
}
BUDGETS = (20.0, 25.0, 30.0)


def slug(name: str) -> str:
    """Return a file name for a variant."""
    kept = "".join(c if c.isalnum() else "-" for c in name.lower())
    return "-".join(part for part in kept.split("-") if part)


def measure(
    generator: Generator, classifier: Classifier, data: ClipDataset, quality_pairs: int
) -> dict[str, Any]:
    """Return success and PESQ at each budget."""
    attack = GeneratorAttack(generator=generator)
    amount = EvaluationOptions(quality_pairs=quality_pairs, samples=0, timing_repeats=1)
    found: dict[str, Any] = {}
    for db in BUDGETS:
        run = evaluate(attack, classifier, data, budget=SNR(db), options=amount)
        measure_quality(run, classifier.sample_rate, workers=1)
        pesq = summarize(run.pairs.pesq_nb[run.kept.rows])["mean"]
        found[f"{db:g}"] = {"success_rate": float(run.pairs.success.mean()), "pesq_nb": pesq}
        found["pairs"] = len(run.pairs)
    return found


def changed(config: Any, changes: Changes) -> Any:
    """Return a dataclass with fields replaced, named by their path, all of a part at once."""
    own: Changes = {}
    inner: dict[str, Changes] = {}
    for path, value in changes.items():
        name, _, rest = path.partition(".")
        if rest:
            inner.setdefault(name, {})[rest] = value
        else:
            own[name] = value
    parts = {name: changed(getattr(config, name), some) for name, some in inner.items()}
    return replace(config, **own, **parts)


def train(
    changes: Changes, classifier: Path, epochs: int, seed: int | None, out: Path
) -> dict[str, Any]:
    """Train one variant and return what it cost; the time only of a training in one go."""
    options: TrainGenerator = changed(changed(default("cpu"), RECIPE), changes)
    if seed is not None:
        options = changed(options, {"training.seed": seed})
    if options.training.unlabelled_share == 0.0:
        epochs *= 2  # an epoch has half as many steps then
    options = replace(options, classifier=classifier, out=out)
    begun = (out / "metrics.jsonl").exists()
    start = time.process_time()
    execute(changed(options, {"training.epochs": epochs}))
    spent = time.process_time() - start
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "steps": json.loads(lines[-1])["step"],
        "processor_seconds": None if begun else spent,
        "seed": options.training.seed,
        "changes": {path: repr(value) for path, value in changes.items()},
    }


def main() -> None:
    """Train and measure every variant that is not done yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--quality-pairs", type=int, default=60)
    parser.add_argument("--seeds", nargs="*", type=int, help="of the trainings; else the recipe's")
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    options = parser.parse_args()
    classifier = load_classifier(options.classifier)
    data = open_material(
        data_of(options.classifier, DataOptions()),
        classifier.labels,
        classifier.sample_rate,
        classifier.clip_samples,
    ).splits["validation"]
    for name, seed in product(options.only, options.seeds or [None]):
        run = slug(name) + ("" if seed is None else f"-seed-{seed}")
        result = options.out / f"{run}.json"
        if result.is_file():
            continue
        folder = options.out / run
        trained = train(VARIANTS[name], options.classifier, options.epochs, seed, folder)
        generator = load_generator(folder, classifier)
        blank = torch.zeros(1, 1, classifier.clip_samples), torch.zeros(1, dtype=torch.long)
        trained |= {
            "name": name,
            "parameters": generator.parameter_count(),
            "macs": count_macs(lambda g=generator, b=blank: g(*b)),
            "validation": measure(generator, classifier, data, options.quality_pairs),
            "environment": environment(),
        }
        write_json(result, trained)


if __name__ == "__main__":
    main()
