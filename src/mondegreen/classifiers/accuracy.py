"""How many clips a classifier labels correctly."""

from __future__ import annotations

import torch

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.processes.group import Processes


@torch.no_grad()
def accuracy(
    classifier: Classifier,
    data: ClipDataset,
    batch_size: int = 256,
    processes: Processes | None = None,
) -> float:
    """Return the share of the clips that the classifier labels correctly, in evaluation mode.

    Args:
        classifier: The classifier.
        data: The clips.
        batch_size: Clips at once.
        processes: Who shares each batch; by default nobody.

    Raises:
        MondegreenError: Logits are NaN or infinite.
    """
    training = classifier.training
    classifier.eval()
    everyone = processes or Processes()
    counts = torch.zeros(2, dtype=torch.float64, device=classifier.device)
    for x, label in data.batches(batch_size, normalization=classifier.normalization):
        rows = everyone.share(len(x))
        if rows.start == rows.stop:
            continue
        logits = classifier(x[rows].to(classifier.device)).cpu()
        counts[0] += int((logits.argmax(dim=1) == label[rows]).sum())
        counts[1] += int((~torch.isfinite(logits)).sum())
    everyone.sum([counts])
    hits, astray = counts.tolist()
    if astray:
        raise MondegreenError(
            f"{classifier.name}: the logits of some clips are NaN or infinite, so its training "
            "went astray. Lower --training.learning-rate."
        )
    classifier.train(training)
    return float(hits / len(data))
