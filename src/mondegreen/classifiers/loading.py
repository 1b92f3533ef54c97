"""Classifiers on the disk: a built-in one's two files, and whatever else a place may hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.places import defended_file, ensemble_file, find_checkpoint, goals_file
from mondegreen.configs import from_dict, to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.weights import build_described, load_weights, save_weights


def save_classifier(folder: Path, classifier: Classifier, config: ClassifierConfig) -> None:
    """Write ``classifier.json`` and ``classifier.safetensors`` to ``folder``.

    Raises:
        MondegreenError: The folder cannot be written.
    """
    save_weights(folder / "classifier.safetensors", classifier.module)
    description = {"format": 1, "fingerprint": classifier.fingerprint(), **to_dict(config)}
    write_json(folder / "classifier.json", description)


def load_classifier(
    place: str | Path, *, labels: Sequence[str] = (), allow_code: bool = False, **options: Any
) -> Classifier:
    """Load a frozen classifier, of a run's folder or of whatever kind of model there is a source.

    A folder is a run's or a checkpoint's, or ``zoo:<name>``. Where it holds an ``ensemble.json``,
    its members are loaded as one classifier; where it holds a ``defended.json``, the classifier
    that it names, behind a defence; where it holds a ``goals.json``, a tagger with goals as its
    labels. Anything else is a model made elsewhere, such as
    ``my_model.py:build`` or ``model.onnx``: see :mod:`mondegreen.classifiers.sources`.

    Args:
        place: The folder, its ``classifier.json``, or the model.
        labels: Of a model made elsewhere: its labels, in the order of its answers.
        allow_code: Of a folder that names a program or a service: take it, though it was not named
            on this machine before.
        **options: Of a model made elsewhere: as of :meth:`Classifier.from_module`.

    Raises:
        MondegreenError: There is no classifier there, its files are damaged, or a model made
            elsewhere needs more to be said about it.
    """
    from mondegreen.classifiers.sources import is_source, open_source

    listed, behind = ensemble_file(Path(place)), defended_file(Path(place))
    if listed is not None:
        from mondegreen.classifiers.ensemble import load_ensemble  # which builds on this module

        return load_ensemble(listed)
    if behind is not None:
        from mondegreen.classifiers.defended import load_defended  # likewise

        return load_defended(behind)
    aims = goals_file(Path(place))
    if aims is not None:
        from mondegreen.classifiers.goals_file import load_goals  # likewise

        return load_goals(aims, allow_code=allow_code)
    if is_source(place):
        from mondegreen.classifiers.contract import ModelOptions

        return open_source(place, tuple(labels), ModelOptions(**options)).classifier
    folder = find_checkpoint(Path(place), "classifier.json")
    path = folder / "classifier.json"
    description = read_json(path)
    if isinstance(description, dict) and description.get("kind") == "adopted":
        from mondegreen.classifiers.sheet import load_adopted

        return load_adopted(path, description, allow_code=allow_code)
    config, weights = read_classifier_config(folder), path.with_suffix(".safetensors")
    classifier = build_described(lambda: Classifier.from_config(config), path, weights)
    load_weights(weights, classifier.module)
    return classifier.freeze()


def read_classifier_config(folder: str | Path) -> ClassifierConfig:
    """Read the description of a built-in classifier, without its weights.

    Args:
        folder: As for :func:`load_classifier`; ensembles, defended classifiers and models made
            elsewhere have no description of this kind.

    Raises:
        MondegreenError: There is no classifier there, or its file is damaged.
    """
    path = find_checkpoint(Path(folder), "classifier.json") / "classifier.json"
    description = read_json(path)
    if not isinstance(description, dict):
        raise MondegreenError(f"{path}: expected an object.")
    settings = {k: v for k, v in description.items() if k not in ("format", "fingerprint")}
    return from_dict(ClassifierConfig, settings, str(path))
