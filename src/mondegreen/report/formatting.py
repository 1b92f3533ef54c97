"""Numbers as readers of a report see them; a dash where nothing was measured."""

from __future__ import annotations

import math
from typing import Any

DASH = "–"


def percent(rate: float | None, digits: int = 2) -> str:
    """Return a rate in percent.

    Example:
        >>> percent(0.9233)
        '92.33 %'
    """
    return DASH if rate is None else f"{100 * rate:.{digits}f} %"


def number(value: float | None, digits: int = 2, unit: str = "") -> str:
    """Return a number with its unit.

    Example:
        >>> number(20.274, 1, "dB")
        '20.3 dB'
    """
    if value is None or math.isnan(value):
        return DASH
    text = f"{value:.{digits}f}" if math.isfinite(value) else ("∞" if value > 0 else "−∞")
    return f"{text} {unit}".strip()


def size(value: int | None) -> str:
    """Return a large count in three or four digits.

    Example:
        >>> size(5_196_464), size(1_354_760_192), size(812)
        ('5.20 M', '1.35 G', '812')
    """
    if value is None:
        return DASH
    for scale, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= scale:
            return f"{value / scale:.2f} {letter}"
    return str(value)


def duration(seconds: float) -> str:
    """Return a duration in the two largest units.

    Example:
        >>> duration(75), duration(3720), duration(4.2)
        ('1 min 15 s', '1 h 2 min', '4.2 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def option(value: Any) -> str:
    """Return a hyper-parameter's value.

    Example:
        >>> option([0.5, True, None]), option({"kind": "snr", "value": 20.0})
        ('0.5, yes, none', 'kind = snr, value = 20')
    """
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(option, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} = {option(item)}" for name, item in value.items())
    return str(value)
