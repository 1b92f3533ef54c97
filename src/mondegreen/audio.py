"""Reading, writing, resampling and quantising waveforms.

A waveform is a float32 tensor ``(batch, 1, time)`` in [-1, 1]; files hold 16-bit PCM.
"""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile
import torch
from julius.resample import resample_frac
from torch import Tensor

from mondegreen.errors import MondegreenError
from mondegreen.files import atomic_write

Normalization = Literal["pcm", "paper"]
"""How 16-bit PCM becomes a float: ``pcm`` is x / 32768, ``paper`` is eq. 12, (2 x + 1) / 65535."""

MAX_SECONDS = 3600.0
MAX_SAMPLES = 2**29
"""Of all channels together: 2 GiB as floats."""
MAX_PEAK = 1e12
"""Full scale is 1; sums of larger samples could overflow."""

_UNKNOWN_WAV_SIZE = 0x7FFF0000
_MAX_PHASES = 2_000
_RATES = (1, 768_000)


def read_audio(path: str | Path) -> tuple[npt.NDArray[np.float32], int]:
    """Read a sound file of any format that libsndfile knows (WAV, FLAC, OGG, MP3, AU, ...).

    Integer formats of any depth are scaled to [-1, 1); floats are taken as they are.

    Args:
        path: The file.

    Returns:
        The samples, shape ``(channels, time)``, and the sample rate in Hz.

    Raises:
        MondegreenError: The file is missing, is not audio, is truncated, holds no samples, holds
            NaN, infinite or huge samples, or is longer than an hour.
    """
    path = Path(path)
    try:
        exists = path.is_file()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise MondegreenError(f"cannot read {path}: {error.strerror}.") from error
    if not exists:
        raise MondegreenError(f"{path} does not exist or is not a file.")
    refuse_undecodable(path)
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = int(file.samplerate)
            _check_header(path, rate, int(file.frames), int(file.channels))
            samples = file.read(dtype="float32", always_2d=True).T
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise MondegreenError(
            f"{path} cannot be decoded as audio ({error}). Convert it to WAV or FLAC."
        ) from error
    _check_samples(path, samples)
    return np.ascontiguousarray(samples), rate


def refuse_undecodable(path: Path) -> None:
    """Refuse a name that is no UTF-8: no result file could name it.

    Raises:
        MondegreenError: It is not.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = str(path).encode(errors="backslashreplace").decode()
        raise MondegreenError(f"the name of {shown} is no UTF-8; rename the file.") from error


def _check_header(path: Path, rate: int, frames: int, channels: int) -> None:
    if not _RATES[0] <= rate <= _RATES[1]:
        raise MondegreenError(
            f"{path} has a sample rate of {rate} Hz; more than {_RATES[1]} cannot be."
        )
    if frames > MAX_SECONDS * rate:
        raise MondegreenError(
            f"{path} claims to last {frames / rate:.0f} s; cut it to under an hour."
        )
    if frames * channels > MAX_SAMPLES:
        raise MondegreenError(
            f"{path} claims {frames} samples of {channels} channels, more than fit into memory; "
            "cut it, or mix it down to fewer channels."
        )


def _check_samples(path: Path, samples: npt.NDArray[np.float32]) -> None:
    missing = missing_bytes(path)
    if missing:
        raise MondegreenError(
            f"{path} is truncated: {missing} bytes of its samples are missing. Copy or export it "
            "again."
        )
    if samples.shape[1] == 0:
        raise MondegreenError(f"{path} holds no samples.")
    if not np.isfinite(samples).all():
        raise MondegreenError(f"{path} holds NaN or infinite samples. Re-export the recording.")
    peak = max(float(samples.max()), -float(samples.min()))
    if peak > MAX_PEAK:
        raise MondegreenError(
            f"{path} holds samples of up to {peak:.3g}, where full scale is 1. Re-export the "
            "recording."
        )


def missing_bytes(path: Path) -> int:
    """Return how many bytes a WAV file lacks of what its header declares; 0 for other formats.

    libsndfile reads a WAV file that was cut off without a word. Recorders that write to a pipe
    leave the size at 0 or near its maximum: those files count as whole.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = file.read(12)
        if header[:4] != b"RIFF" or header[8:12] != b"WAVE":
            return 0
        while len(chunk := file.read(8)) == 8:
            declared = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                unknown = declared >= _UNKNOWN_WAV_SIZE
                return 0 if unknown else max(0, file.tell() + declared - size)
            file.seek(declared + declared % 2, os.SEEK_CUR)
    return 0


def read_mono(path: Path, sample_rate: int) -> Tensor:
    """Read a file as one channel (the mean of all) at ``sample_rate`` Hz, clipped to [-1, 1].

    Shape:
        - Output: ``(time,)``

    Raises:
        MondegreenError: As for :func:`read_audio`.
    """
    samples, rate = read_audio(path)
    mono = torch.from_numpy(samples).mean(dim=0)
    return resample(mono, rate, sample_rate).clamp(-1.0, 1.0)


