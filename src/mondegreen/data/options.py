"""The data options that every command shares, and what they open."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from mondegreen.data.cache import ClipCache
from mondegreen.data.corpus import Corpus
from mondegreen.data.dataset import ClipDataset, open_splits
from mondegreen.data.folder import open_corpus, open_tagged
from mondegreen.data.goals import Goal
from mondegreen.data.listing import audio_files, require_folder
from mondegreen.data.noise import NoiseBank
from mondegreen.data.speech_commands import background_noise_files, is_speech_commands, unlabelled
from mondegreen.data.splits import SplitKind, hash_split
from mondegreen.data.tags import TaggedClips
from mondegreen.errors import MondegreenError


@dataclass(frozen=True)
class DataOptions:
    """Which clips, and how they are divided."""

    data: Path | None = None
    """Folder of Speech Commands, of GTZAN or of ESC-10 (recordings are cut into clips of one
    second), any <folder>/<label>/<clip>, or one whose tags.csv lists files and their tags."""
    labels: tuple[str, ...] = ()
    """Labels and their order; by default the ten words, the ten genres, or every folder."""
    goals: tuple[str, ...] = ()
    """For a tagger: what goals with a name want, such as hush=-dog_bark. By default as the tagger's
    run says."""
    split: SplitKind | None = None
    """speaker: 80/10/10 by a hash of the speaker or track; official: the lists of Speech Commands;
    fold-1 to fold-5: tests on that fold of ESC-10; lists: those of --lists; random: by file, as in
    the paper (the same speaker is then in training and test); random-chunk: by the clips that
    recordings were cut into, as in the paper's code (the same track is then in both). By default
    as in the training of what is attacked or measured, and speaker where there is none."""
    lists: Path | None = None
    """Folder of train*.txt, valid*.txt and test*.txt, such as GTZAN's fault-filtered lists, for
    --split lists; by default the data folder."""
    group_pattern: str | None = None
    """Regular expression whose first group, found in a file's name, names its speaker or track."""
    extra: tuple[Path, ...] = ()
    """Folders of unlabelled words, for augmentation and as input without a label."""
    noise: Path | None = None
    """Folder of long noise recordings; by default <data>/_background_noise_, or generated noise."""
    cache: Path | None = None
    """Where decoded clips are kept; by default $MONDEGREEN_CACHE or ~/.cache/mondegreen."""
    limit: int | None = None
    """For a trial: at most so many clips of each label in each part."""

    def __post_init__(self) -> None:
        """Refuse a limit that leaves nothing."""
        if self.limit is not None and self.limit < 1:
            raise MondegreenError(f"--limit is {self.limit}; 1 clip of each label is the least.")

    @property
    def kind_of_split(self) -> SplitKind:
        """How the clips are divided, by speaker where nothing else is said."""
        return self.split or "speaker"


@dataclass(frozen=True)
class Material:
    """Everything a training needs of the data."""

    corpus: Corpus
    splits: dict[str, ClipDataset]
    unlabelled: ClipDataset | None
    noise: NoiseBank


def open_labelled(options: DataOptions, labels: tuple[str, ...] | None = None) -> Corpus:
    """Open the labelled corpus.

    Args:
        options: The user's options.
        labels: Labels and their order, where a classifier prescribes them. It may know more than
            there are clips of, such as ``_silence_``: they stay labels, without clips.

    Raises:
        MondegreenError: No folder was given, or it cannot be read as a corpus.
    """
    if options.data is None:
        raise MondegreenError("--data is missing: name the folder of labelled clips.")
    root, pattern = options.data, options.group_pattern
    if not labels or options.goals:
        wanted = labels or options.labels or None
        return open_corpus(root, labels=wanted, group_pattern=pattern, goals=options.goals)
    found = tuple(name for name in labels if _is_folder(root, name))
    if len(found) < 2 or found == labels:
        return open_corpus(root, labels=labels, group_pattern=pattern)
    missing = [name for name in labels if name not in found]
    shown = ", ".join(missing[:8]) + (", …" if len(missing) > 8 else "")
    warnings.warn(
        f"{root} has no clips of {len(missing)} of the classifier's labels: {shown}", stacklevel=2
    )
    corpus = open_corpus(root, labels=found, group_pattern=pattern)
    return replace(corpus, labels=labels)


def _is_folder(root: Path, label: str) -> bool:
    plain = bool(label) and Path(label).name == label and not label.startswith((".", "_"))
    return plain and (root / label).is_dir()


