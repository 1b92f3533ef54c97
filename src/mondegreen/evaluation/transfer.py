"""Attacks made against one classifier and heard by others: does what fools one fool the next?

Each row, an attack and what it asked, is a file of its own as soon as it is measured, so that an
interrupted measurement continues.
"""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mondegreen.attacks.attack import AttackResult
from mondegreen.audio import Normalization, float_to_pcm16, pcm16_to_float, wav_round_trip
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import finished, save
from mondegreen.evaluation.evaluate import describe
from mondegreen.evaluation.pairs import Ints, Pairs
from mondegreen.evaluation.transfer_content import pairs_csv, transfer_content
from mondegreen.evaluation.transfer_sources import Source, TransferBench
from mondegreen.files import read_json, write_json, write_text
from mondegreen.fitting import at_once
from mondegreen.metrics.snr import snr_db
from mondegreen.metrics.summary import summarize
from mondegreen.progress import task


def transfer(
    sources: Sequence[Source],
    bench: TransferBench,
    folder: Path,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Measure the rows that are not measured yet and write ``transfer.json``.

    Args:
        sources: The rows.
        bench: Classifiers, clips and rules.
        folder: Holds ``rows/``, a file for each, ``pairs.csv`` and ``transfer.json``.
        tell: Gets a line for every row that is finished.

    Returns:
        The content of ``transfer.json``.

    Raises:
        MondegreenError: There is no row, two have one name, one was measured with other settings,
            or a file cannot be written.
    """
    pairs = bench.draw()
    measured = _measure(sources, bench, pairs, folder / "rows", tell)
    before = hear_untouched(bench, pairs)
    content = transfer_content(measured, before, bench, pairs)
    path = folder / "transfer.json"
    earlier = _earlier(path) if (folder / "pairs.csv").is_file() else None
    if isinstance(earlier, dict) and _comparable(earlier) == _comparable(content):
        return earlier
    write_text(folder / "pairs.csv", pairs_csv(measured, before, bench, pairs))
    write_json(path, content)
    return content


def _earlier(path: Path) -> Any:
    """Return what was written; None where it cannot be read, for it is written anew from rows."""
    try:
        return read_json(path) if path.is_file() else None
    except MondegreenError:
        return None


def _comparable(content: dict[str, Any]) -> Any:
    """Return what a measurement found, as it reads once it was written."""
    found = {key: value for key, value in content.items() if key not in ("command", "created")}
    return json.loads(json.dumps(found))


def _measure(
    sources: Sequence[Source],
    bench: TransferBench,
    pairs: Pairs,
    place: Path,
    tell: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return what the files of the rows hold; measure and write those that are missing."""
    cells = [source.cell(bench.budget) for source in sources]
    names = [cell.name for cell in cells]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not cells or twice:
        raise MondegreenError(f"a transfer needs attacks, each once; twice: {twice or 'none'}.")
    settings = [bench.settings(source, pairs) for source in sources]
    # All are looked at first: a measurement that cannot be completed shall not begin.
    done = [finished(place, cell, wanted) for cell, wanted in zip(cells, settings, strict=True)]
    for index, source in enumerate(sources):
        if done[index] is not None:
            continue
        row = {"name": names[index], **measure_row(source, bench, pairs)}
        save(place, cells[index], settings[index], row)
        done[index] = row
        tell(f"{index + 1} of {len(sources)}: {source.label} against {source.against}")
    return [row for row in done if row is not None]


def measure_row(source: Source, bench: TransferBench, pairs: Pairs) -> dict[str, Any]:
    """Attack the pairs and return what a row's file holds: above all, who heard what."""
    start = time.perf_counter()
    attack, scale = source.attack, source.classifier.normalization
    size = at_once(bench.options.batch_size, source.classifier.clip_samples)
    wanted = pairs.source if attack.untargeted else pairs.target
    heard = np.full((len(bench.columns), len(pairs)), -1, dtype=np.int64)
    ratio, gradients, queries = np.full((3, len(pairs)), np.nan)
    batches = range(0, len(pairs), size)
    with task(f"{source.label} against {source.against}", len(batches)) as step:
        for begin in batches:
            rows = slice(begin, begin + size)
            result = _attack(source, bench, pairs.clip[rows], wanted[rows])
            x_adv = wav_round_trip(result.x_adv.cpu(), source.classifier.sample_rate, scale)
            ratio[rows] = snr_db(result.x.cpu(), x_adv).double().numpy()
            for counts, own in ((gradients, result.gradients), (queries, result.queries)):
                if own is not None:
                    counts[rows] = own.cpu().numpy()
            for number, column in enumerate(bench.columns):
                heard[number, rows] = hear(column.classifier, x_adv, scale)
            step()
    return {
        "label": source.label,
        "against": source.against,
        "asked": [{"name": one.name, "fingerprint": one.fingerprint} for one in source.asked],
        "seen": [source.saw(column) for column in bench.columns],
        "untargeted": attack.untargeted,
        "attack": describe(attack),
        "snr_db": dict(summarize(ratio)),
        "gradients_per_clip": summarize(gradients)["mean"],
        "queries_per_clip": summarize(queries)["mean"],
        "heard": heard.tolist(),
        "duration_seconds": time.perf_counter() - start,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _attack(source: Source, bench: TransferBench, clips: Ints, wanted: Ints) -> AttackResult:
    """Return what the attack makes of some clips."""
    classifier = source.classifier
    device = classifier.device
    x = bench.data.waveforms(torch.from_numpy(clips), classifier.normalization).to(device)
    target = torch.from_numpy(wanted).to(device)
    return source.attack(classifier, x, target, budget=bench.budget)


def hear(classifier: Classifier, x: torch.Tensor, normalization: Normalization) -> Ints:
    """Return what a classifier hears in clips on the 16-bit grid.

    Args:
        classifier: Who listens.
        x: Clips.
        normalization: How the floats of ``x`` map to PCM, which may not be the classifier's way.

    Shape:
        - x: ``(batch, 1, time)``
        - Output: ``(batch,)``
    """
    if normalization != classifier.normalization:
        x = pcm16_to_float(float_to_pcm16(x, normalization), classifier.normalization)
    heard: Ints = predict(classifier, x, len(x)).argmax(1).numpy()
    return heard


def hear_untouched(bench: TransferBench, pairs: Pairs) -> Ints:
    """Return what every classifier hears in the unperturbed clip of every pair.

    Shape:
        - Output: ``(classifiers, pairs)``
    """
    clips, place = np.unique(pairs.clip, return_inverse=True)
    heard = np.empty((len(bench.columns), len(clips)), dtype=np.int64)
    size = at_once(bench.options.batch_size, bench.data.cache.samples)
    for begin in range(0, len(clips), size):
        rows = slice(begin, begin + size)
        x = bench.data.waveforms(clips[rows], "pcm")
        for number, column in enumerate(bench.columns):
            heard[number, rows] = hear(column.classifier, x, "pcm")
    return heard[:, place]
