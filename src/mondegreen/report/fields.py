"""One JSON object read field by field, so that an error names the file and the field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json

Interval = tuple[float, float]


@dataclass(frozen=True)
class Fields:
    """A JSON object and where it came from.

    Args:
        values: The object.
        where: File and path of fields, such as ``run/results.json: classifier``.
    """

    values: dict[str, Any]
    where: str

    @classmethod
    def of(cls, value: Any, where: str) -> Fields:
        """Wrap ``value``.

        Raises:
            MondegreenError: It is not an object.
        """
        if not isinstance(value, dict):
            raise MondegreenError(f"{where}: expected an object, found {_short(value)}.")
        return cls(value, where)

    @classmethod
    def read(cls, path: Path, version: int) -> Fields:
        """Read a result file.

        Raises:
            MondegreenError: It is missing, not JSON, no object, or of another format.
        """
        top = cls.of(read_json(path), str(path))
        top.require_format(version)
        return top

    def require_format(self, version: int) -> None:
        """Refuse a file of another format."""
        if self.value("format") != version:
            found = self.value("format")
            self.fail("format", f"this version reads format {version}, found {found!r}")

    def fail(self, name: str, problem: str) -> NoReturn:
        """Raise the error for a field."""
        raise MondegreenError(
            f"{self.where}: {name}: {problem}. The file is damaged or of another version; run the "
            "evaluation again."
        )

    def value(self, name: str) -> Any:
        """Return a field as it is; a missing one is an error."""
        if name not in self.values:
            self.fail(name, "the field is missing")
        return self.values[name]

    def text(self, name: str) -> str:
        """Return a string."""
        value = self.value(name)
        if not isinstance(value, str):
            self.fail(name, f"expected a string, found {_short(value)}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            self.fail(name, f"expected true or false, found {_short(value)}")
        return value

    def count(self, name: str) -> int:
        """Return an integer of at least 0."""
        value = self.value(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.fail(name, f"expected a count, found {_short(value)}")
        return value

    def optional_count(self, name: str) -> int | None:
        """Return an integer of at least 0, or None where it is null or absent."""
        return None if self.values.get(name) is None else self.count(name)

    def number(self, name: str) -> float:
        """Return a finite number."""
        return self._finite(name, self.value(name))

    def optional_number(self, name: str) -> float | None:
        """Return a finite number, or None where it is null or absent."""
        value = self.values.get(name)
        return None if value is None else self._finite(name, value)

    def rate(self, name: str) -> float:
        """Return a number between 0 and 1."""
        return self._unit(name, self.value(name))

    def optional_rate(self, name: str) -> float | None:
        """Return a number between 0 and 1, or None where it is null or absent."""
        value = self.values.get(name)
        return None if value is None else self._unit(name, value)

    def interval(self, name: str, *, rates: bool = True) -> Interval:
        """Return the ends of an interval, in order: rates, or else any finite numbers."""
        ends, read = self.value(name), self._unit if rates else self._finite
        if not isinstance(ends, list) or len(ends) != 2:
            self.fail(name, f"expected the lower and the upper end, found {_short(ends)}")
        low, high = (read(name, end) for end in ends)
        if low > high:
            self.fail(name, f"expected the ends in order, found {_short(ends)}")
        return low, high

    def optional_interval(self, name: str) -> Interval | None:
        """Return the ends of an interval of rates, or None where it is null or absent."""
        return None if self.values.get(name) is None else self.interval(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings."""
        value = self.value(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fail(name, f"expected a list of strings, found {_short(value)}")
        return tuple(value)

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a list of finite numbers."""
        value = self.value(name)
        if not isinstance(value, list):
            self.fail(name, f"expected a list of numbers, found {_short(value)}")
        return tuple(self._finite(name, item) for item in value)

    def optional_text(self, name: str) -> str | None:
        """Return a string, or None where it is null or absent."""
        return None if self.values.get(name) is None else self.text(name)

    def child(self, name: str) -> Fields:
        """Return a nested object."""
        return Fields.of(self.value(name), f"{self.where}: {name}")

    def children(self, name: str) -> list[Fields]:
        """Return a list of nested objects."""
        values = self.value(name)
        if not isinstance(values, list):
            self.fail(name, f"expected a list of objects, found {_short(values)}")
        return [
            Fields.of(value, f"{self.where}: {name} {number}")
            for number, value in enumerate(values, start=1)
        ]

    def optional_child(self, name: str) -> Fields | None:
        """Return a nested object, or None where it is null or absent."""
        return None if self.values.get(name) is None else self.child(name)

    def square(self, name: str, size: int) -> list[list[Any]]:
        """Return a list of ``size`` lists of ``size`` values."""
        rows = self.value(name)
        whole = isinstance(rows, list) and len(rows) == size
        if not whole or not all(isinstance(row, list) and len(row) == size for row in rows):
            self.fail(name, f"expected {size} rows of {size} values, one for each label")
        return list(rows)

    def rates(self, name: str, size: int) -> tuple[tuple[float | None, ...], ...]:
        """Return a square of rates, None where there is none."""
        return tuple(
            tuple(None if value is None else self._unit(name, value) for value in row)
            for row in self.square(name, size)
        )

    def counts(self, name: str, size: int) -> tuple[tuple[int, ...], ...]:
        """Return a square of counts."""
        rows = self.square(name, size)
        for value in (value for row in rows for value in row):
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                self.fail(name, f"expected counts, found {_short(value)}")
        return tuple(tuple(row) for row in rows)

    def _finite(self, name: str, value: Any) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            self.fail(name, f"expected a number, found {_short(value)}")
        try:
            number = float(value)
        except OverflowError:  # an integer of hundreds of digits
            number = math.inf
        if not math.isfinite(number):
            self.fail(name, f"expected a finite number, found {_short(value)}")
        return number

    def _unit(self, name: str, value: Any) -> float:
        number = self._finite(name, value)
        if not 0.0 <= number <= 1.0:
            self.fail(name, f"expected a rate between 0 and 1, found {number:g}")
        return number


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
