"""Dividing a corpus into training, validation and test clips."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from mondegreen.data.corpus import Corpus
from mondegreen.errors import MondegreenError

SplitName = Literal["train", "validation", "test"]
SplitKind = Literal["speaker", "official", "random"]
"""``speaker``: by a hash of the group. ``official``: by the lists that come with Speech Commands.
``random``: by clip, as in the paper; it leaks, since a speaker is heard in every part."""

SPLIT_NAMES: tuple[SplitName, ...] = get_args(SplitName)

_TRAIN_SHARE = 0.8
_VALIDATION_SHARE = 0.1

Indices = npt.NDArray[np.int64]


def hash_split(group: str) -> SplitName:
    """Return the part that a speaker or track belongs to, on every machine and in every corpus.

    The first eight bytes of the group's SHA-1, read as a fraction: below 0.8 is training, below
    0.9 validation, the rest test.

    Example:
        >>> hash_split("0bac8a71")
        'train'
    """
    digest = hashlib.sha1(group.encode("utf-8"), usedforsecurity=False).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2.0**64
    if fraction < _TRAIN_SHARE:
        return "train"
    return "validation" if fraction < _TRAIN_SHARE + _VALIDATION_SHARE else "test"


def split_indices(corpus: Corpus, kind: SplitKind, *, seed: int = 0) -> dict[SplitName, Indices]:
    """Divide the clips of a corpus; every clip lands in exactly one part.

    Args:
        corpus: The clips.
        kind: How, see :data:`SplitKind`.
        seed: For ``random`` only.

    Returns:
        For each part the sorted positions in ``corpus.clips``.

    Raises:
        MondegreenError: A part would be empty, or the official lists are missing.
    """
    names: Sequence[SplitName]
    if kind == "speaker":
        names = [hash_split(clip.group) for clip in corpus.clips]
    elif kind == "official":
        names = _official_split(corpus)
    elif kind == "random":
        names = _random_split(len(corpus), seed)
    else:
        raise MondegreenError(f"unknown split {kind!r}; choose speaker, official or random.")
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
    advice = {
        "speaker": "More speakers or tracks are needed (about 50 are safe). If the file names "
        "hold the speaker or track in another form, give a group pattern; the 'random' split by "
        "clip works with few of them but leaks.",
        "official": "The lists do not fit these clips; use the 'speaker' split.",
        "random": "Add clips: at least ten are needed.",
    }[kind]
    raise MondegreenError(
        f"the {kind!r} split of {corpus.root} leaves no clips for {' and '.join(empty)}: "
        f"{len(corpus)} clips of {len(corpus.groups)} speakers or tracks. {advice}"
    )


def _random_split(clips: int, seed: int) -> Sequence[SplitName]:
    order = np.random.default_rng(seed).permutation(clips)
    train = round(_TRAIN_SHARE * clips)
    validation = round((_TRAIN_SHARE + _VALIDATION_SHARE) * clips)
    names: list[SplitName] = ["train"] * clips
    for rank, clip in enumerate(order.tolist()):
        if rank >= train:
            names[clip] = "validation" if rank < validation else "test"
    return names


def _official_split(corpus: Corpus) -> Sequence[SplitName]:
    validation = _listed(corpus.root / "validation_list.txt")
    test = _listed(corpus.root / "testing_list.txt")

    def part(name: str) -> SplitName:
        if name in test:
            return "test"
        return "validation" if name in validation else "train"

    return [part(f"{clip.label}/{clip.path.stem}") for clip in corpus.clips]


def _listed(path: Path) -> frozenset[str]:
    """Return the clips that a list names, without suffixes: copies may be stored as FLAC."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MondegreenError(
            f"the 'official' split needs {path}, which does not exist. It comes with the Speech "
            "Commands archive; use the 'speaker' split for other data."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise MondegreenError(f"cannot read {path}: {error}.") from error
    lines = (line.strip() for line in text.splitlines())
    return frozenset(line.rsplit(".", 1)[0] for line in lines if line)
