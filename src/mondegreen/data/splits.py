"""Dividing a corpus into training, validation and test clips."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from mondegreen.data.corpus import Corpus
from mondegreen.data.listing import AUDIO_SUFFIXES
from mondegreen.errors import MondegreenError

SplitName = Literal["train", "validation", "test"]
SplitKind = Literal[
    "speaker",
    "official",
    "lists",
    "fold-1",
    "fold-2",
    "fold-3",
    "fold-4",
    "fold-5",
    "random",
    "random-chunk",
]
"""``speaker``: by a hash of the group, which is a speaker or a track. ``official``: by the lists
that come with Speech Commands. ``lists``: by three lists of files, such as the fault-filtered ones
of GTZAN. ``fold-3``: the third of the official folds is the test part, the next one validation.
``random``: by file, as in the paper for speech; it leaks, since a speaker is heard in every part.
``random-chunk``: by the clips that recordings were cut into, as the paper's code does with GTZAN;
it leaks more, since every track is heard in every part."""

SPLIT_NAMES: tuple[SplitName, ...] = get_args(SplitName)

_TRAIN_SHARE = 0.8
_VALIDATION_SHARE = 0.1

_FOLDS = 5
_LISTS: dict[SplitName, str] = {
    "train": "train*.txt",
    "validation": "valid*.txt",
    "test": "test*.txt",
}

Indices = npt.NDArray[np.int64]


def hash_split(group: str) -> SplitName:
    """Return the part that a speaker or track belongs to, on every machine and in every corpus.

    The first eight bytes of the group's SHA-1, read as a fraction: below 0.8 is training, below
    0.9 validation, the rest test.

    Example:
        >>> hash_split("0bac8a71")
        'train'
    """
    digest = hashlib.sha1(group.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2.0**64
    if fraction < _TRAIN_SHARE:
        return "train"
    return "validation" if fraction < _TRAIN_SHARE + _VALIDATION_SHARE else "test"


def split_indices(
    corpus: Corpus, kind: SplitKind, *, seed: int = 0, lists: Path | None = None
) -> dict[SplitName, Indices]:
    """Divide the clips of a corpus; every clip lands in one part at most.

    Only the ``lists`` split leaves clips out: those that no list names.

    Args:
        corpus: The clips.
        kind: How, see :data:`SplitKind`.
        seed: For the random splits.
        lists: For ``lists``: the folder of ``train*.txt``, ``valid*.txt`` and ``test*.txt``; by
            default the corpus's.

    Returns:
        For each part the sorted positions in ``corpus.clips``.

    Raises:
        MondegreenError: A part would be empty, lists or folds are missing, or the clips are whole
            recordings and so have no chunks.
    """
    names: Sequence[SplitName | None]
    if kind not in get_args(SplitKind):
        raise MondegreenError(f"unknown split {kind!r}; choose: {', '.join(get_args(SplitKind))}.")
    if kind == "speaker":
        names = [hash_split(clip.group) for clip in corpus.clips]
    elif kind == "official":
        names = _official_split(corpus)
    elif kind == "lists":
        names = _list_split(corpus, lists or corpus.root)
    elif kind in ("random", "random-chunk"):
        names = _random_split(corpus, kind, seed)
    else:
        names = _fold_split(corpus, int(kind.removeprefix("fold-")))
    parts = {
        name: np.array([i for i, part in enumerate(names) if part == name], dtype=np.int64)
        for name in SPLIT_NAMES
    }
    _refuse_empty(corpus, kind, parts)
    return parts


def _refuse_empty(corpus: Corpus, kind: SplitKind, parts: dict[SplitName, Indices]) -> None:
    empty = [name for name, indices in parts.items() if indices.size == 0]
    if not empty:
        return
    advice: dict[str, str] = {
        "speaker": "More speakers or tracks are needed (about 50 are safe). If the file names "
        "hold the speaker or track in another form, give a group pattern; the 'random' split by "
        "clip works with few of them but leaks.",
        "official": "The lists do not fit these clips; use the 'speaker' split.",
        "lists": "The lists do not fit these clips: their lines are <label>/<file> or <file>.",
        "random": "Add clips: at least ten are needed.",
        "random-chunk": "Add clips: at least ten are needed.",
    }
    raise MondegreenError(
        f"the {kind!r} split of {corpus.root} leaves no clips for {' and '.join(empty)}: "
        f"{len(corpus)} clips of {len(corpus.groups)} speakers or tracks. "
        + advice.get(kind, "Clips of all five folds are needed.")
    )


def warn_of_missing_labels(
    corpus: Corpus, kind: SplitKind, parts: dict[SplitName, Indices]
) -> None:
    """Warn where a part has no clips of a label: nothing is then learned or measured of it."""
    labels = corpus.label_indices()
    advice = " The folds of 'fold-1' to 'fold-5' are even." if corpus.clips[0].fold else ""
    for name, indices in parts.items():
        missing = [corpus.labels[i] for i in sorted(set(labels) - set(labels[indices]))]
        if missing:
            more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
            named = ", ".join(missing[:10]) + more
            warnings.warn(
                f"the {kind!r} split of {corpus.root} leaves no clips of {named} for "
                f"{name}.{advice}",
                stacklevel=3,
            )


def _random_split(corpus: Corpus, kind: SplitKind, seed: int) -> Sequence[SplitName]:
    if kind == "random-chunk":
        if not any(clip.seconds for clip in corpus.clips):
            raise MondegreenError(
                f"the 'random-chunk' split divides clips that were cut from longer recordings; "
                f"those of {corpus.root} are whole files. Use 'random' or 'speaker'."
            )
        return _shuffled(len(corpus), seed)
    files = {clip.path: 0 for clip in corpus.clips}
    parts = dict(zip(files, _shuffled(len(files), seed), strict=True))
    return [parts[clip.path] for clip in corpus.clips]


def _shuffled(count: int, seed: int) -> list[SplitName]:
    order = np.random.default_rng(seed).permutation(count)
    train = round(_TRAIN_SHARE * count)
    validation = round((_TRAIN_SHARE + _VALIDATION_SHARE) * count)
    names: list[SplitName] = ["train"] * count
    for rank, index in enumerate(order.tolist()):
        if rank >= train:
            names[index] = "validation" if rank < validation else "test"
    return names


def _fold_split(corpus: Corpus, test: int) -> Sequence[SplitName]:
    folds = [clip.fold for clip in corpus.clips]
    if None in folds:
        raise MondegreenError(
            f"the clips of {corpus.root} have no official folds, as those of ESC-10 have; use the "
            "'speaker' split."
        )
    parts: dict[int | None, SplitName] = {test: "test", test % _FOLDS + 1: "validation"}
    return [parts.get(fold, "train") for fold in folds]


def _list_split(corpus: Corpus, folder: Path) -> Sequence[SplitName | None]:
    """Return the part whose list names each clip's file, None where no list does."""
    parts: dict[str, SplitName] = {}
    for part, pattern in _LISTS.items():
        for name in _file_names(_only(folder, pattern)):
            if parts.setdefault(name, part) != part:
                raise MondegreenError(
                    f"the lists in {folder} name {name} twice, for {parts[name]} and for {part}. "
                    "Remove it from one of them."
                )
    keys = [_keys(clip.path) for clip in corpus.clips]
    absent = sorted(set(parts) - {key for both in keys for key in both})
    if absent:
        warnings.warn(
            f"the lists in {folder} name {len(absent)} files that are not in {corpus.root} or are "
            f"left out: {', '.join(absent[:3])}{', ...' if len(absent) > 3 else ''}",
            stacklevel=3,
        )
    return [parts.get(long, parts.get(short)) for long, short in keys]


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        has = "none" if not found else ", ".join(path.name for path in found)
        raise MondegreenError(
            f"the 'lists' split needs one file {pattern} in {folder}; there is {has}. Name the "
            "folder of the three lists by --lists."
        )
    return found[0]


