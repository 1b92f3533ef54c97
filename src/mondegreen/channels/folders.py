"""Sounds from a folder that the user names."""

from __future__ import annotations

from pathlib import Path

from mondegreen.data.listing import audio_files
from mondegreen.errors import MondegreenError


def sounds_in(channel: str, folder: str) -> list[Path]:
    """Return the sound files of a folder, sorted by name.

    Args:
        channel: The channel's name, for the error.
        folder: Where they lie.

    Raises:
        MondegreenError: The folder is missing or holds none.
    """
    root = Path(folder)
    if not root.is_dir():
        raise MondegreenError(f"channel {channel}: there is no folder {folder!r}; check the path.")
    found = audio_files(root)
    if not found:
        raise MondegreenError(
            f"channel {channel}: {root} holds no sound files (WAV, FLAC, OGG, MP3, AU)."
        )
    return found
