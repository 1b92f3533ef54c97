"""Any folder of labelled sound files: ``<root>/<label>/<clip>``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mondegreen.data.corpus import Clip, Corpus, sorted_corpus
from mondegreen.data.esc10 import esc10, is_esc10
from mondegreen.data.goals import goals_among
from mondegreen.data.gtzan import GENRES, gtzan, gtzan_folder
from mondegreen.data.listing import (
    audio_files,
    clips_in,
    compile_group_pattern,
    require_folder,
    visible_folders,
)
from mondegreen.data.speech_commands import check_labels, is_speech_commands, speech_commands
from mondegreen.data.tags import LISTING, TaggedClips, has_tags, read_tags
from mondegreen.errors import MondegreenError


def folder_corpus(
    root: Path, *, group_pattern: str | None = None, labels: Sequence[str] | None = None
) -> Corpus:
    """Read ``<root>/<label>/<clip>`` with WAV, FLAC, OGG, MP3 or AU clips.

    Names that start with ``.`` or ``_`` and files that are no sound files are ignored.

    Args:
        root: The folder.
        group_pattern: Regular expression whose first capture group names a clip's speaker or
            track in its file name. By default, and wherever the name has the form
            ``<speaker>_nohash_<n>``, the speaker before ``_nohash_``; else the file's stem.
        labels: The labels and their order; by default all folders, sorted.

    Raises:
        MondegreenError: The folder is missing, has fewer than two labels, a label has no clips, or
            the pattern does not fit.
    """
    require_folder(root)
    pattern = compile_group_pattern(group_pattern)
    names = _folder_labels(root) if labels is None else list(labels)
    check_labels(names)
    clips: list[Clip] = []
    for label in names:
        if not (root / label).is_dir():
            raise MondegreenError(
                f"{root} has no folder for the label {label!r}. Create it or leave the label out."
            )
        found = clips_in(root / label, label, pattern)
        if not found:
            raise MondegreenError(
                f"the label folder {root / label} holds no sound files (WAV, FLAC, OGG, MP3, AU). "
                "Add clips, or remove the folder or rename it to begin with '_'."
            )
        clips += found
    return sorted_corpus(root.resolve().name or "folder", root, names, clips)


def _folder_labels(root: Path) -> list[str]:
    names = [folder.name for folder in visible_folders(root)]
    if len(names) >= 2:
        return names
    has = f"only {names[0]!r}" if names else "none"
    loose = len(audio_files(root))
    beside = f" and {loose} sound files outside of any folder" if loose else ""
    raise MondegreenError(
        f"{root} needs at least two label folders with clips inside; it has {has}{beside}. "
        "Arrange the clips as <folder>/<label>/<clip>."
    )


def open_corpus(
    path: Path,
    *,
    labels: Sequence[str] | None = None,
    group_pattern: str | None = None,
    goals: Sequence[str] = (),
) -> Corpus:
    """Open a data folder given on the command line.

    Where the labels are goals for a tagger, each clip's label is the goal that its tags meet: those
    of ``tags.csv`` or, in a folder without it, its one label. Otherwise, a folder with all ten
    words of the paper is Speech Commands (the ten-word task, unless labels are given), one with the
    ten genres is GTZAN, one whose files are named as in ESC-10 is ESC-10; any other is read by
    :func:`folder_corpus`.

    Args:
        path: The folder.
        labels: The labels and their order.
        group_pattern: As for :func:`folder_corpus`; a folder is then never taken for Speech
            Commands.
        goals: What goals with a name want, as :func:`mondegreen.data.goals.parse_goal` reads it.

    Raises:
        MondegreenError: As for the readers.
    """
    require_folder(path)
    wanted = goals_among(labels, goals)
    if wanted is not None:
        return open_tagged(path, group_pattern=group_pattern).corpus(wanted)
    if has_tags(path):
        raise MondegreenError(
            f"{path} has clips with several tags ({LISTING}). Attacks on them have goals: make a "
            "classifier of a tagger and goals by mondegreen goals, or name goals by --goals."
        )
    return _open_labelled(path, labels, group_pattern)


def open_tagged(path: Path, *, group_pattern: str | None = None) -> TaggedClips:
    """Open a folder of clips with tags: listed by ``tags.csv``, or one a clip, its label.

    Args:
        path: The folder.
        group_pattern: As for :func:`open_corpus`.

    Raises:
        MondegreenError: As for the readers.
    """
    require_folder(path)
    if has_tags(path):
        return read_tags(path, group_pattern=group_pattern)
    return TaggedClips.of(_open_labelled(path, None, group_pattern))


def _open_labelled(path: Path, labels: Sequence[str] | None, group_pattern: str | None) -> Corpus:
    if group_pattern is None and is_speech_commands(path):
        return speech_commands(path) if labels is None else speech_commands(path, labels=labels)
    if gtzan_folder(path) is not None:
        return gtzan(path, labels=labels or GENRES, group_pattern=group_pattern)
    if is_esc10(path):
        return esc10(path, labels=labels, group_pattern=group_pattern)
    return folder_corpus(path, group_pattern=group_pattern, labels=labels)
