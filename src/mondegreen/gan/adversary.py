"""The discriminator as a player: it owns its network, its loss and its optimiser."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mondegreen.fitting import Parts
from mondegreen.gan.discriminator import Discriminator, DiscriminatorConfig
from mondegreen.gan.losses import AdversarialForm, discriminator_loss, fool_loss
from mondegreen.gan.spectral_discriminator import (
    SpectralDiscriminator,
    SpectralDiscriminatorConfig,
    feature_matching_loss,
)
from mondegreen.processes.group import Processes
from mondegreen.processes.layers import share_layers

if TYPE_CHECKING:
    from lightning_fabric import Fabric  # slow to import, and only trainings need it

AnyDiscriminatorConfig = DiscriminatorConfig | SpectralDiscriminatorConfig


def build_discriminator(
    config: AnyDiscriminatorConfig, clip_samples: int
) -> Discriminator | SpectralDiscriminator:
    """Return the discriminator that ``config`` describes, for clips of ``clip_samples``."""
    if isinstance(config, SpectralDiscriminatorConfig):
        return SpectralDiscriminator(config)
    return Discriminator(replace(config, clip_samples=clip_samples))


class Adversary:
    """Tells genuine clips from adversarial ones, and says how well it is fooled.

    Args:
        config: The discriminator.
        clip_samples: Length of the clips in samples.
        form: Form of eq. 7 and 10.
        learning_rate: Of its Adam.
        betas: Adam's moments.
        fabric: Device and precision.
        processes: Who shares each batch; by default nobody.
    """

    def __init__(
        self,
        config: AnyDiscriminatorConfig,
        clip_samples: int,
        form: AdversarialForm,
        learning_rate: float,
        betas: tuple[float, float],
        fabric: Fabric,
        processes: Processes | None = None,
    ) -> None:
        self.form: AdversarialForm = form
        self.fabric, self.processes = fabric, processes or Processes()
        self.network = build_discriminator(config, clip_samples)
        fabric.to_device(self.network)
        share_layers(self.network, self.processes)
        self.optimizer = torch.optim.Adam(self.network.parameters(), learning_rate, betas=betas)

    def fool(self, x_adv: Tensor) -> Tensor:
        """Return the generator's loss, eq. 7; no gradient reaches the discriminator's weights."""
        self.network.requires_grad_(False)
        with self.fabric.autocast():
            score = self.network(x_adv)
        return fool_loss(score.float(), self.form)

    def match(self, x: Tensor, x_adv: Tensor) -> Tensor:
        """Return how far the features of ``x_adv`` are from those of ``x``, for the generator.

        Raises:
            ValueError: The discriminator is the paper's, which shows no features.
        """
        self.network.requires_grad_(False)
        with torch.no_grad(), self.fabric.autocast():
            real = self.network.judge(x)[1]
        with self.fabric.autocast():
            adversarial = self.network.judge(x_adv)[1]
        return feature_matching_loss(
            [feature.float() for feature in real], [feature.float() for feature in adversarial]
        )

    def update(
        self, x: Tensor, x_adv: Tensor, parts: Parts | None = None, whole: int | None = None
    ) -> Tensor:
        """Take one step on eq. 10 (Algorithm 1, line 10) and return the loss.

        Args:
            x: Genuine clips.
            x_adv: Adversarial ones, detached from the generator.
            parts: Into how many parts the batch is cut, so that it fits into memory.
            whole: Clips of the batch that these are a share of; by default they are all.

        Shape:
            - Input: ``(batch, 1, time)`` each
            - Output: ``()``
        """
        self.network.requires_grad_(True)

        def gradient(slices: list[slice]) -> Tensor:
            self.optimizer.zero_grad(set_to_none=True)
            total = x.new_zeros(())
            for part in slices:
                with self.fabric.autocast():
                    real, adversarial = self.network(x[part]), self.network(x_adv[part])
                loss = discriminator_loss(real.float(), adversarial.float(), self.form)
                share = len(x[part]) / (whole or len(x))
                self.fabric.backward(loss * share)
                total += loss.detach() * share
            return total

        loss = (parts or Parts()).fit(len(x), gradient)
        self.processes.sum_gradients(self.network.parameters())
        self.processes.sum([loss])
        self.optimizer.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
