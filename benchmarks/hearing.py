"""How well measures of audibility order perturbations as PESQ does: rank correlations.

Each clip of a random draw from the test speakers is perturbed by a generator and by white noise at
four signal-to-noise ratios, and by noise shaped like the clip's masking threshold, 6 dB below it,
at it and 6 dB above it. "Loudness" is the loss that generators are trained with. Intervals are
95 %, from drawing the clips again with replacement.

    .venv/bin/python benchmarks/hearing.py --data speech_commands [--clips 20] [--out hearing.json]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn import functional as F

from mondegreen.audio import wav_round_trip
from mondegreen.budgets import SNR
from mondegreen.data.dataset import open_splits
from mondegreen.data.folder import open_corpus
from mondegreen.files import write_json
from mondegreen.gan.audibility import build_hearing
from mondegreen.generators.generator import Generator, load_generator
from mondegreen.metrics.maskers import FULL_SCALE_DB
from mondegreen.metrics.masking import MaskingModel, audible_share, masking_excess
from mondegreen.metrics.quality import quality
from mondegreen.metrics.snr import snr_db
from mondegreen.zoo import resolve

RATIOS_DB = (15.0, 20.0, 25.0, 30.0)
MARGINS_DB = (-6.0, 0.0, 6.0)
MEASURES = ("snr_db", "masking_excess", "audible_share", "loudness")
LOWEST_HZ = 100.0  # further down, noise at the threshold in quiet would be louder than the speech
DRAWS = 1000

Floats = npt.NDArray[np.float64]
Condition = tuple[str, float]


def shaped_noise(
    x: Tensor, model: MaskingModel, margin_db: float, random: torch.Generator
) -> Tensor:
    """Return noise whose level in every bin is, on average, the threshold plus a margin."""
    window, hop = model.window, model.window // 2
    threshold = model(x)
    taper = torch.hann_window(window).sqrt()
    frames = torch.randn(*threshold.shape[:2], window, generator=random) * taper
    # White noise of variance 1, Hann window: mean power 6 / window of a full-scale tone's.
    unit_db = FULL_SCALE_DB + 10.0 * np.log10(6.0 / window)
    gain = 10.0 ** ((threshold + margin_db - unit_db) / 20.0)
    gain[..., : math.ceil(LOWEST_HZ * window / model.sample_rate)] = 0.0
    shaped = torch.fft.irfft(torch.fft.rfft(frames) * gain, n=window) * taper
    length = (shaped.shape[1] + 1) * hop
    added = F.fold(shaped.transpose(1, 2), (1, length), (1, window), stride=(1, hop))
    return added[:, 0, :, hop : hop + x.shape[2]]


def perturbed(
    x: Tensor, target: Tensor, generator: Generator, random: torch.Generator
) -> Iterator[tuple[Condition, Tensor]]:
    """Yield each condition and the perturbed clips, before rounding."""
    noise = torch.randn(x.shape, generator=random)
    model = MaskingModel(generator.config.sample_rate)
    with torch.inference_mode():
        for ratio in RATIOS_DB:
            yield ("generator", ratio), x + generator(x, target, SNR(ratio))
            yield ("white noise", ratio), (x + SNR(ratio).project(x, noise)).clamp(-1.0, 1.0)
        for margin in MARGINS_DB:
            delta = shaped_noise(x, model, margin, random)
            yield ("masked noise", margin), (x + delta).clamp(-1.0, 1.0)


def measure(x: Tensor, x_adv: Tensor, sample_rate: int) -> dict[str, Floats]:
    """Return every measure and PESQ of the clips as 16-bit files hold them."""
    x, x_adv = (wav_round_trip(clips, sample_rate) for clips in (x, x_adv))
    return {
        "pesq_nb": quality(x, x_adv, sample_rate).pesq_nb,
        "snr_db": snr_db(x, x_adv).numpy(),
        "masking_excess": masking_excess(x, x_adv, sample_rate).double().numpy(),
        "audible_share": audible_share(x, x_adv, sample_rate).double().numpy(),
        "loudness": build_hearing("loudness", sample_rate)(x, x_adv).double().numpy(),
    }


def correlation(values: Floats, pesq: Floats) -> float:
    """Return Spearman's rank correlation over the pairs that PESQ could score."""
    known = np.isfinite(pesq) & np.isfinite(values)
    return float(spearmanr(values[known], pesq[known]).statistic)


