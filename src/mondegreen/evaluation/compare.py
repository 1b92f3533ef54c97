"""Compare attacks: every cell on the same pairs, with the same rules, timed side by side.

Each finished cell is a file of its own, so an interrupted comparison continues. The times are
measured at the end, for all cells in turn, so that a machine that is busy for a while slows all.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import FORMAT, Cell, finished, save
from mondegreen.evaluation.counting import CountedAttack
from mondegreen.evaluation.evaluate import (
    EvaluationOptions,
    all_pairs,
    evaluate,
    network_cost,
)
from mondegreen.evaluation.pairs import Pairs, draw_kept, draw_pairs
from mondegreen.evaluation.results import (
    describe_classifier,
    describe_data,
    measure_quality,
    outcome,
)
from mondegreen.evaluation.timing import TimingPlan, time_cells
from mondegreen.files import read_json, write_json, write_text
from mondegreen.runs import command_line, environment

SHARED = ("pairs", "baseline_rate", "clean_accuracy")


@dataclass(frozen=True)
class CompareOptions:
    """How much is measured; the same for every cell."""

    pairs: int = -1
    """Pairs of a clip and a target, drawn evenly over source and target; -1 all."""
    batch_size: int = 64
    """Clips attacked at once; also the N of the batch timing."""
    quality_pairs: int = 300
    """Pairs, the same for every cell, that PESQ and STOI are computed for; 0 none, -1 all."""
    timing_rounds: int = 20
    """Timed calls of each cell at batch 1 and at batch N; the cells take turns."""
    timing_seconds: float = 4.0
    """A cell is not timed again after so long, at each of both batch sizes."""
    seed: int = 1024
    """Seeds every draw: pairs, those that are listened to, intervals, clips that are timed."""

    def __post_init__(self) -> None:
        """Refuse numbers that nothing can be measured with."""
        if self.pairs == 0 or min(self.batch_size, self.timing_rounds) < 1 or self.seed < 0:
            raise MondegreenError(
                "batch-size and timing-rounds must be 1 or more, seed 0 or more, pairs not 0."
            )


@dataclass(frozen=True)
class Bench:
    """What all cells of a comparison have in common."""

    classifier: Classifier
    data: ClipDataset
    split: str
    split_kind: str
    options: CompareOptions
    targets: tuple[str, ...] = ()
    """Labels to reach; all by default."""

    @property
    def timing(self) -> TimingPlan:
        """How the cells are timed."""
        return TimingPlan(self.options.timing_rounds, seconds=self.options.timing_seconds)

    def available(self) -> Pairs:
        """Return every pair of the data."""
        return all_pairs(self.classifier, self.data, self.targets)

    def draw(self) -> Pairs:
        """Return the pairs that every cell is measured on, the same at each call."""
        random = np.random.default_rng(self.options.seed)
        return draw_pairs(self.available(), self.options.pairs, random)

    def settings(self, cell: Cell, pairs: Pairs) -> dict[str, Any]:
        """Return what has to be the same for a finished cell to count."""
        about = cell.about()
        return {
            "attack": about["attack"],
            "budget": about["budget"],
            "classifier": self.classifier.fingerprint(),
            "pairs": pairs.fingerprint(self.data.names(), self.classifier.labels),
            "batch_size": self.options.batch_size,
            "quality_pairs": self.options.quality_pairs,
            "seed": self.options.seed,
            "device": str(self.classifier.device),
            "environment": environment(),
        }


def compare(
    cells: Sequence[Cell],
    bench: Bench,
    folder: Path,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Measure the cells that are not finished, time all of them, and write ``comparison.json``.

    Args:
        cells: Attacks and budgets.
        bench: Classifier, clips and rules.
        folder: Holds ``cells/``, ``pairs.csv`` and ``comparison.json``.
        tell: Gets a line for every cell that is finished.

    Returns:
        The content of ``comparison.json``.

    Raises:
        MondegreenError: There is nothing to compare, two cells have one name, a finished cell was
            measured with other settings, or a file cannot be written.
    """
    names = [cell.name for cell in cells]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not cells or twice:
        raise MondegreenError(f"a comparison needs cells, each once; twice: {twice or 'none'}.")
    pairs = bench.draw()
    settings = [bench.settings(cell, pairs) for cell in cells]
    place = folder / "cells"
    # All are looked at first: a comparison that cannot be completed shall not begin.
    done = [finished(place, cell, wanted) for cell, wanted in zip(cells, settings, strict=True)]
    for index, cell in enumerate(cells):
        found = done[index]
        if found is None:
            found = done[index] = measure_cell(cell, bench, pairs)
            save(place, cell, settings[index], found)
            rate = f"{100 * found['success_rate']:.1f} %"
            tell(f"{index + 1} of {len(cells)}: {cell.label}, {cell.budget or 'no budget'}: {rate}")
    measured = [cell for cell in done if cell is not None]
    path = folder / "comparison.json"
    earlier = _unchanged(path, measured, bench)
    if earlier is not None:
        return earlier
    write_text(folder / "pairs.csv", _pairs_csv(bench, pairs, measured))
    size, seed = bench.options.batch_size, bench.options.seed
    load = _load()
    times = time_cells(cells, bench.classifier, bench.data, pairs, bench.timing, size, seed)
    content = _content(measured, times, bench, pairs, load)
    write_json(path, content)
    return content


