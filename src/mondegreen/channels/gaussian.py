"""Gaussian noise of a fixed level, whatever the clip: what randomised smoothing adds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_number


@dataclass(frozen=True, kw_only=True)
class Gaussian(Channel):
    """Add Gaussian noise of one standard deviation to all clips (Cohen et al. 2019).

    Its level does not depend on the clip, as that of ``noise`` does, which a certificate needs:
    https://arxiv.org/abs/1902.02918.

    Raises:
        MondegreenError: ``sigma`` is out of range.
    """

    sigma: float = 0.01
    """Standard deviation; full scale is 1."""

    def __post_init__(self) -> None:
        """Check the level."""
        check_number("gaussian", "sigma", self.sigma, 1e-6, 1.0)

    @property
    def random(self) -> bool:
        """Noise is."""
        return True

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips with noise."""
        return x + self.sigma * streams.normal(x.shape[2]).to(x)
