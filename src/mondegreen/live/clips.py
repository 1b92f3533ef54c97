"""What somebody hands to the live page, read as a classifier hears it, or refused in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mondegreen.audio import fit_length, rescale
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.resampling import Resampler
from mondegreen.sound_files import SoundReader

MAX_BYTES = 10 * 2**20
"""Larger files are refused: a minute of 16-bit mono at 48 kHz takes 5.8 MB."""

MAX_SECONDS = 60.0
"""Longer recordings are refused; of shorter ones the loudest window is used."""

MAX_RATE = 192_000
MAX_CHANNELS = 32

_BLOCK = 1 << 18
_STEP_SECONDS = 0.01
_NEARLY = 0.995


@dataclass(frozen=True)
class Clip:
    """A recording as a classifier hears it.

    Shape:
        - ``x``: ``(1, 1, clip_samples)``, on the 16-bit grid
    """

    x: Tensor
    """The window that the classifier hears, zero-padded where the recording is shorter."""
    start: float
    """Where the window begins in the recording, in seconds."""
    seconds: float
    """How long the whole recording is."""

    @property
    def silent(self) -> bool:
        """Whether all of its samples are the same: then a ratio in dB allows no perturbation."""
        return bool((self.x == self.x.flatten()[0]).all())


def read_clip(path: Path, classifier: Classifier) -> Clip:
    """Read a sound file of any format, rate and number of channels, within the page's limits.

    Args:
        path: The file.
        classifier: Sets the rate, the length and the scaling.

    Raises:
        MondegreenError: It is no audio, is damaged, holds nothing, or is too large or too long. The
            message names the file without its folder.
    """
    try:
        return _read(path, classifier)
    except MondegreenError as error:
        raise MondegreenError(str(error).replace(str(path), path.name)) from error


def _read(path: Path, classifier: Classifier) -> Clip:
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise MondegreenError(
            f"{path} has {path.stat().st_size / 2**20:.1f} MB; this page takes files of up to "
            f"{MAX_BYTES / 2**20:.0f} MB. Cut the recording."
        )
    with SoundReader(path) as sound:
        if sound.sample_rate > MAX_RATE or sound.channels > MAX_CHANNELS:
            raise MondegreenError(
                f"{path} has {sound.channels} channels at {sound.sample_rate} Hz; this page takes "
                f"up to {MAX_CHANNELS} at {MAX_RATE} Hz. Convert it."
            )
        limit = round(MAX_SECONDS * sound.sample_rate)
        if sound.frames > limit:
            raise _too_long(path, sound.frames / sound.sample_rate)
        parts, total = [], 0
        for block in sound.blocks(max(1, _BLOCK // sound.channels)):
            total += block.shape[1]
            if total > limit:  # the header said less
                raise _too_long(path, total / sound.sample_rate)
            parts.append(block.mean(dim=0))
    resampler = Resampler(sound.sample_rate, classifier.sample_rate)
    heard = resampler(torch.cat(parts)).clamp(-1.0, 1.0)
    start = loudest_start(heard, classifier.clip_samples, classifier.sample_rate)
    x = fit_length(heard[start:], classifier.clip_samples)[None, None]
    return Clip(
        rescale(x, classifier.normalization),
        start / classifier.sample_rate,
        total / sound.sample_rate,
    )


def _too_long(path: Path, seconds: float) -> MondegreenError:
    return MondegreenError(
        f"{path} lasts {seconds:.0f} s; this page takes up to {MAX_SECONDS:.0f} s. Cut the "
        "recording, or use `mondegreen attack`, which takes any length."
    )


def loudest_start(x: Tensor, samples: int, sample_rate: int) -> int:
    """Return where the window of most energy begins; 0 where ``x`` is no longer than the window.

    People speak somewhere in the middle of what they record. Of the neighbouring windows that hold
    nearly all of that energy the middle one is taken, so that a word is not cut at its end.

    Args:
        x: Waveform, ``(time,)``.
        samples: Length of the window.
        sample_rate: In Hz; windows begin every 10 ms.

    Example:
        >>> x = torch.zeros(30_000)
        >>> x[20_000:20_100] = 1.0
        >>> loudest_start(x, 10_000, 16_000)
        15040
    """
    if len(x) <= samples:
        return 0
    energy = torch.cat([torch.zeros(1, dtype=torch.float64), x.double().square().cumsum(dim=0)])
    step = max(1, round(_STEP_SECONDS * sample_rate))
    starts = torch.arange(0, len(x) - samples + 1, step)
    held = energy[starts + samples] - energy[starts]
    best = int(held.argmax())
    poor = (held < _NEARLY * held[best]).nonzero().flatten()
    first = int(poor[poor < best].max()) + 1 if bool((poor < best).any()) else 0
    last = int(poor[poor > best].min()) - 1 if bool((poor > best).any()) else len(starts) - 1
    return int(starts[(first + last) // 2])
