"""What the ear hears of single tones: the Bark scale, the threshold in quiet, spread of masking."""

from __future__ import annotations

import torch
from torch import Tensor

LOWEST_HZ = 20.0
"""The threshold in quiet is not extrapolated below this frequency."""


def bark(frequency: Tensor) -> Tensor:
    r"""Return the critical-band rate z of frequencies (Zwicker and Terhardt 1980).

    .. math:: z = 13 \arctan(0.00076 f) + 3.5 \arctan((f / 7500)^2)

    ISO 11172-3 tabulates the scale instead; this formula stays within 0.2 Bark of such tables.

    Args:
        frequency: In Hz, any shape.

    Example:
        >>> bark(torch.tensor([100.0, 1000.0, 8000.0])).round(decimals=2)
        tensor([ 0.9900,  8.5100, 21.2800])
    """
    return 13.0 * (0.00076 * frequency).atan() + 3.5 * (frequency / 7500.0).square().atan()


def threshold_in_quiet(frequency: Tensor) -> Tensor:
    r"""Return the level at which a tone is just heard in silence, in dB SPL (Terhardt 1979).

    .. math:: 3.64 f^{-0.8} - 6.5 e^{-0.6 (f - 3.3)^2} + 0.001 f^4

    with f in kHz, at least 0.02. ISO 11172-3 tabulates this curve.

    Args:
        frequency: In Hz, any shape.

    Example:
        >>> threshold_in_quiet(torch.tensor([100.0, 1000.0, 3300.0])).round(decimals=2)
        tensor([22.9500,  3.3700, -4.9800])
    """
    kilohertz = frequency.clamp_min(LOWEST_HZ) / 1000.0
    bump = 6.5 * (-0.6 * (kilohertz - 3.3).square()).exp()
    return 3.64 * kilohertz.pow(-0.8) - bump + 0.001 * kilohertz.pow(4)


def spread_of_masking(distance: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return how far the masking falls with the distance from the masker (ISO 11172-3, D.1).

    The masking function is linear in the masker's level X (dB SPL), :math:`vf = a + b X`:

    * 17 (d + 1) - (0.4 X + 6) for -3 <= d < -1
    * (0.4 X + 6) d for -1 <= d < 0
    * -17 d for 0 <= d < 1
    * -(d - 1) (17 - 0.15 X) - 17 for 1 <= d < 8

    and minus infinity elsewhere. Loud maskers reach further up, and less far down.

    Args:
        distance: d = z of the masked tone - z of the masker, in Bark, any shape.

    Returns:
        a in dB and b, both shaped like ``distance``.

    Example:
        >>> a, b = spread_of_masking(torch.tensor([-1.0, 1.0, 2.0]))
        >>> a + b * 80.0  # a masker of 80 dB
        tensor([-38., -17., -22.])
    """
    near_below, far_below = distance.clamp(-1.0, 0.0), (distance + 1.0).clamp_max(0.0)
    beyond = (distance - 1.0).clamp_min(0.0)
    a = 6.0 * near_below + 17.0 * far_below - 17.0 * distance.clamp_min(0.0)
    b = 0.4 * near_below + 0.15 * beyond
    heard = (distance >= -3.0) & (distance < 8.0)
    return a.masked_fill(~heard, -torch.inf), b.masked_fill(~heard, 0.0)