def measure_cell(cell: Cell, bench: Bench, pairs: Pairs) -> dict[str, Any]:
    """Attack the pairs and return what a cell's file holds."""
    options, device = bench.options, bench.classifier.device
    attack = CountedAttack(cell.attack)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    plan = EvaluationOptions(
        batch_size=options.batch_size,
        quality_pairs=options.quality_pairs,
        samples=0,
        timing_repeats=0,
        seed=options.seed,
    )
    found = evaluate(
        attack, bench.classifier, bench.data, budget=cell.budget, options=plan, pairs=pairs
    )
    memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    reason = "not asked for"
    if found.kept.rows:
        missing = measure_quality(found, bench.classifier.sample_rate)
        reason = missing or ""
    return {
        **cell.about(),
        **outcome(found, bench.data, options.seed, reason or None),
        **attack.per_clip(),
        "generator": network_cost(cell.attack, bench.classifier.clip_samples),
        "peak_memory_bytes": memory,
        "duration_seconds": found.duration_seconds,
        "created": found.created,
        "outcomes": "".join("1" if hit else "0" for hit in found.pairs.success),
    }


def _timing_rules(bench: Bench) -> dict[str, Any]:
    return {
        **dataclasses.asdict(bench.timing),
        "threads": torch.get_num_threads(),
        "device": bench.classifier.device.type,
    }


def _load() -> float | None:
    """Return how many processes wanted a core in the last minute; None where nobody counts."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def _content(
    measured: list[dict[str, Any]],
    times: list[dict[str, Any]],
    bench: Bench,
    pairs: Pairs,
    load: float | None,
) -> dict[str, Any]:
    """Return what ``comparison.json`` holds."""
    return {
        "format": FORMAT,
        "classifier": describe_classifier(bench.classifier),
        "dataset": describe_data(bench.data, bench.split, bench.split_kind),
        "pairs": _about_pairs(bench, pairs),
        "baseline_rate": measured[0]["baseline_rate"],
        "clean_accuracy": measured[0]["clean_accuracy"],
        "timing": {**_timing_rules(bench), "load": load},
        "cells": [
            _public(cell) | {"milliseconds_per_clip": taken}
            for cell, taken in zip(measured, times, strict=True)
        ],
        "seed": bench.options.seed,
        "command": command_line(),
        "environment": environment(),
        "duration_seconds": sum(cell["duration_seconds"] for cell in measured),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _about_pairs(bench: Bench, pairs: Pairs) -> dict[str, Any]:
    options = bench.options
    groups = [clip.group for clip in bench.data.clips]
    quality = draw_kept(pairs, options.quality_pairs, 0, np.random.default_rng(options.seed))
    return {
        "count": len(pairs),
        "available": len(bench.available()),
        "quality": len(quality),
        "clips": len(set(pairs.clip.tolist())),
        "groups": len({groups[clip] for clip in pairs.clip.tolist()}),
        "targets": [bench.classifier.labels[i] for i in sorted(set(pairs.target.tolist()))],
        "fingerprint": pairs.fingerprint(bench.data.names(), bench.classifier.labels),
    }


def _public(cell: dict[str, Any]) -> dict[str, Any]:
    """Return what the table needs of a cell: what all share stands once, at the top."""
    hidden = ("format", "settings", "outcomes", *SHARED)
    return {key: value for key, value in cell.items() if key not in hidden}


def _unchanged(path: Path, measured: list[dict[str, Any]], bench: Bench) -> dict[str, Any] | None:
    """Return the comparison that was written already, if it is of these cells and rules."""
    if not path.is_file():
        return None
    content = read_json(path)
    rules = _timing_rules(bench)
    timed = content.get("timing") if isinstance(content, dict) else None
    if not isinstance(timed, dict) or {k: timed.get(k) for k in rules} != rules:
        return None
    untimed = [
        {key: value for key, value in cell.items() if key != "milliseconds_per_clip"}
        for cell in content.get("cells", [])
    ]
    return content if untimed == [_public(cell) for cell in measured] else None


def _pairs_csv(bench: Bench, pairs: Pairs, measured: list[dict[str, Any]]) -> str:
    """Return one row a pair: which, and in which cells it succeeded."""
    labels, names = bench.classifier.labels, bench.data.names()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip", "source", "target", *(cell["name"] for cell in measured)])
    for row in range(len(pairs)):
        place = (names[pairs.clip[row]], labels[pairs.source[row]], labels[pairs.target[row]])
        writer.writerow([*place, *(cell["outcomes"][row] for cell in measured)])
    return text.getvalue()
