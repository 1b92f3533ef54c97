"""Areas and curves by hand and against SciPy's rank statistic."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from mondegreen.metrics.roc import auc, auc_interval, roc_curve

SCORES = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=12)


def test_perfect_useless_and_reversed_scores() -> None:
    assert auc([0.0, 1.0], [2.0, 3.0]) == 1.0
    assert auc([2.0, 3.0], [0.0, 1.0]) == 0.0
    assert auc([1.0, 1.0], [1.0]) == 0.5


@settings(deadline=None)
@given(negative=SCORES, positive=SCORES)
def test_the_area_is_that_of_mann_and_whitney_and_of_the_curve(
    negative: list[float], positive: list[float]
) -> None:
    rank = scipy.stats.mannwhitneyu(positive, negative).statistic
    wanted = rank / (len(negative) * len(positive))
    assert auc(negative, positive) == pytest.approx(wanted)
    false, true = roc_curve(negative, positive)
    assert np.trapezoid(true, false) == pytest.approx(wanted)
    assert (false[0], true[0], false[-1], true[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert (np.diff(false) >= 0).all() and (np.diff(true) >= 0).all()


def test_two_normals_have_the_area_of_theory() -> None:
    random = np.random.default_rng(5)
    negative, positive = random.normal(0, 1, 3000), random.normal(1, 1, 3000)
    wanted = scipy.stats.norm.cdf(1 / np.sqrt(2))
    assert auc(negative, positive) == pytest.approx(wanted, abs=0.015)


def test_the_interval_is_wider_where_speakers_differ() -> None:
    random = np.random.default_rng(6)
    negative, positive = random.normal(0, 1, 200), random.normal(1, 1, 200)
    groups = np.arange(200) % 20
    apart = auc_interval((negative, groups), (positive, groups), np.random.default_rng(1))
    assert apart[0] < auc(negative, positive) < apart[1]
    of_speakers = positive + 3 * random.normal(0, 1, 20)[groups]
    wide = auc_interval((negative, groups), (of_speakers, groups), np.random.default_rng(1))
    assert wide[1] - wide[0] > 1.5 * (apart[1] - apart[0])
    again = auc_interval((negative, groups), (positive, groups), np.random.default_rng(1))
    assert again == apart


def test_one_speaker_tells_nothing_of_others() -> None:
    scores = ([0.0, 0.1], [1, 1]), ([0.05, 1.1], [1, 1])
    assert auc_interval(*scores, np.random.default_rng(0)) == (0.0, 1.0)


def test_draws_without_a_clip_of_either_kind_are_left_out() -> None:
    scores = ([0.0], [1]), ([1.0], [2])
    assert auc_interval(*scores, np.random.default_rng(0)) == (1.0, 1.0)
    random = np.random.default_rng(0)
    drawn = [set(random.integers(2, size=2).tolist()) for _ in range(3)]
    assert any(len(one) == 1 for one in drawn)  # by one speaker alone


def test_without_a_draw_of_both_kinds_nothing_is_known() -> None:
    seed = next(
        one for one in range(99) if len(set(np.random.default_rng(one).integers(2, size=2))) == 1
    )
    scores = ([0.0], [1]), ([1.0], [2])
    assert auc_interval(*scores, np.random.default_rng(seed), resamples=1) == (0.0, 1.0)


def test_equal_scores_count_half_in_the_interval_too() -> None:
    groups = np.arange(20)
    alike = (np.zeros(20), groups)
    assert auc_interval(alike, alike, np.random.default_rng(0)) == (0.5, 0.5)


def test_more_confidence_is_a_wider_interval() -> None:
    random = np.random.default_rng(6)
    groups = np.arange(60) % 20
    negative, positive = (random.normal(0, 1, 60), groups), (random.normal(1, 1, 60), groups)
    narrow, wide = (
        auc_interval(negative, positive, np.random.default_rng(1), confidence=confidence)
        for confidence in (0.5, 0.99)
    )
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_wrong_scores_are_refused() -> None:
    for negative, positive in (([], [1.0]), ([1.0], []), ([float("nan")], [1.0])):
        with pytest.raises(ValueError, match=r"both kinds|finite"):
            auc(negative, positive)
    with pytest.raises(ValueError, match="group"):
        auc_interval(([1.0], []), ([2.0], [1]), np.random.default_rng(0))
