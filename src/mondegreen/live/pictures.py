"""Sounds and pictures of a page, drawn lean: an answer has a fraction of a second."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile
import torch
from markupsafe import Markup
from torch import Tensor

from mondegreen.audio import Normalization, float_to_pcm16, pcm16_to_float
from mondegreen.report.drawings import spectrogram_image, waveform_svg
from mondegreen.report.sounds import data_uri
from mondegreen.report.spectrum import spectrogram_db

GAIN_DB = 20.0
"""How much louder the perturbation is played and drawn alone, where that does not clip."""

_SILENT_DB = -45.0  # top of a silent clip's spectrogram: what is 75 dB below is black

Wave = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """A sound with what is drawn of it, all as text that a page can hold."""

    name: str
    kind: str
    """``original``, ``adversarial`` or ``perturbation``: its colour."""
    audio: str
    """A ``data:`` address of a 16-bit WAV file."""
    waveform: Markup
    spectrogram: str
    """A ``data:`` address of a WebP file."""


@dataclass(frozen=True)
class Scale:
    """What the tracks of one picture share, so that they can be compared."""

    sample_rate: int
    limit: float
    """Amplitude at the upper edge of the waveforms."""
    top_db: float
    """Level of the spectrograms' brightest colour."""


def to_wave(x: Tensor, normalization: Normalization) -> Wave:
    """Return the samples as a 16-bit file holds them, as x / 32768.

    Shape:
        - Input: ``(1, 1, time)``
        - Output: ``(time,)``
    """
    return pcm16_to_float(float_to_pcm16(x.flatten(), normalization)).numpy().astype(np.float64)


def scale_of(waves: list[Wave], sample_rate: int) -> Scale:
    """Return the scale on which all waves fit and the first one's spectrum is fully lit."""
    limit = max(*(float(np.abs(wave).max()) for wave in waves), 1e-3)
    top = float(spectrogram_db(waves[0], window=512, hop=256).max())
    return Scale(sample_rate, limit, max(top, _SILENT_DB))


def draw(name: str, kind: str, wave: Wave, scale: Scale) -> Track:
    """Return a wave as a track."""
    return Track(
        name=name,
        kind=kind,
        audio=data_uri("audio/wav", wav_bytes(wave, scale.sample_rate)),
        waveform=waveform_svg(wave, scale.limit, f"Waveform: {name}"),
        spectrogram=data_uri(
            "image/webp", spectrogram_image(wave, scale.sample_rate, scale.top_db)
        ),
    )


def wav_bytes(wave: Wave, sample_rate: int) -> bytes:
    """Return a wave as a mono 16-bit WAV file."""
    file = io.BytesIO()
    pcm = float_to_pcm16(torch.from_numpy(wave)).numpy()
    soundfile.write(file, pcm, sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def loudness_gain(residual: Wave) -> float:
    """Return by how many dB a perturbation can be raised: 20, or less where that would clip."""
    peak = float(np.abs(residual).max())
    return GAIN_DB if peak == 0.0 else max(0.0, min(GAIN_DB, -20.0 * math.log10(peak)))


def draw_attack(
    x: Tensor, x_adv: Tensor, sample_rate: int, normalization: Normalization
) -> tuple[Track, Track, Track]:
    """Return original, adversarial clip, and the perturbation alone, louder.

    Shape:
        - x, x_adv: ``(1, 1, time)``
    """
    clean, changed = to_wave(x, normalization), to_wave(x_adv, normalization)
    residual = changed - clean
    gain = loudness_gain(residual)
    louder = 10.0 ** (gain / 20.0) * residual
    scale = scale_of([clean, changed, louder], sample_rate)
    return (
        draw("Original", "original", clean, scale),
        draw("Adversarial", "adversarial", changed, scale),
        draw(f"Perturbation, {gain:.0f} dB louder", "perturbation", louder, scale),
    )
