"""The clips of a data set: where they lie, what they say and who says it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Clip:
    """One recording, or a piece of one.

    Attributes:
        path: The sound file.
        label: What is heard in it.
        group: The speaker or the track it comes from; clips of one group never meet in two splits.
        start: Where a piece begins in the file, in seconds.
        seconds: A piece's length; None for a whole recording.
        fold: The official fold, from 1, in data sets that have folds.
        listed: How a list names the file, where one does.
    """

    path: Path
    label: str
    group: str
    start: float = 0.0
    seconds: float | None = None
    fold: int | None = None
    listed: str | None = None

    def __post_init__(self) -> None:
        """Refuse an empty group."""
        if not self.group:
            raise ValueError(f"the clip {self.path} has an empty group")

    @property
    def name(self) -> str:
        """``label/file name``, of a piece with its start, unique within one folder's corpus.

        Where a list names the files, the name is that in the list, with the folders in it.

        Example:
            >>> Clip(Path("genres/pop/pop.00042.au"), "pop", "pop.00042", 3.0, 1.0).name
            'pop/pop.00042.au@3s'
        """
        start = "" if self.seconds is None else f"@{self.start:g}s"
        return f"{self.label}/{self.listed or self.path.name}{start}"

    @property
    def cut(self) -> tuple[float, float]:
        """Start and length in seconds; the length is infinite for a whole recording."""
        return self.start, math.inf if self.seconds is None else self.seconds


@dataclass(frozen=True)
class Corpus:
    """Labelled clips, sorted by label order, then by file name, then by their start.

    Attributes:
        name: What to call it in results.
        root: The folder it was read from.
        labels: The labels in the order of the classifier's outputs.
        clips: The clips.
        floor_db: Clips of a lower level (RMS, dB of full scale) are left out when they are decoded;
            None keeps all.
    """

    name: str
    root: Path
    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    floor_db: float | None = None

    def __post_init__(self) -> None:
        """Refuse repeated labels and clips of unknown labels."""
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels repeat: {self.labels}")
        unknown = {clip.label for clip in self.clips} - set(self.labels)
        if unknown:
            raise ValueError(f"clips carry labels that the corpus lacks: {sorted(unknown)}")

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.clips)

    @property
    def groups(self) -> frozenset[str]:
        """Every speaker or track in the corpus."""
        return frozenset(clip.group for clip in self.clips)

    def counts(self) -> dict[str, int]:
        """Return the number of clips of each label, in label order."""
        found = Counter(clip.label for clip in self.clips)
        return {label: found[label] for label in self.labels}

    def label_indices(self) -> npt.NDArray[np.int64]:
        """Return the index of every clip's label.

        Shape:
            - Output: ``(clips,)``
        """
        index = {label: number for number, label in enumerate(self.labels)}
        return np.array([index[clip.label] for clip in self.clips], dtype=np.int64)

    def subset(
        self, indices: Sequence[int] | npt.NDArray[np.int64], *, name: str | None = None
    ) -> Corpus:
        """Return the corpus of some of the clips, with the same labels.

        Args:
            indices: Positions in ``clips``; their order does not matter.
            name: The new corpus's name; this one's by default.
        """
        clips = (self.clips[int(index)] for index in indices)
        part = sorted_corpus(name or self.name, self.root, self.labels, clips)
        return replace(part, floor_db=self.floor_db)


def sorted_corpus(name: str, root: Path, labels: Sequence[str], clips: Iterable[Clip]) -> Corpus:
    """Build a :class:`Corpus` with its clips in their canonical order.

    Args:
        name: What to call it.
        root: The folder it comes from.
        labels: In the order of the classifier's outputs.
        clips: In any order.
    """
    order = {label: number for number, label in enumerate(labels)}

    def key(clip: Clip) -> tuple[int, str, str, float]:
        return order.get(clip.label, -1), clip.path.name, str(clip.path), clip.start

    return Corpus(name, root, tuple(labels), tuple(sorted(clips, key=key)))
