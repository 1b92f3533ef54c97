"""The leaderboard as tables, for the terminal, for Markdown and for its page."""

from __future__ import annotations

from collections.abc import Sequence

from mondegreen.report.formatting import DASH, number
from mondegreen.report.leaderboard.boards import Board, Leaderboard, Standing
from mondegreen.report.leaderboard.entry import Entry
from mondegreen.report.leaderboard.flags import counterpart, meet
from mondegreen.report.leaderboard.knowledge import attack_kind
from mondegreen.report.leaderboard.measured import MeasuredRow
from mondegreen.report.leaderboard.threats import ThreatModel, budget_order, budget_title
from mondegreen.report.tables import Table

ROBUST = {"untargeted": "still heard rightly", "targeted": "target not reached"}
"""What an attacker with that goal wants to prevent: the share that ranks are made by."""
MARK = "?"
"""Beside what is unreliable, and in place of its rank."""
NOTE = (
    "Percent, with 95 % intervals, under the strongest attack that was measured. Entries whose "
    f"intervals meet that of the first of a rank share it; {MARK} is unreliable and has none."
)
SHORT_NOTE = (
    "Percent, with 95 % intervals, under the strongest attack that was measured under each budget; "
    f"{MARK} is unreliable, {DASH} was not measured."
)


def board_title(board: Board) -> str:
    """Return what a board is about, in one line."""
    through = f", through {board.channel}" if board.channel else ""
    return f"{board.goal}, {budget_title(board.budget)}{through}: {board.corpus}"


def points(rate: float | None) -> str:
    """Return a share in percent, without the sign.

    Example:
        >>> points(0.6583)
        '65.8'
    """
    return number(None if rate is None else 100.0 * rate, 1)


def robust_text(row: MeasuredRow) -> str:
    """Return the share of pairs that withstood, with its interval."""
    low, high = row.robust_interval
    return f"{points(row.robust)} [{100 * low:.0f}, {100 * high:.0f}]"


def rank_text(one: Standing) -> str:
    """Return a rank, or the mark of what has none."""
    return MARK if one.rank is None else str(one.rank)


def reported_text(one: Standing) -> str:
    """Return what was reported for the attacker of a standing."""
    place = (one.worst.goal, one.worst.budget, one.worst.channel)
    said = [
        threat.reported.robust
        for threat in one.entry.threats
        if threat.reported and (threat.goal, threat.budget, threat.channel) == place
    ]
    return ", ".join(map(points, said)) or DASH


def board_table(board: Board) -> Table:
    """Return who stands where on a board."""
    head = ("rank", "entry", "defence", "strongest attack", "who", ROBUST[board.goal])
    rows = tuple(
        (
            rank_text(one),
            one.entry.name,
            one.entry.defence.title,
            one.worst.attack,
            one.worst.knowledge,
            robust_text(one.worst),
            str(one.worst.pairs),
            points(one.clean_accuracy),
            reported_text(one),
            "; ".join(one.reasons),
        )
        for one in board.standings
    )
    return Table(
        board_title(board),
        (*head, "pairs", "clean", "reported", "unreliable, for"),
        rows,
        left=5,
        remarks=True,
        note=NOTE,
    )


def narrow_table(board: Board) -> Table:
    """Return the same for a terminal: what ranks rest on, and below it why some have none."""
    rows = tuple(
        (
            rank_text(one),
            one.entry.name,
            robust_text(one.worst),
            points(one.clean_accuracy),
            attack_kind(one.worst.attack),
        )
        for one in board.standings
    )
    doubts = [
        f"{one.entry.name}: {'; '.join(one.reasons)}." for one in board.standings if one.reasons
    ]
    head = ("rank", "entry", ROBUST[board.goal], "clean", "under")
    return Table(
        board_title(board), head, rows, left=2, remarks=True, note="\n".join([NOTE, *doubts])
    )


def telling(boards: Sequence[Board]) -> list[Board]:
    """Return one board for each set of clips and goal: that of most entries, and of most ranks.

    Boards of one entry, and those through channels, are none of them.
    """
    groups: dict[tuple[str, str, str], list[Board]] = {}
    for board in boards:
        if board.size > 1 and not board.channel:
            groups.setdefault((board.goal, board.corpus, board.split_kind), []).append(board)

    def tells(board: Board) -> tuple[int, int, tuple[str, float]]:
        ranks = {one.rank for one in board.standings if one.rank is not None}
        return board.size, len(ranks), budget_order(board.budget)

    return [max(each, key=tells) for _, each in sorted(groups.items(), reverse=True)]


