"""Whose a folder is: what commands of this package left there, and what is somebody else's."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import is_leftover, read_json


def is_environment(path: Path) -> bool:
    """Tell whether a file is an ``env.json`` of this package."""
    try:
        content = read_json(path)
    except MondegreenError:
        return False
    return isinstance(content, dict) and "mondegreen" in content


def was_begun(folder: Path, fields: Iterable[str]) -> bool:
    """Tell whether a command wrote its ``config.json`` and was ended before it did anything else.

    Args:
        folder: Holds ``config.json``, ``env.json``, or neither.
        fields: Those of the command's configuration.
    """
    config, env = folder / "config.json", folder / "env.json"
    if env.exists():
        return is_environment(env)
    if not config.exists():
        return True
    try:
        found = read_json(config)
    except MondegreenError:
        return False
    return isinstance(found, dict) and set(found) <= set(fields)


def refuse_foreign_run(folder: Path) -> None:
    """Refuse a folder that holds something and is no run.

    Raises:
        MondegreenError: It is not.
    """
    if folder.is_dir() and all(one.name == ".lock" or is_leftover(one) for one in folder.iterdir()):
        return  # it was never begun
    if not folder.exists():
        return
    if not (folder / "config.json").is_file() or not is_environment(folder / "env.json"):
        raise MondegreenError(f"{folder} is no run; move it away or choose another --out.")


def delete_folder(folder: Path) -> None:
    """Delete a folder, if it is there.

    Raises:
        MondegreenError: It cannot be deleted.
    """
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise MondegreenError(f"cannot delete {folder}: {error.strerror}.") from error
