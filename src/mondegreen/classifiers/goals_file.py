"""``goals.json``: a tagger that lies elsewhere, and what attacks on it are to reach.

A file like any other, somebody may have sent it. So it never starts a program by itself: it names
folders, and where these stand for a program, their own sheets are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.consent import refuse_named_by
from mondegreen.classifiers.loading import load_classifier
from mondegreen.classifiers.places import defended_file, ensemble_file, goals_file
from mondegreen.classifiers.sources.opening import find_source
from mondegreen.classifiers.tag_goals import TagGoals
from mondegreen.configs import from_dict, to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json


@dataclass(frozen=True)
class GoalsConfig:
    """What ``goals.json`` holds: the tagger stays where it is."""

    tagger: Path
    """Its folder."""
    name: str
    fingerprint: str
    """Of the tagger."""
    goals: tuple[str, ...]
    """As :func:`~mondegreen.data.goals.parse_goal` reads them."""
    thresholds: tuple[float, ...]
    """One a tag, in the order of the tagger's labels."""


def load_tagger(place: Path) -> Classifier:
    """Load the tagger that goals are to be made for, frozen.

    Args:
        place: Its folder.

    Raises:
        MondegreenError: There is none, it is a model that nobody has adopted, or the folder holds
            goals, an ensemble or a defence, whose answers are no log-odds.
    """
    source = find_source(place)
    if source is not None and source.unseen is not None:
        raise MondegreenError(
            f"--classifier {place}: files never start programs or ask services by themselves, so "
            f"goals.json can only name a folder. Adopt the tagger first: mondegreen adopt {place} "
            "--output sigmoid --out runs/tagger."
        )
    refuse_unfit_place(place, "--classifier")
    return load_classifier(place)


def refuse_unfit_place(place: Path, where: str | Path) -> None:
    """Refuse places that no ``goals.json`` may name.

    A file never starts a program by itself, and what stands before a tagger comes after its goals.

    Raises:
        MondegreenError: The place is one of these.
    """
    for found, what, instead in (
        (goals_file(place), "goals already", "name its tagger"),
        (
            ensemble_file(place),
            "an ensemble",
            "make goals for each member, and an ensemble of these",
        ),
        (defended_file(place), "a defended classifier", "make the goals first, then defend them"),
    ):
        if found is not None:
            raise MondegreenError(f"{where}: {place} is {what}; {instead}.")
    refuse_named_by(place, Path(where))


def save_goals(folder: Path, place: Path, goals: TagGoals) -> None:
    """Write ``goals.json`` to ``folder``.

    Args:
        folder: Where to.
        place: Folder of the tagger.
        goals: The tagger with its goals.

    Raises:
        MondegreenError: The place is none that a file may name, or the folder cannot be written.
    """
    refuse_unfit_place(place, folder / "goals.json")
    tagger = goals.tagger
    texts = tuple(goal.text for goal in goals.goals)
    config = GoalsConfig(place, tagger.name, tagger.fingerprint(), texts, goals.thresholds)
    write_json(folder / "goals.json", {"format": 1, **to_dict(config)})


def read_goals(path: Path) -> GoalsConfig:
    """Read a ``goals.json``.

    Raises:
        MondegreenError: It is missing or damaged.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise MondegreenError(f"{path}: expected an object.")
    settings = {key: value for key, value in content.items() if key != "format"}
    return from_dict(GoalsConfig, settings, str(path))


def load_goals(path: Path, *, allow_code: bool = False) -> TagGoals:
    """Load the tagger that a ``goals.json`` names, with its goals, frozen.

    Args:
        path: The file.
        allow_code: As of :func:`~mondegreen.classifiers.loading.load_classifier`.

    Raises:
        MondegreenError: The file is damaged, names a program or a service, or the tagger is gone
            or another one now.
    """
    config = read_goals(path)
    refuse_unfit_place(config.tagger, path)  # before it is opened: it may name itself
    tagger = load_classifier(config.tagger, allow_code=allow_code)
    found = tagger.fingerprint()
    if found != config.fingerprint:
        raise MondegreenError(
            f"{path}: the tagger in {config.tagger} was {config.name} {config.fingerprint}, and is "
            f"{tagger.name} {found} now. Restore it, or make the goals anew: mondegreen goals."
        )
    try:
        return TagGoals(tagger, config.goals, config.thresholds).freeze()
    except MondegreenError as error:
        raise MondegreenError(f"{path}: {error}") from error
