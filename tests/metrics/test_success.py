"""Success rates against counting by hand, and intervals against SciPy and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from mondegreen.metrics.success import (
    bootstrap_interval,
    escape_matrix,
    success_matrix,
    success_rate,
    success_rates,
    wilson_interval,
)


def test_rates_by_hand() -> None:
    rates = success_rates(
        source=[0, 0, 1, 1, 2],
        target=[1, 2, 0, 2, 0],
        before=[0, 2, 1, 0, 2],
        after=[1, 2, 1, 2, 2],
    )
    assert rates.rate == 3 / 5  # pairs 0, 1 and 3
    assert rates.correct == 1 / 3  # of the pairs 0, 2 and 4 only pair 0
    assert rates.baseline == 1 / 5  # pair 1 was heard as its target before
    assert (rates.pairs, rates.correct_pairs) == (5, 3)


def test_another_label_than_the_target_is_no_success() -> None:
    rates = success_rates(source=[0, 0], target=[1, 1], before=[0, 0], after=[2, 1])
    assert (rates.rate, rates.correct) == (0.5, 0.5)


def test_untargeted_rates_by_hand() -> None:
    label = [0, 0, 1, 1]
    rates = success_rates(label, label, before=[0, 1, 1, 1], after=[2, 1, 1, 0], untargeted=True)
    assert (rates.rate, rates.correct, rates.baseline) == (3 / 4, 2 / 3, 1 / 4)
    with pytest.raises(ValueError, match="gets away from"):
        success_rates([0, 1], [0, 0], [0, 1], [1, 0], untargeted=True)


def test_no_pairs_have_no_rate() -> None:
    assert math.isnan(success_rate([]))
    assert math.isnan(success_rate([True], where=[False]))
    assert math.isnan(success_rates([0], [1], [1], [1]).correct)


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(0, 60))
def test_the_matrix_is_counted_cell_by_cell(seed: int, labels: int, pairs: int) -> None:
    random = np.random.default_rng(seed)
    source = random.integers(labels, size=pairs)
    target = (source + random.integers(1, labels, size=pairs)) % labels
    success = random.random(pairs) < 0.6
    rates, counts = success_matrix(source, target, success, labels)
    for row in range(labels):
        for column in range(labels):
            cell = success[(source == row) & (target == column)].tolist()
            assert counts[row, column] == len(cell)
            if cell:
                assert rates[row, column] == sum(cell) / len(cell)
            else:
                assert math.isnan(rates[row, column])
    assert np.isnan(np.diag(rates)).all()


def test_what_is_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="own label"):
        success_matrix([0, 1], [1, 1], [True, True], 2)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        success_matrix([0], [2], [True], 2)
    with pytest.raises(ValueError, match="outcomes"):
        success_matrix([0], [1], [True, False], 2)
    with pytest.raises(ValueError, match="one entry"):
        success_rates([0], [1], [0, 1], [1])
    with pytest.raises(ValueError, match="one entry"):
        success_rates([0], [1], [0], [1, 1])
    for source, target in (([2], [0]), ([-1], [0]), ([0], [-1])):
        with pytest.raises(ValueError, match=r"0\.\.1"):
            success_matrix(source, target, [True], 2)
        with pytest.raises(ValueError, match=r"0\.\.1"):
            escape_matrix(source, target, 2)
    with pytest.raises(ValueError, match="one entry"):
        escape_matrix([[0]], [[1]], 2)


@pytest.mark.parametrize(("successes", "pairs"), [(0, 5), (5, 5), (3, 7), (923, 1000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_wilson_agrees_with_scipy(successes: int, pairs: int, confidence: float) -> None:
    reference = scipy.stats.binomtest(successes, pairs).proportion_ci(confidence, method="wilson")
    interval = wilson_interval(successes, pairs, confidence)
    assert interval == pytest.approx((reference.low, reference.high), abs=1e-12)


@pytest.mark.parametrize("pairs", [2, 6, 9, 26])
def test_no_rounding_leads_out_of_the_rates_there_are(pairs: int) -> None:
    assert wilson_interval(0, pairs)[0] >= 0.0
    assert wilson_interval(pairs, pairs)[1] <= 1.0


def test_wilson_knows_nothing_without_pairs() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no sense"):
        wilson_interval(3, 2)


def test_the_bootstrap_of_independent_pairs_is_near_wilson() -> None:
    success = np.arange(400) < 300
    low, high = bootstrap_interval(success, np.arange(400), np.random.default_rng(1))
    assert (low, high) == pytest.approx(wilson_interval(300, 400), abs=0.01)


def test_the_bootstrap_of_groups_is_as_wide_as_the_groups_ask_for() -> None:
    # 40 speakers of 10 pairs that all succeed or all fail: 40 outcomes, not 400.
    groups = np.repeat(np.arange(40), 10)
    low, high = bootstrap_interval(groups < 30, groups, np.random.default_rng(1))
    assert (low, high) == pytest.approx(wilson_interval(30, 40), abs=0.03)
    named = bootstrap_interval(groups < 30, groups.astype(str), np.random.default_rng(1))
    assert named[1] - named[0] == pytest.approx(high - low, abs=0.03)


def test_more_confidence_is_a_wider_interval_and_resamples_are_counted() -> None:
    success, groups = np.arange(200) < 120, np.arange(200) // 5
    narrow, wide = (
        bootstrap_interval(success, groups, np.random.default_rng(1), confidence=confidence)
        for confidence in (0.5, 0.99)
    )
    assert wide[0] < narrow[0] < 0.6 < narrow[1] < wide[1]
    random = np.random.default_rng(1)
    bootstrap_interval(success, groups, random, resamples=10)
    again = np.random.default_rng(1)
    again.integers(40, size=(10, 40))
    assert random.random() == again.random()


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_far_end_is_exact_where_all_fail_or_none(confidence: float) -> None:
    beyond, groups = 1 - (0.5 - confidence / 2) ** (1 / 60), [1, 2] * 30
    none, every = (
        bootstrap_interval([hit] * 60, groups, np.random.default_rng(0), confidence=confidence)
        for hit in (False, True)
    )
    assert none == pytest.approx((0.0, beyond)) and every == pytest.approx((1 - beyond, 1.0))


def test_groups_that_are_alike_do_not_make_it_certain() -> None:
    success, groups = [True, False, False] * 4, [one for one in range(4) for _ in range(3)]
    found = bootstrap_interval(success, groups, np.random.default_rng(0))
    assert found == wilson_interval(4, 12)


@pytest.mark.parametrize(
    "gains", [[1, 0, 0, 0] * 5, [0] * 20, [1, -1, 0, 0] * 5, [1] * 20], ids=str
)
def test_differences_that_are_alike_in_all_groups(gains: list[int]) -> None:
    """Whoever gains alike may lose elsewhere: nothing is certain, and neither side is ruled out."""
    groups = np.repeat(np.arange(5), 4)
    low, high = bootstrap_interval(gains, groups, np.random.default_rng(0), least=-1.0)
    mean, beyond = np.mean(gains), 1 - 0.025 ** (1 / 20)
    assert (low, high) == pytest.approx((mean - beyond, min(mean + beyond, 1.0)))
    lost = bootstrap_interval(-np.array(gains), groups, np.random.default_rng(0), least=-1.0)
    assert lost == pytest.approx((-high, -low))


@pytest.mark.parametrize("sign", [1, -1])
def test_differences_of_few_pairs_stay_differences(sign: int) -> None:
    gains, groups = [sign, 0, sign, 0], [0, 0, 1, 1]
    found = bootstrap_interval(gains, groups, np.random.default_rng(0), least=-1.0)
    ends = (0.5 - (1 - 0.025 ** (1 / 4)), 1.0)
    assert found == pytest.approx(ends if sign > 0 else (-ends[1], -ends[0]))


def test_every_pair_that_the_bootstrap_draws_counts_the_same() -> None:
    sizes, hits = np.array([90, 5, 5, 4, 3, 2, 1]), np.array([9, 5, 4, 4, 1, 2, 1])
    groups = np.arange(7).repeat(sizes)
    success = np.concatenate([np.arange(n) < hit for n, hit in zip(sizes, hits, strict=True)])
    found = bootstrap_interval(success, groups, np.random.default_rng(3), resamples=500)
    drawn = np.random.default_rng(3).integers(7, size=(500, 7))
    rates = [np.concatenate([success[groups == one] for one in row]).mean() for row in drawn]
    assert found == pytest.approx(np.quantile(rates, [0.025, 0.975]).tolist())


def test_the_bootstrap_needs_a_group_for_every_pair() -> None:
    assert bootstrap_interval([], [], np.random.default_rng(0)) == (0.0, 1.0)
    for success in ([True, False] * 30, [True] * 60):  # one speaker tells nothing of others
        assert bootstrap_interval(success, ["he"] * 60, np.random.default_rng(0)) == (0.0, 1.0)
    with pytest.raises(ValueError, match="groups"):
        bootstrap_interval([True], [0, 1], np.random.default_rng(0))
