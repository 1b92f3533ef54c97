"""Where trained networks lie: run folders, checkpoints, ``zoo:<name>``."""

from __future__ import annotations

from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.zoo import resolve


def ensemble_file(folder: Path) -> Path | None:
    """Return the ``ensemble.json`` that a folder holds, or that is named; None where it is none."""
    return _named_file(folder, "ensemble.json")


def defended_file(folder: Path) -> Path | None:
    """Return the ``defended.json`` that a folder holds, or that is named; None where it is none."""
    return _named_file(folder, "defended.json")


def goals_file(folder: Path) -> Path | None:
    """Return the ``goals.json`` that a folder holds, or that is named; None where it is none."""
    return _named_file(folder, "goals.json")


def _named_file(folder: Path, name: str) -> Path | None:
    path = resolve(folder)
    path = path if path.name == name else path / name
    return path if path.is_file() else None


def find_checkpoint(path: Path, file_name: str) -> Path:
    """Return the folder that holds ``file_name``: ``path`` itself or its ``checkpoints/best``.

    Raises:
        MondegreenError: None of them holds it.
    """
    path = resolve(path)
    if path.name == file_name:
        path = path.parent
    for folder in (path, path / "checkpoints" / "best", path / "checkpoints" / "latest"):
        if (folder / file_name).is_file():
            return folder
    what = file_name.removesuffix(".json")
    raise MondegreenError(
        f"{path} holds no trained {what} (no {file_name} in it). Train one first."
    )
