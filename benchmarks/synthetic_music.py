"""What tells the genres of a music corpus apart: loudness, the mean spectrum, or SampleCNN.

The corpus is divided by track and then by chunk, where pieces of one track are on both sides, as in
the paper's code. Two linear classifiers (multinomial logistic regression, its penalty chosen on the
validation part) hear less than the network: one the level of a clip and how it varies, the other
the mean over time of its log-mel spectrum. The network is trained as by the command line.
Accuracies are of the test part.

    .venv/bin/mondegreen data synthesize --kind music --out runs/synthetic-music
    .venv/bin/python benchmarks/synthetic_music.py --data runs/synthetic-music --out runs/music
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize
from torch import Tensor

from mondegreen.classifiers.features import LogMel, LogMelConfig
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.train_classifier import CLIP_SAMPLES, SAMPLE_RATE, default, execute
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.options import DataOptions, open_material
from mondegreen.data.splits import SplitKind
from mondegreen.files import read_json, write_json
from mondegreen.presets import Preset
from mondegreen.runs import environment

SPLITS: tuple[SplitKind, ...] = ("speaker", "random-chunk")
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
FRAMES = 20  # of 50 ms, of which the level's variation is taken

Floats = npt.NDArray[np.float64]


def loudness(x: Tensor) -> Floats:
    """Return the level in dB, its standard deviation over frames, and their products."""
    clip = x[:, 0, :SAMPLE_RATE].double()
    level = 10 * torch.log10(clip.square().mean(dim=1) + 1e-9)
    frames = clip.reshape(len(clip), FRAMES, -1).square().mean(dim=2)
    spread = (10 * torch.log10(frames + 1e-9)).std(dim=1)
    return torch.stack([level, spread, level**2, spread**2, level * spread], dim=1).numpy()


def mean_spectrum(x: Tensor) -> Floats:
    """Return the mean over time of the log-mel spectrum."""
    front = LogMel(LogMelConfig(coefficients=0))
    return front.raw(x[:, :, :SAMPLE_RATE]).mean(dim=2).double().numpy()


def features(data: ClipDataset, of: Callable[[Tensor], Floats]) -> tuple[Floats, Floats]:
    """Return features and labels of every clip."""
    rows = [(of(x), label.numpy()) for x, label in data.batches(256)]
    return np.concatenate([row for row, _ in rows]), np.concatenate([y for _, y in rows])


def fit(x: Floats, y: Floats, labels: int, penalty: float) -> Floats:
    """Return the weights of multinomial logistic regression, ``(features, labels)``."""
    target = np.eye(labels)[y]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(-1, labels)
        z = x @ weights
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        value = -np.mean(np.log(np.sum(p * target, axis=1) + 1e-300)) + penalty * np.sum(flat**2)
        return float(value), (x.T @ (p - target) / len(x) + 2 * penalty * weights).ravel()

    start = np.zeros(x.shape[1] * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(found.x.reshape(-1, labels))


def linear(splits: dict[str, ClipDataset], of: Callable[[Tensor], Floats]) -> float:
    """Return the test accuracy of logistic regression on some features."""
    train, labels = features(splits["train"], of)
    mean, scale = train.mean(axis=0), train.std(axis=0)

    def ready(rows: Floats) -> Floats:
        return np.column_stack([(rows - mean) / scale, np.ones(len(rows))])

    def accuracy(part: str, weights: Floats) -> float:
        rows, y = features(splits[part], of)
        return float(np.mean((ready(rows) @ weights).argmax(axis=1) == y))

    count = int(labels.max()) + 1
    fitted = [fit(ready(train), labels, count, penalty) for penalty in PENALTIES]
    return accuracy("test", max(fitted, key=lambda weights: accuracy("validation", weights)))


def network(data: DataOptions, preset: Preset, out: Path) -> dict[str, Any]:
    """Train SampleCNN, or continue, and return what it achieved and cost."""
    start = time.process_time()
    execute(replace(default(preset, "sample-cnn"), data=data, out=out))
    return {
        "accuracy": read_json(out / "summary.json")["test/accuracy"],
        "parameters": load_classifier(out).parameter_count(),
        "processor_seconds": time.process_time() - start,
    }


def measure(data: DataOptions, preset: Preset, out: Path) -> dict[str, Any]:
    """Return the accuracies under one division."""
    splits = open_material(data, None, SAMPLE_RATE, CLIP_SAMPLES).splits
    return {
        "clips": {name: len(part) for name, part in splits.items()},
        "tracks": {name: len(part.groups) for name, part in splits.items()},
        "chance": 1 / len(splits["test"].corpus.labels),
        "loudness": linear(splits, loudness),
        "mean_spectrum": linear(splits, mean_spectrum),
        "sample_cnn": network(data, preset, out / data.kind_of_split),
    }


def main() -> None:
    """Measure both divisions, print the numbers and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=get_args(Preset), default="cpu")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    contents = options.data / "corpus.json"
    found: dict[str, Any] = {
        "corpus": read_json(contents) if contents.is_file() else options.data.name,
        "preset": options.preset,
        "environment": environment(),
        "splits": {},
    }
    for split in SPLITS:
        data = DataOptions(data=options.data, split=split, cache=options.cache)
        found["splits"][split] = measure(data, options.preset, options.out)
    write_json(options.out / "synthetic-music.json", found)
    print(json.dumps(found["splits"], indent=2))


if __name__ == "__main__":
    main()
