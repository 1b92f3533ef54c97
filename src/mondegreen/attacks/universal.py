"""A universal perturbation for each target: the trivial rival of a generator.

After Moosavi-Dezfooli et al. 2017 (https://arxiv.org/abs/1610.08401), targeted and for sound. The
same waveform is added to every clip, at the level that just meets the clip's budget. What a
generator achieves beyond this is what it makes of the clip.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.attacks.attack import Attack
from mondegreen.audio import fit_length
from mondegreen.budgets import SNR, Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.places import find_checkpoint
from mondegreen.configs import from_dict, to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.weights import build_described, fingerprint, load_weights, save_weights

U = TypeVar("U", bound="Universal")

UniversalKind = Literal["perturbation", "filter"]


@dataclass(frozen=True)
class UniversalConfig:
    """Everything but the numbers of a universal perturbation or filter."""

    kind: UniversalKind
    """A constant perturbation, or a linear filter and a constant perturbation."""
    labels: tuple[str, ...]
    """All labels of the classifier, in its order; each is a target."""
    classifier_name: str
    """Name of the classifier it was trained against."""
    classifier_fingerprint: str
    """Fingerprint of that classifier."""
    sample_rate: int
    """In Hz."""
    clip_samples: int
    """Samples of the perturbation."""
    budget_db: float
    """The signal-to-noise ratio it was trained for."""
    taps: int = 1024
    """Taps of each filter; without effect on a perturbation."""

    def __post_init__(self) -> None:
        """Refuse sizes and budgets that cannot be."""
        SNR(self.budget_db)
        if self.sample_rate < 1 or self.clip_samples < 1 or self.taps < 1:
            raise MondegreenError(
                f"universal {self.kind}: sample_rate {self.sample_rate}, clip_samples "
                f"{self.clip_samples} and taps {self.taps} must be 1 or more."
            )


class Universal(nn.Module):
    """What maps a clip to a perturbation without knowing more of it than its level or spectrum.

    Args:
        config: Its kind, labels and sizes.
    """

    def __init__(self, config: UniversalConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def propose(self, x: Tensor, target: Tensor) -> Tensor:
        """Return an unscaled perturbation, ``(batch, 1, time)``."""

    @abstractmethod
    def draw(self, random: torch.Generator) -> Self:
        """Fill in random numbers to begin training with; returns itself."""

    @property
    def budget(self) -> SNR:
        """The budget it was trained for."""
        return SNR(self.config.budget_db)

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with any number or setting."""
        return fingerprint(self, to_dict(self.config))

    def forward(
        self,
        x: Tensor,
        target: Tensor,
        budget: Budget | None = None,
        snr_db: Tensor | None = None,
    ) -> Tensor:
        """Return the perturbation at the level that just meets each clip's budget.

        Args:
            x: Waveforms.
            target: Label indices, ``(batch,)``.
            budget: The budget to meet; by default the one it was trained for.
            snr_db: A budget in dB for each clip, ``(batch,)``, in place of ``budget``.

        Shape:
            - Input, output: ``(batch, 1, time)``
        """
        budget = budget or self.budget
        if snr_db is not None:
            budget = SNR(0.0)
        delta = self.propose(x, target)
        scale = budget.bound(x, snr_db) / budget.norm(delta).clamp_min(1e-20)
        delta = budget.project(x, delta * scale.to(delta.dtype)[:, None, None], snr_db)
        return delta.clamp(-1.0 - x, 1.0 - x)


