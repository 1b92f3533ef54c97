"""A microphone: band limits and a noise of its own."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.responses import filter_by
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_number


@dataclass(frozen=True, kw_only=True)
class Microphone(Channel):
    """A high-pass of first order, a low-pass of second order, and white noise at a fixed level.

    Raises:
        MondegreenError: A setting is out of range.
    """

    low_hz: float = 100.0
    """Lower limit in Hz."""
    high_hz: float = 7_500.0
    """Upper limit in Hz."""
    noise_dbfs: float = -70.0
    """Level of its own noise, root mean square, in dB of full scale; -200 has none to speak of."""

    def __post_init__(self) -> None:
        """Check the settings."""
        check_number("microphone", "low_hz", self.low_hz, 1.0, 5_000.0)
        check_number("microphone", "high_hz", self.high_hz, 100.0, 192_000.0)
        check_number("microphone", "noise_dbfs", self.noise_dbfs, -200.0, 0.0)

    @property
    def random(self) -> bool:
        """Its noise is."""
        return True

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return what the microphone hears."""
        noise: Tensor = streams.normal(x.shape[2]).to(x) * 10.0 ** (self.noise_dbfs / 20.0)
        return filter_by(x, sample_rate, self.response) + noise

    def response(self, hertz: Tensor) -> Tensor:
        """Return the complex gain at frequencies in Hz."""
        low, high = 1j * hertz / self.low_hz, 1j * hertz / self.high_hz
        gain: Tensor = low / (low + 1.0) / (high**2 + 2.0**0.5 * high + 1.0)
        return gain
