"""Tables of the page that can be sorted by every column and filtered by some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mondegreen.report.formatting import DASH
from mondegreen.report.leaderboard.boards import Board, Leaderboard
from mondegreen.report.leaderboard.entry import Entry
from mondegreen.report.leaderboard.measured import MeasuredRow
from mondegreen.report.leaderboard.tables import (
    NOTE,
    ROBUST,
    board_title,
    points,
    rank_text,
    reported_text,
    robust_text,
)
from mondegreen.report.leaderboard.threats import budget_order, budget_title
from mondegreen.report.markdown import anchor

DIRECT = "none"
"""In place of a channel where there is none."""


@dataclass(frozen=True)
class Column:
    """A column: how it is called, sorted and filtered."""

    title: str
    number: bool = False
    choices: tuple[str, ...] = ()
    """Values to choose from, in order; none where it is not filtered."""


@dataclass(frozen=True)
class Cell:
    """What is shown and what it is sorted and filtered by."""

    text: str
    value: str
    share: float | None = None
    """Drawn as a bar beside the text."""
    link: str = ""
    """The id of what is led to."""


@dataclass(frozen=True)
class Row:
    """The cells of a row, and whether it is unreliable."""

    cells: tuple[Cell, ...]
    doubt: bool = False


@dataclass(frozen=True)
class Grid:
    """A table with its columns."""

    id: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def _text(text: str) -> Cell:
    return Cell(text, text)


def _number(text: str, value: float | None) -> Cell:
    return Cell(text, "" if value is None else f"{value:g}")


def _robust(row: MeasuredRow) -> Cell:
    return Cell(robust_text(row), f"{100 * row.robust:g}", row.robust)


def _name(entry: Entry) -> Cell:
    return Cell(entry.name, entry.name, link=f"entry-{entry.name}")


def _attacker(goal: str, budget: str, channel: str) -> list[Cell]:
    return [_text(goal), _text(budget_title(budget)), _text(channel or DIRECT)]


def board_grid(board: Board) -> Grid:
    """Return one board, from the best worst case to the worst one."""
    rows = [
        Row(
            (
                _number(rank_text(one), one.rank),
                _name(one.entry),
                _robust(one.worst),
                _text(one.entry.defence.title),
                _text(one.worst.attack),
                _text(one.worst.knowledge),
                _number(str(one.worst.pairs), one.worst.pairs),
                _number(points(one.clean_accuracy), one.clean_accuracy),
                _text(reported_text(one)),
                _text("; ".join(one.reasons)),
            ),
            one.unreliable,
        )
        for one in board.standings
    ]
    titles = (
        ("rank", "n"),
        ("entry", "t"),
        (f"{ROBUST[board.goal]} (%)", "n"),
        ("defence", "t"),
        ("strongest attack", "t"),
        ("who", "t"),
        ("pairs", "n"),
        ("clean (%)", "n"),
        ("reported (%)", "t"),
        ("unreliable, for", "t"),
    )
    name = f"board-{board.goal}-{board.budget.replace(':', '-')}-{board.corpus}"
    grid = Grid(anchor(name), board_title(board), NOTE, _columns(titles, rows, ()), tuple(rows))
    return _without_empty(grid)


def _without_empty(grid: Grid) -> Grid:
    """Leave out the columns that say nothing of any row."""
    kept = [
        place
        for place in range(len(grid.columns))
        if any(row.cells[place].text not in ("", DASH) for row in grid.rows)
    ]
    rows = tuple(replace(row, cells=tuple(row.cells[one] for one in kept)) for row in grid.rows)
    return replace(grid, columns=tuple(grid.columns[one] for one in kept), rows=rows)


def _columns(
    titles: Sequence[tuple[str, str]], rows: Sequence[Row], budgets: Sequence[str]
) -> tuple[Column, ...]:
    """Return the columns of rows.

    Args:
        titles: Title and kind: ``f`` filtered, ``n`` number, ``t`` text.
        rows: The rows.
        budgets: Titles of budgets, in their order.
    """
    found = []
    for place, (title, kind) in enumerate(titles):
        values = dict.fromkeys(row.cells[place].value for row in rows) if kind == "f" else {}
        ordered = sorted(values, key=lambda one: (_place(budgets, one), one != DIRECT, one))
        found.append(Column(title, kind == "n", tuple(ordered)))
    return tuple(found)


def _place(budgets: Sequence[str], title: str) -> int:
    return budgets.index(title) if title in budgets else -1


def standings_grid(board: Leaderboard) -> Grid:
    """Return every standing of every board."""
    rows = [row for one in board.boards for row in _board_rows(one)]
    titles = (
        ("rank", "n"),
        ("entry", "f"),
        ("classifier", "f"),
        ("defence", "f"),
        ("goal", "f"),
        ("budget", "f"),
        ("channel", "f"),
        ("robust (%)", "n"),
        ("strongest attack", "f"),
        ("who", "f"),
        ("pairs", "n"),
        ("clean (%)", "n"),
        ("reported (%)", "t"),
        ("clips", "f"),
        ("reliable", "f"),
        ("why not", "t"),
    )
    return Grid(
        "standings",
        "Every entry on every board",
        "The worst case of each entry under each budget: the strongest attack that was measured.",
        _columns(titles, rows, _budgets(board)),
        tuple(rows),
    )


def _board_rows(board: Board) -> list[Row]:
    return [
        Row(
            (
                _number(rank_text(one), one.rank),
                _name(one.entry),
                _text(one.entry.classifier.architecture),
                _text(one.entry.defence.title),
                *_attacker(board.goal, board.budget, board.channel),
                _robust(one.worst),
                _text(one.worst.attack),
                _text(one.worst.knowledge),
                _number(str(one.worst.pairs), one.worst.pairs),
                _number(points(one.clean_accuracy), one.clean_accuracy),
                _text(reported_text(one)),
                _text(board.corpus),
                _text("no" if one.unreliable else "yes"),
                _text("; ".join(one.reasons)),
            ),
            one.unreliable,
        )
        for one in board.standings
    ]


def attacks_grid(board: Leaderboard) -> Grid:
    """Return every attack on every entry."""
    rows = [_attack_row(one.entry, row) for one in board.listings for row in one.rows]
    titles = (
        ("entry", "f"),
        ("classifier", "f"),
        ("defence", "f"),
        ("attack", "f"),
        ("who", "f"),
        ("goal", "f"),
        ("budget", "f"),
        ("channel", "f"),
        ("robust (%)", "n"),
        ("heard rightly (%)", "n"),
        ("pairs", "n"),
        ("clips", "f"),
        ("measured in", "t"),
    )
    return Grid(
        "attacks",
        "Every attack on every entry",
        "Robust: pairs in which the attack does not get what it wants. Heard rightly: pairs whose "
        "right label is still heard, where it was counted.",
        _columns(titles, rows, _budgets(board)),
        tuple(rows),
    )


def _attack_row(entry: Entry, row: MeasuredRow) -> Row:
    return Row(
        (
            _name(entry),
            _text(entry.classifier.architecture),
            _text(entry.defence.title),
            _text(row.attack),
            _text(row.knowledge),
            *_attacker(row.goal, row.budget, row.channel),
            _robust(row),
            _number(points(row.right), row.right),
            _number(str(row.pairs), row.pairs),
            _text(entry.data.corpus),
            _text(row.file),
        )
    )


def _budgets(board: Leaderboard) -> list[str]:
    found = {row.budget for one in board.listings for row in one.rows}
    return [budget_title(one) for one in sorted(found, key=budget_order)]
