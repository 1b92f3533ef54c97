"""Markdown that shows texts as they are."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], alignment: str) -> str:
    r"""Return a table.

    Args:
        head: Titles of the columns.
        rows: The cells; vertical bars are escaped in all texts.
        alignment: ``l`` or ``r`` for every column.

    Example:
        >>> print(table(["a", "b"], [["1", "x|y"]], "rl"), end="")
        | a | b |
        | --: | --- |
        | 1 | x\|y |
    """
    rule = ["--:" if side == "r" else "---" for side in alignment]
    head, *cells = (list(map(escape_cell, row)) for row in (head, *rows))
    lines = [" | ".join(row) for row in (head, rule, *cells)]
    return "".join(f"| {line} |\n" for line in lines)


def escape_cell(content: str) -> str:
    """Return text for a table's cell."""
    return escape_text(content).replace("|", "\\|")


def escape_text(content: str) -> str:
    """Return text on one line that starts no HTML."""
    return " ".join(content.replace("&", "&amp;").replace("<", "&lt;").split())


def console_block(command: str) -> str:
    """Return commands as a block that can be copied; a benchmark is named by where it lies.

    Example:
        >>> print(console_block("evolution.py --rounds 5"), end="")
        ```console
        python benchmarks/evolution.py --rounds 5
        ```
    """
    if command.partition(" ")[0].endswith(".py"):
        command = f"python benchmarks/{command}"
    return f"```console\n{command.replace('```', '')}\n```\n"


def anchor(heading: str) -> str:
    """Return the anchor that a heading gets.

    Example:
        >>> anchor("spotter, 20 dB")
        'spotter-20-db'
    """
    joined = heading.lower().replace(" ", "-")
    return "".join(letter for letter in joined if letter.isalnum() or letter in "-_")
