"""The discriminator as a player: it owns its network, its loss and its optimiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mondegreen.gan.discriminator import Discriminator, DiscriminatorConfig
from mondegreen.gan.losses import AdversarialForm, discriminator_loss, fool_loss

if TYPE_CHECKING:
    from lightning_fabric import Fabric  # slow to import, and only trainings need it


class Adversary:
    """Tells genuine clips from adversarial ones, and says how well it is fooled.

    Args:
        config: The discriminator.
        form: Form of eq. 7 and 10.
        learning_rate: Of its Adam.
        betas: Adam's moments.
        fabric: Device and precision.
    """

    def __init__(
        self,
        config: DiscriminatorConfig,
        form: AdversarialForm,
        learning_rate: float,
        betas: tuple[float, float],
        fabric: Fabric,
    ) -> None:
        self.form: AdversarialForm = form
        self.fabric = fabric
        self.network = Discriminator(config)
        fabric.to_device(self.network)
        self.optimizer = torch.optim.Adam(self.network.parameters(), learning_rate, betas=betas)

    def fool(self, x_adv: Tensor) -> Tensor:
        """Return the generator's loss, eq. 7; no gradient reaches the discriminator's weights."""
        self.network.requires_grad_(False)
        with self.fabric.autocast():
            score = self.network(x_adv)
        return fool_loss(score.float(), self.form)

    def update(self, x: Tensor, x_adv: Tensor) -> Tensor:
        """Take one step on eq. 10 (Algorithm 1, line 10) and return the loss.

        Args:
            x: Genuine clips.
            x_adv: Adversarial ones, detached from the generator.

        Shape:
            - Input: ``(batch, 1, time)`` each
            - Output: ``()``
        """
        self.network.requires_grad_(True)
        with self.fabric.autocast():
            real, adversarial = self.network(x), self.network(x_adv)
        loss = discriminator_loss(real.float(), adversarial.float(), self.form)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        self.optimizer.step()
        return loss.detach()

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
