"""A trained generator: a network, the targets it knows and the budget it promises to keep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from mondegreen.budgets import L2, SNR, Budget, Linf
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.places import find_checkpoint
from mondegreen.configs import from_dict, to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.generators.own import UNKNOWN_DB, OwnConfig, OwnNetwork, build_own
from mondegreen.generators.spectral import SpectralConfig, SpectralGenerator
from mondegreen.generators.unet import UNetConfig, UNetGenerator
from mondegreen.weights import build_described, fingerprint, load_weights, save_weights

NetworkConfig = UNetConfig | SpectralConfig | OwnConfig


@dataclass(frozen=True)
class GeneratorConfig:
    """Everything but the weights of a generator."""

    network: NetworkConfig
    """Which network proposes the perturbation."""
    labels: tuple[str, ...]
    """All labels of the classifier, in its order."""
    targets: tuple[str, ...]
    """The labels it was trained to reach; one, or several by one conditioned network."""
    classifier_name: str
    """Name of the classifier it was trained against."""
    classifier_fingerprint: str
    """Fingerprint of that classifier."""
    sample_rate: int
    """In Hz."""
    clip_samples: int
    """Samples of the clips it was trained on."""
    budget_db: float | None
    """The signal-to-noise ratio it was trained for; None: only the loss limits the perturbation."""

    def __post_init__(self) -> None:
        """Refuse targets without a label, budgets out of range and clips that cannot be."""
        unknown = [target for target in self.targets if target not in self.labels]
        if unknown:
            raise MondegreenError(
                f"unknown target {', '.join(unknown)!r}: the classifier knows "
                f"{', '.join(self.labels)}."
            )
        if not self.targets or len(set(self.targets)) != len(self.targets):
            raise MondegreenError(f"a generator needs distinct targets, not {self.targets}.")
        if self.budget_db is not None:
            SNR(self.budget_db)
        if self.sample_rate < 1 or self.clip_samples < 1:
            raise MondegreenError(
                f"generator: sample_rate {self.sample_rate} and clip_samples {self.clip_samples} "
                "must be 1 or more."
            )


class Generator(nn.Module):
    """Maps a waveform and a target label to a perturbation that keeps a budget.

    Args:
        config: Network, labels, targets and budget.
    """

    target_slot: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        count = len(config.targets)
        self.network: UNetGenerator | SpectralGenerator | OwnNetwork
        if isinstance(config.network, UNetConfig):
            self.network = UNetGenerator(config.network, count, config.clip_samples)
        elif isinstance(config.network, SpectralConfig):
            self.network = SpectralGenerator(config.network, count, config.clip_samples)
        else:
            self.network = build_own(config.network, count, config.clip_samples)
        slot_of = {name: slot for slot, name in enumerate(config.targets)}
        slots = torch.tensor([slot_of.get(label, -1) for label in config.labels])
        self.register_buffer("target_slot", slots, persistent=False)

    @property
    def budget(self) -> SNR | None:
        """The budget it was trained for, or None."""
        return None if self.config.budget_db is None else SNR(self.config.budget_db)

    @property
    def name(self) -> str:
        """``unet``, ``spectral`` or, of a network from outside, its ``module:Class``."""
        return network_name(self.config.network)

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with any weight or setting."""
        return fingerprint(self, to_dict(self.config))

    def parameter_count(self) -> int:
        """Return the number of weights."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(
        self,
        x: Tensor,
        target: Tensor,
        budget: Budget | None = None,
        snr_db: Tensor | None = None,
        quietness: float | Tensor = 0.0,
    ) -> Tensor:
        """Return a perturbation, projected onto the budget, with ``x + delta`` in [-1, 1].

        Args:
            x: Waveforms.
            target: Indices into the classifier's labels, ``(batch,)``.
            budget: The budget to keep; by default the one it was trained for.
            snr_db: A budget in dB for each clip, ``(batch,)``, in place of ``budget``.
            quietness: From 0 (the budget alone limits the perturbation) to 1 (as inaudible as the
                network knows), one number or one a clip, ``(batch,)``.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: ``(batch, 1, time)``

        Raises:
            MondegreenError: It was not trained for one of the targets, or not for quietness.
        """
        slot = self.target_slot[target]
        refuse_unknown(self.config, target, slot)
        budget = budget if budget is not None or snr_db is not None else self.budget
        if isinstance(self.network, SpectralGenerator) and self.network.config.dial:
            quiet = torch.as_tensor(quietness, dtype=x.dtype, device=x.device).expand(len(x))
            delta = self.network.propose(x, slot, wanted_db(x, budget, snr_db), quiet)
        elif isinstance(quietness, Tensor) or quietness != 0.0:
            raise MondegreenError(
                "this generator knows no quietness; use 0, or one that was trained for it."
            )
        elif isinstance(self.network, SpectralGenerator):
            delta = self.network.propose(x, slot, wanted_db(x, budget, snr_db))
        elif isinstance(self.network, OwnNetwork):
            delta = self.network.propose_within(x, slot, wanted_db(x, budget, snr_db))
            if delta.shape != x.shape:
                raise MondegreenError(
                    f"network {self.name!r} proposed perturbations of shape {tuple(delta.shape)} "
                    f"for clips of shape {tuple(x.shape)}; they have to be alike."
                )
        else:
            delta = self.network.propose(x, slot)
        if snr_db is not None:
            delta = SNR(0.0).project(x, delta, db=snr_db)
        elif budget is not None:
            delta = budget.project(x, delta)
        # Not clamp(x + delta) - x: that sum rounds, and a quiet delta would exceed its budget.
        return delta.clamp(-1.0 - x, 1.0 - x)


def network_name(network: NetworkConfig) -> str:
    """Return ``unet``, ``spectral`` or, of a network from outside, its ``module:Class``."""
    return network.place if isinstance(network, OwnConfig) else network.kind


def wanted_db(x: Tensor, budget: Budget | None, snr_db: Tensor | None) -> Tensor:
    """Return each clip's budget as the signal-to-noise ratio that conditions the network.

    Args:
        x: Waveforms, ``(batch, 1, time)``.
        budget: The budget; an L2 or maximum norm counts as the ratio that it amounts to for the
            clip (a maximum norm as uniform noise up to it), from 0 to 60 dB; None as 20 dB.
        snr_db: A ratio in dB for each clip, ``(batch,)``, in place of ``budget``.
    """
    if snr_db is not None:
        return snr_db
    if isinstance(budget, SNR):
        return x.new_full((len(x),), budget.db)
    energy = x.double().square().sum(dim=(1, 2)).clamp_min(1e-12)
    if isinstance(budget, L2):
        allowed = torch.full_like(energy, budget.eps**2)
    elif isinstance(budget, Linf):
        allowed = torch.full_like(energy, budget.eps**2 * x.shape[2] / 3)
    else:
        return x.new_full((len(x),), UNKNOWN_DB)
    wanted = (10.0 * torch.log10(energy / allowed.clamp_min(1e-12))).clamp(0.0, 60.0)
    return wanted.to(x.dtype)


def refuse_unknown(config: GeneratorConfig, target: Tensor, slot: Tensor) -> None:
    """Check that a generator was trained for its targets.

    Args:
        config: The generator's.
        target: Indices into the classifier's labels.
        slot: The same as indices into the generator's targets, -1 where there is none.

    Raises:
        MondegreenError: It was not trained for one of them.
    """
    if bool((slot < 0).any()):
        missing = {config.labels[int(i)] for i in target[slot < 0]}
        raise MondegreenError(
            f"this generator was trained for {', '.join(config.targets)}, "
            f"not for {', '.join(sorted(missing))}."
        )


def describe_classifier(
    classifier: Classifier,
    network: NetworkConfig,
    targets: tuple[str, ...],
    budget_db: float | None,
) -> GeneratorConfig:
    """Return the configuration of a generator against ``classifier``."""
    return GeneratorConfig(
        network=network,
        labels=classifier.labels,
        targets=targets or classifier.labels,
        classifier_name=classifier.name,
        classifier_fingerprint=classifier.fingerprint(),
        sample_rate=classifier.sample_rate,
        clip_samples=classifier.clip_samples,
        budget_db=budget_db,
    )


def save_generator(folder: Path, generator: Generator) -> None:
    """Write ``generator.json`` and ``generator.safetensors`` to ``folder``.

    Raises:
        MondegreenError: The folder cannot be written.
    """
    save_weights(folder / "generator.safetensors", generator.network)
    write_json(folder / "generator.json", {"format": 1, **to_dict(generator.config)})


def load_generator(folder: str | Path, classifier: Classifier | None = None) -> Generator:
    """Load a generator from a run's folder, a checkpoint's folder or ``generator.json``.

    Args:
        folder: Where it is.
        classifier: The classifier it will be used against.

    Raises:
        MondegreenError: There is none, its files are damaged, or it was trained against another
            classifier.
    """
    folder = find_checkpoint(Path(folder), "generator.json")
    path, weights = folder / "generator.json", folder / "generator.safetensors"
    description = read_json(path)
    if not isinstance(description, dict):
        raise MondegreenError(f"{path}: expected an object.")
    settings = {key: value for key, value in description.items() if key != "format"}
    config = from_dict(GeneratorConfig, settings, str(path))
    if classifier is not None:
        classifier.refuse_other(config.classifier_name, config.classifier_fingerprint, folder)
    generator = build_described(lambda: Generator(config), path, weights)
    load_weights(weights, generator.network)
    return generator.requires_grad_(False).eval()
