"""``mondegreen leaderboard check``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from mondegreen.allocator import keep_memory
from mondegreen.cli.clips import data_of
from mondegreen.cli.options import parse, say
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.leaderboard.remeasure import remeasure
from mondegreen.leaderboard.smoke import HOW, PAIRS, SEED, compare_smoke, measure_smoke, voices
from mondegreen.leaderboard.subjects import Subject, load_subject, why_out_of_reach
from mondegreen.leaderboard.writing import write_smoke
from mondegreen.report.leaderboard.entry import Entry, load_entry
from mondegreen.report.leaderboard.measured import Measured
from mondegreen.report.leaderboard.references import read_measured
from mondegreen.report.tables import Table

Compared = tuple[str, str, str, bool]


@dataclass(frozen=True)
class LeaderboardCheck:
    """Options of ``leaderboard check``."""

    entries: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Files of entries."""
    data: Annotated[DataOptions, tyro.conf.arg(name="")] = field(default_factory=DataOptions)
    """With --data: the clips that the entries were measured on. Without: synthetic voices."""
    root: Path | None = None
    """The folder that entries name result files and weights from; by default the one above the
    leaderboard's or, of an entry that lies elsewhere, the current one."""
    pairs: int = PAIRS
    """With --data: how many pairs each cheap attack is tried on."""
    seed: int = SEED
    """With --data: seeds the draw of the pairs."""
    read_only: bool = False
    """Only read the entries and their result files; load no classifier."""
    write: bool = False
    """Write what is measured on the synthetic voices into the entries, in place of comparing."""


@dataclass(frozen=True)
class _Found:
    """An entry and what its result files say."""

    path: Path
    root: Path
    entry: Entry
    measured: tuple[Measured, ...]


class _Voices:
    """Synthetic voices, made when the first entry needs them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._folder: Path | None = None

    def folder(self) -> Path:
        """Return their folder, which is there until the stack is left."""
        if self._folder is None:
            self._folder = self._stack.enter_context(voices())
        return self._folder


def run(words: Sequence[str]) -> None:
    """Parse the words and check."""
    description = "Are entries of the leaderboard whole, and do their figures come out again?"
    execute(parse(LeaderboardCheck, words, "leaderboard check", description))


def execute(options: LeaderboardCheck) -> None:
    """Check every entry and say what was found of each; raise at the end where something is wrong.

    Raises:
        MondegreenError: An entry is damaged, or its figures do not come out again.
    """
    if not options.entries or options.pairs < 1 or options.seed < 0:
        raise MondegreenError("name entries; --pairs is 1 or more, --seed 0 or more.")
    if options.write and (options.read_only or options.data.data is not None):
        raise MondegreenError(
            "--write measures on synthetic voices: leave --data, --read-only out."
        )
    wrong: list[str] = []
    keep_memory()
    with ExitStack() as stack:
        spoken = _Voices(stack)
        for path in options.entries:
            try:
                found = _read(path, options)
                missing = why_out_of_reach(found.entry, found.root)
                if options.read_only or missing:
                    say(f"{path}: whole. {_not_measured(missing)}")
                    continue
                _measure(found, options, spoken)
            except MondegreenError as error:
                wrong.append(str(error))
                say(f"{path}: {error}")
    if wrong:
        more = f" And {len(wrong) - 1} more, see above." if len(wrong) > 1 else ""
        raise MondegreenError(f"{wrong[0]}{more}")
    say(f"{len(options.entries)} checked, nothing wrong.")


def _not_measured(missing: str) -> str:
    return f"Not re-measurable here: {missing}." if missing else "Not measured again."


def _read(path: Path, options: LeaderboardCheck) -> _Found:
    entry = load_entry(path)
    root = options.root or root_of(path)
    return _Found(path, root, entry, read_measured(entry, root))


def root_of(path: Path) -> Path:
    """Return the folder that an entry's file names others from.

    Example:
        >>> root_of(Path("mine.json"))
        PosixPath('.')
    """
    whole = path.resolve()
    return whole.parents[2] if whole.parent.name == "entries" else Path()


def _measure(found: _Found, options: LeaderboardCheck, spoken: _Voices) -> None:
    subject = load_subject(found.entry, found.root, found.path)
    if options.data.data is not None:
        what = f"{options.pairs} pairs of {found.entry.data.corpus}"
        _judge(found, what, _on_clips(found, options, subject))
        return
    if found.entry.smoke is None and not options.write:
        raise MondegreenError(f"{found.path}: the entry has no smoke figures; {HOW}")
    smoke = measure_smoke(subject, spoken.folder())
    if options.write:
        write_smoke(found.path, found.entry, smoke)
        say(f"{found.path}: smoke figures written.")
        return
    try:
        assert found.entry.smoke is not None, "refused above"
        rows = compare_smoke(found.entry.smoke, smoke)
    except MondegreenError as error:
        raise MondegreenError(f"{found.path}: {error}") from error
    _judge(found, smoke.corpus, rows)


def _on_clips(found: _Found, options: LeaderboardCheck, subject: Subject) -> Iterable[Compared]:
    place = Path(found.entry.classifier.place)
    data = data_of(place, options.data)
    shape = (subject.plain.labels, subject.plain.sample_rate, subject.plain.clip_samples)
    clips = open_test_split(data, *shape, found.entry.data.split)
    return remeasure(found.entry, found.measured, subject, clips, options.pairs, options.seed)


def _judge(found: _Found, what: str, rows: Iterable[Compared]) -> None:
    """Print what was stated beside what was found.

    Raises:
        MondegreenError: The two do not agree.
    """
    listed = list(rows)
    cells = [(title, said, here, "yes" if ok else "NO") for title, said, here, ok in listed]
    head = ("share of", "stated", "found [95 %]", "agrees")
    Table(f"{found.entry.name}, on {what}", head, tuple(cells)).print(Console())
    for title, said, here, ok in listed:
        if not ok:
            raise MondegreenError(
                f"{found.path}: {title}: {said} is stated, {here} was found on {what}. The entry "
                "does not describe what it names; measure it again."
            )
