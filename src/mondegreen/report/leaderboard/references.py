"""From an entry to its measurements: the files that it names, and whether they are of it."""

from __future__ import annotations

from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.report.leaderboard.entry import DETECTOR, INPUT, Entry, Reference
from mondegreen.report.leaderboard.measured import Measured
from mondegreen.report.leaderboard.sources import READERS


def read_measured(entry: Entry, root: Path) -> tuple[Measured, ...]:
    """Return what the result files that an entry names say of it.

    Args:
        entry: The entry.
        root: The folder that references start from.

    Raises:
        MondegreenError: A file is missing, damaged or of a kind that nobody knows, has no such row,
            or measured something else than the entry describes.
    """
    found = []
    for reference in entry.measured:
        one = read_reference(reference, root, f"entry {entry.name}")
        _refuse_other(entry, reference, one)
        found.append(one)
    return tuple(found)


def read_reference(reference: Reference, root: Path, asked: str) -> Measured:
    """Return what a row of a result file says.

    Args:
        reference: File and row.
        root: The folder that files start from.
        asked: Who names it, for the error message.

    Raises:
        MondegreenError: The file is missing, damaged or of a kind that nobody knows, or has no such
            row.
    """
    path = root / reference.file
    reader = READERS.get(path.name)
    if reader is None:
        raise MondegreenError(
            f"{asked}: {path.name} is no result file of this package; measured figures come from "
            f"{', '.join(READERS)}."
        )
    return reader(path, reference.row, str(reference.file))


def _refuse_other(entry: Entry, reference: Reference, found: Measured) -> None:
    """Refuse a measurement of another classifier, defence or set of clips."""
    listed, data = entry.classifier, entry.data
    facts = {
        "classifier: fingerprint": (listed.fingerprint, found.classifier.fingerprint),
        "classifier: parameters": (listed.parameters, found.classifier.parameters),
        "data: corpus": (data.corpus, found.data.name),
        "data: split": (data.split, found.data.split),
        "data: split_kind": (data.split_kind, found.data.split_kind),
        "data: clips": (data.clips, found.data.clips),
        "data: speakers": (data.speakers, found.data.groups),
    }
    before = entry.defence.kind in (INPUT, DETECTOR)
    if before or reference.file.name == "defences.json":
        facts["defence: spec"] = (entry.defence.spec if before else None, reference.row)
    for name, (said, measured) in facts.items():
        if said != measured:
            raise MondegreenError(
                f"entry {entry.name}: {name} is {said!r}, but {measured!r} in {reference}. A "
                "measurement counts for what was measured only."
            )
