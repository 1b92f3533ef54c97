"""Frozen dataclasses as JSON and back, checked field by field.

Configurations are dataclasses everywhere: the command line is made from them, they are saved beside
every result, and they are read back from files that nobody vouches for.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from mondegreen.errors import MondegreenError

C = TypeVar("C")


def to_dict(config: Any) -> dict[str, Any]:
    """Return a dataclass as plain JSON values (tuples become lists, paths become strings).

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Size:
        ...     width: float = 1.0
        >>> to_dict(Size())
        {'width': 1.0}
    """
    plain: dict[str, Any] = _plain(dataclasses.asdict(config))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def with_defaults(config: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Return JSON values with the fields that they lack at the defaults of the dataclass.

    So a file of an earlier version compares equal where only options are new. What has no default
    stays missing, and dataclasses within are filled in alike where they are of the same kind.

    Args:
        config: The dataclass that the values are to be compared with.
        data: What ``json.loads`` gave.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Size:
        ...     width: float = 1.0
        ...     height: float = 2.0
        >>> with_defaults(Size(height=5.0), {"width": 3.0})
        {'width': 3.0, 'height': 2.0}
    """
    filled = dict(data)
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name not in data:
            if field.default is not dataclasses.MISSING:
                filled[field.name] = _plain(_as_dict(field.default))
            elif field.default_factory is not dataclasses.MISSING:
                filled[field.name] = _plain(_as_dict(field.default_factory()))
        elif dataclasses.is_dataclass(value) and isinstance(data[field.name], dict):
            filled[field.name] = with_defaults(value, data[field.name])
    return filled


def _as_dict(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def free(default: Any) -> Any:
    """Return the default of a field that changes no result, so that it may differ in a run."""
    return dataclasses.field(default=default, metadata={"free": True})


def free_fields(config: Any) -> set[str]:
    """Return the names of the fields made by :func:`free`."""
    return {field.name for field in dataclasses.fields(config) if field.metadata.get("free")}


def from_dict(cls: type[C], data: Any, where: str) -> C:
    """Build the dataclass ``cls`` from JSON values; unknown or ill-typed fields are errors.

    Unions of dataclasses are told apart by their ``kind`` field.

    Args:
        cls: A dataclass.
        data: What ``json.loads`` gave.
        where: The file or option it came from, for the error message.

    Raises:
        MondegreenError: A field is unknown, missing, of the wrong type or out of range; the message
            names ``where`` and the field.
    """
    if not isinstance(data, dict):
        raise MondegreenError(f"{where}: expected an object, found {type(data).__name__}.")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - set(fields))
    if unknown:
        raise MondegreenError(f"{where}: unknown field {unknown[0]!r}; known: {sorted(fields)}.")
    values = {name: _value(hints[name], item, f"{where}: {name}") for name, item in data.items()}
    try:
        return cls(**values)
    except TypeError as error:
        raise MondegreenError(f"{where}: {error}.") from error
    except (MondegreenError, ValueError) as error:
        raise MondegreenError(f"{where}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        return _union(typing.get_args(hint), value, where)
    if origin is Literal:
        for choice in typing.get_args(hint):
            if type(choice) is type(value) and choice == value:  # 1 == 1.0 == True
                return choice
        raise MondegreenError(f"{where}: {_shown(value)} is not one of {typing.get_args(hint)}.")
    if origin is tuple:
        if not isinstance(value, list):
            raise MondegreenError(f"{where}: expected a list, found {type(value).__name__}.")
        item_hints = typing.get_args(hint)
        if len(item_hints) == 2 and item_hints[1] is Ellipsis:
            item_hints = (item_hints[0],) * len(value)
        if len(item_hints) != len(value):
            raise MondegreenError(f"{where}: expected {len(item_hints)} items, found {len(value)}.")
        return tuple(_value(h, v, where) for h, v in zip(item_hints, value, strict=True))
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type[Any], hint), value, where)
    return _scalar(hint, value, where)


def _union(options: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in options:
        return None
    options = tuple(option for option in options if option is not type(None))
    if len(options) == 1:
        return _value(options[0], value, where)
    if isinstance(value, dict):
        for option in options:
            kind = getattr(option, "kind", None)
            if kind is not None and kind == value.get("kind"):
                return from_dict(option, value, where)
        kinds = [getattr(option, "kind", option) for option in options]
        raise MondegreenError(f"{where}: kind {_shown(value.get('kind'))} is not one of {kinds}.")
    for option in options:
        try:
            return _value(option, value, where)
        except MondegreenError:
            continue
    raise MondegreenError(f"{where}: {_shown(value)} fits none of {options}.")


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _finite(value, where)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    name = getattr(hint, "__name__", str(hint))
    raise MondegreenError(f"{where}: expected {name}, found {_shown(value)}.")


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise MondegreenError(f"{where}: expected a finite number, found {_shown(value)}.")
    return number


def _shown(value: Any) -> str:
    """Return a short text; containers are only named, for they may be deep enough to crash repr."""
    if isinstance(value, (dict, list)):
        return f"a {type(value).__name__}"
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of thousands of digits
        text = "a huge number"
    return text if len(text) <= 80 else text[:77] + "..."
