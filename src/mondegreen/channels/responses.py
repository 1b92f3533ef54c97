"""Linear systems: a frequency response, or an impulse response of many that a clip draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mondegreen.audio import read_mono
from mondegreen.channels.channel import Channel
from mondegreen.channels.folders import sounds_in
from mondegreen.channels.streams import Streams
from mondegreen.errors import MondegreenError

_BEFORE_SECONDS = 0.0025  # kept of a response before its direct sound


def filter_by(x: Tensor, sample_rate: int, response: Callable[[Tensor], Tensor]) -> Tensor:
    """Multiply the spectrum by a frequency response; room for its tail is added and cut again.

    Args:
        x: Waveforms.
        sample_rate: In Hz.
        response: The complex gain at frequencies in Hz, given as float64.

    Shape:
        - Input, output: ``(batch, 1, time)``
    """
    size = _fast(2 * x.shape[2])
    hertz = torch.fft.rfftfreq(size, 1.0 / sample_rate, dtype=torch.float64)
    gain = response(hertz).to(torch.complex64).to(x.device)
    y: Tensor = torch.fft.irfft(torch.fft.rfft(x, size) * gain, size)
    return y[..., : x.shape[2]]


def convolve(x: Tensor, responses: Tensor, delay: int) -> Tensor:
    """Convolve each clip with an impulse response, whose sample ``delay`` becomes time zero.

    Args:
        x: Waveforms.
        responses: One a clip.
        delay: What the responses' direct sound is late by, in samples.

    Shape:
        - x, output: ``(batch, 1, time)``
        - responses: ``(batch, taps)``
    """
    size = _fast(x.shape[2] + responses.shape[1])
    spectrum = torch.fft.rfft(x[:, 0], size) * torch.fft.rfft(responses.to(x), size)
    y: Tensor = torch.fft.irfft(spectrum, size)
    return y[:, None, delay : delay + x.shape[2]]


def _fast(samples: int) -> int:
    """Return a length that is quick to transform."""
    return 1 << (samples - 1).bit_length()


def align(responses: Sequence[Tensor], onsets: Sequence[int], before: int) -> Tensor:
    """Stack impulse responses of unit energy, the direct sound of all at sample ``before``.

    Args:
        responses: Each ``(taps,)``.
        onsets: Where the direct sound of each is, in samples.
        before: How many samples before it to keep.

    Shape:
        - Output: ``(responses, taps)``
    """
    moved = []
    for response, onset in zip(responses, onsets, strict=True):
        kept = response[max(0, onset - before) :]
        kept = torch.nn.functional.pad(kept, (max(0, before - onset), 0))
        moved.append(kept / kept.square().sum().sqrt().clamp_min(1e-12))
    longest = max(map(len, moved))
    return torch.stack([torch.nn.functional.pad(one, (0, longest - len(one))) for one in moved]).to(
        torch.float32
    )


@dataclass(frozen=True, kw_only=True)
class Impulse(Channel):
    """Convolve each clip with one of the impulse responses in a folder, drawn at random.

    Their largest sample counts as the direct sound and keeps its place in the clip; each has unit
    energy, so that the level stays about what it was.

    Raises:
        MondegreenError: The folder is missing, or has no sound files, or one cannot be read.
    """

    folder: str = ""
    """Sound files, each an impulse response; other sample rates are converted."""
    _stacks: dict[int, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the folder."""
        if not self.folder:
            raise MondegreenError("channel impulse: folder=PATH is missing.")
        sounds_in("impulse", self.folder)

    @property
    def random(self) -> bool:
        """Clips draw their response."""
        return True

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips as the system answers them."""
        before = round(_BEFORE_SECONDS * sample_rate)
        if sample_rate not in self._stacks:
            found = [read_mono(path, sample_rate) for path in sounds_in("impulse", self.folder)]
            peaks = [int(one.abs().argmax()) for one in found]
            self._stacks[sample_rate] = align(found, peaks, before)
        responses = self._stacks[sample_rate]
        return convolve(x, responses[streams.below(len(responses))], before)
