"""A network from outside of the package: ``train generator --network module:Class``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from mondegreen.errors import MondegreenError
from mondegreen.extensions import construct, find, is_place, parse_options

UNKNOWN_DB = 20.0
"""What a network is told where there is no budget, as a signal-to-noise ratio in dB."""


class OwnNetwork(nn.Module):
    """What a network of one's own derives from.

    Its constructor takes ``targets``, the number of targets, ``clip_samples``, the usual length of
    a clip, and options of its own by keyword. Scaling to the budget, clipping, training, saving and
    measuring are done around it. It defines :meth:`propose`, or :meth:`propose_within` if it is to
    know the budget; each of them is the other one unless it is defined.
    """

    def propose(self, x: Tensor, target: Tensor) -> Tensor:
        """Return a perturbation for each clip, of any level if a budget is to set it.

        Args:
            x: Waveforms in [-1, 1].
            target: Which target each clip should be taken for, int64, ``0 .. targets - 1``.

        Shape:
            - x, output: ``(batch, 1, time)``, for any time
            - target: ``(batch,)``
        """
        return self.propose_within(x, target, x.new_full((len(x),), UNKNOWN_DB))

    def propose_within(self, x: Tensor, target: Tensor, snr_db: Tensor) -> Tensor:
        """Return a perturbation for each clip, knowing the budget it will be scaled to.

        For networks that should propose otherwise where less is allowed.

        Args:
            x: Waveforms in [-1, 1].
            target: Which target each clip should be taken for.
            snr_db: The ratio in dB that each clip's budget amounts to, ``(batch,)``.

        Shape:
            - As in :meth:`propose`
        """
        return self.propose(x, target)

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return :meth:`propose`'s perturbation."""
        return self.propose(x, target)


@dataclass(frozen=True, kw_only=True)
class OwnConfig:
    """A network from outside of the package."""

    kind: Literal["own"] = "own"
    """Names this generator in configuration files."""
    place: str
    """The class, as module:Class."""
    options: str = ""
    """Its constructor's keyword arguments, such as width=32,depth=2."""

    def __post_init__(self) -> None:
        """Refuse what is no place and no options."""
        if not is_place(self.place):
            raise MondegreenError(f"network {self.place!r}: write module:Class.")
        parse_options(self.options, f"network {self.place!r}")


def build_own(config: OwnConfig, targets: int, clip_samples: int) -> OwnNetwork:
    """Return the network that a configuration names.

    A configuration may come from a file that nobody vouches for. So its module is imported from
    where Python looks anyhow, and not from the current folder.

    Raises:
        MondegreenError: There is none, it is no :class:`OwnNetwork`, or its options are wrong.
    """
    asked = f"network {config.place!r}"
    factory = find(config.place, asked, here=False)
    if not (isinstance(factory, type) and issubclass(factory, OwnNetwork)):
        raise MondegreenError(
            f"{asked}: {config.place} is no mondegreen.generators.own.OwnNetwork."
        )
    given = factory.propose, factory.propose_within
    if given == (OwnNetwork.propose, OwnNetwork.propose_within):
        raise MondegreenError(f"{asked}: it defines neither propose nor propose_within.")
    options: dict[str, Any] = {"targets": targets, "clip_samples": clip_samples}
    return construct(factory, {**options, **parse_options(config.options, asked)}, asked)
