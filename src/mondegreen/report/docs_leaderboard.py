"""The generated parts of ``docs/leaderboard.md``, from the entries and their result files.

``python -m mondegreen.report.docs_leaderboard leaderboard docs/leaderboard.md`` replaces what
stands between the page's markers; ``--check`` tells whether it is in step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.report.generated import insert, run_for_page
from mondegreen.report.leaderboard.boards import load_leaderboard
from mondegreen.report.leaderboard.knowledge import KNOWLEDGE, WORDS
from mondegreen.report.leaderboard.markdown import render_rules, render_tables


def render(results_root: Path, page: Path, *, draw: bool = True) -> dict[Path, str]:
    """Return the page with the text that it has to hold.

    Args:
        results_root: The leaderboard's folder; its entries name result files from the one above.
        page: The page.
        draw: Not used: there are no pictures.

    Raises:
        MondegreenError: An entry or a result file is damaged, or the page lacks its markers.
        OSError: The page cannot be read.
    """
    board = load_leaderboard(results_root)
    knowledge = "\n".join(f"* `{one}`: {WORDS[one]}" for one in KNOWLEDGE)
    text = page.read_text(encoding="utf-8")
    text = insert(text, knowledge, "leaderboard-knowledge")
    text = insert(text, render_rules(), "leaderboard-rules")
    return {page: insert(text, render_tables(board), "leaderboard-boards")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` tell whether it is old; return the exit code."""
    return run_for_page("docs_leaderboard", __doc__, render, arguments)


if __name__ == "__main__":
    sys.exit(main())
