"""What a training measures, for TensorBoard, beside the lines of ``metrics.jsonl``."""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mondegreen.errors import MissingExtraError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter  # slow to import, and seldom needed

_NO_TAG = re.compile(r"[^\w.-]")

HEARD = 3
"""So many clips of the validation split are listened to."""


class Board:
    """Writes events for TensorBoard; without a folder every call does nothing.

    All that is written is read off the training, which goes the same way with it and without.
    A training that is continued begins another file, which tells readers to forget what was
    written after the state that it continues from.

    Args:
        folder: Where event files go; None for none.

    Raises:
        MondegreenError: There is a folder, and the package tensorboard is not installed.
    """

    def __init__(self, folder: Path | None) -> None:
        if folder is not None and importlib.util.find_spec("tensorboard") is None:
            raise MissingExtraError("tensorboard", "track")
        self.folder = folder
        self._begun = 0
        self._open: SummaryWriter | None = None

    def __bool__(self) -> bool:
        """Tell whether anything is written."""
        return self.folder is not None

    def begin(self, step: int) -> None:
        """Say at which step the training goes on; what was written of later ones is void."""
        self._begun = step

    def step(
        self,
        step: int,
        measured: Mapping[str, float],
        optimizer: torch.optim.Optimizer,
        rate: float | None = None,
    ) -> None:
        """Write the losses of one training step, its learning rate and the norm of its gradients.

        Args:
            step: Steps taken, this one included.
            measured: The losses.
            optimizer: Whose gradients are measured, unless ``measured`` knows their norm.
            rate: The step's learning rate; by default what the optimiser has now.
        """
        if self.folder is None:
            return
        found = dict(measured)
        found["learning_rate"] = optimizer.param_groups[0]["lr"] if rate is None else rate
        if not any(name.endswith("gradient_norm") for name in found):
            found["gradient_norm"] = gradient_norm(optimizer)
        self.scalars(step, {f"step/{name}": value for name, value in found.items()})

    def scalars(self, step: int, values: Mapping[str, float | None]) -> None:
        """Write numbers; those that are None or not finite are left out."""
        if self.folder is None:
            return
        for name, value in values.items():
            if value is not None and math.isfinite(value):
                self._writer().add_scalar(name, value, step)

    def sounds(self, step: int, x: Tensor, delta: Tensor, names: list[str], rate: int) -> None:
        """Write clips, as they are, perturbed, and the perturbations alone.

        Args:
            step: Steps taken.
            x: Waveforms, ``(n, 1, time)``, in [-1, 1].
            delta: What is added to them.
            names: What each is called.
            rate: Samples a second.
        """
        if self.folder is None:
            return
        clips = zip(names, x.cpu(), delta.detach().cpu(), strict=True)
        for number, (name, clip, change) in enumerate(clips, 1):
            heard = {"clean": clip, "perturbed": clip + change, "perturbation": change}
            where = f"clip_{number}_{_NO_TAG.sub('_', name)}"
            for kind, wave in heard.items():
                self._writer().add_audio(f"{where}/{kind}", wave.clamp(-1.0, 1.0), step, rate)

    def flush(self) -> None:
        """Hand everything to the system, so that it outlives this process."""
        if self._open is not None:
            self._open.flush()

    def _writer(self) -> SummaryWriter:
        if self._open is None:
            from torch.utils.tensorboard import SummaryWriter

            self._open = SummaryWriter(str(self.folder), purge_step=self._begun + 1)
        return self._open


def gradient_norm(optimizer: torch.optim.Optimizer) -> float:
    """Return the L2 norm of all gradients that an optimiser's parameters hold.

    Example:
        >>> weight = torch.nn.Parameter(torch.zeros(2))
        >>> weight.grad = torch.tensor([3.0, 4.0])
        >>> gradient_norm(torch.optim.SGD([weight]))
        5.0
    """
    groups = optimizer.param_groups
    held = [p.grad for group in groups for p in group["params"] if p.grad is not None]
    if not held:
        return 0.0
    norms = torch.stack([torch.linalg.vector_norm(gradient) for gradient in held])
    return float(torch.linalg.vector_norm(norms))


def heard_positions(count: int) -> list[int]:
    """Return which clips of a split are listened to: a few, evenly spread, always the same.

    Example:
        >>> heard_positions(300)
        [50, 150, 250]
    """
    wanted = min(HEARD, count)
    return [(2 * number + 1) * count // (2 * wanted) for number in range(wanted)]
