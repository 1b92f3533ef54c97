"""What all cells of a comparison have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import Cell
from mondegreen.evaluation.evaluate import all_pairs
from mondegreen.evaluation.pairs import Pairs, draw_pairs
from mondegreen.evaluation.results import goal
from mondegreen.evaluation.timing import TimingPlan
from mondegreen.runs import environment


@dataclass(frozen=True)
class CompareOptions:
    """How much is measured; the same for every cell."""

    pairs: int = -1
    """Pairs of a clip and a target, drawn evenly over source and target; -1 all."""
    batch_size: int = 64
    """Clips attacked at once; also the N of the batch timing. What is interrupted continues after
    the last finished batch."""
    quality_pairs: int = 300
    """Pairs, the same for every cell, that PESQ and STOI are computed for; 0 none, -1 all."""
    timing_rounds: int = 20
    """Timed calls of each cell at batch 1 and at batch N; the cells take turns."""
    timing_seconds: float = 4.0
    """A cell is not timed again after so long, at each of both batch sizes; where a clip took
    longer in the run, not at all."""
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
    """Labels to reach or, untargeted, to get away from; all by default."""
    untargeted: bool = False
    """Whether any label but a clip's own is a success, for all attacks."""
    recipe: str | None = None
    """The name of the comparison, if it has one."""

    @property
    def timing(self) -> TimingPlan:
        """How the cells are timed."""
        return TimingPlan(self.options.timing_rounds, seconds=self.options.timing_seconds)

    def available(self) -> Pairs:
        """Return every pair of the data."""
        return all_pairs(self.classifier, self.data, self.targets, untargeted=self.untargeted)

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
            "goal": goal(pairs),
            "classifier": self.classifier.fingerprint(),
            "pairs": pairs.fingerprint(self.data.names(), self.classifier.labels),
            "batch_size": self.options.batch_size,
            "quality_pairs": self.options.quality_pairs,
            "seed": self.options.seed,
            "device": str(self.classifier.device),
            "environment": environment(),
        }
