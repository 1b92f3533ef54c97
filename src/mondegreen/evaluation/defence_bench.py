"""Defences and detectors before attackers who do and do not know them, on the same pairs.

Each row, an attack under a budget against what it knows, is a file of its own as soon as it is
measured, and so is each finished batch of the row at work: an interrupted measurement continues.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.detection.detector import scores
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.defence_content import Untouched, defence_content
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate
from mondegreen.evaluation.pairs import Pairs
from mondegreen.evaluation.partial import Partial
from mondegreen.evaluation.results import spending
from mondegreen.evaluation.rows import measure_rows
from mondegreen.evaluation.shields import Shield
from mondegreen.evaluation.sieges import DefenceBench, Siege
from mondegreen.files import write_json
from mondegreen.metrics.summary import summarize


def measure_defences(
    sieges: Sequence[Siege],
    bench: DefenceBench,
    folder: Path,
    certificates: dict[str, dict[str, Any]],
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Measure the rows that are not measured yet and write ``defences.json``.

    Args:
        sieges: The rows.
        bench: Classifier, defences, clips and rules.
        folder: Holds ``rows/``, a file for each, and ``defences.json``.
        certificates: What is proven of a defence, by its name.
        tell: Gets a line for every row that is finished.

    Returns:
        The content of ``defences.json``.

    Raises:
        MondegreenError: There is no row or no defence, two rows or defences have one name, a row
            was measured with other settings, or a file cannot be written.
    """
    cells = [siege.named for siege in sieges]
    rows, names = [cell.name for cell in cells], [shield.name for shield in bench.shields]
    if not (rows and names) or len(set(rows)) < len(rows) or len(set(names)) < len(names):
        raise MondegreenError("a measurement needs attacks and defences, each once.")
    pairs = bench.draw()
    settings = [bench.settings(siege, pairs) for siege in sieges]

    def measure(index: int, batches: Partial) -> dict[str, Any]:
        return measure_siege(sieges[index], bench, pairs, batches)

    done = measure_rows(cells, settings, folder / "rows", measure, tell=tell)
    content = defence_content(done, bench, pairs, hear_untouched(bench), certificates)
    write_json(folder / "defences.json", content)
    return content


def measure_siege(
    siege: Siege, bench: DefenceBench, pairs: Pairs, batches: Partial | None = None
) -> dict[str, Any]:
    """Attack the pairs and return what a row's file holds: what was heard, and every score.

    Args:
        siege: The attack and what it knows.
        bench: Classifier, defences, clips and rules.
        pairs: What every row is measured on.
        batches: Those that are finished already, and where further ones are kept.
    """
    plan = EvaluationOptions(
        batch_size=bench.options.batch_size,
        quality_pairs=-1,  # all waveforms are kept, for the defences to hear
        samples=0,
        timing_repeats=0,
        seed=bench.options.seed,
    )
    found = evaluate(
        siege.cell.attack,
        siege.classifier,
        bench.data,
        budget=siege.cell.budget,
        options=plan,
        pairs=pairs,
        partial=batches,
    )
    order = np.argsort(found.kept.rows)
    x_adv = torch.stack(found.kept.x_adv)[torch.from_numpy(order)]
    shields = bench.heard_by(siege)
    return {
        **siege.cell.about(),
        "name": siege.named.name,
        "knows": siege.knows,
        "believed_rate": float(found.pairs.success.mean()),
        "snr_db": dict(summarize(found.pairs.snr_db)),
        **spending(found),
        "direct": hear(bench.classifier, x_adv),
        "heard": {one.name: hear(one.classifier, x_adv) for one in shields},
        "scores": {one.name: score(one, x_adv) for one in shields if one.watch is not None},
        "duration_seconds": found.duration_seconds,
        "created": found.created,
    }


def hear(classifier: Classifier, x: Tensor) -> list[int]:
    """Return the label that is heard in each clip."""
    heard: list[int] = predict(classifier, x, 64).argmax(dim=1).tolist()
    return heard


def score(shield: Shield, x: Tensor) -> list[float]:
    """Return the score that a detector gives each clip."""
    assert shield.watch is not None
    found: list[float] = scores(shield.watch.detector, x.to(shield.classifier.device)).tolist()
    return found


def hear_untouched(bench: DefenceBench) -> Untouched:
    """Return what is heard in the clips that nobody attacked, and their scores."""
    x = bench.data.waveforms(None, bench.classifier.normalization)
    return Untouched(
        direct=np.array(hear(bench.classifier, x)),
        heard={one.name: np.array(hear(one.classifier, x)) for one in bench.shields},
        scores={one.name: np.array(score(one, x)) for one in bench.shields if one.watch},
    )
