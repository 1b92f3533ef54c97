"""What a comparison measured: ``comparison.json``, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.files import read_json
from mondegreen.report.comparison_cells import CellResult, read_cell
from mondegreen.report.comparison_reaches import Reach, read_reaches
from mondegreen.report.fields import Fields
from mondegreen.report.measurement import OnPairs, read_on_pairs
from mondegreen.report.results import (
    AttackedClassifier,
    read_classifier,
)

FORMAT = 1


@dataclass(frozen=True)
class Comparison(OnPairs):
    """A ``comparison.json``, validated; rates lie in [0, 1]."""

    classifier: AttackedClassifier
    quality_pairs: int
    baseline_rate: float
    clean_accuracy: float
    timing: Mapping[str, Any]
    cells: tuple[CellResult, ...]
    untargeted: bool = False
    """Whether any label but a clip's own was a success."""
    recipe: str | None = None
    """Its name, if it is one of those that the package knows."""
    reaches: tuple[Reach, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The attacks, in the order of the cells."""
        return tuple(dict.fromkeys(cell.label for cell in self.cells))

    @property
    def budgets_db(self) -> tuple[float, ...]:
        """The signal-to-noise ratios among the budgets, rising, in dB."""
        return tuple(sorted({c.budget_db for c in self.cells if c.budget_db is not None}))

    def of(self, label: str) -> list[CellResult]:
        """Return the cells of an attack that have a signal-to-noise ratio, by rising ratio."""
        found = [cell for cell in self.cells if cell.label == label]
        found = [cell for cell in found if cell.budget_db is not None]
        return sorted(found, key=lambda cell: cell.budget_db or 0.0)


def load_comparison(path: Path) -> Comparison:
    """Read and check a ``comparison.json``. Fields that this version does not know are left out.

    Raises:
        MondegreenError: The file is missing, not JSON, of another format, or a field is missing or
            damaged; the message names the file and the field.
    """
    return read_comparison(Fields.of(read_json(path), str(path)))


def read_comparison(top: Fields) -> Comparison:
    """Check the content of a ``comparison.json``.

    Raises:
        MondegreenError: It is of another format, or a field is missing or damaged.
    """
    top.require_format(FORMAT)
    listed = top.value("cells")
    if not isinstance(listed, list) or not listed:
        top.fail("cells", "expected a list of cells")
    pairs = top.child("pairs").count("count")
    cells = tuple(
        read_cell(Fields.of(cell, f"{top.where}: cell {number}"), pairs)
        for number, cell in enumerate(listed, start=1)
    )
    goal = top.values.get("goal", "targeted")  # all comparisons were, before there was a choice
    if goal not in ("targeted", "untargeted"):
        top.fail("goal", f"{goal!r} is neither targeted nor untargeted")
    return Comparison(
        **read_on_pairs(top),
        classifier=read_classifier(top.child("classifier")),
        quality_pairs=top.child("pairs").count("quality"),
        baseline_rate=top.rate("baseline_rate"),
        clean_accuracy=top.rate("clean_accuracy"),
        timing=top.child("timing").values,
        cells=cells,
        untargeted=goal == "untargeted",
        recipe=None if top.values.get("recipe") is None else top.text("recipe"),
        reaches=read_reaches(top, cells),
    )
