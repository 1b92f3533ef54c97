"""Entries as JSON: what commands write, nobody types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.report.leaderboard.entry import Entry, Smoke


def smoke_content(smoke: Smoke) -> dict[str, Any]:
    """Return smoke figures as an entry holds them."""
    return {
        "corpus": smoke.corpus,
        "clips": smoke.clips,
        "right": smoke.right,
        "figures": [dict(vars(one)) for one in smoke.figures],
    }


def write_smoke(path: Path, entry: Entry, smoke: Smoke) -> None:
    """Write the smoke figures into an entry's file; everything else stays as it is.

    Args:
        path: The file.
        entry: What it holds.
        smoke: The figures.

    Raises:
        MondegreenError: It cannot be read or written.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise MondegreenError(f"{path}: {entry.name} is no entry.")
    write_json(path, {**content, "smoke": smoke_content(smoke)})
