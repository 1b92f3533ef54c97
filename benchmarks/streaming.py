"""Success and speed of streaming attacks, by latency.

Test clips, each between a second of background noise before and after, 30 dB below the clip, are
attacked as a live stream would be, towards a label drawn for each. A success is a word's own window
of what left the stream being heard as the target; the reference attacks that window as a whole.

    .venv/bin/python benchmarks/streaming.py --data speech_commands --out results/streaming.json
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.attacks.streaming import Streaming, StreamingOptions
from mondegreen.budgets import SNR
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.dataset import open_splits
from mondegreen.data.folder import open_corpus
from mondegreen.files import write_json
from mondegreen.generators.generator import load_generator
from mondegreen.progress import track
from mondegreen.runs import command_line, environment
from mondegreen.zoo import resolve

SETTINGS = (
    StreamingOptions(32, 16),
    StreamingOptions(64, 16),
    StreamingOptions(128, 16),
    StreamingOptions(128, 128),
    StreamingOptions(256, 16),
    StreamingOptions(256, 256),
    StreamingOptions(512, 16),
)
NOISE_DB = 30.0


def embed(x: Tensor, random: torch.Generator) -> Tensor:
    """Return a clip ``(1, time)`` between a second of noise before and after, all under noise."""
    samples = x.shape[1]
    noise = torch.randn(1, 3 * samples, generator=random)
    noise = noise * x.square().mean().sqrt() * 10.0 ** (-NOISE_DB / 20.0)
    noise[:, samples : 2 * samples] += x
    recording: Tensor = noise.clamp(-1.0, 1.0)
    return recording


def stream(
    attack: GeneratorAttack,
    classifier: Classifier,
    pairs: list[tuple[Tensor, int]],
    options: StreamingOptions,
    db: float,
) -> dict[str, Any]:
    """Attack every recording and return what came of it."""
    hits, milliseconds, slowest, sound = 0, 0.0, 0.0, 0.0
    for x, target in track(pairs, f"block {options.block_ms} ms"):
        name = classifier.labels[target]
        live = Streaming(attack, classifier, name, SNR(db), options)
        y = torch.cat([live.push(x), live.flush()], dim=1)[:, live.delay :]
        samples = classifier.clip_samples
        with torch.inference_mode():
            heard = classifier(y[None, :, samples : 2 * samples]).argmax()
        hits += int(heard == target)
        milliseconds += live.milliseconds
        slowest = max(slowest, live.slowest_ms)
        sound += 1e3 * x.shape[1] / classifier.sample_rate
    return {
        "block_ms": options.block_ms,
        "lookahead_ms": options.lookahead_ms,
        "latency_ms": live.latency_ms,
        "snr_db": db,
        "success_rate": hits / len(pairs),
        "real_time_factor": milliseconds / sound,
        "slowest_block_ms": slowest,
    }


def main() -> None:
    """Measure every setting and write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("zoo:speech-commands"))
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--db", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1024)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    folder = resolve(options.model)
    classifier = load_classifier(folder)
    attack = GeneratorAttack(generator=load_generator(folder, classifier))
    random = torch.Generator().manual_seed(options.seed)
    data = open_splits(
        open_corpus(options.data, labels=classifier.labels),
        sample_rate=classifier.sample_rate,
        clip_samples=classifier.clip_samples,
    )["test"]
    x, label = data.sample(options.clips, random, normalization=classifier.normalization)
    step = torch.randint(1, len(classifier.labels), label.shape, generator=random)
    target = (label + step) % len(classifier.labels)
    recordings = [embed(clip, random) for clip in x]
    time = classifier.clip_samples
    windows = torch.stack([each[:, time : 2 * time] for each in recordings])
    whole = attack(classifier, windows, target, budget=SNR(options.db)).success.double().mean()
    pairs = list(zip(recordings, target.tolist(), strict=True))
    rows = [stream(attack, classifier, pairs, setting, options.db) for setting in SETTINGS]
    for row in rows:
        Console().print(
            f"latency {row['latency_ms']:.0f} ms: {100 * row['success_rate']:.1f} %, "
            f"{row['real_time_factor']:.2f} of the sound's time"
        )
    about = {"clips": len(x), "snr_db": options.db, "seed": options.seed, "whole": float(whole)}
    content = {**about, "rows": rows, "command": command_line(), "environment": environment()}
    write_json(options.out, content)


if __name__ == "__main__":
    main()
