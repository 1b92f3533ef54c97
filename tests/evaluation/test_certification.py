"""Certificates of a classifier whose smoothed version is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor, nn

from mondegreen.channels import Gaussian
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.certification import (
    ABSTAIN,
    Certificate,
    certified_radius,
    certify,
    count_votes,
    describe_certificates,
    smoothed_label,
)

SAMPLES, SIGMA = 16, 0.05


class FirstSample(nn.Module):
    """Linear: which side of 0.1 the first sample lies on."""

    def forward(self, x: Tensor) -> Tensor:
        first = x[:, 0, 0] - 0.1
        return torch.stack([first, -first], dim=1)


@pytest.fixture
def half() -> Classifier:
    return Classifier(
        FirstSample(), labels=("above", "below"), sample_rate=16, clip_samples=SAMPLES, name="half"
    ).freeze()


def clip(first: float) -> Tensor:
    x = torch.full((1, 1, SAMPLES), 0.2)
    x[0, 0, 0] = first
    return x


@pytest.mark.parametrize(("votes", "draws", "alpha"), [(400, 400, 0.001), (300, 400, 0.01)])
def test_radii_are_those_of_the_formula(votes: int, draws: int, alpha: float) -> None:
    share = scipy.stats.beta.ppf(alpha, votes, draws - votes + 1)
    wanted = SIGMA * scipy.stats.norm.ppf(share)
    assert certified_radius(votes, draws, SIGMA, alpha) == pytest.approx(wanted, rel=1e-6)
    assert certified_radius(draws // 2, draws, SIGMA, alpha) == 0.0


def test_a_linear_classifiers_votes_and_radius(half: Classifier) -> None:
    # The smoothed classifier changes exactly where the clip crosses 0.1, at a distance of 0.06.
    x, noise = clip(0.16), Gaussian(sigma=SIGMA)
    random = torch.Generator().manual_seed(3)
    votes = count_votes(half, noise, x[0], 2000, random)
    assert votes.sum() == 2000
    assert votes[0] / 2000 == pytest.approx(scipy.stats.norm.cdf(0.06 / SIGMA), abs=0.025)
    (found,) = certify(half, noise, x, random=random, draws=4000)
    assert found.label == 0 and 0.8 * 0.06 < found.radius < 0.06, "sound, and nearly tight"
    norm = float(x.square().sum().sqrt())
    assert found.snr_db == pytest.approx(20 * math.log10(norm / found.radius), abs=1e-4)


def test_it_abstains_on_the_border(half: Classifier) -> None:
    random = torch.Generator().manual_seed(3)
    (found,) = certify(half, Gaussian(sigma=SIGMA), clip(0.1), random=random, draws=200)
    assert (found.label, found.radius) == (ABSTAIN, 0.0) and math.isinf(found.snr_db)


@pytest.mark.parametrize(("votes", "label"), [([60, 40], ABSTAIN), ([90, 10], 0), ([5, 95], 1)])
def test_predictions_abstain_where_two_labels_may_be_alike(votes: list[int], label: int) -> None:
    assert smoothed_label(np.array(votes), 0.001) == label
    doubtful = scipy.stats.binomtest(max(votes), sum(votes)).pvalue > 0.001
    assert doubtful == (label == ABSTAIN)


def test_only_the_two_labels_ahead_are_compared() -> None:
    assert smoothed_label(np.array([60, 20, 20, 20]), 0.001) == 0


def test_what_is_certified_wrongly_has_no_part_in_the_radii() -> None:
    found = [Certificate(0, 0.1, 40.0), Certificate(1, 0.3, 30.0), Certificate(0, 0.2, 35.0)]
    told = describe_certificates(found, torch.tensor([0, 0, 0]))
    assert (told["certified_right"], told["abstained"]) == (2, 0)
    assert told["median_radius"] == pytest.approx(0.15)
    assert (told["median_snr_db"], told["lowest_snr_db"]) == (37.5, 35.0)


def test_a_summary_counts_what_is_right(half: Classifier) -> None:
    random = torch.Generator().manual_seed(3)
    x = torch.cat([clip(0.3), clip(-0.2), clip(0.1), clip(0.3)])
    found = certify(half, Gaussian(sigma=SIGMA), x, random=random, draws=100)
    told = describe_certificates(found, torch.tensor([0, 1, 0, 1]))
    assert (told["clips"], told["abstained"], told["certified_right"]) == (4, 1, 2)
    assert told["median_radius"] == pytest.approx((found[0].radius + found[1].radius) / 2)
    assert told["lowest_snr_db"] == min(found[0].snr_db, found[1].snr_db)
    assert describe_certificates([], torch.zeros(0))["median_radius"] is None
    with pytest.raises(MondegreenError, match="one draw"):
        certify(half, Gaussian(), x, random=random, draws=0)
