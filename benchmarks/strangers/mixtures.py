"""Clips with two sounds at a time, mixed from the recordings of ESC-10, and a list of their tags.

Each clip is two seconds of one recording over two seconds of another class's. The sources of each
official fold are dealt out to eight groups, and only sounds of the same group are mixed, so that
neither two folds nor two groups share a recording:

    python benchmarks/strangers/mixtures.py --data $MONDEGREEN_DATA/esc10 --out runs/mixtures

It writes ``<out>/clips/<fold>-<number>.flac`` and ``<out>/tags.csv`` with the columns ``file``,
``tags``, ``group`` and ``fold``.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

RATE, SECONDS = 16_000, 2
LENGTH = RATE * SECONDS
FLOOR = 1e-3
GROUPS = 8
Rng = np.random.Generator


def read(path: Path) -> np.ndarray:
    """One recording at 16 kHz, without the digital silence that fills up short ones."""
    x, rate = soundfile.read(path, dtype="float32")
    assert rate == 44_100, path
    x = resample_poly(x, 160, 441).astype(np.float32)
    heard = np.flatnonzero(np.abs(x) > FLOOR)
    x = x[heard[0] : heard[-1] + 1] if len(heard) else x
    return np.pad(x, (0, max(0, LENGTH - len(x))))


def piece(x: np.ndarray, rng: Rng) -> np.ndarray:
    """The loudest of three random pieces of two seconds, at a level of -26 dB of full scale."""
    starts = rng.integers(0, len(x) - LENGTH + 1, 3)
    found = max((x[s : s + LENGTH] for s in starts), key=lambda part: float(np.square(part).sum()))
    return found * (0.05 / max(float(np.sqrt(np.square(found).mean())), 1e-4))


def dealt(data: Path, fold: int) -> list[dict[str, list[np.ndarray]]]:
    """The recordings of a fold by group and class; those of one source stay together."""
    groups: list[dict[str, list[np.ndarray]]] = [{} for _ in range(GROUPS)]
    folders = sorted(path for path in data.iterdir() if path.is_dir())
    for number, folder in enumerate(folders):
        paths = sorted(folder.glob(f"{fold}-*.ogg"))
        sources = sorted({path.name.split("-")[1] for path in paths})
        for path in paths:
            place = (sources.index(path.name.split("-")[1]) + 3 * number) % GROUPS
            groups[place].setdefault(folder.name, []).append(read(path))
    return [group for group in groups if len(group) > 1]


def mixed(sounds: dict[str, list[np.ndarray]], pair: list[str], rng: Rng) -> np.ndarray:
    x = np.zeros(LENGTH, np.float32)
    for name in pair:
        sound = sounds[name][rng.integers(len(sounds[name]))]
        x += piece(sound, rng) * 10 ** (rng.uniform(-3, 3) / 20)
    return x * min(1.0, 0.95 / float(np.abs(x).max()))


def mix(data: Path, out: Path, per_fold: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    (out / "clips").mkdir(parents=True, exist_ok=True)
    lines = []
    for fold in range(1, 6):
        groups = dealt(data, fold)
        for number in range(per_fold):
            group = number % len(groups)
            pair = sorted(rng.choice(sorted(groups[group]), 2, replace=False).tolist())
            file = f"clips/{fold}-{number:04d}.flac"
            soundfile.write(out / file, mixed(groups[group], pair, rng), RATE, subtype="PCM_16")
            lines.append([file, ";".join(pair), f"{fold}-{group}", str(fold)])
    with (out / "tags.csv").open("w", newline="", encoding="utf-8") as listing:
        csv.writer(listing).writerows([["file", "tags", "group", "fold"], *lines])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/mixtures"))
    parser.add_argument("--per-fold", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    mix(given.data, given.out, given.per_fold, given.seed)
