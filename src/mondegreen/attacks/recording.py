"""Attacking whole recordings: any length, sample rate and number of channels, in flat memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.chunks import BlockAttack, ChunkedAttack, stretch_samples
from mondegreen.attacks.hearing import Heard, Listener, hear, to_windows
from mondegreen.attacks.streaming import Streaming, StreamingOptions
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.resampling import Resampler
from mondegreen.sound_files import SoundReader, SoundWriter, write_blocks

__all__ = [
    "AttackedRecording",
    "Heard",
    "attack_recording",
    "describe",
    "hear",
    "hear_file",
    "read_beginning",
    "to_windows",
]

_BLOCK_SECONDS = 8
_BLOCK_SAMPLES = 1 << 20  # over all channels: high rates and many channels take no more


@dataclass(frozen=True)
class AttackedRecording:
    """What an attack made of a recording; the sound is in the files."""

    path: Path
    output: Path
    sample_rate: int
    seconds: float
    before: Heard
    after: Heard
    """What is heard in the file as written."""
    snr_db: float
    """Signal-to-noise ratio of the file as written, over all channels, in dB; NaN for silence."""
    worst_snr_db: float
    """The lowest of the ratios over each stretch of four clips' length, but for silent ones."""
    milliseconds: float
    """Time that the perturbation took."""
    latency_ms: float | None = None
    """Of a stream, by how much the sound leaves later than it came in."""
    real_time_factor: float | None = None
    """Of a stream, the time that it took as a share of the time that it lasts."""


def attack_recording(
    attack: Attack,
    classifier: Classifier,
    path: Path,
    target: str,
    budget: Budget | None,
    output: Path,
    *,
    streaming: StreamingOptions | None = None,
) -> AttackedRecording:
    """Attack a sound file of any length, rate and number of channels and write the result.

    The file is read, perturbed and written in blocks: an hour needs no more memory than a minute.
    The perturbation is made by overlapping windows of the classifier's clip length, cross-faded;
    see :class:`ChunkedAttack`. A file shorter than a clip is one window, zero-padded at its end.

    The budget holds for every consecutive stretch of four clips' length (the last one is shorter)
    of the file as written, after rounding to 16 bits. A signal-to-noise ratio or a largest change
    then holds for the whole file too. One budget over ten minutes would let all of its noise lie in
    one second; an L2 norm is made for clips, and would leave a long file next to nothing.

    Args:
        attack: The attack.
        classifier: The frozen classifier.
        path: The file.
        target: Label to reach.
        budget: How large the perturbation may be; None sets no limit.
        output: The 16-bit WAV file to write; it appears when it is complete.
        streaming: Attack causally, as a stream would be; see :class:`Streaming` for its budget.

    Raises:
        MondegreenError: The file cannot be read, the other not written, or the target is no label.
    """
    scale = classifier.normalization
    with SoundReader(path, scale) as sound:
        rate, channels = sound.sample_rate, sound.channels
        meter = _Meter(classifier, rate)
        stream: Streaming | None = None
        block: BlockAttack
        if streaming is None:
            block = ChunkedAttack(attack, classifier, target, budget, rate, channels)
        else:
            block = stream = Streaming(
                attack, classifier, target, budget, streaming, sample_rate=rate, channels=channels
            )
        with write_blocks(output, rate, channels, sound.frames, scale) as writer:
            _run(block, sound, writer, meter)
    seconds = meter.samples / rate
    return AttackedRecording(
        path=path,
        output=output,
        sample_rate=rate,
        seconds=seconds,
        milliseconds=block.milliseconds,
        latency_ms=stream.latency_ms if stream else None,
        real_time_factor=stream.milliseconds / (1e3 * seconds) if stream else None,
        **meter.found(),
    )


def _run(block: BlockAttack, sound: SoundReader, writer: SoundWriter, meter: _Meter) -> None:
    """Take the file through the attack, and what comes out of it to the other file."""
    early = block.delay  # samples that are not of the recording
    for x in sound.blocks(_block_frames(sound)):
        meter.original(x)
        x_adv = block.push(x)
        begin = min(early, x_adv.shape[1])
        early -= begin
        _write(x_adv[:, begin:], writer, meter)
    _write(block.flush()[:, early:], writer, meter)


