"""ESC-10, environmental sounds (Piczak 2015, doi 10.1145/2733373.2806390).

Ten classes of 40 recordings of five seconds, freely licensed clip by clip, in five official folds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mondegreen.data.corpus import Clip, Corpus, sorted_corpus
from mondegreen.data.excerpts import cut
from mondegreen.data.listing import (
    audio_files,
    compile_group_pattern,
    group_of,
    require_folder,
    visible_folders,
)
from mondegreen.data.speech_commands import check_labels
from mondegreen.errors import MondegreenError

SILENCE_DB = -60.0
"""Clips of a lower level, in dB of full scale, are left out: recordings shorter than five seconds
were filled up with silence, in which nothing of the class is heard (Piczak discards it too)."""

_NAME = re.compile(r"([1-5])-(\d+)-[A-Z](?:-\d+)?\.\w+")
_NUMBER = re.compile(r"\d{3} - ")


def is_esc10(root: Path) -> bool:
    """Tell whether there are two or more folders, all of whose files are named as in ESC-10."""
    folders = [audio_files(folder) for folder in visible_folders(root)]
    named = [all(_NAME.fullmatch(path.name) for path in files) for files in folders if files]
    return len(named) >= 2 and all(named)


def esc10(
    root: Path, *, labels: Sequence[str] | None = None, group_pattern: str | None = None
) -> Corpus:
    """Read ``<root>/<class>/<fold>-<source>-<take>.ogg``, cut into clips of one second.

    A folder ``001 - Dog bark`` of the official archive is the class ``dog_bark``.

    Args:
        root: The extracted archive.
        labels: The classes and their order; by default all, sorted.
        group_pattern: Finds the group in a file's name, as for
            :func:`mondegreen.data.folder.folder_corpus`.

    Returns:
        The corpus; a clip's group is the source on Freesound, which several recordings may share,
        and its fold the official one. Silent clips are left out where the clips are decoded.

    Raises:
        MondegreenError: The folder or a class is missing or empty, a recording cannot be decoded,
            or the labels are not two or more different ones.
    """
    require_folder(root)
    folders = {_class_of(folder): folder for folder in visible_folders(root)}
    names = sorted(folders) if labels is None else list(labels)
    check_labels(names)
    pattern = compile_group_pattern(group_pattern)
    clips: list[Clip] = []
    for label in names:
        found = audio_files(folders[label]) if label in folders else []
        if not found:
            raise MondegreenError(
                f"{root} has no recordings for the label {label!r}; it has: "
                f"{', '.join(sorted(folders)) or 'none'}. Leave the label out."
            )
        recordings = [_recording(path, label) for path in found]
        if pattern is not None:
            recordings = [replace(r, group=group_of(r.path, pattern)) for r in recordings]
        clips += cut(recordings)
    return replace(sorted_corpus("esc10", root, names, clips), floor_db=SILENCE_DB)


def _class_of(folder: Path) -> str:
    return _NUMBER.sub("", folder.name).lower().replace(" ", "_")


def _recording(path: Path, label: str) -> Clip:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise MondegreenError(
            f"{path} is not named <fold>-<source>-<take> as in ESC-10. Rename it or move it away."
        )
    return Clip(path, label, group=match.group(2), fold=int(match.group(1)))
