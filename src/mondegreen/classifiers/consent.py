"""Which programs and services the user has named, so that a file alone can start none of them.

Opening some models runs code or sends clips away. Who names one on the command line has asked for
that. A ``classifier.json`` that names one has not asked anybody: it may come from a stranger. So
adopting a model leaves a note, in a folder of the user's own, that this source with this content
was named here; and a sheet is believed only where there is such a note.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mondegreen.errors import MondegreenError
from mondegreen.files import write_json

if TYPE_CHECKING:
    from mondegreen.classifiers.sources.source import Source

VARIABLE = "MONDEGREEN_ALLOWED"
"""Environment variable that moves the folder of notes."""


def notes_folder() -> Path:
    """Return the folder of the notes."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path.home() / ".config" / "mondegreen" / "allowed"


def _note(source: Source, sha256: str | None) -> Path:
    """Return the file that a source's note is in: named by place and content."""
    path = source.path
    place = source.text
    if path is not None:  # the same file, from wherever it is called
        place = str(path.resolve()) + source.text.removeprefix(str(path))
    key = hashlib.sha256(json.dumps([source.kind, place, sha256]).encode()).hexdigest()
    return notes_folder() / f"{key}.json"


def allow(source: Source, sha256: str | None) -> None:
    """Note that the user has named a source.

    Raises:
        MondegreenError: The note cannot be written.
    """
    write_json(_note(source, sha256), {"source": source.text, "sha256": sha256})


def refuse_unseen(source: Source, sha256: str | None, where: Path) -> None:
    """Refuse a source that a file names and the user has not.

    Args:
        source: The source.
        sha256: Of its file.
        where: The file that names it.

    Raises:
        MondegreenError: There is no note of it.
    """
    if not _note(source, sha256).is_file():
        raise MondegreenError(
            f"{where}: loading it {source.unseen} {source.text}, which nobody has asked for on "
            "this machine. If it is yours, name it yourself: give --classifier "
            f"{source.text}, or run: mondegreen adopt {source.text} --out {where.parent}."
        )


def refuse_named_by(place: str | Path, where: Path) -> None:
    """Refuse a model that a result file or a list names, where loading it would run code.

    Folders are not refused here: their own sheets are looked at when they are loaded.

    Args:
        place: What the file names.
        where: The file.

    Raises:
        MondegreenError: It names a program or a service.
    """
    from mondegreen.classifiers.sources.opening import find_source

    source = find_source(place)
    if source is not None and source.unseen is not None:
        raise MondegreenError(
            f"{where} names {source.text} as its classifier. Files never start programs or ask "
            f"services by themselves: name it yourself, by --classifier {source.text}."
        )
