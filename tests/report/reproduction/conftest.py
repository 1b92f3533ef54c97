"""A made-up reproduction with all of its parts; every number can be found again."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mondegreen.audio import write_wav
from mondegreen.report.comparison_paper import PUBLISHED
from mondegreen.report.reproduction.results import Reproduction, load_reproduction

ROOT = Path(__file__).parents[3]
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae")
SOUNDS = ("dog", "rain", "clock", "baby")
RATE = 8000
Content = dict[str, Any]
Build = Callable[..., Path]
Load = Callable[..., Reproduction]


def quality(mean: float | None, pairs: int = 90) -> Content:
    if mean is None:
        nothing = {"mean": None, "median": None, "min": None, "failed": 0, "pairs": 0}
        return {**nothing, "reason": "not asked for"}
    return {"mean": mean, "median": mean + 0.1, "min": mean / 2, "failed": 1, "pairs": pairs}


def scores(
    labels: tuple[str, ...],
    rate: float,
    *,
    networks: int = 10,
    network: str = "unet",
    snr: float = 20.5,
    pesq: float | None = 3.1,
    width: float = 0.125,
    budget: float | None = None,
    pairs: int = 40,
    seed: int = 0,
) -> Content:
    """Generators whose cells have ``pairs`` pairs each, and scatter around ``rate``."""
    rng = np.random.default_rng(seed)
    size = len(labels)
    hits = rng.binomial(pairs, rate, (size, size))
    matrix = [[None if i == j else hits[i, j] / pairs for j in range(size)] for i in range(size)]
    off = ~np.eye(size, dtype=bool)
    success = float(hits[off].sum() / (pairs * off.sum()))
    of_target = [float(hits[off[:, j], j].mean() / pairs) for j in range(size)]
    return {
        "network": network,
        "width": width,
        "networks": networks,
        "parameters": 82_000,
        "macs": 25_000_000,
        "budget": {"kind": "none" if budget is None else "snr", "value": budget},
        "steps": 5_200,
        "training_seconds": 4_321.0,
        "pairs": int(pairs * off.sum()),
        "success_rate": success,
        "success_interval": [max(0.0, success - 0.03), min(1.0, success + 0.03)],
        "success_rate_correct": success,
        "baseline_rate": 0.01,
        "success_matrix": matrix,
        "pair_counts": [[0 if i == j else pairs for j in range(size)] for i in range(size)],
        "per_target": {
            label: {
                "pairs": pairs * (size - 1),
                "success_rate": of_target[place],
                "snr_db": snr + 0.3 * place,
                "pesq_nb": None if pesq is None else pesq - 0.02 * place,
                "pesq_wb": None,
                "stoi": 0.9,
            }
            for place, label in enumerate(labels)
        },
        "snr_db": quality(snr),
        "pesq_nb": quality(pesq),
        "pesq_wb": quality(None),
        "stoi": quality(0.9),
        "milliseconds_per_clip": {"batch1": 4.5, "batchN": 1.5, "N": 32},
        "missing_targets": {},
    }


def setting(key: str, labels: tuple[str, ...], reported: str | None, **changes: Any) -> Content:
    return {
        "key": key,
        "reported": reported,
        "data": f"{key} of the tests",
        "remark": f"Tones stand for {key}.",
        "classifier": {
            "name": "toy-net",
            "parameters": 144_130,
            "fingerprint": "9f2c41d0",
            "labels": list(labels),
            "sample_rate": RATE,
        },
        "split_kind": "speaker",
        "train_clips": 1_600,
        "test_clips": 370,
        "groups": 21,
        "clean_accuracy": 0.9595,
        "labels": list(labels),
        "generators": {
            "single": scores(labels, 0.93, seed=1),
            "unified": scores(labels, 0.86, networks=1, snr=18.2, pesq=2.9, seed=2),
            "spectral": scores(
                labels,
                0.97,
                networks=1,
                network="spectral",
                snr=25.0,
                pesq=3.6,
                budget=25.0,
                seed=3,
            ),
        },
        "comparison": {"missing": "no time was left"},
        "curves": {"missing": "no time was left"},
        "leak": None,
        **changes,
    }


def cell(label: str, db: float | None, rate: float, ms: float | None, **more: Any) -> Content:
    return {
        "name": f"{label}--{db}",
        "label": label,
        "family": label,
        "steps": None,
        "quietness": None,
        "attack": {"name": label, "fingerprint": "12", **PUBLISHED.get(label, {})},
        "budget": {"kind": "none" if db is None else "snr", "value": db},
        "success_rate": rate,
        "success_interval": [max(0.0, rate - 0.02), min(1.0, rate + 0.02)],
        "success_rate_correct": rate,
        "snr_db": quality(db or 20.0, 450),
        "pesq_nb": quality(3.0),
        "pesq_wb": quality(None),
        "stoi": quality(0.9),
        "milliseconds_per_clip": None
        if ms is None
        else {"batch1": ms, "batch1_mean": ms, "batchN": ms / 2, "N": 32},
        "generator": None,
        "queries_per_clip": 0.0,
        "gradients_per_clip": 0.0,
        "peak_memory_bytes": None,
        **more,
    }


def table_1() -> Content:
    """A comparison of the paper's Table 1, in the form of the repository's own."""
    path = ROOT / "results" / "spotter-curves" / "comparison.json"
    content: Content = json.loads(path.read_text(encoding="utf-8"))
    content["cells"] = [
        cell("generator", 20.0, 0.95, 7.0),
        cell("genetic", 20.0, 0.41, None, seconds_per_clip=61.5, queries_per_clip=9_000.0),
        cell("pso", 20.0, 0.22, None, seconds_per_clip=75.25, queries_per_clip=11_000.0),
        cell("pgd", 20.0, 0.999, 80.0, steps=20, queries_per_clip=7.0, gradients_per_clip=6.5),
    ]
    return content


def curves() -> Content:
    path = ROOT / "results" / "spotter-curves" / "comparison.json"
    content: Content = json.loads(path.read_text(encoding="utf-8"))
    return content


TRAININGS = {  # best and last training success, SNR, share of energy in a tenth
    ("l2", "code"): (0.93, 0.55, 19.0, 0.45),
    ("hinge", "code"): (0.85, 0.40, 16.0, 0.71),
    ("both", "code"): (0.97, 0.96, 18.0, 0.58),
    ("no-discriminator", "code"): (0.98, 0.97, 16.5, 0.57),
    ("l2", "paper"): (0.20, 0.18, 35.0, 0.52),
    ("hinge", "paper"): (0.85, 0.40, 16.0, 0.71),
    ("both", "paper"): (0.19, 0.17, 35.5, 0.52),
}


def training(variant: str, reading: str, seed: int) -> Content:
    best, last, snr, tenth = TRAININGS[variant, reading]
    shift = 0.01 * (seed - 1)
    steps = np.linspace(20, 1200, 30).astype(int)
    rise = best * (1 - np.exp(-steps / 150))
    fall = np.where(steps > 700, (last - best) * (steps - 700) / 500, 0.0)
    curve = [
        {
            "epoch": place,
            "step": int(step),
            "train/success": float(np.clip(rise[place] + fall[place] + shift, 0, 1)),
            "validation/success": None,
            "generator/total": float(40 * np.exp(-step / 300) + 2 + seed),
            "generator/l2": 1.0,
            "generator/hinge": 1.0,
            "train/snr_db": snr,
        }
        for place, step in enumerate(steps)
    ]
    folder = f"ablation/{reading}-{variant}-{seed}"
    return {
        "variant": variant,
        "reading": reading,
        "seed": seed,
        "curve": curve,
        "best_train_success": best + shift,
        "last_train_success": last + shift,
        "success_rate": best - 0.05,
        "pairs": 37,
        "snr_db": snr + 10 * shift,
        "pesq_nb": 2.8,
        "energy_in_tenth": tenth + shift / 4,
        "training_seconds": 300.0,
        "example": {"original": f"{folder}/x.wav", "adversarial": f"{folder}/x_adv.wav"},
    }


def example(attack: str, success: bool = True, setting: str = "speech") -> Content:
    return {
        "setting": setting,
        "source": "on",
        "target": "go",
        "attack": attack,
        "title": f"the {attack} attack",
        "success": success,
        "snr_db": 20.1,
        "pesq_nb": None,
        "original": f"examples/{setting}-{attack}.wav",
        "adversarial": f"examples/{setting}-{attack}-adv.wav",
    }


STAGES = (
    ("speech/classifier", "Classifier of words", "done", "", 120.5),
    ("speech/single/yes", "Generator for “yes”", "done", "", 300.0),
    ("speech/single/no", "Generator for “no”", "failed", "the loss became infinite", 12.0),
    ("music/classifier", "Classifier of genres", "left out", "--hours 1 was spent", None),
)


def whole() -> Content:
    """All parts."""
    music = setting("music", GENRES, "music")
    music["leak"] = {
        "split_kind": "random-chunk",
        "clean_accuracy": 0.921,
        "groups": 21,
        "honest_split_kind": "fold-5",
        "honest_accuracy": 0.602,
    }
    music["generators"]["single"] = {"missing": "--hours 1 was spent"}
    speech = setting("speech", WORDS, "speech", comparison=table_1(), curves=curves())
    speech["data"] = "Speech Commands of the tests"
    return {
        "format": 1,
        "preset": "cpu",
        "command": "mondegreen reproduce --preset cpu --out runs/reproduction",
        "created": "2026-01-02T03:04:05+00:00",
        "environment": {"python": "3.11.9", "torch": "2.6.0", "cpu": "Toy CPU", "cores": 2},
        "stages": [
            {
                "name": name,
                "title": title,
                "command": f"mondegreen train {name}",
                "state": state,
                "reason": reason,
                "seconds": seconds,
                "processor_seconds": None if seconds is None else 1.5 * seconds,
            }
            for name, title, state, reason, seconds in STAGES
        ],
        "settings": [speech, setting("sounds", SOUNDS, None), music],
        "ablation": {
            "setting": "speech",
            "source": "yes",
            "target": "right",
            "runs": [training(*pair, seed) for pair in TRAININGS for seed in (1, 2, 3)],
        },
        "examples": [example(a, a != "pso") for a in ("generator", "genetic", "pso", "pgd")],
    }


def write_sounds(folder: Path, content: Content) -> None:
    """Write a short sound for every path that the content names."""
    time = torch.arange(RATE // 4) / RATE
    x = 0.5 * torch.sin(2 * torch.pi * 500 * time) * torch.hann_window(len(time))
    runs = content["ablation"].get("runs", []) if content["ablation"] else []
    named = [*content["examples"], *(run["example"] for run in runs if run["example"])]
    for place, paths in enumerate(named):
        noise = 0.01 * torch.randn(len(time), generator=torch.Generator().manual_seed(place))
        for name, wave in (("original", x), ("adversarial", x + noise)):
            write_wav(folder / paths[name], wave, RATE)


def _build(
    folder: Path,
    change: Callable[[Content], None] = lambda content: None,
    *,
    sounds: bool = True,
) -> Path:
    content = whole()
    change(content)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reproduction.json").write_text(json.dumps(content), encoding="utf-8")
    if sounds:
        write_sounds(folder, content)
    return folder


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that builds a run's folder; ``change`` edits its content in place."""
    return partial(_build, tmp_path / "run")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that loads a run without sounds; ``change`` edits its content in place."""

    def load(change: Callable[[Content], None] = lambda content: None) -> Reproduction:
        return load_reproduction(_build(tmp_path / "loaded", change, sounds=False))

    return load


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole run, for tests that only read it."""
    return _build(tmp_path_factory.mktemp("untouched") / "run")


@pytest.fixture
def make_scores() -> Callable[..., Content]:
    """Return a function that makes the scores of generators."""
    return scores


@pytest.fixture
def make_cell() -> Callable[..., Content]:
    """Return a function that makes a cell of a comparison."""
    return cell
