"""What an entry names, loaded: the classifier behind its defence, as deployed and as known."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.consent import refuse_named_by
from mondegreen.classifiers.loading import load_classifier
from mondegreen.classifiers.places import find_checkpoint
from mondegreen.classifiers.sources import is_source
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.shields import ShieldOptions, defence_shield
from mondegreen.report.leaderboard.entry import DETECTOR, INPUT, Entry
from mondegreen.zoo import PREFIX, resolve

WEIGHTS = "classifier.safetensors"


@dataclass(frozen=True)
class Subject:
    """A classifier and its defence."""

    plain: Classifier
    """Without what stands before it: what an attacker sees who does not know the defence."""
    deployed: Classifier
    known: Classifier
    """What an attacker searches through who knows the defence."""


def why_out_of_reach(entry: Entry, root: Path) -> str:
    """Return why an entry cannot be measured again on this machine; nothing where it can.

    Args:
        entry: The entry.
        root: The folder that relative places start from.
    """
    place = entry.classifier.place
    if not entry.measured:
        return "only reported: no measurement of it was named"
    if entry.defence.kind == DETECTOR:
        return f"its detector, {entry.defence.spec}, learns from training clips that are not here"
    if is_source(place):
        return f"{place} is a program or a service, which no file may start by itself"
    if place.startswith(PREFIX) or _exists(root / place):
        return ""
    return f"its weights are not here: {place}"


def _exists(path: Path) -> bool:
    """Tell whether there is such a file or folder; a name too long for one is none."""
    try:
        return path.exists()
    except OSError:
        return False


def load_subject(entry: Entry, root: Path, file: Path) -> Subject:
    """Load what an entry names, after its weights were found to be those that it states.

    Args:
        entry: One that is in reach.
        root: The folder that relative places start from.
        file: The entry's file.

    Raises:
        MondegreenError: There is no such classifier, loading it would run code, or its weights, its
            fingerprint or its number of parameters are others than the entry's.
    """
    listed = entry.classifier
    refuse_named_by(listed.place, file)
    place = Path(listed.place) if listed.place.startswith(PREFIX) else root / listed.place
    found = weights_digest(place)
    if found != listed.sha256:
        raise MondegreenError(
            f"{file}: classifier: sha256 is {listed.sha256}, but the weights in {listed.place} "
            f"have {found}. Name the weights that were measured."
        )
    plain = load_classifier(place)
    facts = {
        "fingerprint": (listed.fingerprint, plain.fingerprint()),
        "parameters": (listed.parameters, plain.parameter_count()),
    }
    for name, (said, here) in facts.items():
        if said != here:
            raise MondegreenError(
                f"{file}: classifier: {name} is {said}, but {here} in {listed.place}."
            )
    if entry.defence.kind != INPUT:
        return Subject(plain, plain, plain)
    shield = defence_shield(entry.defence.spec, plain, ShieldOptions())
    return Subject(plain, shield.classifier, shield.known)


def weights_digest(place: Path) -> str:
    """Return the SHA-256 of a classifier's weights in hexadecimal digits.

    Args:
        place: A run's folder, a checkpoint's, or ``zoo:<name>``.

    Raises:
        MondegreenError: It holds no classifier, or one without weights of its own.
    """
    path = find_checkpoint(resolve(place), "classifier.json") / WEIGHTS
    if not path.is_file():
        raise MondegreenError(
            f"{place} holds no {WEIGHTS}. Entries are of classifiers with weights of their own; "
            "what stands before one goes into the entry's defence."
        )
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
