"""What a generator is trained to lower: the weighted sum of its losses (paper, eq. 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mondegreen.attacks.plan import shortfalls
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.gan.adversary import Adversary
from mondegreen.gan.audibility import Hearing, build_hearing
from mondegreen.gan.batches import Batch
from mondegreen.gan.config import GeneratorTraining
from mondegreen.gan.distillation import distillation_loss, searched
from mondegreen.gan.losses import (
    classifier_loss,
    generator_loss,
    hinge_loss,
    l2_loss,
    margin_loss,
)
from mondegreen.generators.generator import NetworkConfig
from mondegreen.generators.spectral import SpectralConfig

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Losses = dict[str, float]

NAMES = (
    *("train/success", "train/snr_db", "generator/total", "generator/hinge", "generator/l2"),
    *("generator/fool", "generator/matching", "generator/hearing", "generator/classifier"),
    "generator/distill",
)
"""All losses that there can be."""


class Objective:
    """The losses of a batch.

    Args:
        training: Which losses, and their weights.
        classifier: The frozen classifier under attack.
        network: The generator's; it has to have a dial for audibility to count.
        fabric: Device and precision.

    Raises:
        MondegreenError: Audibility is to count, and the network has no dial.
    """

    def __init__(
        self,
        training: GeneratorTraining,
        classifier: Classifier,
        network: NetworkConfig,
        fabric: Fabric,
    ) -> None:
        self.training, self.classifier, self.fabric = training, classifier, fabric
        self.hearing = self._hearing(network)
        """Judges audibility, if the network is to learn quietness."""

    def _hearing(self, network: NetworkConfig) -> Hearing | None:
        if self.training.weights.hearing == 0.0:
            return None
        if not isinstance(network, SpectralConfig) or not network.dial:
            raise MondegreenError(
                "training: weights.hearing needs a network with a dial: --architecture.dial, "
                "or --training.weights.hearing 0."
            )
        hearing = build_hearing(self.training.hearing_model, self.classifier.sample_rate)
        self.fabric.to_device(hearing)
        return hearing

    def __call__(
        self, batch: Batch, x_adv: Tensor, adversary: Adversary | None, *, warm_up: bool = False
    ) -> tuple[Tensor, Losses]:
        """Return the weighted loss and every term of it.

        Only the classifier hears the clips after the channel; size and audibility are those of the
        clips as they are made.

        Args:
            batch: The clips and what is asked of them.
            x_adv: What the generator made of them, ``(batch, 1, time)``.
            adversary: The discriminator, where there is one.
            warm_up: Leave the classifier out (Algorithm 1).
        """
        t, x = self.training, batch.x
        delta = x_adv - x
        logits = None if warm_up else self._logits(batch, x_adv)
        terms: dict[str, Tensor] = {
            "hinge": hinge_loss(delta, t.hinge_bound),
            "l2": l2_loss(x, x_adv, t.l2_reading),
        }
        weights = t.weights.warm_up() if warm_up else t.weights
        if adversary is not None:
            terms["fool"] = adversary.fool(x_adv)
            if weights.matching > 0.0:
                terms["matching"] = adversary.match(x, x_adv)
        audible = self._audible(batch, x_adv)
        if audible is not None:
            terms["hearing"] = audible
        if weights.distill > 0.0 and batch.snr_db is not None:
            terms["distill"] = distillation_loss(delta, self._goal(batch, delta, batch.snr_db))
        losses: Losses = {}
        if logits is not None:
            terms["classifier"] = self._classifier_loss(logits, batch.target)
            hits = logits.argmax(dim=1) == batch.target
            losses["train/success"] = float(hits.float().mean())
        loss = generator_loss(**terms, weights=weights)
        losses |= {f"generator/{name}": float(term.detach()) for name, term in terms.items()}
        losses["generator/total"] = float(loss.detach())
        energy = x.square().sum(dim=(1, 2)) + 1e-9
        noise = delta.detach().square().sum(dim=(1, 2)) + 1e-9
        losses["train/snr_db"] = float((10 * torch.log10(energy / noise)).mean())
        return loss, losses

    def _logits(self, batch: Batch, x_adv: Tensor) -> Tensor:
        heard = x_adv
        if batch.passage is not None:
            heard = batch.passage(x_adv, self.classifier.sample_rate)
        with self.fabric.autocast():
            logits: Tensor = self.classifier(heard).float()
        return logits

    def _goal(self, batch: Batch, delta: Tensor, snr_db: Tensor) -> Tensor:
        """Return what a search makes of the perturbations."""

        def lack(x_adv: Tensor) -> Tensor:
            found = shortfalls(self._logits(batch, x_adv), batch.target, "margin")
            return found + self.training.kappa

        return searched(
            lack,
            batch.x,
            delta,
            snr_db,
            steps=self.training.distill_steps,
            sample_rate=self.classifier.sample_rate,
        )

    def _audible(self, batch: Batch, x_adv: Tensor) -> Tensor | None:
        """Return how audible the clips are that are asked to be quiet; None where none is."""
        if self.hearing is None or batch.quietness is None:
            return None
        asked = batch.quietness > 0.0
        if not bool(asked.any()):
            return None
        heard = self.hearing(batch.x[asked], x_adv[asked])
        total: Tensor = (batch.quietness[asked] * heard).sum() / len(batch)
        return total

    def _classifier_loss(self, logits: Tensor, target: Tensor) -> Tensor:
        if self.training.classifier_loss == "cross-entropy":
            return classifier_loss(logits, target)
        margin = margin_loss(logits, target, self.training.kappa)
        return margin + 0.2 * classifier_loss(logits, target)
