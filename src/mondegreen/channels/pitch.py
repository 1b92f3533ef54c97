"""Higher or lower at the same speed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.interpolation import play
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import Range, check_range, pick, varies

_FRAME_SECONDS = 0.032
_OVERLAP = 4


@dataclass(frozen=True, kw_only=True)
class Pitch(Channel):
    """Change the pitch and keep the speed, by a phase vocoder whose peaks hold their surroundings.

    Laroche and Dolson, IEEE Trans. Speech and Audio Processing 7(3), 1999, "identity phase
    locking". Frames of 32 ms, three quarters overlapping, are spread in time and then played faster
    by as much. A gradient takes for given by how much each phase is turned.

    Raises:
        MondegreenError: ``semitones`` is out of range.
    """

    semitones: Range = (-1.0, 1.0)
    """Change of pitch, or a range of it; 12 is an octave up."""

    def __post_init__(self) -> None:
        """Check the change."""
        check_range("pitch", "semitones", self.semitones, -24.0, 24.0)

    @property
    def random(self) -> bool:
        """Whether clips draw different changes."""
        return varies(self.semitones)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips at their new pitch."""
        size = 2 ** max(4, round(math.log2(_FRAME_SECONDS * sample_rate)))
        factors = 2.0 ** (pick(self.semitones, len(x), streams).double() / 12.0)
        clips = [
            _shift(clip, factor, size)
            for clip, factor in zip(x[:, 0], factors.tolist(), strict=True)
        ]
        return torch.stack(clips)[:, None]


def _shift(x: Tensor, factor: float, size: int) -> Tensor:
    """Return a clip, ``(time,)``, with all frequencies multiplied by ``factor``."""
    stretched = stretch(x, factor, size)
    steps = torch.arange(len(x), dtype=torch.float64, device=x.device)
    return play(stretched, steps * factor, factor)


def stretch(x: Tensor, factor: float, size: int) -> Tensor:
    """Return a clip spread in time, at the same pitch.

    Args:
        x: The clip, ``(time,)``.
        factor: How much longer it becomes.
        size: Length of a frame in samples.

    Shape:
        - Output: ``(round(time * factor),)``
    """
    hop = size // _OVERLAP
    window = torch.hann_window(size, device=x.device, dtype=x.dtype)
    length = round(len(x) * factor)
    padded = torch.nn.functional.pad(x, (0, size))  # the last position has a frame after it
    spectrum = torch.stft(
        padded, size, hop, window=window, pad_mode="constant", return_complex=True
    )
    at = torch.arange(length // hop + 2, device=x.device, dtype=torch.float64) / factor
    left = at.long().clamp(max=spectrum.shape[1] - 2)
    share = (at - left).clamp(max=1.0).to(x.dtype)
    first, second = spectrum[:, left], spectrum[:, left + 1]
    with torch.no_grad():
        magnitude = torch.lerp(first.abs(), second.abs(), share)
        bins = torch.arange(len(spectrum), device=x.device, dtype=x.dtype)
        expected = (bins * (2.0 * math.pi * hop / size))[:, None]
        turn = second.angle() - first.angle()
        turn = turn - 2.0 * math.pi * torch.round((turn - expected) / (2.0 * math.pi))
        phase = _lock(first.angle(), turn, nearest_peaks(magnitude))
        ones = torch.ones_like(phase)
        turns = [torch.polar(ones, phase - one.angle()) for one in (first, second)]
    spread = (1.0 - share) * first * turns[0] + share * second * turns[1]
    result: Tensor = torch.istft(spread, size, hop, window=window, length=length)
    return result


def _lock(angle: Tensor, turn: Tensor, peak: Tensor) -> Tensor:
    """Return the phases of the spread frames, ``(bins, frames)``.

    Peaks go on from the frame before at their own frequency; the bins around a peak keep the phase
    to it that they had.
    """
    phase = angle[:, 0]
    phases = [phase]
    for frame in range(1, angle.shape[1]):
        near, now = peak[:, frame], angle[:, frame]
        phase = (phase + turn[:, frame - 1])[near] + now - now[near]
        phases.append(phase)
    return torch.stack(phases, dim=1)


def nearest_peaks(magnitude: Tensor) -> Tensor:
    """Return for each bin the nearest bin that none of its two neighbours either side exceeds.

    Shape:
        - Input, output: ``(bins, frames)``

    Example:
        >>> nearest_peaks(torch.tensor([[0.1, 0.9, 0.2, 0.1, 0.0, 0.3, 0.7]]).T).T
        tensor([[1, 1, 1, 1, 6, 6, 6]])
    """
    highest = torch.nn.functional.max_pool1d(magnitude.T[:, None], 5, 1, 2)[:, 0].T
    bins = torch.arange(len(magnitude), device=magnitude.device)[:, None].expand_as(magnitude)
    peak = magnitude >= highest
    below = torch.where(peak, bins, -len(bins)).cummax(dim=0).values
    above = torch.where(peak, bins, 2 * len(bins)).flip(0).cummin(dim=0).values.flip(0)
    return torch.where(bins - below <= above - bins, below, above)