class UniversalPerturbation(Universal):
    """One waveform for each target, ``(labels, clip_samples)``.

    Args:
        config: Labels and length.
    """

    def __init__(self, config: UniversalConfig) -> None:
        super().__init__(config)
        self.perturbations = nn.Parameter(torch.zeros(len(config.labels), config.clip_samples))

    def draw(self, random: torch.Generator) -> Self:
        """Fill in faint noise."""
        fill_with_noise(self.perturbations, 0.1, random)
        return self

    def propose(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the target's waveform, cut or padded with zeros to the length of ``x``."""
        return fit_length(F.embedding(target, self.perturbations), x.shape[2])[:, None]


class UniversalAttack(Attack):
    """Add the target's universal perturbation, at the level that just meets the budget.

    Args:
        perturbations: Trained perturbations.
    """

    def __init__(self, *, perturbations: Universal) -> None:
        self.universal = perturbations

    @property
    def name(self) -> str:
        """``universal-perturbation`` or ``universal-filter``."""
        return f"universal-{self.universal.config.kind}"

    def parameters(self) -> dict[str, Any]:
        """Return what identifies the perturbations."""
        return {
            "trained_for_db": self.universal.config.budget_db,
            "fingerprint": self.universal.fingerprint(),
        }

    @torch.no_grad()
    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        """Return the target's perturbation for each clip; None takes the budget of its training.

        Raises:
            MondegreenError: The classifier has other labels or another rate.
        """
        config = self.universal.config
        if classifier.labels != config.labels or classifier.sample_rate != config.sample_rate:
            raise MondegreenError(
                f"this universal {config.kind} works for the labels {', '.join(config.labels)} at "
                f"{config.sample_rate} Hz, in this order; {classifier.name} has others."
            )
        delta: Tensor = self.universal(x, target, budget)
        return delta


def describe_universal(
    classifier: Classifier, kind: UniversalKind, budget_db: float, taps: int = 1024
) -> UniversalConfig:
    """Return the configuration of a universal perturbation or filter against ``classifier``."""
    return UniversalConfig(
        kind=kind,
        labels=classifier.labels,
        classifier_name=classifier.name,
        classifier_fingerprint=classifier.fingerprint(),
        sample_rate=classifier.sample_rate,
        clip_samples=classifier.clip_samples,
        budget_db=budget_db,
        taps=taps,
    )


def fill_with_noise(values: nn.Parameter, deviation: float, random: torch.Generator) -> None:
    """Fill in Gaussian noise, drawn on the CPU so that every device begins alike."""
    with torch.no_grad():
        values.copy_(deviation * torch.randn(values.shape, generator=random))


def save_universal(folder: Path, universal: Universal) -> None:
    """Write ``universal.json`` and ``universal.safetensors`` to ``folder``.

    Raises:
        MondegreenError: The folder cannot be written.
    """
    save_weights(folder / "universal.safetensors", universal)
    write_json(folder / "universal.json", {"format": 1, **to_dict(universal.config)})


def read_universal(
    network: type[U], kind: UniversalKind, folder: str | Path, classifier: Classifier
) -> U:
    """Load what :func:`save_universal` wrote, frozen, onto the classifier's device.

    Args:
        network: The class to build.
        kind: The kind that ``folder`` has to hold.
        folder: A run's folder, a checkpoint's folder or ``universal.json``.
        classifier: The classifier it will be used against.

    Raises:
        MondegreenError: There is none, it is of another kind, its files are damaged, or it was
            trained against another classifier.
    """
    folder = find_checkpoint(Path(folder), "universal.json")
    path, weights = folder / "universal.json", folder / "universal.safetensors"
    description = read_json(path)
    if not isinstance(description, dict):
        raise MondegreenError(f"{path}: expected an object.")
    settings = {key: value for key, value in description.items() if key != "format"}
    config = from_dict(UniversalConfig, settings, str(path))
    if config.kind != kind:
        raise MondegreenError(f"{path} is of a universal {config.kind}, not of a {kind}.")
    classifier.refuse_other(config.classifier_name, config.classifier_fingerprint, folder)
    universal = build_described(lambda: network(config), path, weights)
    load_weights(weights, universal)
    return universal.requires_grad_(False).eval().to(classifier.device)


def load_universal(folder: str | Path, classifier: Classifier) -> UniversalAttack:
    """Load a universal perturbation as an attack.

    Args:
        folder: The run of ``mondegreen train universal --kind perturbation``.
        classifier: The classifier it was trained against.

    Raises:
        MondegreenError: As for :func:`read_universal`.
    """
    network = read_universal(UniversalPerturbation, "perturbation", folder, classifier)
    return UniversalAttack(perturbations=network)
