"""Exact binomial statements against SciPy."""

from __future__ import annotations

import pytest
import scipy.stats

from mondegreen.metrics.binomial import binomial_tail, clopper_pearson_lower, two_sided_half


@pytest.mark.parametrize(("successes", "draws"), [(0, 5), (3, 5), (37, 50), (50, 50), (390, 400)])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_the_lower_end_is_scipys(successes: int, draws: int, alpha: float) -> None:
    exact = scipy.stats.binomtest(successes, draws, alternative="greater")
    wanted = exact.proportion_ci(confidence_level=1 - alpha, method="exact").low
    assert clopper_pearson_lower(successes, draws, alpha) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("successes", "draws"), [(0, 9), (4, 9), (5, 10), (90, 100), (700, 1000)])
def test_tails_and_fair_coins_are_scipys(successes: int, draws: int) -> None:
    for share in (0.1, 0.5, 0.93):
        wanted = scipy.stats.binom.sf(successes - 1, draws, share)
        assert binomial_tail(successes, draws, share) == pytest.approx(wanted, abs=1e-9)
    assert two_sided_half(successes, draws) == pytest.approx(
        scipy.stats.binomtest(successes, draws, 0.5).pvalue, abs=1e-9
    )


def test_ends_of_the_range() -> None:
    assert binomial_tail(3, 4, 0.0) == 0.0 and binomial_tail(3, 4, 1.0) == 1.0
    for wrong in ((5, 4, 0.5), (-1, 4, 0.5), (1, 4, 1.5)):
        with pytest.raises(ValueError, match="make no sense"):
            binomial_tail(*wrong)
    with pytest.raises(ValueError, match="alpha"):
        clopper_pearson_lower(1, 2, 0.0)
