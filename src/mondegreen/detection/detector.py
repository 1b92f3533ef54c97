"""What every detector can do: give each clip a number that is larger for adversarial clips."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from mondegreen.errors import MondegreenError


class Detector(nn.Module, ABC):
    """Scores clips; the larger, the more the clip looks adversarial.

    Scores have a gradient, so that an attacker who knows the detector can descend them.
    """

    @abstractmethod
    def describe(self) -> str:
        """Return all settings, for result files and fingerprints."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return the scores.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: ``(batch,)``
        """


@torch.no_grad()
def scores(detector: Detector, x: Tensor, batch_size: int = 128) -> Tensor:
    """Return the scores of many clips, computed in batches, float64 on the CPU.

    Shape:
        - x: ``(clips, 1, time)``
        - Output: ``(clips,)``
    """
    return torch.cat([detector(part).double().cpu() for part in torch.split(x, batch_size)])


def threshold_for(benign: Tensor, false_alarms: float) -> float:
    """Return the score that at most a share of the benign clips exceeds.

    Args:
        benign: Scores of clips that nobody attacked, and that are not measured on later.
        false_alarms: The share, such as 0.05.

    Raises:
        MondegreenError: There is no clip, or the share is no number between 0 and 1.

    Example:
        >>> threshold_for(torch.arange(1.0, 21.0), 0.05)
        19.0
    """
    if not len(benign) or not 0.0 < false_alarms < 1.0:
        raise MondegreenError("a threshold needs benign clips, and a share between 0 and 1.")
    allowed = int(false_alarms * len(benign) + 1e-9)
    return float(benign.double().sort(descending=True).values[allowed])
