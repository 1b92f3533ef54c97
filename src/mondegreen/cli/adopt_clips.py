"""The clips that a model is checked with when it is adopted: with one label each, or with tags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.options import DataOptions, open_tags, open_test_split
from mondegreen.data.tags import TaggedClips, has_tags
from mondegreen.evaluation.label_order import LabelCheck, check_labels
from mondegreen.evaluation.tagging import TagCheck, check_tags, log_odds


@dataclass(frozen=True)
class Known:
    """Clips of which the truth is known."""

    clips: ClipDataset
    tagged: TaggedClips | None = None
    """What each clip has, where that is not one label."""

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.clips)

    def spread(self, count: int) -> npt.NDArray[np.int64]:
        """Return so many positions, evenly over all clips; all where there are fewer."""
        return np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.int64)

    def some(self, count: int) -> Known:
        """Return so many of the clips, evenly over all of them."""
        return Known(self.clips.subset(self.spread(count)), self.tagged)

    def check(self, classifier: Classifier) -> LabelCheck | TagCheck:
        """Compare what a classifier hears with the truth."""
        if self.tagged is not None:
            truth = self.tagged.truth(self.clips.clips, classifier.labels)
            return check_tags(log_odds(classifier, self.clips), truth)
        batches = self.clips.batches(64, normalization=classifier.normalization)
        heard = torch.cat([predict(classifier, x).argmax(dim=1) for x, _ in batches]).numpy()
        return check_labels(self.clips.labels.numpy(), heard, len(classifier.labels))


def open_known(
    data: DataOptions, labels: tuple[str, ...], rate: int, samples: int, split: str, count: int
) -> Known:
    """Open some clips of a part: evenly of all labels, or evenly over those of ``tags.csv``.

    Args:
        data: The user's options, with a data folder.
        labels: The model's.
        rate: In Hz.
        samples: Of a clip.
        split: The part.
        count: How many clips.

    Raises:
        MondegreenError: The folder cannot be read, or does not fit the labels.
    """
    assert data.data is not None
    if has_tags(data.data):
        tagged, splits = open_tags(data, (), rate, samples)
        return Known(splits[split], tagged).some(count)
    clips = open_test_split(data, labels, rate, samples, split)
    turn = torch.zeros(len(clips), dtype=torch.int64)
    for label in set(clips.labels.tolist()):
        rows = (clips.labels == label).nonzero()[:, 0]
        turn[rows] = torch.arange(len(rows))
    return Known(clips.subset(turn.argsort(stable=True)[:count].sort().values))
