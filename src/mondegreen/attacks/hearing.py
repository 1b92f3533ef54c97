"""What a classifier hears in a recording of any length."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mondegreen.audio import fit_length
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.resampling import BlockResampler, Resampler

_WINDOWS_AT_ONCE = 16


@dataclass(frozen=True)
class Heard:
    """What a classifier hears in a recording.

    A recording longer than the classifier's clips is cut into consecutive windows, the last one
    zero-padded; it is heard as the label with the highest mean probability.
    """

    label: str
    probabilities: Tensor  # (windows, labels)


def to_windows(x: Tensor, samples: int) -> Tensor:
    """Cut a waveform ``(time,)`` into zero-padded windows ``(windows, 1, samples)``."""
    count = max(1, -(-len(x) // samples))
    return fit_length(x, count * samples).view(count, 1, samples)


class Listener:
    """Hears a recording piece by piece; of the sound it keeps no more than a window.

    Args:
        classifier: The classifier.
        resampler: From the recording's rate to the classifier's.
    """

    def __init__(self, classifier: Classifier, resampler: Resampler) -> None:
        self._classifier = classifier
        self._resampler = BlockResampler(resampler)
        self._held = torch.zeros(0)
        self._probabilities: list[Tensor] = []

    def push(self, x: Tensor) -> None:
        """Take the next samples.

        Shape:
            - Input: ``(channels, time)``
        """
        self._take(self._resampler.push(x.mean(dim=0, keepdim=True))[0])

    def heard(self) -> Heard:
        """Return what was heard, once the recording has ended."""
        self._take(self._resampler.flush()[0])
        if len(self._held) > 0 or not self._probabilities:
            self._hear(self._held)
        probabilities = torch.cat(self._probabilities)
        label = self._classifier.labels[int(probabilities.mean(dim=0).argmax())]
        return Heard(label, probabilities)

    def _take(self, low: Tensor) -> None:
        self._held = torch.cat([self._held, low.clamp(-1.0, 1.0)])
        samples = self._classifier.clip_samples
        whole = len(self._held) // samples * samples
        if whole > 0:
            self._hear(self._held[:whole])
            self._held = self._held[whole:].clone()

    def _hear(self, x: Tensor) -> None:
        windows = to_windows(x, self._classifier.clip_samples)
        self._probabilities.append(predict(self._classifier, windows, _WINDOWS_AT_ONCE))


def hear(classifier: Classifier, x: Tensor, sample_rate: int) -> Heard:
    """Classify a recording of any length, rate and number of channels.

    Shape:
        - Input: ``(channels, time)``
    """
    listener = Listener(classifier, Resampler(sample_rate, classifier.sample_rate))
    for piece in torch.split(x, 8 * sample_rate, dim=1):
        listener.push(piece)
    return listener.heard()
