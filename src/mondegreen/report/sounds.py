"""The sounds of the page: a pair's clips as data URIs, with what is drawn of them."""

from __future__ import annotations

import base64
import io
import math
import wave
from dataclasses import dataclass

import numpy as np
import torch
from markupsafe import Markup

from mondegreen.audio import float_to_pcm16, read_audio
from mondegreen.errors import MondegreenError
from mondegreen.report.drawings import Wave, spectrogram_png, waveform_svg
from mondegreen.report.pairs import Sample
from mondegreen.report.spectrum import spectrogram_db

GAIN_DB = 20.0
"""How much louder the perturbation is played alone, where that does not clip."""

QUIETEST_TOP_DB = -60.0
"""The brightest colour of a silent clip's spectrogram: silence must look black."""


@dataclass(frozen=True)
class Track:
    """One of a pair's three sounds: what it looks like and, for the two clips, what it sounds like.

    The perturbation has no ``audio``: the page takes the difference of the two clips.
    """

    name: str
    kind: str
    audio: str
    waveform: Markup
    spectrogram: str


@dataclass(frozen=True)
class Sound:
    """The sounds of one pair.

    Args:
        seconds: Duration.
        kilohertz: The highest frequency of the spectrograms.
        gain_db: How much louder the perturbation is played and drawn.
        tracks: Original, adversarial, perturbation.
        weight: Bytes that they take in the page.
    """

    seconds: float
    kilohertz: float
    gain_db: float
    tracks: tuple[Track, Track, Track]
    weight: int


def load_sound(sample: Sample) -> Sound | None:
    """Read the sounds of a pair; None where a file is missing.

    Raises:
        MondegreenError: A file is damaged, or the two do not belong together.
    """
    if sample.original is None or sample.adversarial is None:
        return None
    original, rate = read_audio(sample.original)
    adversarial, other_rate = read_audio(sample.adversarial)
    if rate != other_rate or original.shape != adversarial.shape:
        raise MondegreenError(
            f"{sample.adversarial} differs in length, channels or sample rate from "
            f"{sample.original}; run the evaluation again."
        )
    clean = original.mean(axis=0, dtype=np.float64)
    changed = adversarial.mean(axis=0, dtype=np.float64)
    residual = changed - clean
    gain_db = _gain(residual)
    louder = 10.0 ** (gain_db / 20.0) * residual
    named = (("Original", clean), ("Adversarial", changed), ("Perturbation", louder))
    limit = max(float(np.abs([clean, changed, louder]).max()), 1e-3)
    top_db = max(float(spectrogram_db(clean, window=512, hop=256).max()), QUIETEST_TOP_DB)
    tracks = tuple(_track(name, x, rate, limit, top_db) for name, x in named)
    weight = sum(len(t.audio) + len(t.waveform) + len(t.spectrogram) for t in tracks)
    return Sound(clean.size / rate, rate / 2000, gain_db, tracks, weight)  # type: ignore[arg-type]


def _gain(residual: Wave) -> float:
    peak = float(np.abs(residual).max())
    return GAIN_DB if peak == 0.0 else max(0.0, min(GAIN_DB, -20.0 * math.log10(peak)))


def _track(name: str, x: Wave, rate: int, limit: float, top_db: float) -> Track:
    drawn = spectrogram_png(x, rate, top_db)
    return Track(
        name=name,
        kind=name.lower(),
        audio="" if name == "Perturbation" else data_uri("audio/wav", wav_bytes(x, rate)),
        waveform=waveform_svg(x, limit, f"Waveform of the {name.lower()}"),
        spectrogram=data_uri("image/png", drawn),
    )


def wav_bytes(x: Wave, sample_rate: int) -> bytes:
    """Return a waveform as a mono 16-bit WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(float_to_pcm16(torch.from_numpy(x)).numpy().astype("<i2").tobytes())
    return file.getvalue()


def data_uri(kind: str, content: bytes) -> str:
    """Return ``content`` as a ``data:`` address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
