"""The GTZAN genre collection (Tzanetakis and Cook 2002, doi 10.1109/TSA.2002.800560).

Ten genres of 100 tracks of 30 seconds at 22,050 Hz. It has known faults, duplicates among them
(Sturm 2013, arXiv 1306.1461): the same recording or artist may be in training and test even where
tracks are kept apart. Fault-filtered lists of tracks (Kereliuk, Sturm and Larsen 2015, arXiv
1507.04761) are read by the ``lists`` split.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from mondegreen.data.corpus import Clip, Corpus, sorted_corpus
from mondegreen.data.excerpts import cut
from mondegreen.data.listing import clips_in, compile_group_pattern, require_folder
from mondegreen.data.speech_commands import check_labels
from mondegreen.errors import MondegreenError

GENRES = (
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
)
"""The ten genres (section IV-A), in the order of the classifiers' outputs."""

CLIPS_A_TRACK = 29
"""Clips of one second that are cut from a track; the paper leaves the rest of it out."""

DAMAGED = "jazz.00054"
"""The track that is damaged in the copies that go round."""

_FOLDERS = ("", "genres", "genres_original")


def gtzan_folder(root: Path) -> Path | None:
    """Return the folder of the ten genres: ``root``, its ``genres``, or its ``genres_original``."""
    folders = (root / name for name in _FOLDERS)
    return next((f for f in folders if all((f / genre).is_dir() for genre in GENRES)), None)


def gtzan(
    root: Path, *, labels: Sequence[str] = GENRES, group_pattern: str | None = None
) -> Corpus:
    """Read the official layout, ``<root>/genres/<genre>/<genre>.00000.au`` (or WAV).

    The first 29 seconds of each track are cut into 29 clips. The track ``jazz.00054`` is left out
    with a warning.

    Args:
        root: The extracted archive.
        labels: The genres to classify, in the order of the classifier's outputs.
        group_pattern: Finds the track or the artist in a file's name, as for
            :func:`mondegreen.data.folder.folder_corpus`; by default the file's stem is the track.

    Returns:
        The corpus; a clip's group is its track.

    Raises:
        MondegreenError: The folder or a genre is missing or empty, a track cannot be decoded, or
            the labels are not two or more different ones.
    """
    check_labels(labels)
    require_folder(root)
    folder = gtzan_folder(root)
    if folder is None:
        raise MondegreenError(
            f"{root} does not hold the ten folders of GTZAN ({', '.join(GENRES)}). Point to the "
            "folder that holds them, or holds 'genres' with them."
        )
    # Made by `mondegreen data synthesize`.
    synthetic = any((place / "corpus.json").is_file() for place in (folder, folder.parent))
    pattern = compile_group_pattern(group_pattern)
    clips: list[Clip] = []
    for genre in labels:
        if not (folder / genre).is_dir():
            raise MondegreenError(
                f"{folder} has no folder for the label {genre!r}; leave the label out."
            )
        tracks = clips_in(folder / genre, genre, pattern)
        if not synthetic:
            tracks = [track for track in tracks if not _damaged(track.path)]
        if not tracks:
            raise MondegreenError(
                f"{folder / genre} holds no sound files. Extract the archive again, or leave the "
                f"label {genre!r} out."
            )
        clips += cut(tracks, at_most=CLIPS_A_TRACK)
    return sorted_corpus("synthetic-music" if synthetic else "gtzan", root, labels, clips)


def _damaged(path: Path) -> bool:
    if path.stem != DAMAGED:
        return False
    warnings.warn(f"{path} is left out: it is damaged in the copies that go round.", stacklevel=3)
    return True
