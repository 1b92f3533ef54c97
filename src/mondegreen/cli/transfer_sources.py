"""The rows of ``mondegreen transfer``: attacks against each classifier, and trained generators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.ensemble import Ensemble, members_of
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.loading import classifier_folder
from mondegreen.cli.options import say
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.specs import LOADERS, AttackSpec, Sources, build_attack, parse_spec
from mondegreen.evaluation.transfer_sources import (
    Asked,
    Column,
    Source,
    asked_of,
    describe_asked,
)
from mondegreen.files import read_json
from mondegreen.generators.generator import Generator, load_generator
from mondegreen.zoo import resolve


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator, and what its training asked."""

    name: str
    generator: Generator
    classifier: Classifier
    """What it was trained against."""
    asked: tuple[Asked, ...]
    """That or its members, and those of the generators that it started from."""


def open_generators(
    places: Sequence[Path], names: Sequence[str], columns: Sequence[Column]
) -> list[TrainedGenerator]:
    """Load generators, each with what it was trained against.

    Args:
        places: Run folders, or ``zoo:<name>``.
        names: Names for tables; by default those of the folders.
        columns: Classifiers that are loaded already.

    Raises:
        MondegreenError: One cannot be loaded or works for other labels, or the names do not fit.
    """
    folders = [resolve(place) for place in places]
    titles = list(names) or [folder.name for folder in folders]
    if len(titles) != len(folders) or len(set(titles)) < len(titles):
        raise MondegreenError(
            f"generators need different names, one each, not {', '.join(titles)}: "
            "--generator-names."
        )
    return [_open(title, folder, columns) for title, folder in zip(titles, folders, strict=True)]


def _open(name: str, folder: Path, columns: Sequence[Column]) -> TrainedGenerator:
    generator = load_generator(folder)
    config = generator.config
    loaded = {column.classifier.fingerprint(): column.classifier for column in columns}
    classifier = loaded.get(config.classifier_fingerprint)
    if classifier is None:
        classifier = load_classifier(classifier_folder(folder))
        classifier.refuse_other(config.classifier_name, config.classifier_fingerprint, folder)
    if config.labels != columns[0].classifier.labels:
        raise MondegreenError(
            f"--generators {folder}: it works for the labels {', '.join(config.labels)}; the "
            f"classifiers know {', '.join(columns[0].classifier.labels)}."
        )
    asked = dict.fromkeys((*asked_of(classifier), *_asked_before(folder, {folder})))
    return TrainedGenerator(name, generator, classifier, tuple(asked))


def _asked_before(folder: Path, visited: set[Path]) -> list[Asked]:
    """Return what was asked in the training of what a generator's training started from."""
    path = folder / "config.json"
    saved = read_json(path) if path.is_file() else None
    start = saved.get("start_from") if isinstance(saved, dict) else None
    if not isinstance(start, str):
        return []
    try:
        earlier = resolve(Path(start))
        if earlier in visited:
            return []
        found = asked_of(load_classifier(classifier_folder(earlier)))
    except MondegreenError as error:
        say(
            f"note: the training of {folder} started from {start}, and what that was trained "
            f"against cannot be told, so it does not count as seen: {error}"
        )
        return []
    return [*found, *_asked_before(earlier, visited | {earlier})]


def attack_sources(
    attacks: Sequence[str],
    columns: Sequence[Column],
    generators: Sequence[TrainedGenerator],
    leave_one_out: bool,
) -> list[Source]:
    """Return the rows.

    Args:
        attacks: Short strings, see :func:`~mondegreen.evaluation.specs.parse_spec`.
        columns: The classifiers.
        generators: The generators; each makes those of the attacks that need one, or a plain one.
        leave_one_out: Whether attacks are also made against all classifiers but one.

    Raises:
        MondegreenError: There is none, or one cannot be made.
    """
    if not (attacks or generators):
        raise MondegreenError(
            "nothing to transfer: give --attacks, such as pgd:steps=20, or --generators."
        )
    specs = [parse_spec(text) for text in dict.fromkeys(attacks)]
    for spec in specs:
        _refuse_untransferable(spec, generators)
    searching = [spec for spec in specs if spec.kind != "generator"]
    trained = [spec for spec in specs if spec.kind == "generator"] or [parse_spec("generator")]
    asked = _attacked(columns, leave_one_out) if searching else []
    rows = [_searching(spec, classifier, columns) for spec in searching for classifier in asked]
    return rows + [_trained(spec, one, columns) for spec in trained for one in generators]


def _refuse_untransferable(spec: AttackSpec, generators: Sequence[TrainedGenerator]) -> None:
    if spec.kind in LOADERS:
        raise MondegreenError(
            f"attack {spec.text!r} is trained beforehand, for one classifier; --attacks takes "
            "those that search, such as pgd:steps=20, and generator."
        )
    if spec.kind == "generator" and not generators:
        raise MondegreenError(f"attack {spec.text!r} needs a generator; give --generators.")


def _attacked(columns: Sequence[Column], leave_one_out: bool) -> list[Classifier]:
    """Return what attacks are made against: each classifier and, if wanted, all but each."""
    single = [column.classifier for column in columns]
    if not leave_one_out:
        return single
    if len(columns) < 3:
        raise MondegreenError("--leave-one-out needs three or more classifiers.")
    together: list[Classifier] = []
    for left_out in single:
        others = [one for other in single if other is not left_out for one in members_of(other)]
        together.append(Ensemble(others).freeze())
    return [*single, *together]


def _searching(spec: AttackSpec, classifier: Classifier, columns: Sequence[Column]) -> Source:
    untargeted = spec.options.get("untargeted") is True
    attack = build_attack(spec, classifier, Sources(), untargeted=untargeted)
    asked = asked_of(classifier)
    return Source(spec.text, attack, classifier, asked, describe_asked(asked, columns))


def _trained(spec: AttackSpec, one: TrainedGenerator, columns: Sequence[Column]) -> Source:
    untargeted = spec.options.get("untargeted") is True
    sources = Sources(one.generator)
    attack = build_attack(spec, one.classifier, sources, untargeted=untargeted)
    label = one.name + spec.text.removeprefix("generator")
    return Source(label, attack, one.classifier, one.asked, describe_asked(one.asked, columns))
