"""What masks in a spectrum: tones, and the noise between them (ISO 11172-3, D.1)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FULL_SCALE_DB = 96.0
"""Level in dB SPL at which a tone of full scale (amplitude 1) is taken to be played."""

_TONAL_REACH = ((3, 63, 2), (63, 127, 3), (127, 255, 6), (255, 1 << 30, 12))
_TONAL_RATIO = 10.0**0.7


def power_spectrum(x: Tensor, window: int, hop: int) -> Tensor:
    """Return the power of every time-frequency bin, such that 1 is 0 dB SPL.

    Hann frames; the first and the last reach over the clip's ends. A tone of amplitude 1 in the
    middle of a bin has ``FULL_SCALE_DB`` there.

    Args:
        x: Waveforms, ``(batch, time)`` or ``(batch, 1, time)``.
        window: Samples in a frame.
        hop: Samples between frames.

    Returns:
        ``(batch, frames, bins)``, ``bins = window // 2 + 1``.

    Raises:
        ValueError: The shape is another one.
    """
    if x.ndim == 3 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 2:
        raise ValueError(f"expected (batch, time) or (batch, 1, time), got {tuple(x.shape)}")
    margin = window - hop
    frames = max(1, -(-(x.shape[1] + margin) // hop))
    tail = (frames - 1) * hop + window - margin - x.shape[1]
    x = F.pad(x, (margin, tail)).unfold(1, window, hop)
    taper = torch.hann_window(window, dtype=x.dtype, device=x.device) * (4.0 / window)
    spectrum = torch.fft.rfft(x * taper)
    power: Tensor = (spectrum.real.square() + spectrum.imag.square()) * 10.0 ** (FULL_SCALE_DB / 10)
    return power


def find_tones(power: Tensor) -> Tensor:
    """Return which bins are tonal: a local maximum 7 dB above its neighbourhood (ISO 11172-3, D.1).

    The neighbourhood are the bins at distance 2 (below bin 63), 2 and 3 (below 127), 2 to 6 (below
    255) or 2 to 12, as in layer II of the standard.

    Args:
        power: ``(frames, bins)``.

    Returns:
        Truth values, ``(frames, bins)``.
    """
    tonal = torch.zeros_like(power, dtype=torch.bool)
    for start, stop, reach in _sections(power.shape[1]):
        centre = power[:, start:stop]
        around = torch.zeros_like(centre)
        for step in range(2, reach + 1):
            for shift in (-step, step):
                around = torch.maximum(around, power[:, start + shift : stop + shift])
        above, below = power[:, start + 1 : stop + 1], power[:, start - 1 : stop - 1]
        tonal[:, start:stop] = (
            (centre > below) & (centre >= above) & (centre >= _TONAL_RATIO * around) & (centre > 0)
        )
    return tonal


def around_tones(tonal: Tensor) -> Tensor:
    """Return the bins that belong to a tone: itself and its neighbourhood."""
    taken = tonal.clone()
    for start, stop, reach in _sections(tonal.shape[1]):
        for step in range(1, reach + 1):
            taken[:, start - step : stop - step] |= tonal[:, start:stop]
            taken[:, start + step : stop + step] |= tonal[:, start:stop]
    return taken


def _sections(bins: int) -> list[tuple[int, int, int]]:
    """Return first bin, end and reach of the ranges in which tones are looked for."""
    ends = ((start, min(stop, bins - reach), reach) for start, stop, reach in _TONAL_REACH)
    return [(start, stop, reach) for start, stop, reach in ends if start < stop]


def strongest_tones(frame: Tensor, position: Tensor, level: Tensor) -> Tensor:
    """Return which tones have no stronger one within 0.5 Bark; they come sorted by position."""
    keep = torch.ones_like(frame, dtype=torch.bool)
    for step in range(1, len(frame)):
        near = (frame[step:] == frame[:-step]) & (position[step:] - position[:-step] < 0.5)
        if not bool(near.any()):
            break
        louder = level[:-step] >= level[step:]
        keep[step:] &= ~(near & louder)
        keep[:-step] &= ~(near & ~louder)
    return keep


def critical_bands(position: Tensor) -> tuple[Tensor, Tensor]:
    """Return the bins of each critical band, ``(bins, bands)``, and the bin of its mean."""
    bands = F.one_hot(position.long()).to(position.dtype)
    bands[0] = 0.0  # nobody hears a constant
    bands = bands[:, bands.sum(dim=0) > 0]  # coarse bins leave some bands empty
    logs = torch.arange(len(position)).clamp_min(1).to(position.dtype).log()
    centres = ((logs @ bands) / bands.sum(dim=0)).exp().round().long()
    return bands, centres
