"""What measurements of many rows on the same pairs have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mondegreen.data.dataset import ClipDataset
from mondegreen.evaluation.cells import Cell, finished, partial, save
from mondegreen.evaluation.pairs import Pairs
from mondegreen.evaluation.partial import Partial


def measure_rows(
    cells: Sequence[Cell],
    settings: Sequence[dict[str, Any]],
    place: Path,
    measure: Callable[[int, Partial], dict[str, Any]],
    *,
    begin: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda text: None,
) -> list[dict[str, Any]]:
    """Return what the files of the rows hold; measure and write those that are missing.

    Args:
        cells: The rows.
        settings: What each of them has to have been measured with.
        place: Folder of their files.
        measure: Measures a row by its number; keeps finished batches.
        begin: Called when all files have been looked at.
        tell: Gets a line for every row that is finished.

    Raises:
        MondegreenError: A row was measured with other settings, or a file cannot be written.
    """
    # All are looked at first: a measurement that cannot be completed shall not begin.
    done = [finished(place, cell, wanted) for cell, wanted in zip(cells, settings, strict=True)]
    begin()
    for index, cell in enumerate(cells):
        batches = partial(place, cell, settings[index])
        if done[index] is not None:
            batches.remove()  # it was killed between the end of the row and this
            continue
        row = measure(index, batches)
        save(place, cell, settings[index], row)
        done[index] = row
        tell(f"{index + 1} of {len(cells)}: {cell.label}, {cell.budget or 'no budget'}")
    return [row for row in done if row is not None]


def about_pairs(
    pairs: Pairs, available: int, data: ClipDataset, labels: Sequence[str]
) -> dict[str, Any]:
    """Return what a result file says of the pairs that every row was measured on.

    Args:
        pairs: The pairs.
        available: Of how many they were drawn.
        data: The clips.
        labels: Names of the labels.
    """
    groups = np.array([clip.group for clip in data.clips])[pairs.clip]
    return {
        "count": len(pairs),
        "available": available,
        "clips": len(set(pairs.clip.tolist())),
        "groups": len(set(groups.tolist())),
        "targets": [labels[index] for index in sorted(set(pairs.target.tolist()))],
        "fingerprint": pairs.fingerprint(data.names(), labels),
    }
