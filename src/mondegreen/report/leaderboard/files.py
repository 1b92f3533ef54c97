"""What ``mondegreen leaderboard --out`` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mondegreen.files import write_json, write_text
from mondegreen.report.leaderboard import markdown, page
from mondegreen.report.leaderboard.boards import Board, Leaderboard


def write_leaderboard(folder: Path, board: Leaderboard) -> tuple[Path, ...]:
    """Write ``leaderboard.html``, ``leaderboard.md`` and ``leaderboard.json``.

    Raises:
        MondegreenError: A file cannot be written.
    """
    html, text, data = (folder / f"leaderboard.{kind}" for kind in ("html", "md", "json"))
    write_text(html, page.render(board))
    write_text(text, markdown.render(board))
    write_json(data, content(board.boards))
    return html, text, data


def content(boards: tuple[Board, ...] | list[Board]) -> list[dict[str, Any]]:
    """Return boards with their standings, for programs."""
    return [
        {
            "corpus": board.corpus,
            "split_kind": board.split_kind,
            "goal": board.goal,
            "budget": board.budget,
            "channel": board.channel or None,
            "standings": [
                {
                    "rank": one.rank,
                    "entry": one.entry.name,
                    "robust": one.worst.robust,
                    "interval": list(one.worst.robust_interval),
                    "attack": one.worst.attack,
                    "knowledge": one.worst.knowledge,
                    "pairs": one.worst.pairs,
                    "clean_accuracy": one.clean_accuracy,
                    "unreliable": one.unreliable,
                    "reasons": list(one.reasons),
                }
                for one in board.standings
            ],
        }
        for board in boards
    ]