def _write(x_adv: Tensor, writer: SoundWriter, meter: _Meter) -> None:
    writer.write(x_adv)
    meter.perturbed(x_adv)


def _block_frames(sound: SoundReader) -> int:
    return max(1, min(_BLOCK_SECONDS * sound.sample_rate, _BLOCK_SAMPLES // sound.channels))


class _Meter:
    """Compares a recording with its perturbed version while both pass by."""

    def __init__(self, classifier: Classifier, sample_rate: int) -> None:
        resampler = Resampler(sample_rate, classifier.sample_rate)
        self._before = Listener(classifier, resampler)
        self._after = Listener(classifier, resampler)
        self._stretch = stretch_samples(classifier, sample_rate)
        self._x: Tensor | None = None  # samples whose perturbed version has not come yet
        self._energies = torch.zeros(2, 0, dtype=torch.float64)  # of the stretch that is not full
        self._total = torch.zeros(2, dtype=torch.float64)  # energies of signal and noise
        self._worst = math.inf
        self.samples = 0

    def original(self, x: Tensor) -> None:
        """Take samples of the recording."""
        self.samples += x.shape[1]
        self._before.push(x)
        self._x = x if self._x is None else torch.cat([self._x, x], dim=1)

    def perturbed(self, x_adv: Tensor) -> None:
        """Take samples of its perturbed version."""
        assert self._x is not None
        x, self._x = self._x[:, : x_adv.shape[1]], self._x[:, x_adv.shape[1] :].clone()
        self._after.push(x_adv)
        pair = torch.stack([x, x_adv - x]).double().square().sum(dim=1)
        self._total += pair.sum(dim=1)
        held = torch.cat([self._energies, pair], dim=1)
        whole = held.shape[1] // self._stretch * self._stretch
        stretches = held[:, :whole].reshape(2, -1, self._stretch).sum(dim=2)
        self._note(stretches)
        self._energies = held[:, whole:].clone()

    def _note(self, energies: Tensor) -> None:
        for signal, noise in energies.T.tolist():
            self._worst = min(self._worst, _ratio(signal, noise) if signal > 0 else math.inf)

    def found(self) -> dict[str, Any]:
        """Return the fields of :class:`AttackedRecording` that it knows, at the end."""
        self._note(self._energies.sum(dim=1, keepdim=True))
        return {
            "before": self._before.heard(),
            "after": self._after.heard(),
            "snr_db": _ratio(*self._total.tolist()),
            "worst_snr_db": self._worst,
        }


def _ratio(signal: float, noise: float) -> float:
    """Return an energy ratio in dB: NaN for silence, infinite for an unperturbed signal."""
    if signal <= 0.0:
        return math.nan
    return math.inf if noise <= 0.0 else 10.0 * math.log10(signal / noise)


def hear_file(classifier: Classifier, path: Path) -> Heard:
    """Classify a sound file of any length, rate and number of channels, in flat memory.

    Raises:
        MondegreenError: The file cannot be read.
    """
    with SoundReader(path, classifier.normalization) as sound:
        listener = Listener(classifier, Resampler(sound.sample_rate, classifier.sample_rate))
        for x in sound.blocks(_block_frames(sound)):
            listener.push(x)
        return listener.heard()


def read_beginning(path: Path, seconds: float) -> tuple[Tensor, int]:
    """Return the beginning of a sound file, rounded to 16 bits, and its sample rate in Hz.

    Shape:
        - Output: ``(channels, time)``

    Raises:
        MondegreenError: The file cannot be read.
    """
    with SoundReader(path) as sound:
        frames = max(1, round(seconds * sound.sample_rate))
        return next(sound.blocks(frames)), sound.sample_rate


def describe(recording: AttackedRecording, target: str) -> dict[str, Any]:
    """Return what the command line prints about one recording, but for PESQ."""

    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "file": str(recording.path),
        "before": recording.before.label,
        "after": recording.after.label,
        "target": target,
        "success": recording.after.label == target,
        "seconds": recording.seconds,
        "snr_db": finite(recording.snr_db),
        "worst_snr_db": finite(recording.worst_snr_db),
        "milliseconds": recording.milliseconds,
        "latency_ms": recording.latency_ms,
        "real_time_factor": recording.real_time_factor,
    }
