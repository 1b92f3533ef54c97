"""Clips with any number of tags, and which goal of an attack each one meets already.

A folder lists its clips in ``tags.csv``: a column ``file``, relative to the folder, a column
``tags``, separated by ``;`` and empty where there are none, and, if there are such, ``group`` (what
a clip was cut from: clips of one group never meet in two splits) and ``fold`` (1 to 5).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from mondegreen.data.corpus import Clip, Corpus, sorted_corpus
from mondegreen.data.goals import NONE, Goal, check_goals, labels_of
from mondegreen.data.listing import compile_group_pattern, group_of, require_folder
from mondegreen.errors import MondegreenError

LISTING = "tags.csv"
_COLUMNS = ("file", "tags")
_FURTHER = ("group", "fold")
_FOLDS = ("1", "2", "3", "4", "5")


@dataclass(frozen=True)
class TaggedClips:
    """Clips and the tags that each truly has.

    Attributes:
        name: What to call them in results.
        root: The folder.
        clips: The clips; their labels mean nothing yet.
        tags: The tags of each.
        floor_db: As of :class:`~mondegreen.data.corpus.Corpus`.
    """

    name: str
    root: Path
    clips: tuple[Clip, ...]
    tags: tuple[frozenset[str], ...]
    floor_db: float | None = None

    @classmethod
    def of(cls, corpus: Corpus) -> TaggedClips:
        """Take the label of every clip as its one tag."""
        tags = tuple(frozenset([clip.label]) for clip in corpus.clips)
        return cls(corpus.name, corpus.root, corpus.clips, tags, corpus.floor_db)

    @property
    def known(self) -> tuple[str, ...]:
        """Every tag that a clip has, sorted."""
        return tuple(sorted(frozenset().union(*self.tags)))

    def truth(self, clips: Iterable[Clip], tags: Sequence[str]) -> Tensor:
        """Return which of some tags some of the clips have.

        Shape:
            - Output: ``(clips, tags)``, bool
        """
        found = {
            (clip.path, clip.start): own for clip, own in zip(self.clips, self.tags, strict=True)
        }
        rows = [[tag in found[clip.path, clip.start] for tag in tags] for clip in clips]
        return torch.tensor(rows, dtype=torch.bool).reshape(-1, len(tags))

    def everything(self) -> Corpus:
        """Return all clips under one label, which says nothing of them."""
        corpus = sorted_corpus(self.name, self.root, (NONE,), self.clips)
        return replace(corpus, floor_db=self.floor_db)

    def corpus(self, goals: Sequence[Goal], *, several: bool = False) -> Corpus:
        """Return the clips under the goal that each truly meets, or ``none``.

        Clips that meet several goals are left out: a pair of such a clip and another goal that it
        meets would be a success before any attack.

        Args:
            goals: The goals, in the order of the classifier's labels.
            several: Keep those clips, under the first goal they meet.

        Raises:
            MondegreenError: A goal names a tag that no clip has, or no clip is left.
        """
        check_goals(goals)
        self._refuse_unknown(goals)
        clips: list[Clip] = []
        for clip, tags in zip(self.clips, self.tags, strict=True):
            met = [goal.label for goal in goals if goal.met_by(tags)]
            if len(met) < 2 or several:
                clips.append(replace(clip, label=met[0] if met else NONE))
        if not clips:
            raise MondegreenError(
                f"every clip of {self.root} meets several goals already, so there is nothing to "
                "attack; choose goals that exclude each other, or fewer."
            )
        corpus = sorted_corpus(self.name, self.root, labels_of(goals), clips)
        return replace(corpus, floor_db=self.floor_db)

    def _refuse_unknown(self, goals: Sequence[Goal]) -> None:
        known = self.known
        for goal in goals:
            for tag in (*goal.on, *goal.off):
                if tag not in known:
                    raise MondegreenError(
                        f"the goal {goal.text}: no clip of {self.root} has the tag {tag!r}; there "
                        f"are: {', '.join(known) or 'none'}."
                    )


def has_tags(root: Path) -> bool:
    """Tell whether a folder lists its clips in ``tags.csv``."""
    return (root / LISTING).is_file()


def read_tags(root: Path, *, group_pattern: str | None = None) -> TaggedClips:
    """Read the clips that ``tags.csv`` lists.

    Args:
        root: The folder.
        group_pattern: Finds a clip's group in its file name, as of
            :func:`mondegreen.data.folder.folder_corpus`; it goes before the column ``group``.

    Raises:
        MondegreenError: The list is missing or damaged, names a file that is not there or one
            twice, or the pattern does not fit.
    """
    require_folder(root)
    pattern = compile_group_pattern(group_pattern)
    where = root / LISTING
    clips: list[Clip] = []
    tags: list[frozenset[str]] = []
    lines: dict[str, int] = {}
    for number, row in _rows(where):
        path, here = root / row["file"], f"{where}, line {number}"
        same = os.path.normpath(row["file"])
        if same in lines:
            raise MondegreenError(
                f"{here}: {row['file']} is listed in line {lines[same]} already; join their tags "
                "by ;."
            )
        lines[same] = number
        if not row["file"] or not path.is_file():
            raise MondegreenError(f"{here}: there is no file {path}.")
        fold = row.get("fold", "")
        if fold and fold not in _FOLDS:
            raise MondegreenError(f"{here}: the fold is {fold!r}; it is one of 1 to 5.")
        told = row.get("group", "") if pattern is None else ""
        group = told or group_of(path, pattern)
        clips.append(Clip(path, NONE, group, fold=int(fold) if fold else None, listed=same))
        tags.append(_tags(row["tags"], here))
    if not clips:
        raise MondegreenError(f"{where} lists no clips.")
    return TaggedClips(root.resolve().name or "folder", root, tuple(clips), tuple(tags))


def _rows(where: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the lines below the heading, with their numbers."""
    try:
        with where.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            columns = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = columns
            missing = [name for name in _COLUMNS if name not in columns]
            strange = [name for name in columns if name not in _COLUMNS + _FURTHER]
            if missing or strange or len(set(columns)) < len(columns):
                raise MondegreenError(
                    f"{where}: the first line has to be file,tags and, if there are such columns, "
                    f"group and fold; it is {','.join(columns)!r}."
                )
            rows: list[tuple[int, dict[str, str]]] = []
            for row in reader:
                if None in row or None in row.values():
                    raise MondegreenError(
                        f"{where}, line {reader.line_num}: {len(columns)} values are expected, one "
                        "a column. Tags are separated by ;."
                    )
                rows.append((reader.line_num, {key: value.strip() for key, value in row.items()}))
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MondegreenError(f"cannot read {where}: {error}.") from error


def _tags(text: str, here: str) -> frozenset[str]:
    tags = [tag.strip() for tag in text.split(";")] if text else []
    if "" in tags or len(set(tags)) < len(tags):
        raise MondegreenError(f"{here}: the tags {text!r} have an empty or a repeated one.")
    return frozenset(tags)
