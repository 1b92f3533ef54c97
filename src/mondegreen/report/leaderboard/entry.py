"""An entry of the leaderboard: one JSON file, after the example of RobustBench.

A classifier with its defence, who reports it, against whom it is said to hold, what was reported,
and where Mondegreen's own measurements of it lie. Measured figures are never typed into an entry:
they are read from the result files that it names. (Croce et al. 2021: RobustBench, a standardized
adversarial robustness benchmark, https://arxiv.org/abs/2010.09670.)
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.leaderboard.knowledge import KNOWLEDGE
from mondegreen.report.leaderboard.schema import Sheet
from mondegreen.report.leaderboard.threats import ThreatModel, read_threat

FORMAT = 1
MAX_BYTES = 2**16
NAME = r"[a-z0-9][a-z0-9.-]{0,63}"
"""What the file of an entry may be called, before ``.json``."""

NONE, INPUT, DETECTOR, HARDENING = "none", "input", "detector", "hardening"
DEFENCES = (NONE, INPUT, DETECTOR, HARDENING)
"""Nothing; a channel before the classifier (``mondegreen defend``); a detector that rejects; a
training, whose result is the classifier itself."""

SHA256, FINGERPRINT = r"[0-9a-f]{64}", r"[0-9a-f]{16}"


@dataclass(frozen=True)
class Reporter:
    """Who reports an entry."""

    authors: str
    link: str
    date: datetime.date


@dataclass(frozen=True)
class Listed:
    """The classifier, without what stands before it."""

    place: str
    """``zoo:<name>``, a folder, or a description of where it may be had."""
    sha256: str | None
    """Of the file of its weights."""
    fingerprint: str | None
    """As Mondegreen's result files name it."""
    architecture: str
    parameters: int


@dataclass(frozen=True)
class DefenceListed:
    """What makes the classifier hold."""

    kind: str
    """One of :data:`DEFENCES`."""
    spec: str
    """Of a channel, as ``mondegreen defend --defence`` takes it; otherwise its name."""

    @property
    def title(self) -> str:
        """The defence in a table's cell."""
        return "none" if self.kind == NONE else f"{self.kind}: {self.spec}"


@dataclass(frozen=True)
class DataListed:
    """The clips that the classifier is measured on."""

    corpus: str
    split: str
    split_kind: str
    clips: int
    speakers: int


@dataclass(frozen=True)
class Reference:
    """Where Mondegreen's measurement of an entry lies."""

    file: PurePosixPath
    """Relative to the folder that the leaderboard's lies in."""
    row: str | None
    """Which of the file's classifiers, defences or settings."""

    def __str__(self) -> str:
        """Return the file and the row."""
        return str(self.file) if self.row is None else f"{self.file}, {self.row}"


@dataclass(frozen=True)
class SmokeFigure:
    """What one cheap attack reached on the embedded corpus when the entry was written."""

    attack: str
    goal: str
    budget: str
    pairs: int
    successes: int


@dataclass(frozen=True)
class Smoke:
    """What the entry is re-checked by where there are no real clips: written by a command."""

    corpus: str
    clips: int
    right: int
    """Untouched clips that were heard rightly."""
    figures: tuple[SmokeFigure, ...]


@dataclass(frozen=True)
class Entry:
    """An entry, checked."""

    name: str
    title: str
    reporter: Reporter
    classifier: Listed
    defence: DefenceListed
    data: DataListed
    threats: tuple[ThreatModel, ...]
    measured: tuple[Reference, ...]
    smoke: Smoke | None
    beside: str | None
    """The name of an entry whose measurement is the nearest to what is only reported here."""
    note: str

    @property
    def shipped(self) -> bool:
        """Whether it can be measured again wherever the package is installed."""
        zoo = self.classifier.place.startswith("zoo:")
        return zoo and self.defence.kind != DETECTOR and bool(self.measured)


def load_entry(path: Path) -> Entry:
    """Read and check the file of an entry.

    Raises:
        MondegreenError: It is missing, larger than 64 KiB, not JSON, or a field is missing, unknown
            or damaged; the message names the file and the field.
    """
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise MondegreenError(
            f"{path} has {path.stat().st_size} bytes; an entry has {MAX_BYTES} at most."
        )
    top = Sheet.wrap(read_json(path), str(path))
    Sheet({"name": path.name.removesuffix(".json")}, str(path)).matching(
        "name", NAME, "made of small letters, digits, - and ., 64 at most"
    )
    return read_entry(top, path.stem if path.suffix == ".json" else path.name)


