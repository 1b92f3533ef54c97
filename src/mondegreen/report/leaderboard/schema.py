"""Entries are read strictly: known fields only, texts and lists of bounded length."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NoReturn

from mondegreen.errors import MondegreenError
from mondegreen.report.fields import Fields

LONGEST = 2000
"""Characters of a text, unless a field says less."""
MOST = 200
"""Objects in a list."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


class Sheet(Fields):
    """The fields of an entry: what is wrong with one is its author's to mend."""

    def fail(self, name: str, problem: str) -> NoReturn:
        """Raise the error for a field."""
        raise MondegreenError(
            f"{self.where}: {name}: {problem}. docs/leaderboard.md says what an entry holds."
        )

    @classmethod
    def wrap(cls, value: Any, where: str) -> Sheet:
        """Wrap an object.

        Raises:
            MondegreenError: It is none.
        """
        return cls(Fields.of(value, where).values, where)

    def only(self, *names: str) -> None:
        """Refuse fields of other names: a typing error would be overlooked otherwise."""
        others = [name for name in self.values if name not in names]
        if others:
            self.fail(others[0][:40], f"there is no such field; there are: {', '.join(names)}")

    def words(self, name: str, longest: int = LONGEST, *, empty: bool = False) -> str:
        """Return a text on one line, without characters that nobody sees."""
        text = self.text(name)
        if len(text) > longest:
            self.fail(name, f"{len(text)} characters; {longest} are allowed")
        if _CONTROL.search(text) or "\n" in text:
            self.fail(name, "it holds characters that are not shown, or line breaks")
        if not text.strip() and not empty:
            self.fail(name, "it is empty")
        return text.strip()

    def optional_words(self, name: str, longest: int = LONGEST) -> str:
        """Return a text; an empty one where it is null, absent or empty."""
        return "" if self.values.get(name) is None else self.words(name, longest, empty=True)

    def choice(self, name: str, choices: Collection[str]) -> str:
        """Return one of some texts."""
        text = self.text(name)
        if text not in choices:
            self.fail(name, f"{text[:40]!r} is none of: {', '.join(choices)}")
        return text

    def matching(self, name: str, pattern: str, what: str) -> str:
        """Return a text of a form."""
        text = self.text(name)
        if len(text) > LONGEST or re.fullmatch(pattern, text) is None:
            self.fail(name, f"{text[:40]!r} is not {what}")
        return text

    def sheet(self, name: str) -> Sheet:
        """Return a nested object."""
        return Sheet.wrap(self.value(name), f"{self.where}: {name}")

    def optional_sheet(self, name: str) -> Sheet | None:
        """Return a nested object, or None where it is null or absent."""
        return None if self.values.get(name) is None else self.sheet(name)

    def sheets(self, name: str) -> list[Sheet]:
        """Return a list of nested objects; an empty one where it is absent."""
        found = self.values.get(name, [])
        if not isinstance(found, list):
            self.fail(name, "expected a list")
        if len(found) > MOST:
            self.fail(name, f"{len(found)} objects; {MOST} are allowed")
        return [
            Sheet.wrap(one, f"{self.where}: {name} {number}")
            for number, one in enumerate(found, start=1)
        ]
