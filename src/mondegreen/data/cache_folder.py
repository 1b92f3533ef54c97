"""Where decoded clips are kept, and which files are theirs."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import is_leftover

_NAMES = re.compile(r"[0-9a-f]{16}(-[0-9a-f]{12}\.pcm|\.json)")
"""Of the clips of a corpus, and of the index that names them."""


def default_cache_folder() -> Path:
    """Return ``$MONDEGREEN_CACHE``, or ``~/.cache/mondegreen`` where it is not set."""
    named = os.environ.get("MONDEGREEN_CACHE", "")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "mondegreen"


def refuse_foreign_cache(folder: Path) -> None:
    """Refuse a folder that holds other things than decoded clips.

    Raises:
        MondegreenError: It does.
    """
    names = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    foreign = [one for one in names if not (_NAMES.fullmatch(one.name) or is_leftover(one))]
    if foreign or (folder.exists() and not folder.is_dir()):
        raise MondegreenError(
            f"{folder} is no cache of clips: it holds {(foreign or [folder])[0]}; move it away or "
            "choose another --out."
        )
