"""Google's Speech Commands (Warden 2018, arXiv 1804.03209), versions 0.01 and 0.02."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mondegreen.data.corpus import Clip, Corpus, sorted_corpus
from mondegreen.data.listing import (
    audio_files,
    clips_in,
    compile_group_pattern,
    require_folder,
    visible_folders,
)
from mondegreen.errors import MondegreenError

TEN_WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
"""The ten words of the paper (section IV-A), in the order of the classifiers' outputs."""

BACKGROUND_NOISE = "_background_noise_"
_UNKNOWN = "_unknown_"


def speech_commands(root: Path, *, labels: Sequence[str] = TEN_WORDS) -> Corpus:
    """Read a folder in the official layout: ``<root>/<word>/<speaker>_nohash_<n>.wav`` (or FLAC).

    Other words and ``_background_noise_`` are left out.

    Args:
        root: The extracted archive.
        labels: The words to classify, in the order of the classifier's outputs.

    Returns:
        The corpus; a clip's group is its speaker.

    Raises:
        MondegreenError: The folder or a word is missing, a word has no clips, or fewer than two
            words, or the same word twice, are asked for.
    """
    check_labels(labels)
    require_folder(root)
    missing = [label for label in labels if not (root / label).is_dir()]
    if missing:
        present = ", ".join(folder.name for folder in visible_folders(root)) or "no words"
        raise MondegreenError(
            f"{root} has no folder for {', '.join(missing)} (it has {present}). Point to the "
            "folder that holds one folder a word, or choose other labels."
        )
    clips: list[Clip] = []
    for label in labels:
        found = clips_in(root / label, label)
        if not found:
            raise MondegreenError(
                f"{root / label} holds no sound files. Extract the archive again, or leave the "
                f"label {label!r} out."
            )
        clips += found
    synthetic = (root / "corpus.json").is_file()  # made by `mondegreen data synthesize`
    name = "synthetic-speech" if synthetic else "speech-commands"
    return sorted_corpus(name, root, labels, clips)


def check_labels(labels: Sequence[str]) -> None:
    """Refuse label lists that no classification task can have.

    Raises:
        MondegreenError: Fewer than two labels, a repeated one, or one that is no folder name.
    """
    if len(labels) < 2:
        only = f"only {labels[0]!r}" if labels else "none"
        raise MondegreenError(
            f"at least two labels are needed to make a classifier mishear one as another; {only} "
            "given. Name more labels."
        )
    repeated = sorted({label for label in labels if list(labels).count(label) > 1})
    if repeated:
        raise MondegreenError(f"labels given twice: {', '.join(repeated)}. Name each once.")
    for label in labels:
        if not label or Path(label).name != label or label.startswith((".", "_")):
            raise MondegreenError(
                f"{label!r} cannot be a label: labels are names of folders that start with "
                "neither '.' nor '_'."
            )


def is_speech_commands(root: Path) -> bool:
    """Tell whether all ten words are present as folders."""
    return all((root / word).is_dir() for word in TEN_WORDS)


def background_noise_files(root: Path) -> tuple[Path, ...]:
    """Return the long noise recordings of ``<root>/_background_noise_``, empty where absent.

    Raises:
        MondegreenError: ``root`` is not a folder.
    """
    require_folder(root)
    folder = root / BACKGROUND_NOISE
    return tuple(audio_files(folder)) if folder.is_dir() else ()


def unlabelled(
    root: Path,
    labels: Sequence[str] = TEN_WORDS,
    *,
    extra: Sequence[Path] = (),
    group_pattern: str | None = None,
) -> Corpus:
    """Read speech that carries none of the labels, to mix in or to attack without labels.

    All other words of ``root`` and of the ``extra`` folders, ``_unknown_`` included; silence and
    background noise are left out. An extra folder may also hold sound files itself.

    Args:
        root: The data set's folder.
        labels: The words to leave out.
        extra: More folders of words, such as another version of the data set.
        group_pattern: Finds the speaker in a file's name, as for
            :func:`mondegreen.data.folder.folder_corpus`.

    Returns:
        A corpus whose labels are the other words, sorted; it may be empty. Use
        :func:`mondegreen.data.splits.hash_split` on the groups to leave test speakers out.

    Raises:
        MondegreenError: A folder is missing.
    """
    clips: list[Clip] = []
    pattern = compile_group_pattern(group_pattern)
    for folder in dict.fromkeys((root, *extra)):
        require_folder(folder)
        words = visible_folders(folder)
        if (folder / _UNKNOWN).is_dir():
            words.append(folder / _UNKNOWN)
        if folder in extra and folder.name not in labels:
            words.append(folder)
        for word in words:
            if word.name not in labels:
                clips += clips_in(word, word.name, pattern)
    found = sorted({clip.label for clip in clips})
    return sorted_corpus("unlabelled-speech", root, found, clips)
