"""Intervals of rates as result files hold them, read so that none is a single point."""

from __future__ import annotations

from mondegreen.metrics.success import wilson_interval
from mondegreen.report.fields import Fields, Interval


def sure_interval(rate: float, interval: Interval | None, pairs: int) -> Interval:
    """Return a 95 % interval of a rate that is never a single point.

    Result files may hold none, or, where every pair succeeded or none, one without any width. Its
    far end is then the exact one of as many independent pairs (Clopper and Pearson, 1934).

    Example:
        >>> low, high = sure_interval(1.0, (1.0, 1.0), 60)
        >>> round(low, 3), high
        (0.94, 1.0)
    """
    if interval is None:
        return wilson_interval(round(rate * pairs), pairs)
    if interval[0] < interval[1] or rate not in (0.0, 1.0):
        return interval
    beyond = 1.0 - 0.025 ** (1.0 / max(pairs, 1))
    return (1.0 - beyond, 1.0) if rate else (0.0, beyond)


def read_interval(
    fields: Fields, rate: float | None, pairs: int | None, name: str = "success_interval"
) -> Interval | None:
    """Return a stored 95 % interval of a rate; None where the file holds none.

    Older files hold one without any width where every pair succeeded or none:
    :func:`sure_interval` gives it its far end.

    Args:
        fields: The object that holds it.
        rate: What it is of; None where that was not measured.
        pairs: Of how many pairs; None where that is not known.
        name: The field.

    Raises:
        MondegreenError: The field is damaged.
    """
    found = fields.optional_interval(name)
    if found is None or rate is None or not pairs:
        return found
    return sure_interval(rate, found, pairs)


def needed_interval(
    fields: Fields, rate: float, pairs: int, name: str = "success_interval"
) -> Interval:
    """Return the same of a field that has to be there.

    Raises:
        MondegreenError: The field is missing or damaged.
    """
    found = fields.interval(name)
    return sure_interval(rate, found, pairs) if pairs else found
