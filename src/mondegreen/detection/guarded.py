"""A classifier that rejects what its detector suspects: one label more.

After Carlini and Wagner 2017 (https://arxiv.org/abs/1705.07263, section 3.3), who make classifier
and detector one function, so that an attack on it has to fool both. The detector's score so becomes
a term of the loss of every gradient attack.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mondegreen.classifiers.classifier import Classifier
from mondegreen.detection.detector import Detector
from mondegreen.weights import fingerprint

REJECTED = "(rejected)"
"""The label of what is rejected."""


class Guarded(Classifier):
    """A classifier with the label :data:`REJECTED`, heard where the score exceeds a threshold.

    Its logit is ``max(logits) + weight * (score - threshold) / spread``.

    Args:
        classifier: Who listens; frozen.
        detector: Scores the clips.
        threshold: Scores above are rejected.
        spread: Of the scores; what the weight refers to.
        weight: How steep the logit is: how an attacker weighs the detector against the classifier.
            The answer does not depend on it.
    """

    def __init__(
        self,
        classifier: Classifier,
        detector: Detector,
        *,
        threshold: float,
        spread: float = 1.0,
        weight: float = 4.0,
    ) -> None:
        super().__init__(
            _Rejecting(classifier, detector, threshold, weight / max(spread, 1e-12)),
            labels=(*classifier.labels, REJECTED),
            sample_rate=classifier.sample_rate,
            clip_samples=classifier.clip_samples,
            name=f"{classifier.name}-guarded",
            differentiable=classifier.differentiable,
            normalization=classifier.normalization,
        )
        self.classifier, self.detector, self.threshold = classifier, detector, threshold

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with the classifier, the detector and the threshold."""
        settings = [self.classifier.fingerprint(), self.detector.describe(), self.threshold]
        return fingerprint(self.detector, settings)


class _Rejecting(nn.Module):
    """The classifier's logits and that of rejection."""

    def __init__(
        self, classifier: Classifier, detector: Detector, threshold: float, slope: float
    ) -> None:
        super().__init__()
        self.classifier, self.detector = classifier, detector
        self.threshold, self.slope = threshold, slope

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, one more than the classifier has."""
        logits: Tensor = self.classifier(x)
        excess = self.slope * (self.detector(x) - self.threshold)
        return torch.cat([logits, (logits.amax(dim=1) + excess)[:, None]], dim=1)