def read_entry(top: Sheet, name: str) -> Entry:
    """Check the content of an entry.

    Raises:
        MondegreenError: A field is missing, unknown or damaged, or two do not go together.
    """
    top.only(
        *("format", "title", "reported_by", "classifier", "defence", "data", "threat_models"),
        *("measured", "smoke", "beside", "note"),
    )
    top.require_format(FORMAT)
    smoke = top.optional_sheet("smoke")
    entry = Entry(
        name=name,
        title=top.words("title", 120),
        reporter=_reporter(top.sheet("reported_by")),
        classifier=_classifier(top.sheet("classifier")),
        defence=_defence(top.sheet("defence")),
        data=_data(top.sheet("data")),
        threats=tuple(read_threat(one, KNOWLEDGE) for one in top.sheets("threat_models")),
        measured=tuple(_reference(one) for one in top.sheets("measured")),
        smoke=None if smoke is None else _smoke(smoke),
        beside=top.matching("beside", NAME, "the name of an entry")
        if top.values.get("beside") is not None
        else None,
        note=top.optional_words("note"),
    )
    _refuse_incomplete(top, entry)
    return entry


def _refuse_incomplete(top: Sheet, entry: Entry) -> None:
    if not entry.threats:
        top.fail("threat_models", "name at least one: against whom is it said to hold?")
    reported = any(one.reported for one in entry.threats)
    if not entry.measured and not reported:
        top.fail("measured", "nothing is reported, and nothing measured; an entry needs a figure")
    if entry.measured and entry.classifier.fingerprint is None:
        top.fail("classifier", "what was measured needs its fingerprint, or it may be another")
    if entry.shipped and entry.classifier.sha256 is None:
        top.fail("classifier", "weights that come with the package need their sha256")
    seen = [(one.goal, one.budget, one.channel, one.attack) for one in entry.threats]
    if len(set(seen)) < len(seen):
        top.fail("threat_models", "two are the same")
    if len(set(entry.measured)) < len(entry.measured):
        top.fail("measured", "two are the same")


def _reporter(fields: Sheet) -> Reporter:
    fields.only("authors", "link", "date")
    text = fields.matching("date", r"\d{4}-\d\d-\d\d", "a date such as 2026-01-31")
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        fields.fail("date", f"there is no day {text}")
    link = fields.optional_words("link", 300)
    if link and not link.startswith(("https://", "http://", "doi:")):
        fields.fail("link", f"{link[:40]!r} begins neither with https:// nor with doi:")
    return Reporter(fields.words("authors", 300), link, date)


def _classifier(fields: Sheet) -> Listed:
    fields.only("place", "sha256", "fingerprint", "architecture", "parameters")

    def code(name: str, pattern: str, what: str) -> str | None:
        given = fields.values.get(name) is not None
        return fields.matching(name, pattern, what) if given else None

    return Listed(
        place=fields.words("place", 300),
        sha256=code("sha256", SHA256, "64 hexadecimal digits"),
        fingerprint=code("fingerprint", FINGERPRINT, "16 hexadecimal digits"),
        architecture=fields.words("architecture", 120),
        parameters=fields.count("parameters"),
    )


def _defence(fields: Sheet) -> DefenceListed:
    fields.only("kind", "spec")
    kind = fields.choice("kind", DEFENCES)
    spec = fields.optional_words("spec", 200)
    if kind == NONE and spec:
        fields.fail("spec", f"{spec[:40]!r} is named, and the kind is none; which is right?")
    if kind != NONE and not spec:
        fields.fail("spec", "name the defence, or give it the kind none")
    return DefenceListed(kind, spec)


def _data(fields: Sheet) -> DataListed:
    fields.only("corpus", "split", "split_kind", "clips", "speakers")
    return DataListed(
        corpus=fields.words("corpus", 80),
        split=fields.words("split", 40),
        split_kind=fields.words("split_kind", 40),
        clips=fields.count("clips"),
        speakers=fields.count("speakers"),
    )


def _reference(fields: Sheet) -> Reference:
    fields.only("file", "row")
    path = PurePosixPath(fields.words("file", 200))
    if path.is_absolute() or ".." in path.parts or "\\" in str(path) or path.suffix != ".json":
        fields.fail("file", "expected a .json file below the leaderboard's parent folder")
    return Reference(path, fields.optional_words("row", 120) or None)


def _smoke(fields: Sheet) -> Smoke:
    fields.only("corpus", "clips", "right", "figures")
    figures = []
    for one in fields.sheets("figures"):
        one.only("attack", "goal", "budget", "pairs", "successes")
        pairs, successes = one.count("pairs"), one.count("successes")
        if successes > pairs or not pairs:
            one.fail("successes", f"{successes} of {pairs} pairs make no sense")
        threat = read_threat(_as_threat(one), KNOWLEDGE)
        figures.append(
            SmokeFigure(one.words("attack", 120), threat.goal, threat.budget, pairs, successes)
        )
    clips, right = fields.count("clips"), fields.count("right")
    if right > clips:
        fields.fail("right", f"{right} of {clips} clips make no sense")
    return Smoke(fields.words("corpus", 80), clips, right, tuple(figures))


def _as_threat(fields: Sheet) -> Sheet:
    values: dict[str, Any] = {name: fields.value(name) for name in ("goal", "budget")}
    return Sheet({**values, "knowledge": KNOWLEDGE[0]}, fields.where)