def resample(x: Tensor, old_rate: int, new_rate: int) -> Tensor:
    """Resample by windowed-sinc interpolation (julius), differentiable.

    Rates without a large common divisor, such as 44,101 and 16,000 Hz, would need a filter for
    each of thousands of phases; there the spectrum of the whole clip is cut or padded instead.

    Args:
        x: Waveform, ``(..., time)``.
        old_rate: Its sample rate in Hz.
        new_rate: The wanted sample rate in Hz.

    Shape:
        - Output: ``(..., ceil(time * new_rate / old_rate))``
    """
    if old_rate == new_rate:
        return x
    length = -(-x.shape[-1] * new_rate // old_rate)
    if max(old_rate, new_rate) // math.gcd(old_rate, new_rate) > _MAX_PHASES:
        return _resample_spectrum(x, old_rate, new_rate)[..., :length]
    resampled: Tensor = resample_frac(x, old_rate, new_rate, output_length=length)
    return resampled


def _resample_spectrum(x: Tensor, old_rate: int, new_rate: int) -> Tensor:
    """Resample by cutting or padding the spectrum of the whole clip, zero-padded to full seconds.

    Over full seconds both rates have whole numbers of samples, so the ratio is exact.
    """
    seconds = x.shape[-1] // old_rate + 1
    padded = fit_length(x, seconds * old_rate)
    total = seconds * new_rate
    bins = min(padded.shape[-1], total) // 2 + 1
    spectrum = torch.fft.rfft(padded)[..., :bins]
    y: Tensor = torch.fft.irfft(spectrum, n=total) * (new_rate / old_rate)
    return y


def fit_length(x: Tensor, samples: int) -> Tensor:
    """Keep the first ``samples`` samples, or append zeros until there are so many.

    Shape:
        - Input: ``(..., time)``
        - Output: ``(..., samples)``
    """
    if x.shape[-1] >= samples:
        return x[..., :samples]
    return torch.nn.functional.pad(x, (0, samples - x.shape[-1]))


def pcm16_to_float(pcm: Tensor, normalization: Normalization = "pcm") -> Tensor:
    """Turn 16-bit PCM into floats; ``paper`` is the paper's eq. 12.

    Eq. 12, ``2/65535 (x - 32767) + 1``, equals ``(2 x + 1) / 65535``: it maps -32768 to -1 and
    32767 to 1, at the price of a half-step offset of digital silence.

    Args:
        pcm: Integers in -32768..32767, any shape.
        normalization: ``pcm`` or ``paper``.

    Returns:
        Float32 tensor of the same shape.

    Example:
        >>> pcm16_to_float(torch.tensor([-32768, 32767]), "paper").tolist()
        [-1.0, 1.0]
    """
    x = pcm.to(torch.float32)
    return (2.0 * x + 1.0) / 65535.0 if normalization == "paper" else x / 32768.0


def float_to_pcm16(x: Tensor, normalization: Normalization = "pcm") -> Tensor:
    """Round floats to 16-bit PCM, the inverse of :func:`pcm16_to_float` (paper: eq. 13).

    Values outside of [-1, 1] are clipped first.

    Args:
        x: Float tensor, any shape.
        normalization: ``pcm`` or ``paper``.

    Returns:
        Int16 tensor of the same shape; ``float_to_pcm16(pcm16_to_float(p)) == p`` for every step.

    Example:
        >>> float_to_pcm16(torch.tensor([-1.0, 0.0, 2.0])).tolist()
        [-32768, 0, 32767]
    """
    x = x.clamp(-1.0, 1.0).to(torch.float64)
    steps = (x - 1.0) * 32767.5 + 32767.0 if normalization == "paper" else x * 32768.0
    return steps.round().clamp(-32768, 32767).to(torch.int16)


def rescale(x: Tensor, normalization: Normalization) -> Tensor:
    """Turn floats as files are read (x / 32768) into those of ``normalization``, by way of PCM."""
    return x if normalization == "pcm" else pcm16_to_float(float_to_pcm16(x), normalization)


def quantize(x: Tensor, normalization: Normalization = "pcm") -> Tensor:
    """Pass a waveform through 16-bit PCM and back: what a written file will hold."""
    return pcm16_to_float(float_to_pcm16(x, normalization), normalization)


def write_wav(
    path: str | Path, x: Tensor, sample_rate: int, normalization: Normalization = "pcm"
) -> None:
    """Write a 16-bit WAV file, atomically.

    Args:
        path: The file to write.
        x: Waveform, ``(time,)`` or ``(channels, time)``, in [-1, 1].
        sample_rate: In Hz.
        normalization: How the floats map to PCM.

    Raises:
        MondegreenError: The file cannot be written.
    """
    pcm = float_to_pcm16(x.detach().cpu(), normalization).numpy()
    with atomic_write(Path(path)) as temporary:
        try:
            soundfile.write(str(temporary), pcm.T, sample_rate, subtype="PCM_16", format="WAV")
        except soundfile.LibsndfileError as error:
            raise OSError(str(error)) from error


def wav_round_trip(x: Tensor, sample_rate: int, normalization: Normalization = "pcm") -> Tensor:
    """Write each waveform as a 16-bit WAV file (in memory) and read it back.

    Args:
        x: Waveforms in [-1, 1].
        sample_rate: In Hz.
        normalization: How the floats map to PCM.

    Shape:
        - Input: ``(batch, 1, time)``
        - Output: the same
    """
    clips = []
    for pcm in float_to_pcm16(x, normalization)[:, 0].numpy():
        buffer = io.BytesIO()
        soundfile.write(buffer, pcm, sample_rate, subtype="PCM_16", format="WAV")
        buffer.seek(0)
        clips.append(torch.from_numpy(soundfile.read(buffer, dtype="int16")[0]))
    return pcm16_to_float(torch.stack(clips), normalization)[:, None]
