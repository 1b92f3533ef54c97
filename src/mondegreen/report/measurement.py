"""What all measurements on the same pairs say of themselves, in the same fields of their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mondegreen.report.fields import Fields, Interval
from mondegreen.report.results import DataUsed, read_data


@dataclass(frozen=True)
class OnPairs:
    """A measurement whose attacks all meet the same pairs of a clip and a target."""

    data: DataUsed
    pairs: int
    available: int
    """Of how many pairs they were drawn."""
    clips: int
    groups: int
    """Speakers or tracks among the pairs."""
    seed: int
    command: str
    environment: Mapping[str, Any]
    duration_seconds: float
    created: str

    @property
    def drawn(self) -> str:
        """The pairs in words: how many, of which, and of whom."""
        every = self.pairs == self.available
        which = "all" if every else f"{self.pairs:,} of {self.available:,}, drawn"
        return (
            f"{self.data.split} split by {self.data.split_kind}: the same {self.pairs:,} pairs "
            f"({which}) of {self.clips:,} clips and {self.groups:,} speakers or tracks"
        )


def longest_reach(measured: Iterable[tuple[float | None, Interval | None]]) -> float:
    """Return how far the ends of intervals lie from their rates at most; 0 without any.

    A bootstrap's interval reaches further on one side, so half of its width is not it.

    Example:
        >>> longest_reach([(0.5, (0.25, 0.625)), (None, None)])
        0.25
    """
    return max(
        (
            max(rate - ends[0], ends[1] - rate)
            for rate, ends in measured
            if rate is not None and ends is not None
        ),
        default=0.0,
    )


def read_on_pairs(top: Fields) -> dict[str, Any]:
    """Return the values of all fields of :class:`OnPairs`, for what is derived from it."""
    pairs = top.child("pairs")
    found = OnPairs(
        data=read_data(top.child("dataset")),
        pairs=pairs.count("count"),
        available=pairs.count("available"),
        clips=pairs.count("clips"),
        groups=pairs.count("groups"),
        seed=top.count("seed"),
        command=top.text("command"),
        environment=top.child("environment").values,
        duration_seconds=top.number("duration_seconds"),
        created=top.text("created"),
    )
    return vars(found)
