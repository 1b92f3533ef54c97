"""Who is in a measurement of defences: attacks, what they know, and what they are up against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.evaluation.cells import Cell
from mondegreen.evaluation.channel_bench import ChannelOptions
from mondegreen.evaluation.evaluate import all_pairs
from mondegreen.evaluation.pairs import Pairs, draw_pairs
from mondegreen.evaluation.shields import Shield
from mondegreen.runs import environment

EVERY = "*"
"""In place of the name of what an attack knows: it was trained through defences beforehand."""


@dataclass(frozen=True)
class Siege:
    """A row: an attack under a budget, and what it knows of the defence."""

    cell: Cell
    classifier: Classifier
    """What the attack is given."""
    knows: str | None = None
    """Name of the defence that it searches through, :data:`EVERY`, or None for the plain one."""

    @property
    def named(self) -> Cell:
        """The cell with a label that tells rows apart."""
        if self.knows in (None, EVERY):
            return self.cell
        label = f"{self.cell.label} knowing {self.knows}"
        return Cell(label, self.cell.attack, self.cell.budget)


@dataclass(frozen=True)
class DefenceBench:
    """What all rows have in common."""

    classifier: Classifier
    """Undefended."""
    shields: tuple[Shield, ...]
    data: ClipDataset
    split: str
    split_kind: str
    options: ChannelOptions
    targets: tuple[str, ...] = ()
    """Labels to reach; all by default."""

    def available(self) -> Pairs:
        """Return every pair of the data."""
        return all_pairs(self.classifier, self.data, self.targets)

    def draw(self) -> Pairs:
        """Return the pairs of every row, the same at each call."""
        random = np.random.default_rng(self.options.seed)
        return draw_pairs(self.available(), self.options.pairs, random)

    def heard_by(self, siege: Siege) -> tuple[Shield, ...]:
        """Return the shields that a row's clips meet: all, or the one that it was made for."""
        if siege.knows in (None, EVERY):
            return self.shields
        return tuple(shield for shield in self.shields if shield.name == siege.knows)

    def settings(self, siege: Siege, pairs: Pairs) -> dict[str, Any]:
        """Return what has to be the same for a measured row to count."""
        about = siege.cell.about()
        return {
            "attack": about["attack"],
            "budget": about["budget"],
            "knows": siege.knows,
            "classifier": siege.classifier.fingerprint(),
            "shields": {one.name: one.classifier.fingerprint() for one in self.heard_by(siege)},
            "pairs": pairs.fingerprint(self.data.names(), self.classifier.labels),
            "batch_size": self.options.batch_size,
            "seed": self.options.seed,
            "device": str(self.classifier.device),
            "environment": environment(),
        }
