"""Detection by a change that should not matter: a clip is suspect whose answer it moves.

After WaveGuard (Hussain et al. 2021, https://arxiv.org/abs/2103.03344), which compares what a
speech recogniser writes down before and after a transformation. A classifier has probabilities to
compare.
"""

from __future__ import annotations

from torch import Tensor

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.defended import Defended
from mondegreen.detection.detector import Detector


class Consistency(Detector):
    """The distance between the probabilities before and after a channel, from 0 to 2 (L1).

    Args:
        classifier: Who listens; frozen.
        defended: The same behind the channel.

    Example:
        >>> import torch
        >>> from mondegreen.channels import Gain
        >>> flat = Classifier(torch.nn.Flatten(), labels=("a", "b"), sample_rate=8, clip_samples=2,
        ...     name="flat")
        >>> silenced = Defended(flat, Gain(db=-120.0))
        >>> Consistency(flat, silenced)(torch.tensor([[[0.0, 1.0]]])).round(decimals=3)
        tensor([0.4620])
    """

    def __init__(self, classifier: Classifier, defended: Defended) -> None:
        super().__init__()
        self.classifier, self.defended = classifier, defended

    def describe(self) -> str:
        """Return the channel and how often it is passed."""
        return f"Consistency({self.defended.channel!r}, votes={self.defended.votes})"

    def forward(self, x: Tensor) -> Tensor:
        """Return the distances."""
        before, after = (one(x).softmax(dim=1) for one in (self.classifier, self.defended))
        distance: Tensor = (before - after).abs().sum(dim=1)
        return distance
