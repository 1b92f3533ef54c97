"""The shell lines of the documentation; ``make docs-lines`` counts what becomes of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.furnished.set_aside import SET_ASIDE, reason
from tests.furnished.shrinking import GIVEN

import blocks
from blocks import Block


def lines(page: Path) -> list[tuple[Block, list[str]]]:
    """Return every line of the page's shell blocks, in order, with its block."""
    found = [one for one in blocks.blocks(page) if one.language in blocks.SHELL]
    return [(block, words) for block in found for words in block.commands()]


def every_line() -> list[str]:
    """Return the lines of all pages, without the variables that are set before a command."""
    return [
        " ".join(blocks.without_variables(words))
        for page in blocks.pages()
        for _, words in lines(page)
    ]


def count() -> str:
    """Return how many lines are run, and how many are not, for which reason."""
    every = every_line()
    why = Counter(reason(line.split()) for line in every)
    planned = sum(
        given.endswith("--plan") and line.startswith(f"mondegreen {command}")
        for line in every
        for command, given in GIVEN.items()
    )
    rows = [f"{len(every)} lines of documentation, {why[None]} of them run by a test"]
    rows.append(f"{planned} of these only plan: tests/smoke.sh runs their command whole")
    for text in dict.fromkeys(SET_ASIDE.values()):
        starts = [start for start, own in SET_ASIDE.items() if own == text]
        rows.append(f"{why[text]} set aside ({', '.join(starts)}): {text}")
    return "\n".join(rows)


if __name__ == "__main__":
    print(count())
