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
_FAINT = 1e-8


@dataclass(frozen=True, kw_only=True)
class Pitch(Channel):
    """Change the pitch and keep the speed, by a phase vocoder (Flanagan and Golden 1966).

    Bell System Technical Journal 45(9). Frames of 32 ms, three quarters overlapping, are spread in
    time and then played faster by as much. Differentiable, phases included.

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
    spectrum = spectrum + _FAINT  # the angle of zero has no gradient
    at = torch.arange(length // hop + 2, device=x.device, dtype=torch.float64) / factor
    left = at.long().clamp(max=spectrum.shape[1] - 2)
    share = (at - left).clamp(max=1.0).to(x.dtype)
    magnitude = torch.lerp(spectrum.abs()[:, left], spectrum.abs()[:, left + 1], share)
    angle = spectrum.angle()
    advance = torch.arange(spectrum.shape[0], device=x.device, dtype=x.dtype)
    advance = (advance * (2.0 * math.pi * hop / size))[:, None]
    turn = angle[:, left + 1] - angle[:, left] - advance
    turn = advance + turn - 2.0 * math.pi * torch.round(turn / (2.0 * math.pi))
    phase = angle[:, :1] + torch.cat([turn.new_zeros(len(turn), 1), turn[:, :-1].cumsum(1)], dim=1)
    spread = torch.polar(magnitude, phase)
    result: Tensor = torch.istft(spread, size, hop, window=window, length=length)
    return result
