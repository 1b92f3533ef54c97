"""Which clips a command works on: divided as they were when its networks were trained.

A network that was tested on clips it was trained on looks better than it is. So whatever a command
is not told about the division of the clips, it takes over from the run that it builds on, also
where ``--data`` is given; and it says so where the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import torch

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.defended import read_defended
from mondegreen.classifiers.ensemble import read_members
from mondegreen.classifiers.places import defended_file, ensemble_file
from mondegreen.cli.options import say
from mondegreen.configs import from_dict
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.options import DataOptions
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.stages.stage import option
from mondegreen.zoo import resolve

DIVISION = ("labels", "goals", "split", "lists", "group_pattern")
"""Fields of the data options that decide which part of the data a clip lands in."""


def data_of(run: Path, given: DataOptions, *, beside: Sequence[Path] = ()) -> DataOptions:
    """Return which clips to work on, and how they are divided.

    Without ``--data`` these are an earlier run's, with the given changes; where that run names no
    clips, as a shipped model's does not, those of the first network beside it that does. With
    ``--data``, the run still tells how to divide them, unless the options do. Of an ensemble, the
    first member's count.

    A note names what was taken over, and a warning every run whose own training divided the clips
    in another way: clips that it was trained on may then be in the test part.

    Args:
        run: Folder of the run that the command builds on, or ``zoo:<name>``.
        given: The user's options.
        beside: Folders of further networks that will be measured on these clips.

    Returns:
        The options, whose ``split`` is never None.

    Raises:
        MondegreenError: There are no clips to take over, or a run's file is damaged.
    """
    earlier = trained_on(run)
    if given.data is None and (earlier is None or earlier.data is None):
        found = (one for one in map(trained_on, beside) if one is not None and one.data is not None)
        earlier = next(found, None)
        if earlier is None:
            raise MondegreenError(f"--data is missing, and {run} does not say which to use.")
    chosen = given if earlier is None else _merged(earlier, given)
    chosen = replace(chosen, split=chosen.kind_of_split)
    if earlier is not None and given.data is not None:
        _tell_what_was_taken_over(run, given, chosen)
    for place in dict.fromkeys(one for folder in (run, *beside) for one in _members(folder)):
        own = trained_on(place)
        # Of a model that was adopted without clips nobody knows which it was trained on.
        told = own is not None and (own.data is not None or own.split is not None)
        if own is not None and told and divided_otherwise(own, chosen):
            _warn(place, own, chosen)
    return chosen


def trained_on(place: Path) -> DataOptions | None:
    """Return the data options that a network was trained with; None where nobody knows.

    Args:
        place: A run's folder, that of an ensemble, or ``zoo:<name>``.

    Raises:
        MondegreenError: The file that says so is damaged.
    """
    place = _members(place)[0]  # each was trained on clips of its own; those of the first count
    for name, field in (("config.json", "data"), ("about.json", "division")):
        path = resolve(place) / name
        saved = read_json(path) if path.is_file() else None
        if isinstance(saved, dict) and field in saved:
            return from_dict(DataOptions, saved[field], f"{path}: {field}")
    return None


def _members(place: Path) -> tuple[Path, ...]:
    """Return the folders of an ensemble's members, or the folder itself; behind a defence, too."""
    behind = defended_file(place)
    if behind is not None:
        return _members(read_defended(behind).classifier)
    listed = ensemble_file(place)
    if listed is None:
        return (place,)
    return tuple(member.folder for member in read_members(listed).members)


def data_words(data: DataOptions) -> tuple[str, ...]:
    """Return the options as they are typed, those that differ from their defaults.

    Example:
        >>> data_words(DataOptions(data=Path("clips"), labels=("yes", "no"), limit=3))
        ('--data', 'clips', '--labels', 'yes', 'no', '--limit', '3')
    """
    blank, words = DataOptions(), []
    for one in fields(DataOptions):
        value = getattr(data, one.name)
        if value == getattr(blank, one.name):
            continue
        name = one.name.replace("_", "-")
        if isinstance(value, tuple):
            words += [f"--{name}", *map(str, value)]
        else:
            words += option(name, str(value))
    return tuple(words)


def divided_otherwise(one: DataOptions, other: DataOptions) -> bool:
    """Tell whether a clip may lie in another part of the data by these options than by those.

    Example:
        >>> divided_otherwise(DataOptions(), DataOptions(split="speaker"))
        False
        >>> divided_otherwise(DataOptions(split="fold-5"), DataOptions())
        True
    """
    kind = one.kind_of_split
    if kind != other.kind_of_split:
        return True
    if kind == "speaker":  # by a hash, which is the same in every folder
        return one.group_pattern != other.group_pattern
    if kind == "lists":
        return not _same(one.lists or one.data, other.lists or other.data)
    # A random order depends on all the clips that are there.
    return kind in ("random", "random-chunk") and not _same(one.data, other.data)


def _merged(earlier: DataOptions, given: DataOptions) -> DataOptions:
    """Return the given options, and the earlier ones where nothing is given."""
    blank = DataOptions()
    names = DIVISION if given.data is not None else tuple(f.name for f in fields(DataOptions))
    open_ = [name for name in names if getattr(given, name) == getattr(blank, name)]
    return replace(given, **{name: getattr(earlier, name) for name in open_})


def _same(one: Path | None, other: Path | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.resolve() == other.resolve()


def _tell_what_was_taken_over(run: Path, given: DataOptions, chosen: DataOptions) -> None:
    """Name what an option could change, where it is not the same without the run."""
    alone = replace(given, split=given.kind_of_split)
    taken = [
        f"--{name.replace('_', '-')} {getattr(chosen, name)}"
        for name in ("split", "lists", "group_pattern")
        if getattr(chosen, name) != getattr(alone, name)
    ]
    if taken:
        say(f"note: the clips are divided as in the training of {run}: {', '.join(taken)}")


def _warn(place: Path, own: DataOptions, chosen: DataOptions) -> None:
    say(
        f"warning: {place} was trained with {_told(own)}, and here the clips are divided by "
        f"{_told(chosen)}: clips that it was trained on may be among those that count as unseen."
    )


def _told(options: DataOptions) -> str:
    words = [f"--split {options.kind_of_split}"]
    if options.kind_of_split == "lists" and options.lists is not None:
        words.append(f"--lists {options.lists}")
    if options.group_pattern is not None:
        words.append(f"--group-pattern {options.group_pattern}")
    if options.kind_of_split in ("random", "random-chunk"):
        words.append(f"of {options.data}")
    return " ".join(words)


def of_labels(data: ClipDataset, classifier: Classifier, labels: Sequence[str]) -> ClipDataset:
    """Return the clips of some labels; all where none are named.

    Raises:
        MondegreenError: The classifier has no such label, or there are no clips of it.
    """
    if not labels:
        return data
    wanted = torch.tensor([classifier.label_index(label) for label in labels])
    found = data.subset(torch.isin(data.labels, wanted).nonzero()[:, 0])
    if not len(found):
        raise MondegreenError(f"--source {' '.join(labels)}: a part has no clips of that label.")
    return found
