"""Who stands where: one board for each goal, budget and channel on the same clips.

An entry stands by its worst case, the attack that reached most of those that were measured, with
the 95 % interval of that attack. Entries whose intervals meet that of the first of a rank share it,
the highest such rank: chance may have put them in this order. What is unreliable is shown, and has
no rank. Attacks without a budget stand on no board: any classifier gives way to noise that is loud
enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.report.leaderboard.entry import DETECTOR, INPUT, Entry, load_entry
from mondegreen.report.leaderboard.flags import meet, reasons
from mondegreen.report.leaderboard.measured import Measured, MeasuredRow
from mondegreen.report.leaderboard.references import read_measured
from mondegreen.report.leaderboard.threats import ThreatModel, budget_order

MOST_ENTRIES = 1000


@dataclass(frozen=True)
class Standing:
    """An entry on a board."""

    entry: Entry
    worst: MeasuredRow
    """The attack that reached most."""
    rows: tuple[MeasuredRow, ...]
    """All attacks under this budget through this channel."""
    clean_accuracy: float | None
    """Of untouched clips, through the same channel."""
    reasons: tuple[str, ...]
    """Why it is unreliable; empty where it is not."""
    rank: int | None = None

    @property
    def unreliable(self) -> bool:
        """Whether a rule says that the worst case is not to be relied on."""
        return bool(self.reasons)


@dataclass(frozen=True)
class Board:
    """Entries under attackers with the same goal and budget, on the same clips."""

    corpus: str
    split_kind: str
    goal: str
    budget: str
    channel: str
    standings: tuple[Standing, ...]

    @property
    def size(self) -> int:
        """How many entries stand on it."""
        return len(self.standings)


@dataclass(frozen=True)
class Listing:
    """An entry with everything that was measured of it."""

    entry: Entry
    measured: tuple[Measured, ...]

    @property
    def clean_accuracy(self) -> float | None:
        """Of untouched clips; None where nothing was measured."""
        return self.measured[0].clean_accuracy if self.measured else None

    @property
    def rows(self) -> tuple[MeasuredRow, ...]:
        """All rows of all files."""
        return tuple(row for one in self.measured for row in one.rows)


@dataclass(frozen=True)
class Leaderboard:
    """All entries, and the boards that they stand on."""

    listings: tuple[Listing, ...]
    boards: tuple[Board, ...]

    @property
    def reported(self) -> tuple[tuple[Entry, ThreatModel], ...]:
        """Every figure that somebody reported."""
        return tuple(
            (one.entry, threat)
            for one in self.listings
            for threat in one.entry.threats
            if threat.reported is not None
        )

    def listing(self, name: str) -> Listing | None:
        """Return the entry of a name, or None."""
        return next((one for one in self.listings if one.entry.name == name), None)


def load_leaderboard(folder: Path, root: Path | None = None) -> Leaderboard:
    """Read all entries of a leaderboard and their measurements.

    Args:
        folder: Holds ``entries/``.
        root: The folder that result files are named from; by default the one that ``folder`` is in.

    Raises:
        MondegreenError: There are no entries, one is damaged, or its measurements are missing or of
            something else.
    """
    place = folder / "entries"
    if not place.is_dir():
        raise MondegreenError(f"{folder} holds no entries/; name the folder of a leaderboard.")
    found = [one for one in place.iterdir() if one.suffix == ".json" and one.name[0] != "."]
    files = sorted(found, key=lambda one: one.stem)
    if not 0 < len(files) <= MOST_ENTRIES:
        raise MondegreenError(f"{place} holds {len(files)} entries; 1 to {MOST_ENTRIES} are shown.")
    base = folder.resolve().parent if root is None else root
    entries = [load_entry(file) for file in files]
    return gather([Listing(entry, read_measured(entry, base)) for entry in entries])


def gather(listings: Sequence[Listing]) -> Leaderboard:
    """Return the boards of entries, those with most entries first.

    Raises:
        MondegreenError: An entry is said to be beside one that is not there, or two are of the same
            classifier behind the same defence.
    """
    names = {one.entry.name for one in listings}
    for one in listings:
        if one.entry.beside is not None and one.entry.beside not in names:
            raise MondegreenError(
                f"entry {one.entry.name}: beside names {one.entry.beside!r}, which is no entry."
            )
    _refuse_twice(listings)
    found: dict[tuple[str, str, str, str, str], list[Standing]] = {}
    for listing in listings:
        data = listing.entry.data
        for key, standing in _standings(listing):
            found.setdefault((data.corpus, data.split_kind, *key), []).append(standing)
    boards = [Board(*key, ranked(standings)) for key, standings in found.items()]
    return Leaderboard(tuple(listings), tuple(sorted(boards, key=_board_order)))


def _refuse_twice(listings: Sequence[Listing]) -> None:
    """Refuse the same classifier behind the same defence: it would stand there as two."""
    names: dict[tuple[str | None, str], str] = {}
    for one in listings:
        entry = one.entry
        before = entry.defence.spec if entry.defence.kind in (INPUT, DETECTOR) else ""
        other = names.setdefault((entry.classifier.fingerprint, before), entry.name)
        if entry.measured and other != entry.name:
            raise MondegreenError(
                f"entries {other} and {entry.name} are of the same classifier and defence; put all "
                "measurements and reports into one."
            )


def _board_order(board: Board) -> tuple[object, ...]:
    biggest = (bool(board.channel), board.corpus, board.goal)
    return (*biggest, budget_order(board.budget), board.channel, board.split_kind)


def _standings(listing: Listing) -> Iterable[tuple[tuple[str, str, str], Standing]]:
    """Yield goal, budget and channel of every board that an entry is on, and how it stands."""
    rows: dict[tuple[str, str, str], list[MeasuredRow]] = {}
    for row in listing.rows:
        if row.budget == "none":
            continue
        rows.setdefault((row.goal, row.budget, row.channel), []).append(row)
    for key, those in rows.items():
        through = [one.clean_through.get(key[2]) for one in listing.measured]
        clean = next(filter(None, through), None) if key[2] else listing.clean_accuracy
        worst = max(those, key=lambda row: (row.success, row.interval[0]))
        why = reasons(listing.entry, listing.measured, those, worst)
        yield key, Standing(listing.entry, worst, tuple(those), clean, why)


def ranked(standings: Sequence[Standing]) -> tuple[Standing, ...]:
    """Return standings from the best rank to the last, with ranks.

    The best worst case is the first of a rank. All whose intervals meet its own share that rank,
    and the best of the others is the first of the next one, which is one more than the number of
    reliable entries above. Unreliable entries stand before the first that is worse.
    """
    left = sorted((one for one in standings if not one.unreliable), key=_standing_order)
    ranks: list[Standing] = []
    while left:
        first = left[0].worst.robust_interval
        rank = len(ranks) + 1
        ranks += [replace(one, rank=rank) for one in left if meet(first, one.worst.robust_interval)]
        left = [one for one in left if not meet(first, one.worst.robust_interval)]
    doubted = sorted((one for one in standings if one.unreliable), key=_standing_order)
    found: list[Standing] = []
    for one in ranks:
        while doubted and _standing_order(doubted[0]) < _standing_order(one):
            found.append(replace(doubted.pop(0), rank=None))
        found.append(one)
    return (*found, *(replace(one, rank=None) for one in doubted))


def _standing_order(one: Standing) -> tuple[float, float, float, str]:
    """Return what standings are sorted by; names decide only where all figures are equal."""
    low, high = one.worst.robust_interval
    return -one.worst.robust, -high, -low, one.entry.name
