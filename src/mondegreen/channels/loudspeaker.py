"""A small loudspeaker: no bass, a resonance, an upper limit, and a little distortion."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.responses import filter_by
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_number


@dataclass(frozen=True, kw_only=True)
class Loudspeaker(Channel):
    r"""A loudspeaker in a closed box, which does not follow loud sounds quite to the end.

    Below its resonance :math:`f_0` the response of a closed box is a high-pass of second order,
    :math:`(s / \omega_0)^2 / ((s / \omega_0)^2 + s / (Q \omega_0) + 1)` (Small, J. Audio Eng. Soc.
    20(10), 1972), whose :math:`Q` lifts the resonance by as much; above ``high_hz`` it falls by
    12 dB an octave (Butterworth). The cone saturates: ``tanh(drive * x) / drive``, of which a tone
    of amplitude a gets a third harmonic of about ``(a * drive) ** 2 / 12`` of its level.

    Raises:
        MondegreenError: A setting is out of range.
    """

    resonance_hz: float = 250.0
    """Resonance of cone and box in Hz; small loudspeakers lie between 150 and 800 Hz."""
    q: float = 1.2
    """Quality of the resonance; 0.707 has no peak, 1.2 one of 2.4 dB."""
    high_hz: float = 7_000.0
    """Upper limit in Hz."""
    drive: float = 1.0
    """Strength of the saturation; 0 is linear."""

    def __post_init__(self) -> None:
        """Check the settings."""
        check_number("loudspeaker", "resonance_hz", self.resonance_hz, 10.0, 5_000.0)
        check_number("loudspeaker", "q", self.q, 0.1, 10.0)
        check_number("loudspeaker", "high_hz", self.high_hz, 100.0, 192_000.0)
        check_number("loudspeaker", "drive", self.drive, 0.0, 20.0)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return what the loudspeaker plays."""
        y = filter_by(x, sample_rate, self.response)
        return torch.tanh(self.drive * y) / self.drive if self.drive else y

    def response(self, hertz: Tensor) -> Tensor:
        """Return the complex gain at frequencies in Hz, saturation aside."""
        low, high = 1j * hertz / self.resonance_hz, 1j * hertz / self.high_hz
        closed_box: Tensor = low**2 / (low**2 + low / self.q + 1.0)
        through: Tensor = closed_box / (high**2 + 2.0**0.5 * high + 1.0)
        return through
