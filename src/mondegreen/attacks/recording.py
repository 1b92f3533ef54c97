"""Attacking whole recordings: any length, sample rate and number of channels."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.audio import fit_length, quantize, read_audio, resample, rescale, write_wav
from mondegreen.budgets import Budget, quantize_within
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.metrics.snr import snr_db


@dataclass(frozen=True)
class Heard:
    """What a classifier hears in a recording.

    A recording longer than the classifier's clips is cut into consecutive windows, the last one
    zero-padded; it is heard as the label with the highest mean probability.
    """

    label: str
    probabilities: Tensor  # (windows, labels)


@dataclass(frozen=True)
class AttackedRecording:
    """A recording before and after the attack."""

    x: Tensor  # (channels, time), at the file's own rate, rounded to 16 bits
    x_adv: Tensor
    sample_rate: int
    before: Heard
    after: Heard
    milliseconds: float

    @property
    def snr_db(self) -> float:
        """Signal-to-noise ratio of the file as written, over all channels, in dB."""
        return float(snr_db(self.x[None], self.x_adv[None])[0])


def to_windows(x: Tensor, samples: int) -> Tensor:
    """Cut a waveform ``(time,)`` into zero-padded windows ``(windows, 1, samples)``."""
    count = max(1, -(-len(x) // samples))
    return fit_length(x, count * samples).view(count, 1, samples)


def hear(classifier: Classifier, x: Tensor, sample_rate: int) -> Heard:
    """Classify a recording of any length, rate and number of channels.

    Shape:
        - Input: ``(channels, time)``
    """
    mono = resample(x.mean(dim=0), sample_rate, classifier.sample_rate).clamp(-1.0, 1.0)
    probabilities = predict(classifier, to_windows(mono, classifier.clip_samples))
    label = classifier.labels[int(probabilities.mean(dim=0).argmax())]
    return Heard(label, probabilities)


def attack_recording(
    attack: Attack, classifier: Classifier, path: Path, target: str, budget: Budget | None
) -> AttackedRecording:
    """Attack a sound file of any length, rate and number of channels.

    The perturbation is made from the mean of the channels at the classifier's rate, window by
    window, brought to the file's rate and added to every channel. The budget holds for the file as
    written.

    Args:
        attack: The attack.
        classifier: The frozen classifier.
        path: The file.
        target: Label to reach.
        budget: How large the perturbation may be; None sets no limit.

    Raises:
        MondegreenError: The file cannot be read, or the target is no label.
    """
    index = classifier.label_index(target)
    samples, rate = read_audio(path)
    scale = classifier.normalization
    x = rescale(quantize(torch.from_numpy(samples).clamp(-1.0, 1.0)), scale)
    mono = resample(x.mean(dim=0), rate, classifier.sample_rate).clamp(-1.0, 1.0)
    windows = to_windows(mono, classifier.clip_samples)
    targets = torch.full((len(windows),), index)
    start = time.perf_counter()
    parts = [
        attack.perturb(classifier, window, wanted, budget)
        for window, wanted in zip(torch.split(windows, 32), torch.split(targets, 32), strict=True)
    ]
    elapsed = 1e3 * (time.perf_counter() - start)
    low = torch.cat(parts).flatten()[: len(mono)]
    delta = fit_length(resample(low, classifier.sample_rate, rate), x.shape[1]).expand_as(x)
    if budget is None:
        x_adv = quantize(x + delta, scale)
    else:
        x_adv = quantize_within(x[None], delta[None], budget, scale)[0]
    return AttackedRecording(
        x=x,
        x_adv=x_adv,
        sample_rate=rate,
        before=hear(classifier, x, rate),
        after=hear(classifier, x_adv, rate),
        milliseconds=elapsed,
    )


def write_recording(path: Path, recording: AttackedRecording, classifier: Classifier) -> None:
    """Write the adversarial recording as a 16-bit WAV file.

    Raises:
        MondegreenError: The file cannot be written.
    """
    write_wav(path, recording.x_adv, recording.sample_rate, classifier.normalization)


def describe(recording: AttackedRecording, path: Path, target: str) -> dict[str, Any]:
    """Return what the command line prints about one recording, but for PESQ."""
    ratio = recording.snr_db
    return {
        "file": str(path),
        "before": recording.before.label,
        "after": recording.after.label,
        "target": target,
        "success": recording.after.label == target,
        "snr_db": ratio if torch.isfinite(torch.tensor(ratio)) else None,
        "milliseconds": recording.milliseconds,
    }
