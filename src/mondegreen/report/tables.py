"""A table that can be shown anywhere: in a terminal, in Markdown, in LaTeX, on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from mondegreen.report import markdown
from mondegreen.report.latex import wide_table


@dataclass(frozen=True)
class Table:
    """Texts in rows and columns.

    Args:
        title: One sentence: what the table shows.
        head: Titles of the columns.
        rows: The cells.
        left: How many of the first columns hold words; those after them hold numbers.
        remarks: Whether the last column holds words too.
        note: What has to be known to read it.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    remarks: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse rows of another length."""
        if any(len(row) != len(self.head) for row in self.rows):
            raise ValueError(f"a row of the table {self.title!r} has not {len(self.head)} cells")

    @property
    def alignment(self) -> str:
        """``l`` or ``r`` for every column."""
        count = len(self.head)
        sides = ["l" if place < self.left else "r" for place in range(count)]
        if self.remarks:
            sides[-1] = "l"
        return "".join(sides)

    def markdown(self) -> str:
        """Return the table and its note as Markdown."""
        text = markdown.table(self.head, self.rows, self.alignment)
        return f"{text}\n{markdown.escape_text(self.note)}\n" if self.note else text

    def latex(self) -> str:
        """Return the table for a paper."""
        caption = f"{self.title.rstrip('.')}. {self.note}".strip()
        return wide_table(self.head, self.rows, self.alignment, caption)

    def print(self, console: Console) -> None:
        """Print the table; words may be broken over lines, numbers are not."""
        shown = RichTable(title=Text(self.title), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        columns = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.head)
        for name, letter, cells in zip(self.head, self.alignment, columns, strict=True):
            side: Literal["left", "right"] = "left" if letter == "l" else "right"
            widest = max(map(len, cells), default=1)
            least = widest if side == "right" else min(widest, 14)
            shown.add_column(Text(name), justify=side, min_width=least, overflow="fold")
        for row in self.rows:
            shown.add_row(*map(Text, row))
        console.print(shown)
        if self.note:
            console.print(Text(self.note, style="dim"))
