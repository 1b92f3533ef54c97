"""Telling one network which target it works for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mondegreen.errors import MondegreenError
from mondegreen.generators.own import OwnNetwork


class TargetModulation(nn.Module):
    r"""Scale and shift each channel as learned for the target (FiLM, Perez et al. 2018).

    .. math:: y_c = (1 + s_{t,c}) h_c + b_{t,c}

    s and b start at zero, so an untrained modulation changes nothing, and weight decay pulls
    towards the unmodulated network instead of towards silence.

    Args:
        channels: Channels of the signal.
        targets: Number of targets.
        channel_last: The channels are the last dimension instead of the second.

    Shape:
        - h: ``(batch, channels, time)``, or ``(batch, time, channels)``
        - target: ``(batch,)``, int64, each in ``0 .. targets - 1``
        - Output: as h

    Example:
        >>> modulation = TargetModulation(channels=2, targets=3)
        >>> _ = torch.nn.init.constant_(modulation.shift, 0.5)
        >>> modulation(torch.ones(1, 2, 4), torch.tensor([2])).unique()
        tensor([1.5000], grad_fn=<Unique2Backward0>)
    """

    def __init__(self, channels: int, targets: int, *, channel_last: bool = False) -> None:
        super().__init__()
        self.channel_last = channel_last
        self.scale = nn.Parameter(torch.zeros(targets, channels))
        self.shift = nn.Parameter(torch.zeros(targets, channels))

    def forward(self, h: Tensor, target: Tensor) -> Tensor:
        """Return ``h`` as the target wants it."""
        time = 1 if self.channel_last else 2
        scale = self.scale[target].unsqueeze(time)
        shift = self.shift[target].unsqueeze(time)
        return torch.addcmul(shift, h, 1.0 + scale)

    def extra_repr(self) -> str:
        """Name the sizes."""
        targets, channels = self.scale.shape
        return f"channels={channels}, targets={targets}, channel_last={self.channel_last}"


@torch.no_grad()
def reorder_targets(network: nn.Module, rows: list[int]) -> None:
    """Put what a network has learned of each target in another order.

    Args:
        network: A spectral generator or a U-Net.
        rows: For each target the place that it had.

    Raises:
        MondegreenError: Nobody knows where the network keeps it.
    """
    found = [part for part in network.modules() if isinstance(part, TargetModulation)]
    kept: list[Tensor] = [tensor for part in found for tensor in (part.scale, part.shift)]
    kept += [part.weight for part in network.modules() if isinstance(part, nn.Embedding)]
    if isinstance(network, OwnNetwork) or not kept:
        raise MondegreenError(
            "start-from: the targets have another order there, and a network of one's own keeps "
            "its own account of them; name them by --target in the order of that generator."
        )
    for tensor in kept:
        tensor.copy_(tensor[rows].clone())
