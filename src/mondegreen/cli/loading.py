"""What belongs to a generator: its classifier and its budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mondegreen.budgets import Budget, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.consent import refuse_named_by
from mondegreen.classifiers.places import find_checkpoint
from mondegreen.classifiers.sources import is_source
from mondegreen.cli.options import say
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.generators.generator import Generator, load_generator
from mondegreen.zoo import PREFIX, resolve

if TYPE_CHECKING:
    from mondegreen.generators.onnx_runtime import OnnxGenerator


def classifier_folder(generator: Path) -> Path:
    """Return the folder of the classifier that a generator's run was trained against.

    Raises:
        MondegreenError: The run does not say, or holds no generator, or the folder is gone.
    """
    if not generator.exists():
        raise MondegreenError(f"{generator} does not exist; --generator names a generator's run.")
    if (generator / "classifier.json").is_file():  # a shipped model's folder holds both
        return generator
    path = generator / "config.json"
    saved = read_json(path) if path.is_file() else None
    named = saved.get("classifier") if isinstance(saved, dict) else None
    if not isinstance(named, str):
        find_checkpoint(generator, "generator.json")
        raise MondegreenError(f"{generator} does not name its classifier; give --classifier.")
    refuse_named_by(named, path)
    if named.startswith(PREFIX):
        return resolve(Path(named))
    if not Path(named).exists() and not is_source(named):
        raise MondegreenError(
            f"the classifier of {generator} was in {named}, which is gone; give --classifier."
        )
    return Path(named)


def generator_for(folder: Path, classifier: Classifier, *, transfer: bool) -> Generator:
    """Load the generator of a run to attack a classifier with it.

    A classifier that gives no gradients cannot be one that a generator was trained against; there
    it is meant to carry over.

    Args:
        folder: The generator's run.
        classifier: What it will be used against.
        transfer: Whether it may have been trained against another classifier.

    Raises:
        MondegreenError: As for :func:`~mondegreen.generators.generator.load_generator`, or the two
            have no label in common.
    """
    if not transfer and classifier.differentiable:
        return load_generator(folder, classifier)
    generator = load_generator(folder)
    config = generator.config
    if config.classifier_fingerprint != classifier.fingerprint():
        say(f"note: trained against {config.classifier_name}, tried on {classifier.name}.")
    if not shared_targets([generator], classifier):
        raise MondegreenError(
            f"{folder} reaches {', '.join(config.targets)}, none of which is a label of "
            f"{classifier.name}."
        )
    return generator


def choose_budget(text: str | None, generator: Generator | OnnxGenerator) -> Budget | None:
    """Return the budget that an option asks for, or the generator's own.

    Args:
        text: ``snr:DB``, ``l2:EPS``, ``linf:EPS``, ``none``, or None for the generator's own.
        generator: The generator.

    Raises:
        MondegreenError: The text is no budget, or it is ``none`` and the generator, trained for a
            budget, leaves the level of its perturbation to it.
    """
    if text is None:
        return generator.budget
    if text != "none":
        return parse_budget(text)
    if generator.budget is not None:
        raise MondegreenError(
            "--budget none: this generator was trained for a budget and proposes no level of its "
            "own. Name a budget, such as snr:10."
        )
    return None


def open_named(
    places: Sequence[Path], names: Sequence[str], classifier: Classifier
) -> dict[str, Generator]:
    """Return generators by name, on the classifier's device; a single one is just ``generator``.

    Args:
        places: Their folders.
        names: Their names; by default those of their folders.
        classifier: What they were trained against.

    Raises:
        MondegreenError: They have not one name each, or one was trained against another classifier.
    """
    if not names:
        names = [place.name for place in places] if len(places) > 1 else ["generator"]
    if len(names) != len(places) or len(set(names)) < len(names):
        raise MondegreenError(
            f"--names gives {', '.join(names)} to {len(places)} generators; give each its own."
        )
    found = {
        name: load_generator(place, classifier) for name, place in zip(names, places, strict=True)
    }
    for generator in found.values():
        generator.to(classifier.device)
    return found


def shared_targets(generators: Iterable[Generator], classifier: Classifier) -> tuple[str, ...]:
    """Return the labels that every one of the generators can reach."""
    known = [generator.config.targets for generator in generators]
    return tuple(label for label in classifier.labels if all(label in each for each in known))
