"""Compare attacks: every cell on the same pairs, with the same rules, timed side by side.

Each finished cell is a file of its own, and so is each finished batch of the cell at work: an
interrupted comparison continues after the last batch. The times are measured at the end, for all
cells in turn, so that a machine that is busy for a while slows all; attacks that take seconds for a
clip are not run again for that, and their time is that of the cell itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mondegreen.claims import Claims
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.bench import Bench
from mondegreen.evaluation.cells import Cell, finished, partial, save
from mondegreen.evaluation.comparison import (
    comparison_content,
    machine_load,
    pairs_csv,
    unchanged,
)
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate, network_cost
from mondegreen.evaluation.pairs import Pairs
from mondegreen.evaluation.partial import Partial
from mondegreen.evaluation.results import measure_quality, outcome, spending
from mondegreen.evaluation.summaries import pairwise
from mondegreen.evaluation.timing import time_searches
from mondegreen.files import write_json, write_text

CLAIMS = "claims"
"""Folder of the files by which several machines divide the cells."""


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
    _refuse_repeats(cells)
    pairs = bench.draw()
    measured = _measure(cells, bench, pairs, folder / "cells", tell)
    path = folder / "comparison.json"
    earlier = unchanged(path, measured, bench)
    if earlier is not None:
        return earlier
    write_text(folder / "pairs.csv", pairs_csv(bench, pairs, measured))
    size, seed = bench.options.batch_size, bench.options.seed
    load = machine_load()
    took = [cell["seconds_per_clip"] for cell in measured]
    searches = [(cell.attack, cell.budget) for cell in cells]
    times = time_searches(
        searches, took, bench.classifier, bench.data, pairs, bench.timing, size, seed
    )
    content = comparison_content(measured, times, bench, pairs, load)
    write_json(path, content)
    return content


def compare_share(
    cells: Sequence[Cell],
    bench: Bench,
    folder: Path,
    tell: Callable[[str], None] = lambda text: None,
) -> int:
    """Measure cells that are not finished and that nobody else is at, until there is none.

    Several processes or machines may do so in one folder. :func:`compare` then finds the cells
    finished, measures what is missing, times all and writes the results.

    Args:
        cells: Attacks and budgets, the same everywhere.
        bench: Classifier, clips and rules.
        folder: On a disk that all share.
        tell: Gets a line for every cell that is finished.

    Returns:
        How many cells are still to be done: those that others are at.

    Raises:
        MondegreenError: As of :func:`compare`.
    """
    _refuse_repeats(cells)
    claims = Claims(folder / CLAIMS)
    return len(cells) - len(_measure(cells, bench, bench.draw(), folder / "cells", tell, claims))


def _measure(
    cells: Sequence[Cell],
    bench: Bench,
    pairs: Pairs,
    place: Path,
    tell: Callable[[str], None],
    claims: Claims | None = None,
) -> list[dict[str, Any]]:
    """Measure the cells that are not finished; return the content of the files of all that are."""
    settings = [bench.settings(cell, pairs) for cell in cells]
    # All are looked at first: a comparison that cannot be completed shall not begin.
    done = [finished(place, cell, wanted) for cell, wanted in zip(cells, settings, strict=True)]
    for index, cell in enumerate(cells):
        batches = partial(place, cell, settings[index])
        if claims is not None and done[index] is None:
            if not claims.take(cell.name):
                continue  # somebody else is at it
            done[index] = finished(place, cell, settings[index])  # perhaps meanwhile
        found = done[index]
        if found is not None:
            batches.remove()  # it was killed between the end of the cell and this
            continue
        where = f"{cell.label}, {cell.budget or 'no budget'}"
        if len(batches):
            tell(f"{where}: goes on after batch {len(batches)}")
        found = done[index] = measure_cell(cell, bench, pairs, batches)
        save(place, cell, settings[index], found)
        tell(f"{index + 1} of {len(cells)}: {where}: {100 * found['success_rate']:.1f} %")
        if claims is not None:
            claims.give_back(cell.name)
    return [cell for cell in done if cell is not None]


def _refuse_repeats(cells: Sequence[Cell]) -> None:
    names = [cell.name for cell in cells]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not cells or twice:
        raise MondegreenError(f"a comparison needs cells, each once; twice: {twice or 'none'}.")


def measure_cell(
    cell: Cell, bench: Bench, pairs: Pairs, batches: Partial | None = None
) -> dict[str, Any]:
    """Attack the pairs and return what a cell's file holds.

    Args:
        cell: Attack and budget.
        bench: Classifier, clips and rules.
        pairs: What every cell is measured on.
        batches: Those that are finished already, and where further ones are kept.
    """
    options = bench.options
    plan = EvaluationOptions(
        batch_size=options.batch_size,
        quality_pairs=options.quality_pairs,
        samples=0,
        timing_repeats=0,
        seed=options.seed,
    )
    found = evaluate(
        cell.attack,
        bench.classifier,
        bench.data,
        budget=cell.budget,
        options=plan,
        pairs=pairs,
        partial=batches,
    )
    reason = "not asked for"
    if found.kept.rows:
        missing = measure_quality(found, bench.classifier.sample_rate)
        reason = missing or ""
    return {
        **cell.about(),
        **outcome(found, bench.data, options.seed, reason or None),
        **spending(found),
        "generator": network_cost(cell.attack, bench.classifier.clip_samples),
        "duration_seconds": found.duration_seconds,
        "created": found.created,
        **pairwise(found),
    }
