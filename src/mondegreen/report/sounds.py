"""The sounds of the page: a pair's clips as data URIs, with what is drawn of them."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
import soundfile
import torch
from markupsafe import Markup

from mondegreen.audio import float_to_pcm16, read_audio
from mondegreen.errors import MondegreenError
from mondegreen.report.drawings import Wave, spectrogram_image, waveform_svg
from mondegreen.report.pairs import Sample
from mondegreen.report.spectrum import spectrogram_db

GAIN_DB = 20.0
"""How much louder the perturbation is played alone, where that does not clip."""

QUIETEST_TOP_DB = -60.0
"""The brightest colour of a silent clip's spectrogram: silence must look black."""


@dataclass(frozen=True)
class Track:
    """One of a pair's three signals: what it looks like and, for the clips, what it sounds like.

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
        rate: Samples a second.
        gain_db: How much louder the perturbation is played the second time, and drawn faintly.
        tracks: Original, adversarial, perturbation.
        weight: Bytes that they take in the page.
    """

    seconds: float
    rate: int
    gain_db: float
    tracks: tuple[Track, ...]
    weight: int

    @property
    def kilohertz(self) -> float:
        """The highest frequency of the spectrograms."""
        return self.rate / 2000


def load_sound(sample: Sample, detail: int = 1) -> Sound | None:
    """Read the sounds of a pair; None where a file is missing.

    Args:
        sample: The pair.
        detail: How many times finer than usual the spectrograms are.

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
    gain_db = _gain(changed - clean)
    tracks = _tracks(clean, changed, rate, gain_db, detail)
    weight = sum(len(t.audio) + len(t.waveform) + len(t.spectrogram) for t in tracks)
    return Sound(clean.size / rate, rate, gain_db, tracks, weight)


def _tracks(
    clean: Wave, changed: Wave, rate: int, gain_db: float, detail: int
) -> tuple[Track, ...]:
    """Draw the two clips and their difference on the same scales."""
    residual = changed - clean
    louder = 10.0 ** (gain_db / 20.0) * residual
    limit = max(float(np.abs([clean, changed, louder]).max()), 1e-3)
    top_db = max(float(spectrogram_db(clean, window=512, hop=256).max()), QUIETEST_TOP_DB)
    tracks = []
    for name, x in (("Original", clean), ("Adversarial", changed), ("Perturbation", residual)):
        alone = name == "Perturbation"
        label = f"Waveform of the {name.lower()}"
        drawn = spectrogram_image(x, rate, top_db, detail=detail)
        tracks.append(
            Track(
                name=name,
                kind=name.lower(),
                audio="" if alone else data_uri("audio/flac", flac_bytes(x, rate)),
                waveform=waveform_svg(x, limit, label, louder if alone else None, detail),
                spectrogram=data_uri("image/webp", drawn),
            )
        )
    return tuple(tracks)


def _gain(residual: Wave) -> float:
    peak = float(np.abs(residual).max())
    return GAIN_DB if peak == 0.0 else max(0.0, min(GAIN_DB, -20.0 * math.log10(peak)))


def flac_bytes(x: Wave, sample_rate: int) -> bytes:
    """Return a waveform as a mono 16-bit FLAC file: the samples of a WAV in half its bytes."""
    file = io.BytesIO()
    pcm = float_to_pcm16(torch.from_numpy(x)).numpy()
    soundfile.write(file, pcm, sample_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def data_uri(kind: str, content: bytes) -> str:
    """Return ``content`` as a ``data:`` address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
