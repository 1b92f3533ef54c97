"""Telephone coding: G.711's logarithmic steps, bit by bit, in plain arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from mondegreen.audio import fit_length, float_to_pcm16, resample
from mondegreen.channels.channel import Channel, pass_straight
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_count, check_word

Law = Literal["mu", "a"]

RATE = 8_000
"""G.711's sample rate in Hz."""


@dataclass(frozen=True, kw_only=True)
class G711(Channel):
    """Code with 8 bits a sample by ITU-T G.711, at 8 kHz by default; straight-through gradient.

    The clip is resampled to ``hz``, coded, decoded and resampled back. The gradient takes the
    coding for nothing, the resampling for what it is.

    Raises:
        MondegreenError: A setting is out of range.
    """

    law: Law = "mu"
    """``mu`` (North America, Japan) or ``a`` (elsewhere)."""
    hz: int = RATE
    """Sample rate of the coder in Hz; 0 keeps the clip's."""

    def __post_init__(self) -> None:
        """Check the settings."""
        check_word("g711", "law", self.law, get_args(Law))
        check_count("g711", "hz", self.hz, 0, 192_000)

    @property
    def straight_through(self) -> bool:
        """Coding has no gradient."""
        return True

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips as the other end decodes them."""
        rate = self.hz or sample_rate
        sent = resample(x, sample_rate, rate)
        heard = pass_straight(sent, compand(sent.detach(), self.law))
        return fit_length(resample(heard, rate, sample_rate), x.shape[2])


def compand(x: Tensor, law: Law = "mu") -> Tensor:
    """Return what G.711 makes of samples: coded with 8 bits and decoded.

    Args:
        x: Samples in [-1, 1].
        law: ``mu`` or ``a``.

    Shape:
        - Input, output: any

    Example:
        >>> (compand(torch.tensor([0.5, -0.001])) * 32768).tolist()
        [16764.0, -32.0]
    """
    pcm = float_to_pcm16(x).long()
    code = encode_mu(pcm) if law == "mu" else encode_a(pcm)
    decoded = decode_mu(code) if law == "mu" else decode_a(code)
    return (decoded.to(torch.float32) / 32768.0).to(x.dtype)


def encode_mu(pcm: Tensor) -> Tensor:
    """Return mu-law codes of 16-bit samples, 0 to 255 as they are sent (G.711, table 2a).

    The 14-bit magnitude plus 33 is a mantissa of 5 bits, whose first is always one, times a power
    of two: the code has the sign, 3 bits of exponent and 4 of mantissa, all inverted.
    """
    magnitude = (torch.where(pcm < 0, ~pcm, pcm) >> 2).clamp(max=8158) + 33
    exponent = _log2(magnitude) - 5
    mantissa = (magnitude >> (exponent + 1)) & 15
    positive = (pcm >= 0).long() << 7
    return positive | ((exponent << 4 | mantissa) ^ 127)


def decode_mu(code: Tensor) -> Tensor:
    """Return the 16-bit samples of mu-law codes (G.711, table 2a)."""
    exponent, mantissa = (code >> 4 & 7) ^ 7, (code & 15) ^ 15
    magnitude = ((2 * mantissa + 33) << exponent) - 33
    return torch.where(code >= 128, magnitude, -magnitude) << 2


def encode_a(pcm: Tensor) -> Tensor:
    """Return A-law codes of 16-bit samples, 0 to 255 as they are sent (G.711, table 1a).

    As for mu-law, but the magnitude has 12 bits, nothing is added, small samples have exponent 0,
    and only the even bits are inverted.
    """
    magnitude = torch.where(pcm < 0, ~pcm, pcm) >> 4
    shift = (_log2(magnitude.clamp(min=1)) - 4).clamp(min=0)
    mantissa = (magnitude >> shift) & 15
    exponent = torch.where(magnitude < 16, torch.zeros_like(shift), shift + 1)
    positive = (pcm >= 0).long() << 7
    return (positive | exponent << 4 | mantissa) ^ 0x55


def decode_a(code: Tensor) -> Tensor:
    """Return the 16-bit samples of A-law codes (G.711, table 1a)."""
    plain = code ^ 0x55
    exponent, mantissa = plain >> 4 & 7, plain & 15
    hidden = (exponent > 0).long() << 4
    magnitude = (((mantissa | hidden) << 1) + 1) << (exponent - 1).clamp(min=0)
    return torch.where(plain >= 128, magnitude, -magnitude) << 3


def _log2(value: Tensor) -> Tensor:
    """Return the position of the highest bit of positive integers below 2 ** 24."""
    return torch.frexp(value.to(torch.float32)).exponent.long() - 1
