"""The single pairs of an evaluation: ``pairs.csv``, and the sounds in ``samples/``."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.fields import Fields

PAIR_COLUMNS = (
    "clip",
    "source",
    "target",
    "before",
    "after",
    "success",
    "correct",
    "snr_db",
    "pesq_nb",
    "pesq_wb",
    "stoi",
)


@dataclass(frozen=True)
class Pair:
    """One row of ``pairs.csv``; a quality is None where it was not measured or failed."""

    clip: str
    source: str
    target: str
    before: str
    after: str
    success: bool
    correct: bool
    snr_db: float | None
    pesq_nb: float | None
    pesq_wb: float | None
    stoi: float | None


@dataclass(frozen=True)
class Sample:
    """A pair whose sounds were kept; the paths are None where the file is not there.

    ``before_probability`` and ``after_probability`` are the classifier's of the target; those of
    all labels, by label, are None in evaluations that did not keep them.
    """

    source: str
    target: str
    clip: str
    before: str
    after: str
    success: bool
    snr_db: float | None
    pesq_nb: float | None
    before_probability: float | None
    after_probability: float | None
    original: Path | None
    adversarial: Path | None
    before_probabilities: Mapping[str, float] | None = None
    after_probabilities: Mapping[str, float] | None = None


def check_labels(pairs: list[Pair], labels: tuple[str, ...], path: Path) -> None:
    """Refuse pairs of labels that the classifier does not have: the files are of two evaluations.

    Raises:
        MondegreenError: A source or target is unknown.
    """
    for pair in pairs:
        for label in (pair.source, pair.target):
            if label not in labels:
                raise MondegreenError(
                    f"{path}: {label!r} is no label of the classifier in results.json; the two "
                    "files are not of one evaluation. Run it again."
                )


def load_samples(folder: Path, labels: tuple[str, ...]) -> list[Sample]:
    """Read ``samples/samples.json`` of an evaluation's folder; empty where there is none.

    Sounds are only taken from ``samples/`` itself, whatever folder an entry names.

    Raises:
        MondegreenError: The list is damaged; the message names the entry and the field.
    """
    path = folder / "samples" / "samples.json"
    if not path.exists():
        return []
    entries = read_json(path)
    if not isinstance(entries, list):
        raise MondegreenError(f"{path}: expected a list. Run the evaluation again.")
    samples = []
    for number, entry in enumerate(entries):
        fields = Fields.of(entry, f"{path}: entry {number}")
        for name in ("source", "target"):
            if fields.text(name) not in labels:
                fields.fail(name, f"{fields.text(name)!r} is no label of the classifier")
        samples.append(_sample(fields, path.parent, labels))
    return samples


def _sample(fields: Fields, folder: Path, labels: tuple[str, ...]) -> Sample:
    def sound(name: str) -> Path | None:
        path = folder / Path(fields.text(name)).name
        return path if path.is_file() else None

    return Sample(
        source=fields.text("source"),
        target=fields.text("target"),
        clip=fields.text("clip"),
        before=fields.text("before"),
        after=fields.text("after"),
        success=fields.flag("success"),
        snr_db=fields.optional_number("snr_db"),
        pesq_nb=fields.optional_number("pesq_nb"),
        before_probability=fields.optional_rate("before_probability"),
        after_probability=fields.optional_rate("after_probability"),
        original=sound("original"),
        adversarial=sound("adversarial"),
        before_probabilities=_probabilities(fields, "before_probabilities", labels),
        after_probabilities=_probabilities(fields, "after_probabilities", labels),
    )


def _probabilities(
    fields: Fields, name: str, labels: tuple[str, ...]
) -> Mapping[str, float] | None:
    """Return the probability of every label; None where they were not kept."""
    found = fields.optional_child(name)
    if found is None:
        return None
    if set(found.values) != set(labels):
        fields.fail(name, "expected one probability for each label of the classifier")
    return {label: found.rate(label) for label in labels}


def load_pairs(path: Path) -> list[Pair]:
    """Read ``pairs.csv``, one :class:`Pair` a row; columns that are not known are left out.

    Raises:
        MondegreenError: The file is missing, lacks a column, or a value is damaged; the message
            names the file, the line and the column.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in PAIR_COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise MondegreenError(
                    f"{path}: the column {missing[0]!r} is missing; run the evaluation again."
                )
            return [_pair(row, f"{path}: line {reader.line_num}") for row in reader]
    except FileNotFoundError as error:
        raise MondegreenError(f"{path} does not exist; run the evaluation again.") from error
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise MondegreenError(f"{path} cannot be read: {error}.") from error


def _pair(row: Mapping[str | Any, str | Any], where: str) -> Pair:
    values = {name: row.get(name) for name in PAIR_COLUMNS}
    absent = [name for name, value in values.items() if value is None]
    if absent:
        raise MondegreenError(f"{where}: {absent[0]}: the value is missing; the file was cut off.")
    texts = {name: str(value) for name, value in values.items()}
    success, correct = (_flag(texts[name], f"{where}: {name}") for name in ("success", "correct"))
    qualities = {name: _quality(texts[name], f"{where}: {name}") for name in PAIR_COLUMNS[7:]}
    clip, source, target, before, after = (texts[name] for name in PAIR_COLUMNS[:5])
    return Pair(clip, source, target, before, after, success, correct, **qualities)


def _flag(text: str, where: str) -> bool:
    flags = {"1": True, "true": True, "0": False, "false": False}
    if text.strip().lower() not in flags:
        raise MondegreenError(f"{where}: expected true or false, found {text!r}.")
    return flags[text.strip().lower()]


def _quality(text: str, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise MondegreenError(f"{where}: expected a number, found {text!r}.") from error
    return None if math.isnan(value) else value