def open_tags(
    options: DataOptions, goals: Sequence[Goal], sample_rate: int, clip_samples: int
) -> tuple[TaggedClips, dict[str, ClipDataset]]:
    """Open clips with tags, divided; also those that meet several goals.

    Args:
        options: The user's options, with a data folder.
        goals: What attacks want; none if nothing is attacked.
        sample_rate: In Hz.
        clip_samples: Samples of each clip.

    Returns:
        The clips with their tags, and the three parts.

    Raises:
        MondegreenError: The folder cannot be read, or a goal names a tag that no clip has.
    """
    assert options.data is not None
    tagged = open_tagged(options.data, group_pattern=options.group_pattern)
    corpus = tagged.corpus(goals, several=True) if goals else tagged.everything()
    splits = _splits(corpus, options, sample_rate, clip_samples)
    return tagged, {name: _first(data, options.limit) for name, data in splits.items()}


def open_test_split(
    options: DataOptions, labels: tuple[str, ...], sample_rate: int, clip_samples: int, split: str
) -> ClipDataset:
    """Open one split for a classifier's labels and shape.

    Raises:
        MondegreenError: As for :func:`open_labelled`, or clips cannot be read.
    """
    corpus = open_labelled(options, labels)
    return _first(_splits(corpus, options, sample_rate, clip_samples)[split], options.limit)


def open_material(
    options: DataOptions, labels: tuple[str, ...] | None, sample_rate: int, clip_samples: int
) -> Material:
    """Open the corpus, its splits, unlabelled speech and noise.

    Unlabelled clips of validation and test speakers are left out, but for the random split.

    Raises:
        MondegreenError: A folder is missing or unreadable.
    """
    corpus = open_labelled(options, labels)
    splits = _splits(corpus, options, sample_rate, clip_samples)
    corpus = splits["test"].corpus  # without the clips that turned out to be silent
    return Material(
        corpus,
        {name: _first(data, options.limit) for name, data in splits.items()},
        _unlabelled(options, corpus, splits, sample_rate, clip_samples),
        NoiseBank(_noise_files(options), sample_rate),
    )


def _splits(
    corpus: Corpus, options: DataOptions, sample_rate: int, clip_samples: int
) -> dict[str, ClipDataset]:
    splits = open_splits(
        corpus,
        options.kind_of_split,
        lists=options.lists,
        sample_rate=sample_rate,
        clip_samples=clip_samples,
        cache_folder=options.cache,
    )
    return {str(name): data for name, data in splits.items()}


def _first(data: ClipDataset, limit: int | None) -> ClipDataset:
    """Return the first clips of each label; all without a limit."""
    if limit is None:
        return data
    labels = set(data.labels.tolist())
    rows = [(data.labels == label).nonzero()[:limit, 0] for label in sorted(labels)]
    return data.subset(torch.cat(rows).sort().values)


def _unlabelled(
    options: DataOptions,
    corpus: Corpus,
    splits: dict[str, ClipDataset],
    sample_rate: int,
    clip_samples: int,
) -> ClipDataset | None:
    assert options.data is not None
    own_words = is_speech_commands(options.data)
    if not own_words and not options.extra:
        return None
    # Other folders of a plain corpus are labels, not spare words.
    root = options.data if own_words else options.extra[0]
    found = unlabelled(
        root, corpus.labels, extra=options.extra, group_pattern=options.group_pattern
    )
    if options.kind_of_split not in ("random", "random-chunk"):
        held_out = splits["validation"].groups | splits["test"].groups
        keep = [i for i, clip in enumerate(found.clips) if clip.group not in held_out]
        if options.kind_of_split == "speaker":  # also those who are only heard in unlabelled clips
            keep = [i for i in keep if hash_split(found.clips[i].group) == "train"]
        found = found.subset(np.asarray(keep, dtype=np.int64))
    if not len(found):
        return None
    cache = ClipCache.build(
        found, sample_rate=sample_rate, clip_samples=clip_samples, folder=options.cache
    )
    return ClipDataset(found, cache)


def _noise_files(options: DataOptions) -> tuple[Path, ...]:
    if options.noise is None:
        assert options.data is not None
        return background_noise_files(options.data)
    require_folder(options.noise)
    files = tuple(audio_files(options.noise))
    if not files:
        raise MondegreenError(f"--noise {options.noise} holds no sound files.")
    return files
