"""Sound files read and written in blocks, so that their length does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import soundfile
import torch
from torch import Tensor

from mondegreen.audio import (
    Normalization,
    float_to_pcm16,
    missing_bytes,
    quantize,
    rescale,
)
from mondegreen.errors import MondegreenError
from mondegreen.files import atomic_write

MAX_BYTES = 2**32 - 2**16
"""The samples that a WAV file can hold: its header counts bytes in 32 bits."""

_RATES = (1, 768_000)


class SoundReader:
    """A sound file of any format that libsndfile knows, read from its beginning in blocks.

    Args:
        path: The file.
        normalization: How 16-bit PCM becomes a float.

    Raises:
        MondegreenError: The file is missing, is no audio, is truncated or has an impossible rate.
    """

    def __init__(self, path: Path, normalization: Normalization = "pcm") -> None:
        self.path, self.normalization = path, normalization
        try:
            exists = path.is_file()
        except OSError as error:  # a name too long, a folder that may not be entered
            raise MondegreenError(f"cannot read {path}: {error.strerror}.") from error
        if not exists:
            raise MondegreenError(f"{path} does not exist or is not a file.")
        try:
            self._file = soundfile.SoundFile(str(path))
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise self._undecodable(error) from error
        self.sample_rate, self.channels = int(self._file.samplerate), int(self._file.channels)
        self.frames = int(self._file.frames)
        try:
            self._check()
        except MondegreenError:
            self._file.close()
            raise

    def _check(self) -> None:
        if not _RATES[0] <= self.sample_rate <= _RATES[1]:
            raise MondegreenError(
                f"{self.path} has a sample rate of {self.sample_rate} Hz; more than {_RATES[1]} "
                "cannot be."
            )
        missing = missing_bytes(self.path)
        if missing:
            raise MondegreenError(
                f"{self.path} is truncated: {missing} bytes of its samples are missing. Copy or "
                "export it again."
            )

    def _undecodable(self, error: Exception) -> MondegreenError:
        return MondegreenError(
            f"{self.path} cannot be decoded as audio ({error}). Convert it to WAV or FLAC."
        )

    def blocks(self, frames: int) -> Iterator[Tensor]:
        """Yield the samples, clipped to [-1, 1] and rounded to 16 bits, ``frames`` at a time.

        Shape:
            - Output: ``(channels, time)``, the last one shorter

        Raises:
            MondegreenError: The file holds no samples, damaged ones, NaN or infinite ones.
        """
        total = 0
        while True:
            try:
                samples = self._file.read(frames, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                raise self._undecodable(error) from error
            total += len(samples)
            if total == 0:
                raise MondegreenError(f"{self.path} holds no samples.")
            if len(samples) == 0:
                return
            if not np.isfinite(samples).all():
                raise MondegreenError(
                    f"{self.path} holds NaN or infinite samples. Re-export the recording."
                )
            x = torch.from_numpy(np.ascontiguousarray(samples.T)).clamp(-1.0, 1.0)
            yield rescale(quantize(x), self.normalization)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()


class SoundWriter:
    """The 16-bit WAV file inside of :func:`write_blocks`."""

    def __init__(self, file: soundfile.SoundFile, normalization: Normalization) -> None:
        self._file, self._normalization = file, normalization

    def write(self, x: Tensor) -> None:
        """Append samples in [-1, 1].

        Shape:
            - Input: ``(channels, time)``

        Raises:
            OSError: The disk is full, or another error of writing.
        """
        try:
            self._file.write(float_to_pcm16(x, self._normalization).numpy().T)
        except (soundfile.LibsndfileError, AssertionError) as error:  # so soundfile tells less room
            raise OSError(str(error) or "not all samples could be written") from error


@contextmanager
def write_blocks(
    path: Path,
    sample_rate: int,
    channels: int,
    frames: int,
    normalization: Normalization = "pcm",
) -> Iterator[SoundWriter]:
    """Yield a writer of a 16-bit WAV file that appears under its name once it is complete.

    Args:
        path: The file to create or replace.
        sample_rate: In Hz.
        channels: Number of channels.
        frames: Samples a channel that will be written.
        normalization: How the floats map to PCM.

    Raises:
        MondegreenError: The file cannot be written, or would be too long for a WAV file.
    """
    if 2 * channels * frames > MAX_BYTES:
        raise MondegreenError(
            f"{path} would have {2 * channels * frames / 2**30:.1f} GiB; a WAV file holds less "
            "than 4. Cut the recording."
        )
    with atomic_write(path) as temporary:
        try:
            file = soundfile.SoundFile(
                str(temporary), "w", sample_rate, channels, "PCM_16", format="WAV"
            )
        except soundfile.LibsndfileError as error:
            raise OSError(str(error)) from error
        with file:
            yield SoundWriter(file, normalization)
