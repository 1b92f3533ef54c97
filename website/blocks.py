"""The fenced blocks of a page, for the tests that run them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHELL = ("sh", "console")


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: Path
    number: int
    """Its place among the blocks of the page, from 1."""
    language: str
    code: str
    title: str = ""
    """The file that it is, where it says so."""

    @property
    def name(self) -> str:
        """The page and the number, for a test's name."""
        return f"{self.page.relative_to(ROOT)}-{self.number}"

    def commands(self) -> list[list[str]]:
        """Return the words of every command of a shell block."""
        lines = self.code.replace("\\\n", " ").splitlines()
        return [words for words in (shlex.split(line, comments=True) for line in lines) if words]


def pages() -> list[Path]:
    """Return every page: those at the root, and all below ``docs``."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    found = []
    for number, fence in enumerate(FENCE.finditer(page.read_text(encoding="utf-8")), start=1):
        language, rest, code = fence.groups()
        title = re.search(r'title="([^"]+)"', rest)
        found.append(Block(page, number, language, code, title[1] if title else ""))
    return found


def without_variables(words: list[str]) -> list[str]:
    """Return a command without the variables that are set before it.

    Example:
        >>> without_variables(["PYTHONPATH=.", "make", "A=1"])
        ['make', 'A=1']
    """
    first = next(place for place, word in enumerate(words) if not re.match(r"[A-Z_]+=", word))
    return words[first:]
