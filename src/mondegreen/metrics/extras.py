"""Packages that only some measures need."""

from __future__ import annotations

import importlib.util

from mondegreen.errors import MissingExtraError


def require(package: str, extra: str) -> None:
    """Check, without importing it, that an optional package is there.

    Args:
        package: Its import name.
        extra: The extra of this project that brings it.

    Raises:
        MissingExtraError: It is not installed.
    """
    if importlib.util.find_spec(package) is None:
        raise MissingExtraError(package, extra)
