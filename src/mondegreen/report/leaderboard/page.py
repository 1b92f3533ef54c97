"""``leaderboard.html``: one file, sorted and filtered in the browser, whole without scripts."""

from __future__ import annotations

from mondegreen import __version__
from mondegreen.report.leaderboard.boards import Leaderboard
from mondegreen.report.leaderboard.flags import RULES
from mondegreen.report.leaderboard.grids import attacks_grid, board_grid, standings_grid
from mondegreen.report.leaderboard.knowledge import WORDS
from mondegreen.report.leaderboard.tables import remeasurable, reported_table, telling
from mondegreen.report.leaderboard.threats import budget_title
from mondegreen.report.pages import render_page


def render(board: Leaderboard) -> str:
    """Return the page as HTML."""
    return render_page(
        "leaderboard.html.j2",
        ("leaderboard.js",),
        styles=("leaderboard.css",),
        board=board,
        rows=sum(len(one.rows) for one in board.listings),
        boards=[board_grid(one) for one in telling(board.boards)],
        grids=(standings_grid(board), attacks_grid(board)),
        reported=reported_table(board),
        rules=RULES,
        knowledge=WORDS,
        remeasurable=remeasurable,
        budget_title=budget_title,
        version=__version__,
    )
