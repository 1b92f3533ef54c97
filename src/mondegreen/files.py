"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from mondegreen.errors import MondegreenError

MAX_JSON_BYTES = 2**28

_MOST_DIGITS = 300
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
_LEFTOVER = re.compile(r"\..*\.[0-9a-f]{8}\.tmp(\.[^.]*)?")


def exists(path: Path) -> bool:
    """Tell whether something lies at ``path``: no, too, where nothing can have such a name.

    Example:
        >>> exists(Path("x" * 5000))
        False
    """
    try:
        return path.exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` and rename it onto ``path`` when the block succeeds.

    A reader sees the old file or the new one, never a half of either; nor does a power failure
    leave a half, for the content is on the disk before the name. The parent folder is made where it
    is missing.

    Args:
        path: The file to create or replace.

    Yields:
        The path to write to. It keeps the suffix of ``path`` (writers choose formats by it).

    Raises:
        MondegreenError: The folder is read-only, the disk is full, or another ``OSError`` arose.
    """
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _settle(temporary)
        temporary.replace(path)
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".")
        raise MondegreenError(
            f"cannot write {path}: {reason}. Free some space or choose another output folder."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}")


def _refuse_huge(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"it holds an integer of {len(digits)} digits")
    return int(digits)


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it holds {twice[:40]!r} twice")
    return found


def _settle(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_leftover(path: Path) -> bool:
    """Tell whether a file has the name of one that :func:`atomic_write` did not finish.

    Example:
        >>> is_leftover(Path(".state.0123abcd.tmp.pt")), is_leftover(Path("state.pt"))
        (True, False)
    """
    return _LEFTOVER.fullmatch(path.name) is not None


def remove_leftovers(folder: Path, *, older_than: float = 0.0) -> None:
    """Remove what a process that was killed left half-written in a folder and those below it.

    Args:
        folder: The folder. If other processes may be writing to it, ``older_than`` has to be longer
            than they write a file.
        older_than: Keep files that were changed in the last so many seconds.
    """
    for path in folder.rglob(".*.tmp*"):
        if is_leftover(path):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime >= older_than:
                    path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 to ``path``, atomically.

    Raises:
        MondegreenError: The file cannot be written.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON to ``path``, atomically; NaN and infinity are refused.

    Raises:
        MondegreenError: The file cannot be written.
        ValueError: ``value`` holds NaN or infinity, which JSON has no form for.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file as RFC 8259 has it: no NaN, no name twice in an object, no half characters.

    Raises:
        MondegreenError: The file is missing, unreadable, not JSON or larger than 256 MB.
    """
    try:
        size = path.stat().st_size
        if path.exists() and not path.is_file() and not path.is_dir():
            raise MondegreenError(f"{path} is not a regular file.")
        if size > MAX_JSON_BYTES:
            raise MondegreenError(
                f"{path} has {size} bytes; no file of ours is larger than {MAX_JSON_BYTES}."
            )
        text = path.read_text(encoding="utf-8")
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_int=_refuse_huge,
            object_pairs_hook=_refuse_twice,
        )
        if _HALF_CHARACTER.search(text):
            json.dumps(value, ensure_ascii=False).encode()  # fails for halves without the other
        return value
    except FileNotFoundError as error:
        raise MondegreenError(f"{path} does not exist.") from error
    except OSError as error:
        raise MondegreenError(f"cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise MondegreenError(f"{path} is not valid JSON ({error}).") from error
