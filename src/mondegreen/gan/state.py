"""What changes while a generator trains, as one checkpoint."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mondegreen.errors import MondegreenError
from mondegreen.fitting import Parts
from mondegreen.gan.adversary import Adversary
from mondegreen.gan.config import GeneratorTraining
from mondegreen.generators.generator import Generator, GeneratorConfig
from mondegreen.processes.group import Processes
from mondegreen.processes.layers import share_layers

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass
class State:
    """Everything that changes while a generator trains."""

    generator: Generator
    average: Generator
    optimizer: torch.optim.Optimizer
    adversary: Adversary | None
    epoch: int = 0
    step: int = 0
    best_success: float = -1.0
    successes: list[float] = field(default_factory=list)
    within: dict[str, Any] | None = None
    """The place within the epoch that was left unfinished."""
    parts: Parts = field(default_factory=Parts)

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """Move the average of the weights towards the generator's."""
        # A young average forgets faster, or the random start would linger in it.
        decay = min(decay, self.step / (self.step + 20)) if decay else 0.0
        pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight, 1.0 - decay)
        buffers = zip(self.average.buffers(), self.generator.buffers(), strict=True)
        for kept, buffer in buffers:  # such as the statistics of batch norm
            kept.copy_(buffer)

    def tensors(self) -> list[Tensor]:
        """Return the weights and statistics of all networks that are trained."""
        networks: list[nn.Module] = [self.generator, self.average]
        networks += [self.adversary.network] if self.adversary is not None else []
        return [one for network in networks for one in (*network.parameters(), *network.buffers())]

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {
            "step": self.step,
            "classifier": self.generator.config.classifier_fingerprint,
            "epoch": self.epoch,
            "generator": self.generator.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "adversary": self.adversary.state_dict() if self.adversary else None,
            "best_success": self.best_success,
            "successes": self.successes,
            "within": self.within,
            "parts": self.parts.count,
        }

    def load_state_dict(self, saved: dict[str, Any], where: str) -> None:
        """Continue from a checkpoint.

        Args:
            saved: What :meth:`state_dict` returned.
            where: The file it came from, for the error message.

        Raises:
            MondegreenError: It is the checkpoint of another training.
        """
        if saved.get("classifier") != self.generator.config.classifier_fingerprint:
            raise MondegreenError(
                f"{where} belongs to a training against another classifier. Choose another --out."
            )
        try:
            self.generator.network.load_state_dict(saved["generator"])
            self.average.network.load_state_dict(saved["average"])
            self.optimizer.load_state_dict(saved["optimizer"])
            if self.adversary is not None:
                self.adversary.load_state_dict(saved["adversary"])
            self.step, self.epoch = saved["step"], saved["epoch"]
            self.best_success, self.successes = saved["best_success"], saved["successes"]
            self.within, self.parts.count = saved.get("within"), int(saved.get("parts", 1))
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise MondegreenError(
                f"{where} does not fit this training. Delete its run to begin again."
            ) from error


def new_state(
    config: GeneratorConfig, training: GeneratorTraining, fabric: Fabric, processes: Processes
) -> State:
    """Return the state before the first step, with random weights of the training's seed.

    Args:
        config: The generator.
        training: Optimiser and discriminator.
        fabric: Device and precision.
        processes: Who shares each batch.
    """
    t = training
    torch.manual_seed(t.seed)
    generator = Generator(config)
    fabric.to_device(generator)
    kind = torch.optim.AdamW if t.optimizer == "adamw" else torch.optim.Adam
    optimizer = kind(
        generator.parameters(),
        t.learning_rate,
        betas=t.betas,
        weight_decay=0.01 if t.optimizer == "adamw" else 0.0,
        fused=True,
    )
    adversary = None
    if t.discriminator is not None and t.weights.alpha > 0:
        adversary = Adversary(
            t.discriminator,
            config.clip_samples,
            t.adversarial_form,
            t.discriminator_learning_rate,
            t.betas,
            fabric,
            processes,
        )
    state = State(generator, copy.deepcopy(generator), optimizer, adversary)
    share_layers(generator, processes)
    state.parts.fixed = not processes.alone
    return state
