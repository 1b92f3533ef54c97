"""The leaderboard in Markdown: for a folder, and for the page of the documentation."""

from __future__ import annotations

from mondegreen.report.leaderboard.boards import Leaderboard
from mondegreen.report.leaderboard.flags import RULES
from mondegreen.report.leaderboard.tables import (
    board_table,
    budget_table,
    channel_table,
    entries_table,
    reported_table,
    telling,
)
from mondegreen.report.leaderboard.threats import GOALS
from mondegreen.report.markdown import escape_text
from mondegreen.report.tables import Table


def tables(board: Leaderboard) -> list[Table]:
    """Return all tables: the boards that tell most, all budgets, channels, reported, entries."""
    found = [board_table(one) for one in telling(board.boards)]
    corpora = dict.fromkeys(one.corpus for one in board.boards if not one.channel)
    for corpus in corpora:
        for goal in GOALS:
            if any((one.corpus, one.goal) == (corpus, goal) for one in board.boards):
                found.append(budget_table(board.boards, goal, corpus))
    others = (channel_table(board.boards), reported_table(board), entries_table(board))
    return [*found, *(one for one in others if one is not None)]


def render_tables(board: Leaderboard, level: int = 3) -> str:
    """Return every table under a heading.

    Args:
        board: The leaderboard.
        level: Of the headings.
    """
    parts = [f"{'#' * level} {escape_text(one.title)}\n\n{one.markdown()}" for one in tables(board)]
    return "\n".join(parts).rstrip("\n")


def render_rules() -> str:
    """Return when a standing is unreliable, as a list."""
    return "\n".join(f"* {escape_text(one)}" for one in RULES)


def render(board: Leaderboard) -> str:
    """Return a page of its own."""
    return f"# Leaderboard\n\n{render_tables(board, 2)}\n\n## Unreliable is\n\n{render_rules()}\n"
