"""What somebody adds from outside of the package: ``module:name``, in a file of their own."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mondegreen.errors import MondegreenError

T = TypeVar("T")

Value = int | float | bool | str


def is_place(text: str) -> bool:
    """Tell whether a text has the form ``module:name``.

    Example:
        >>> is_place("my_attacks:Hum"), is_place("spectral")
        (True, False)
    """
    return re.fullmatch(r"[\w.]+:\w+", text) is not None


def find(place: str, asked: str, *, here: bool = True) -> Any:
    """Import what ``module:name`` says.

    Args:
        place: Module and name.
        asked: Who asks for it, for the error message, such as ``attack 'my_attacks:Hum'``.
        here: Look in the current folder, too, as an installed command by itself does not. False
            where a file and not the user names the module.

    Raises:
        MondegreenError: There is no such module or name, or importing it fails.

    Example:
        >>> find("math:tau", "metric 'math:tau'")
        6.283185307179586
    """
    module, _, name = place.partition(":")
    folder = str(Path.cwd())
    if here and folder not in sys.path and "" not in sys.path:
        sys.path.append(folder)
    where = "in this folder or in one that" if here else "in a folder that"
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise MondegreenError(
            f"{asked}: cannot import {name} from {module} ({error}). The module has to be "
            f"installed, {where} PYTHONPATH names."
        ) from error
    except Exception as error:  # whatever somebody's own module raises
        line = traceback.extract_tb(error.__traceback__)[-1]
        raise MondegreenError(
            f"{asked}: importing {module} failed at {line.filename}, line {line.lineno}: "
            f"{type(error).__name__}: {error}."
        ) from error


def construct(factory: Callable[..., T], options: Mapping[str, Any], asked: str) -> T:
    """Call a constructor with the options that somebody wrote.

    Raises:
        MondegreenError: It does not take them, or refuses their values.

    Example:
        >>> construct(complex, {"real": 1, "imag": 2}, "example")
        (1+2j)
    """
    try:
        inspect.signature(factory).bind(**options)
    except TypeError as error:
        known = ", ".join(inspect.signature(factory).parameters)
        raise MondegreenError(f"{asked}: {error}; its options: {known}.") from error
    try:
        return factory(**options)
    except (TypeError, ValueError) as error:
        raise MondegreenError(f"{asked}: {error}.") from error


def parse_options(written: str, asked: str) -> dict[str, Value]:
    """Read ``option=value,option=value``.

    Raises:
        MondegreenError: A part is no option with a value, or is repeated.

    Example:
        >>> parse_options("level=2,loud=true,kind=hum", "example")
        {'level': 2, 'loud': True, 'kind': 'hum'}
    """
    options: dict[str, Value] = {}
    for item in filter(None, written.split(",")):
        key, equals, value = item.partition("=")
        if not (equals and key.isidentifier() and value) or key in options:
            raise MondegreenError(f"{asked}: {item!r} is no option=value, or is repeated.")
        options[key] = _value(value)
    return options


def _value(text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