def budget_table(boards: Sequence[Board], goal: str, corpus: str) -> Table:
    """Return every entry of a corpus under every budget of one goal, without a channel."""
    here = [one for one in boards if (one.goal, one.corpus, one.channel) == (goal, corpus, "")]
    budgets = sorted({one.budget for one in here}, key=budget_order)
    cells: dict[str, dict[str, str]] = {}
    for board in here:
        for one in board.standings:
            mark = f" {MARK}" if one.unreliable else ""
            cells.setdefault(one.entry.name, {})[board.budget] = robust_text(one.worst) + mark
    rows = [(name, *(found.get(one, DASH) for one in budgets)) for name, found in cells.items()]
    return Table(
        f"{corpus}, {goal}: {ROBUST[goal]}",
        ("entry", *map(budget_title, budgets)),
        tuple(sorted(rows)),
        note=SHORT_NOTE,
    )


def channel_table(boards: Sequence[Board]) -> Table | None:
    """Return what holds through channels on the way; None where nothing was measured."""
    through = [one for one in boards if one.channel]
    if not through:
        return None
    rows = [
        (
            board.channel,
            one.entry.name,
            f"{board.goal}, {budget_title(board.budget)}",
            one.worst.attack,
            robust_text(one.worst),
            points(one.clean_accuracy),
            "; ".join(one.reasons),
        )
        for board in through
        for one in board.standings
    ]
    head = ("channel", "entry", "attacker", "strongest attack", "goal not reached", "clean")
    return Table(
        "Through channels on the way",
        (*head, "unreliable, for"),
        tuple(rows),
        left=4,
        remarks=True,
        note="A channel is no defence: it is where the sound happens to pass. Clean is the "
        "accuracy on untouched clips through the same channel.",
    )


def reported_table(board: Leaderboard) -> Table | None:
    """Return what others report, beside what was measured; None where nobody does."""
    rows = []
    for entry, threat in board.reported:
        said = threat.reported
        assert said is not None, "the leaderboard lists no others"
        own, measured, judged = _measured_beside(board, entry, threat)
        rows.append(
            (
                entry.name,
                f"{entry.classifier.architecture}, {entry.classifier.parameters:,} parameters",
                f"{threat.goal}, {budget_title(threat.budget)}"
                + (f", {threat.attack}" if threat.attack else ""),
                said.source,
                own,
                points(said.robust),
                measured,
                judged,
            )
        )
    if not rows:
        return None
    head = ("entry", "classifier", "attacker", "where", "measured of", "reported", "measured")
    return Table(
        "Reported, beside measured",
        (*head, "do they agree?"),
        tuple(rows),
        left=5,
        remarks=True,
        note="Percent of the pairs in which the attack does not get what it wants.",
    )


def _measured_beside(board: Leaderboard, entry: Entry, threat: ThreatModel) -> tuple[str, str, str]:
    """Return of what the figure beside a reported one is, the figure, and whether they agree."""
    assert threat.reported is not None, "only reported ones are asked for"
    name = entry.name if entry.measured else entry.beside
    listing = None if name is None else board.listing(name)
    row = None if listing is None else counterpart(threat, listing.rows)
    if listing is None or row is None:
        return DASH, DASH, "reported, not measured"
    if listing.entry is not entry:
        size = f"{listing.entry.classifier.parameters:,} parameters"
        return (
            f"{listing.entry.name}, {listing.entry.classifier.architecture}, {size}",
            robust_text(row),
            "reported, not measured: beside it stands another network",
        )
    agree = meet(threat.reported.interval, row.robust_interval)
    return entry.name, robust_text(row), "yes" if agree else "NO"


def entries_table(board: Leaderboard) -> Table:
    """Return every entry, and whether it can be measured again."""
    rows = tuple(
        (
            one.entry.name,
            one.entry.title,
            one.entry.defence.title,
            one.entry.classifier.architecture,
            f"{one.entry.classifier.parameters:,}",
            points(one.clean_accuracy),
            str(len(one.rows)),
            remeasurable(one.entry),
        )
        for one in board.listings
    )
    head = ("entry", "what it is", "defence", "classifier", "parameters", "clean", "attacks")
    return Table("Entries", (*head, "measured again by CI"), rows, left=4, remarks=True)


def remeasurable(entry: Entry) -> str:
    """Return whether whoever has the package can measure an entry again, and why not."""
    if entry.shipped:
        return "yes"
    return "reported only" if not entry.measured else "not re-measurable here"
