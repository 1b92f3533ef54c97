"""Thresholds against curves whose crossings are known, and curves against counting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from mondegreen.evaluation.summaries import curves, thresholds
from mondegreen.evaluation.thresholds import (
    CURVE_POINTS,
    decreasing,
    of_budgets,
    of_pairs,
    of_rates,
    reach_db,
    success_curve,
)

DB = [10.0, 20.0, 30.0, 40.0]


def test_a_known_curve_is_crossed_where_it_is() -> None:
    found = {one.level: one for one in of_rates(DB, [1.0, 0.9, 0.5, 0.2])}
    assert found[0.5].db == pytest.approx(30.0)
    assert found[0.9].db == pytest.approx(20.0)
    assert found[0.99].db == pytest.approx(11.0)
    assert {one.side for one in found.values()} == {"within"}


def test_beyond_the_budgets_only_the_side_is_known() -> None:
    (high,) = of_rates(DB, [1.0, 1.0, 0.98, 0.97], levels=(0.9,))
    assert (high.side, high.db) == ("above", 40.0)
    (low,) = of_rates(DB, [0.8, 0.8, 0.1, 0.0], levels=(0.9,))
    assert (low.side, low.db) == ("below", 10.0)


def test_a_rate_that_rises_by_chance_is_levelled() -> None:
    levelled = decreasing(np.array([[0.9, 0.5, 0.7, 0.1]]))[0].tolist()
    assert levelled == pytest.approx([0.9, 0.6, 0.6, 0.1])
    (one,) = of_rates(DB, [0.9, 0.5, 0.7, 0.1], levels=(0.6,))
    assert one.db == pytest.approx(30.0)


@given(st.lists(st.integers(0, 8), min_size=2, max_size=7))
def test_isotonic_regression_is_scipys(counts: list[int]) -> None:
    rates = np.array(counts) / 8
    wanted = scipy.optimize.isotonic_regression(rates, increasing=False).x
    np.testing.assert_allclose(decreasing(rates[None])[0], wanted, atol=1e-12)


def test_intervals_cover_the_truth() -> None:
    # Thirty speakers, each of whom fails from a ratio of their own on: the median is 25 dB.
    covered = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        edge = random.normal(25.0, 4.0, size=30).repeat(8)
        success = [edge > db for db in (10.0, 15.0, 20.0, 25.0, 30.0, 35.0)]
        groups = np.arange(30).repeat(8)
        (one,) = of_budgets(
            [10.0, 15.0, 20.0, 25.0, 30.0, 35.0],
            success,
            groups,
            random,
            levels=(0.5,),
            resamples=300,
        )
        assert one.interval is not None
        low, high = one.interval
        assert low is not None and high is not None and one.db is not None
        assert low <= one.db <= high
        covered += low <= 25.0 <= high
    assert covered >= 34  # 38 are expected


def test_ends_of_an_interval_may_lie_beyond_the_budgets() -> None:
    success = [[True] * 4, [True, True, True, False]]
    (one,) = of_budgets([20.0, 30.0], success, range(4), np.random.default_rng(0), levels=(0.9,))
    assert one.interval is not None
    assert one.side == "within" and one.interval[0] is not None and one.interval[1] is None


def test_every_pair_that_is_drawn_counts_the_same() -> None:
    groups = np.arange(5).repeat([30, 3, 2, 1, 1])
    heard = np.stack([groups >= 0, groups >= 1])
    (one,) = of_budgets(
        [20.0, 30.0], heard, groups, np.random.default_rng(3), levels=(0.5,), resamples=200
    )
    drawn = np.random.default_rng(3).integers(5, size=(200, 5))
    rates = [np.concatenate([heard[1, groups == place] for place in row]).mean() for row in drawn]
    expected = sorted(np.inf if rate >= 0.5 else 20.0 + 5.0 / (1.0 - rate) for rate in rates)
    assert one.db == pytest.approx(20.0 + 5.0 / (1.0 - 7 / 37))
    assert one.interval is not None
    assert one.interval[0] == pytest.approx(expected[round(0.025 * 199)])
    assert one.interval[1] is None and expected[round(0.975 * 199)] == np.inf


def test_one_speaker_tells_nothing_of_others() -> None:
    random = np.random.default_rng(0)
    heard = [[True] * 10, [True] * 5 + [False] * 5]
    assert all(one.interval is None for one in of_budgets([20.0, 30.0], heard, [1] * 10, random))
    assert all(one.interval is None for one in of_pairs([10.0, 20.0, 30.0], [1] * 3, random))


def test_smallest_perturbations_are_counted() -> None:
    reach = np.array([40.0, 30.0, np.inf, 20.0, -np.inf])
    random = np.random.default_rng(0)
    found = {one.level: one for one in of_pairs(reach, range(5), random, levels=(0.2, 0.5, 0.9))}
    assert (found[0.2].side, found[0.2].db) == ("above", None)
    assert (found[0.5].side, found[0.5].db) == ("within", 30.0)
    assert (found[0.9].side, found[0.9].db) == ("below", None)
    assert found[0.5].interval is not None and found[0.5].interval[0] is None


@given(st.lists(st.integers(0, 12), min_size=1, max_size=80), st.integers(1, 99))
def test_the_threshold_is_where_so_many_still_succeed(values: list[int], percent: int) -> None:
    reach = np.array([float(value) if value else -np.inf for value in values])
    level = percent / 100
    (one,) = of_pairs(
        reach, range(len(reach)), np.random.default_rng(0), levels=(level,), resamples=9
    )
    if one.side == "below":
        assert np.isfinite(reach).mean() < level
    else:
        assert one.db is not None
        assert (reach >= one.db).mean() >= level - 1e-9
        assert (reach >= one.db + 0.5).mean() < level


def test_reach_knows_what_is_no_success() -> None:
    snr = [20.0, 30.0, np.inf, np.nan, np.nan]
    found = reach_db(snr, [True, False, True, True, False])
    assert found.tolist() == [20.0, -np.inf, np.inf, -np.inf, -np.inf]


def test_curves_are_counted_and_thinned() -> None:
    assert success_curve([5, 2, np.inf, 2], falling=False) == ([2.0, 5.0], [0.5, 0.75])
    assert success_curve([np.inf, 30.0, -np.inf, 10.0], falling=True) == (
        [30.0, 10.0],
        [0.5, 0.75],
    )
    values, shares = success_curve(np.arange(1, 1001), falling=False)
    assert len(values) == CURVE_POINTS and values[0] == 1 and values[-1] == 1000
    np.testing.assert_allclose(shares, np.array(values) / 1000)
    assert success_curve([np.inf], falling=False) == ([], [])


def cell(label: str, kind: str, value: float | None, outcomes: str, **more: Any) -> dict[str, Any]:
    return {
        "label": label,
        "budget": {"kind": kind, "value": value},
        "outcomes": outcomes,
        "pair_snr_db": " ".join(["20.0"] * len(outcomes)),
        "pair_queries": None,
        "gradients_per_clip": 0.0,
        "smallest": False,
        **more,
    }


def test_attacks_with_two_ratios_or_without_a_budget_have_thresholds() -> None:
    cells = [
        cell("a", "snr", 30.0, "1000"),
        cell("a", "snr", 20.0, "1111"),
        cell("a", "linf", 0.1, "0000"),
        cell("b", "snr", 20.0, "1111"),
        cell("c", "none", None, "1110", smallest=True, pair_snr_db="10.0 30.0 inf nan"),
    ]
    found = thresholds(cells, ["s", "s", "t", "u"], 1)
    assert [(one["label"], one["smallest"]) for one in found] == [("a", False), ("c", True)]
    assert found[0]["levels"][0]["db"] == pytest.approx(20.0 + 10.0 * 0.5 / 0.75)
    assert found[1]["levels"][0]["db"] == 30.0
    assert curves(cells[4]) == {
        "success_over_queries": None,
        "success_over_snr": [[30.0, 0.5], [10.0, 0.75]],
    }
    counted = cell("d", "snr", 20.0, "1011", pair_queries="5 9 2 5")
    assert curves(counted)["success_over_queries"] == [[2.0, 0.25], [5.0, 0.75]]
    assert curves({**counted, "gradients_per_clip": 1.5})["success_over_queries"] is None
