"""``mondegreen leaderboard``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from mondegreen.cli.options import parse, say
from mondegreen.errors import MondegreenError
from mondegreen.report.leaderboard.boards import Board, Leaderboard, load_leaderboard
from mondegreen.report.leaderboard.files import content, write_leaderboard
from mondegreen.report.leaderboard.tables import narrow_table, telling


@dataclass(frozen=True)
class ShowLeaderboard:
    """Options of ``leaderboard``."""

    folder: Annotated[Path, tyro.conf.Positional] = Path("leaderboard")
    """Holds entries/; the result files that entries name lie in the folder above."""
    out: Path | None = None
    """Folder for leaderboard.html, which sorts and filters, leaderboard.md and leaderboard.json."""
    root: Path | None = None
    """The folder that entries name result files from, if it is not the one above."""
    goal: Literal["untargeted", "targeted"] | None = None
    """Print only boards with this goal."""
    budget: str | None = None
    """Print only boards with this budget, such as snr:30."""
    channel: str | None = None
    """Print only boards through this channel; none for those without."""
    corpus: str | None = None
    """Print only boards on these clips, such as speech-commands."""
    json: bool = False
    """Print boards as JSON instead of tables."""


def run(words: Sequence[str]) -> None:
    """Parse the words and show."""
    description = "Classifiers and defences by the worst case over attacks, and what to doubt."
    execute(parse(ShowLeaderboard, words, "leaderboard", description))


def execute(options: ShowLeaderboard) -> None:
    """Read every entry, print the boards, and write them where that is asked for."""
    board = load_leaderboard(options.folder, options.root)
    asked = [options.goal, options.budget, options.channel, options.corpus]
    chosen = _chosen(board, options)
    if options.json:
        print(json.dumps(content(chosen), indent=2))
    else:
        wanted = chosen if any(asked) else telling(board.boards)
        for one in wanted:
            narrow_table(one).print(Console())
        left = len(board.boards) - len(wanted)
        say(f"{len(board.listings)} entries. {left} more boards: --goal, --budget, --channel.")
    if options.out is not None:
        files = write_leaderboard(options.out, board)
        say(f"Written to {options.out}: {', '.join(file.name for file in files)}")


def _chosen(board: Leaderboard, options: ShowLeaderboard) -> list[Board]:
    """Return the boards that the options ask for.

    Raises:
        MondegreenError: There is none.
    """
    channel = "" if options.channel == "none" else options.channel
    wanted = {
        "goal": options.goal,
        "budget": options.budget,
        "channel": channel,
        "corpus": options.corpus,
    }
    found = [
        one
        for one in board.boards
        if all(value is None or getattr(one, name) == value for name, value in wanted.items())
    ]
    if not found:
        known = sorted({one.budget for one in board.boards})
        corpora = sorted({one.corpus for one in board.boards})
        raise MondegreenError(
            "no board is of that goal, budget, channel and corpus. There are the budgets "
            f"{', '.join(known)} on {', '.join(corpora)}; channels: "
            f"{', '.join(sorted({one.channel for one in board.boards} - {''})) or 'none'}."
        )
    return found
