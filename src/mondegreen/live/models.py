"""The models that a live page offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mondegreen.attacks import linear_filter, universal
from mondegreen.attacks.attack import Attack
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.classifiers.places import find_checkpoint
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.generators.generator import Generator, load_generator
from mondegreen.generators.spectral import SpectralGenerator


@dataclass(frozen=True)
class LiveModel:
    """A classifier with the generator that was trained against it."""

    name: str
    """``zoo:<name>``, or the run's folder as it was typed."""
    classifier: Classifier
    generator: Generator
    universal: Mapping[str, Attack] = field(default_factory=dict)
    """Universal attacks against the classifier, by kind: ``universal``, ``filter``."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The labels that its generator can reach."""
        return self.generator.config.targets

    @property
    def has_dial(self) -> bool:
        """Whether the generator knows quietness."""
        network = self.generator.network
        return isinstance(network, SpectralGenerator) and network.config.dial

    @property
    def clip_seconds(self) -> float:
        """How much sound the classifier hears at once."""
        return self.classifier.clip_samples / self.classifier.sample_rate

    @property
    def title(self) -> str:
        """What people choose it by.

        A run's folder may be long and say where it lies; its last two parts are enough.
        """
        name = "/".join(Path(self.name).parts[-2:])
        rate = self.classifier.sample_rate / 1000
        return f"{name}: {self.classifier.name}, {len(self.classifier.labels)} labels, {rate:g} kHz"


def load_model(
    name: str, generator: Path, classifier: Path, universals: Sequence[Path] = ()
) -> LiveModel:
    """Load a generator, its classifier and the universal attacks that belong to it.

    Args:
        name: Under which the page offers it.
        generator: Folder of the generator.
        classifier: Folder of its classifier.
        universals: Runs of ``train universal``; those against other classifiers are left out.

    Raises:
        MondegreenError: A file is missing or damaged, or the two do not belong together.
    """
    heard = load_classifier(classifier)
    found: dict[str, Attack] = {}
    for folder in universals:
        path = find_checkpoint(folder, "universal.json") / "universal.json"
        described = read_json(path)
        kind = described.get("kind") if isinstance(described, dict) else None
        if kind not in ("perturbation", "filter"):
            raise MondegreenError(f"{path} describes no universal perturbation or filter.")
        if described.get("classifier_fingerprint") != heard.fingerprint():
            continue
        if kind == "filter":
            found["filter"] = linear_filter.load_universal(folder, heard)
        else:
            found["universal"] = universal.load_universal(folder, heard)
    return LiveModel(name, heard, load_generator(generator, heard), found)
