"""Randomised smoothing: what a majority under Gaussian noise proves, and how far.

Cohen, Rosenfeld and Kolter 2019, https://arxiv.org/abs/1902.02918.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mondegreen.channels import Gaussian, Streams
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.pairs import Ints
from mondegreen.metrics.binomial import clopper_pearson_lower, two_sided_half
from mondegreen.progress import task

ABSTAIN = -1
"""In place of a label: the votes do not tell enough."""

ALPHA = 0.001
"""How often a certificate may be wrong."""

_AT_ONCE = 256


@dataclass(frozen=True)
class Certificate:
    """What is proven of one clip."""

    label: int
    """That of the smoothed classifier, or :data:`ABSTAIN`."""
    radius: float
    """No perturbation of a smaller L2 norm changes the label; 0 where it abstains."""
    snr_db: float
    """The signal-to-noise ratio of a perturbation of that norm: whatever is quieter changes
    nothing. Infinite where it abstains."""


def certified_radius(votes: int, draws: int, sigma: float, alpha: float) -> float:
    """Return the certified L2 radius of a label that won so many votes; 0 where none is certain.

    ``sigma * inverse normal(p)`` with ``p`` the lower Clopper-Pearson end of its share (theorem 1
    with the runner-up's share at most ``1 - p``; algorithm CERTIFY).

    Args:
        votes: Of the label, among fresh draws.
        draws: How many there were.
        sigma: Standard deviation of the noise.
        alpha: How often the statement may be wrong.

    Example:
        >>> round(certified_radius(1000, 1000, 1.0, 0.001), 3)
        2.463
    """
    share = clopper_pearson_lower(votes, draws, alpha)
    return sigma * NormalDist().inv_cdf(share) if share > 0.5 else 0.0


def count_votes(
    classifier: Classifier, noise: Gaussian, x: Tensor, draws: int, random: torch.Generator
) -> Ints:
    """Return how often one clip with noise is heard as each label, ``(labels,)``.

    Args:
        classifier: The classifier behind the noise.
        noise: The noise.
        x: The clip, ``(1, time)``.
        draws: How often.
        random: Of the noise.
    """
    counts = torch.zeros(len(classifier.labels), dtype=torch.int64)
    for begin in range(0, draws, _AT_ONCE):
        number = min(_AT_ONCE, draws - begin)
        repeated = x.expand(number, 1, -1)
        noisy = noise.through(repeated, classifier.sample_rate, Streams.draw(number, random))
        with torch.no_grad():
            heard = classifier(noisy.to(classifier.device)).argmax(dim=1).cpu()
        counts += torch.bincount(heard, minlength=len(counts))
    found: Ints = counts.numpy()
    return found


def smoothed_label(votes: Ints, alpha: float) -> int:
    """Return the label that wins, or :data:`ABSTAIN` (algorithm PREDICT).

    It abstains where the two labels with the most votes might be equally likely: where a fair coin
    would divide their votes as unevenly with a probability above ``alpha``.

    Example:
        >>> smoothed_label(np.array([60, 40]), 0.001), smoothed_label(np.array([80, 20]), 0.001)
        (-1, 0)
    """
    second, first = np.argsort(votes, kind="stable")[-2:]
    ahead, both = int(votes[first]), int(votes[first] + votes[second])
    return int(first) if two_sided_half(ahead, both) <= alpha else ABSTAIN


def certify(
    classifier: Classifier,
    noise: Gaussian,
    x: Tensor,
    *,
    random: torch.Generator,
    first: int = 32,
    draws: int = 400,
    alpha: float = ALPHA,
) -> list[Certificate]:
    """Return what is proven of clips (algorithm CERTIFY).

    A few draws choose the label; others, so that the statement holds, count its votes. What is
    certified is the majority over infinitely many draws.

    Args:
        classifier: The classifier behind the noise.
        noise: The noise.
        x: Clips, ``(batch, 1, time)``.
        random: Of the noise.
        first: Draws that choose.
        draws: Draws that count.
        alpha: How often a certificate may be wrong.

    Raises:
        MondegreenError: There are no draws.
    """
    if first < 1 or draws < 1:
        raise MondegreenError("a certificate needs one draw or more to choose, and to count.")
    found = []
    with task("certificates", len(x)) as step:
        for clip in x:
            label = int(count_votes(classifier, noise, clip, first, random).argmax())
            votes = int(count_votes(classifier, noise, clip, draws, random)[label])
            radius = certified_radius(votes, draws, noise.sigma, alpha)
            found.append(_certificate(label, radius, clip))
            step()
    return found


def _certificate(label: int, radius: float, clip: Tensor) -> Certificate:
    if radius == 0.0:
        return Certificate(ABSTAIN, 0.0, math.inf)
    norm = float(clip.double().square().sum().sqrt())
    ratio = 20.0 * math.log10(norm / radius) if norm else -math.inf
    return Certificate(label, radius, ratio)


def describe_certificates(found: list[Certificate], labels: Tensor) -> dict[str, Any]:
    """Return what result files say of certificates.

    Args:
        found: One for each clip.
        labels: What the clips are.
    """
    right = [one.label == label for one, label in zip(found, labels.tolist(), strict=True)]
    sure = [one for one, true in zip(found, right, strict=True) if true]
    finite = [one.snr_db for one in sure if math.isfinite(one.snr_db)]
    return {
        "clips": len(found),
        "abstained": sum(one.label == ABSTAIN for one in found),
        "certified_right": sum(right),
        "median_radius": float(np.median([one.radius for one in sure])) if sure else None,
        "median_snr_db": float(np.median(finite)) if finite else None,
        "lowest_snr_db": min(finite) if finite else None,
    }