def correlate(
    found: dict[Condition, dict[str, Floats]], conditions: list[Condition], seed: int
) -> dict[str, dict[str, float]]:
    """Return each measure's correlation with PESQ over some conditions, and its interval."""
    names = ("pesq_nb", *MEASURES)
    table = {name: np.stack([found[condition][name] for condition in conditions]) for name in names}
    clips, rng = table["pesq_nb"].shape[1], np.random.default_rng(seed)
    draws = [rng.integers(clips, size=clips) for _ in range(DRAWS)]
    rows = {}
    for name in MEASURES:
        again = [
            correlation(table[name][:, drawn].ravel(), table["pesq_nb"][:, drawn].ravel())
            for drawn in draws
        ]
        low, high = np.percentile(again, [2.5, 97.5])
        value = correlation(table[name].ravel(), table["pesq_nb"].ravel())
        rows[name] = {"spearman": value, "low": float(low), "high": float(high)}
    return rows


def print_conditions(console: Console, found: dict[Condition, dict[str, Floats]]) -> None:
    """Print the means of every condition."""
    table = Table(title="means by condition")
    titles = ("perturbation", "dB", "SNR", "PESQ", "failed", "excess in dB", "audible share")
    for name in (*titles, "loudness"):
        table.add_column(name, justify="left" if name == "perturbation" else "right")
    for (kind, level), values in found.items():
        means = [np.nanmean(values[name]) for name in ("snr_db", "pesq_nb", *MEASURES[1:])]
        failed = int(np.isnan(values["pesq_nb"]).sum())
        words = [f"{means[0]:.1f}", f"{means[1]:.2f}", str(failed), f"{means[2]:.2f}"]
        table.add_row(kind, f"{level:+.0f}", *words, f"{means[3]:.3f}", f"{means[4]:.2f}")
    console.print(table)


def groups(found: dict[Condition, dict[str, Floats]]) -> dict[str, list[Condition]]:
    """Return the sets of conditions over which ranks are compared."""
    every = list(found)
    kinds = dict.fromkeys(kind for kind, _ in every)
    return {
        "all": every,
        **{kind: [key for key in every if key[0] == kind] for kind in kinds},
        **{
            f"both at {ratio:.0f} dB": [("generator", ratio), ("white noise", ratio)]
            for ratio in RATIOS_DB
        },
    }


def main() -> None:
    """Measure, print two tables and write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--generator", type=Path, default=Path("zoo:speech-commands"))
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1024)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    generator = load_generator(resolve(options.generator))
    config, random = generator.config, torch.Generator().manual_seed(options.seed)
    data = open_splits(
        open_corpus(options.data, labels=config.labels),
        sample_rate=config.sample_rate,
        clip_samples=config.clip_samples,
    )["test"]
    x, label = data.sample(options.clips, random)
    step = torch.randint(1, len(config.labels), label.shape, generator=random)
    target = (label + step) % len(config.labels)
    found = {
        condition: measure(x, x_adv, config.sample_rate)
        for condition, x_adv in perturbed(x, target, generator, random)
    }
    console = Console()
    print_conditions(console, found)
    table = Table(title=f"rank correlation with pesq_nb, {len(x)} clips")
    table.add_column("pairs of")
    for name in MEASURES:
        table.add_column(name, justify="right")
    results = {}
    for name, conditions in groups(found).items():
        results[name] = correlate(found, conditions, options.seed)
        cells = results[name].values()
        words = [f"{c['spearman']:+.2f} ({c['low']:+.2f} to {c['high']:+.2f})" for c in cells]
        table.add_row(name, *words)
    console.print(table)
    if options.out:
        means = {
            f"{kind} {level:+.0f}": {name: float(np.nanmean(v)) for name, v in values.items()}
            for (kind, level), values in found.items()
        }
        settings = {"clips": len(x), "seed": options.seed, "generator": str(options.generator)}
        write_json(options.out, {**settings, "conditions": means, "correlations": results})


if __name__ == "__main__":
    main()
