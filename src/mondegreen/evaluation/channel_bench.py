"""Attacks under budgets, heard through channels: one table of what survives which way.

Each row, an attack under a budget, is a file of its own as soon as it is measured, and so is each
finished batch of the row at work: an interrupted measurement continues.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import Cell
from mondegreen.evaluation.channels import Listening, describe_channel, hits, survival
from mondegreen.evaluation.evaluate import EvaluationOptions, all_pairs, evaluate
from mondegreen.evaluation.pairs import Ints, Pairs, draw_pairs
from mondegreen.evaluation.partial import Partial
from mondegreen.evaluation.results import (
    describe_classifier,
    describe_data,
    goal,
    outcome,
    spending,
)
from mondegreen.evaluation.rows import about_pairs, measure_rows
from mondegreen.files import write_json
from mondegreen.runs import command_line, environment

FORMAT = 1

HIDDEN = ("format", "settings", "heard", "after", "pesq_nb", "pesq_wb", "stoi", "pairs")
"""Fields of a row's file that ``channels.json`` leaves out."""


@dataclass(frozen=True)
class ChannelOptions:
    """How much is measured; the same for every row."""

    pairs: int = 900
    """Pairs of a clip and a target, drawn evenly over source and target; -1 all."""
    batch_size: int = 64
    """Clips attacked at once. What is interrupted continues after the last finished batch."""
    seed: int = 1024
    """Seeds every draw: pairs, what channels draw, intervals."""

    def __post_init__(self) -> None:
        """Refuse numbers that nothing can be measured with."""
        if self.pairs == 0 or self.batch_size < 1 or self.seed < 0:
            raise MondegreenError("batch-size must be 1 or more, seed 0 or more, pairs not 0.")


@dataclass(frozen=True)
class ChannelBench:
    """What all rows have in common."""

    classifier: Classifier
    data: ClipDataset
    split: str
    split_kind: str
    listening: Listening
    options: ChannelOptions
    targets: tuple[str, ...] = ()
    """Labels to reach; all by default."""
    untargeted: bool = False
    """Whether any label but a clip's own is a success."""

    def available(self) -> Pairs:
        """Return every pair of the data."""
        return all_pairs(self.classifier, self.data, self.targets, untargeted=self.untargeted)

    def draw(self) -> Pairs:
        """Return the pairs of every row, the same at each call."""
        random = np.random.default_rng(self.options.seed)
        return draw_pairs(self.available(), self.options.pairs, random)

    def settings(self, cell: Cell, pairs: Pairs) -> dict[str, Any]:
        """Return what has to be the same for a measured row to count."""
        about = cell.about()
        return {
            "attack": about["attack"],
            "budget": about["budget"],
            "goal": goal(pairs),
            "classifier": self.classifier.fingerprint(),
            "channels": {name: repr(one) for name, one in self.listening.channels.items()},
            "pairs": pairs.fingerprint(self.data.names(), self.classifier.labels),
            "batch_size": self.options.batch_size,
            "seed": self.options.seed,
            "device": str(self.classifier.device),
            "environment": environment(),
        }


def measure_channels(
    cells: Sequence[Cell],
    bench: ChannelBench,
    folder: Path,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Measure the rows that are not measured yet and write ``channels.json``.

    Args:
        cells: Attacks and budgets.
        bench: Classifier, clips, channels and rules.
        folder: Holds ``rows/``, a file for each, and ``channels.json``.
        tell: Gets a line for every row that is finished.

    Returns:
        The content of ``channels.json``.

    Raises:
        MondegreenError: There is no row or no channel, two rows have one name, one was measured
            with other settings, or a file cannot be written.
    """
    names = [cell.name for cell in cells]
    if not cells or not bench.listening.channels or len(set(names)) < len(names):
        raise MondegreenError("a measurement needs attacks, each once, and channels.")
    pairs, place = bench.draw(), folder / "rows"
    settings = [bench.settings(cell, pairs) for cell in cells]

    def measure(index: int, batches: Partial) -> dict[str, Any]:
        return measure_row(cells[index], bench, pairs, batches)

    def listen() -> None:
        bench.listening.hear_untouched(bench.classifier, bench.data)

    done = measure_rows(cells, settings, place, measure, begin=listen, tell=tell)
    content = channel_content(done, bench, pairs)
    write_json(folder / "channels.json", content)
    return content


def measure_row(
    cell: Cell, bench: ChannelBench, pairs: Pairs, batches: Partial | None = None
) -> dict[str, Any]:
    """Attack the pairs and return what a row's file holds: above all, what was heard.

    Args:
        cell: Attack and budget.
        bench: Classifier, clips, channels and rules.
        pairs: What every row is measured on.
        batches: Those that are finished already, and where further ones are kept.
    """
    plan = EvaluationOptions(
        batch_size=bench.options.batch_size,
        quality_pairs=0,
        samples=0,
        timing_repeats=0,
        seed=bench.options.seed,
    )
    found = evaluate(
        cell.attack,
        bench.classifier,
        bench.data,
        budget=cell.budget,
        options=plan,
        pairs=pairs,
        partial=batches,
        listening=dataclasses.replace(bench.listening),
    )
    return {
        **cell.about(),
        **outcome(found, bench.data, bench.options.seed, "not asked for"),
        **spending(found),
        "duration_seconds": found.duration_seconds,
        "created": found.created,
        "after": found.pairs.after.tolist(),
        "heard": found.listening.after.tolist(),
    }


def channel_content(
    measured: list[dict[str, Any]], bench: ChannelBench, pairs: Pairs
) -> dict[str, Any]:
    """Return what ``channels.json`` holds.

    Args:
        measured: What the files of the rows hold.
        bench: What all rows have in common, untouched clips heard.
        pairs: The pairs of every row.
    """
    labels, before = bench.data.labels.numpy(), bench.listening.before
    channels = zip(bench.listening.channels.items(), before, strict=True)
    return {
        "format": FORMAT,
        "goal": goal(pairs),
        "classifier": describe_classifier(bench.classifier),
        "dataset": describe_data(bench.data, bench.split, bench.split_kind),
        "pairs": about_pairs(pairs, len(bench.available()), bench.data, bench.classifier.labels),
        "baseline_rate": measured[0]["baseline_rate"],
        "clean_accuracy": measured[0]["clean_accuracy"],
        "channels": [
            {
                **describe_channel(name, channel),
                "clean_accuracy": float((heard == labels).mean()),
                "baseline_rate": float(hits(pairs, heard[pairs.clip]).mean()),
            }
            for (name, channel), heard in channels
        ],
        "rows": [_row(row, bench, pairs) for row in measured],
        "seed": bench.options.seed,
        "command": command_line(),
        "environment": environment(),
        "duration_seconds": sum(row["duration_seconds"] for row in measured),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _row(row: dict[str, Any], bench: ChannelBench, pairs: Pairs) -> dict[str, Any]:
    """Return a row with its rates in place of what was heard."""
    groups = np.array([clip.group for clip in bench.data.clips])[pairs.clip]
    direct: Ints = np.array(row["after"])
    mine = dataclasses.replace(pairs.take(np.arange(len(pairs))), after=direct)
    cells = [survival(mine, np.array(heard), groups, bench.options.seed) for heard in row["heard"]]
    return {key: value for key, value in row.items() if key not in HIDDEN} | {"cells": cells}
