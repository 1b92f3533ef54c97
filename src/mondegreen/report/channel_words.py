"""What survived, said in words that follow from the numbers."""

from __future__ import annotations

from mondegreen.report.channel_results import ChannelResults, ChannelRow
from mondegreen.report.results import BudgetUsed

BANDS = (
    (0.9, "nearly all"),
    (0.5, "more than half"),
    (0.2, "some"),
    (0.0, "little"),
)
"""From which share of the successes on a channel is said to leave so much, in falling order."""

BROKEN = 0.1
"""A channel that costs the classifier more of its accuracy than this is said to break it."""


def sentences(found: ChannelResults, budget: BudgetUsed) -> list[str]:
    """Return one sentence for every attack under a budget: which channels leave how much of it.

    The bands are shares of the pairs that succeed without a channel: 90 % and more, 50 %, 20 %.
    """
    return [f"**{row.label}**: {_bands(found, row)}." for row in found.under(budget)]


def _bands(found: ChannelResults, row: ChannelRow) -> str:
    groups: dict[str, list[str]] = {words: [] for _, words in BANDS}
    for channel, cell in zip(found.channels, row.cells, strict=True):
        if cell.survival_rate is None:
            continue
        words = next(words for least, words in BANDS if cell.survival_rate >= least)
        groups[words].append(f"`{channel.name}`")
    parts = [
        f"{words} of its success survives {join(names)}" for words, names in groups.items() if names
    ]
    return "; ".join(parts) or "nothing succeeded that could survive"


def broken(found: ChannelResults) -> str:
    """Return which channels trouble the classifier by themselves."""
    lost = [one for one in found.channels if found.clean_accuracy - one.clean_accuracy > BROKEN]
    if not lost:
        return "No channel by itself costs the classifier more than ten points of accuracy."
    names = join([f"`{one.name}`" for one in lost])
    return f"By themselves, these cost the classifier more than ten points of accuracy: {names}."


def join(names: list[str]) -> str:
    """Return a list as it stands in a sentence.

    Example:
        >>> join(["a", "b", "c"])
        'a, b and c'
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
