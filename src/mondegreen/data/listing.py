"""Finding sound files and telling who speaks from a file's name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mondegreen.data.corpus import Clip
from mondegreen.errors import MondegreenError

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".mp3", ".au"})

_OFFICIAL_SPEAKER = re.compile(r"(?:^|_)([0-9a-f]{8})_nohash_")


def require_folder(path: Path) -> None:
    """Raise a :class:`MondegreenError` unless ``path`` is a folder that can be listed."""
    if not path.exists():
        raise MondegreenError(f"the data folder {path} does not exist. Check the path.")
    if not path.is_dir():
        raise MondegreenError(f"{path} is not a folder; expected a folder with one folder a label.")


def audio_files(folder: Path) -> list[Path]:
    """Return the sound files directly inside ``folder``, sorted by name; hidden ones are ignored.

    Raises:
        MondegreenError: The folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if not entry.name.startswith((".", "_"))
                and os.path.splitext(entry.name)[1].lower() in AUDIO_SUFFIXES  # noqa: PTH122
                and entry.is_file()
            ]
    except OSError as error:
        raise MondegreenError(f"cannot list {folder}: {error.strerror or error}.") from error
    return [folder / name for name in sorted(names)]


def visible_folders(root: Path) -> list[Path]:
    """Return the folders directly inside ``root`` whose names begin with neither ``.`` nor ``_``.

    Raises:
        MondegreenError: ``root`` cannot be listed.
    """
    try:
        folders = [path for path in root.iterdir() if path.is_dir()]
    except OSError as error:
        raise MondegreenError(f"cannot list {root}: {error.strerror or error}.") from error
    return sorted(path for path in folders if not path.name.startswith((".", "_")))


def speaker_of(name: str) -> str | None:
    """Return the speaker in a Speech Commands file name, or None where it names none.

    The official test archive's unknown words carry the word in front of the speaker; it is left
    out, so that one speaker is one group everywhere.

    Example:
        >>> speaker_of("0bac8a71_nohash_0.wav"), speaker_of("backward_0c540988_nohash_0.wav")
        ('0bac8a71', '0c540988')
    """
    official = _OFFICIAL_SPEAKER.search(name)
    if official:
        return official.group(1)
    before, separator, _ = name.partition("_nohash_")
    return before if separator and before else None


def compile_group_pattern(pattern: str | None) -> re.Pattern[str] | None:
    """Compile the regular expression that finds a clip's group in its file name.

    Raises:
        MondegreenError: It is not a regular expression or has no capture group.
    """
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise MondegreenError(
            f"the group pattern {pattern!r} is not a regular expression: {error}."
        ) from error
    if compiled.groups == 0:
        raise MondegreenError(
            f"the group pattern {pattern!r} has no capture group; put the part of the file name "
            "that names the speaker or track in parentheses."
        )
    return compiled


def group_of(path: Path, pattern: re.Pattern[str] | None = None) -> str:
    """Return the speaker or track of a clip, told from its file name.

    The text before ``_nohash_``, else the pattern's first capture group, else the file's stem.

    Args:
        path: The sound file.
        pattern: From :func:`compile_group_pattern`.

    Raises:
        MondegreenError: The pattern does not match the name, or captures nothing.
    """
    speaker = speaker_of(path.name)
    if speaker is not None:
        return speaker
    if pattern is None:
        return path.stem
    match = pattern.search(path.name)
    if match is None or not match.group(1):
        raise MondegreenError(
            f"the group pattern {pattern.pattern!r} finds no group in the file name {path.name} "
            f"(in {path.parent}). Change the pattern or move the file away."
        )
    return match.group(1)


def clips_in(folder: Path, label: str, pattern: re.Pattern[str] | None = None) -> list[Clip]:
    """Return the clips of one folder under one label.

    Raises:
        MondegreenError: The folder cannot be listed or the pattern does not fit.
    """
    return [Clip(path, label, group_of(path, pattern)) for path in audio_files(folder)]