def _file_names(path: Path) -> list[str]:
    """Return the lines of a list as ``<folder>/<stem>`` or ``<stem>``."""
    lines = (line.strip() for line in _read(path).splitlines())
    return [_without_suffix("/".join(line.split("/")[-2:])) for line in lines if line]


def _keys(path: Path) -> tuple[str, str]:
    return f"{path.parent.name}/{path.stem}", path.stem


def _without_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in AUDIO_SUFFIXES else name


def _official_split(corpus: Corpus) -> Sequence[SplitName]:
    if all(clip.fold for clip in corpus.clips):
        raise MondegreenError(
            f"{corpus.root} has official folds, not lists: choose fold-1 to fold-{_FOLDS}, the "
            "fold of the test part."
        )
    validation = _listed(corpus.root / "validation_list.txt")
    test = _listed(corpus.root / "testing_list.txt")

    def part(name: str) -> SplitName:
        if name in test:
            return "test"
        return "validation" if name in validation else "train"

    return [part(f"{clip.label}/{clip.path.stem}") for clip in corpus.clips]


def _listed(path: Path) -> frozenset[str]:
    """Return the clips that a list names, without suffixes: copies may be stored as FLAC."""
    if not path.exists():
        raise MondegreenError(
            f"the 'official' split needs {path}, which does not exist. It comes with the Speech "
            "Commands archive; use the 'speaker' split for other data."
        )
    lines = (line.strip() for line in _read(path).splitlines())
    return frozenset(line.rsplit(".", 1)[0] for line in lines if line)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MondegreenError(f"cannot read {path}: {error}.") from error
