"""Bark scale, threshold in quiet and spread of masking against published points."""

from __future__ import annotations

import math

import pytest
import torch

from mondegreen.metrics.hearing import bark, spread_of_masking, threshold_in_quiet


def test_bark_follows_zwickers_critical_bands() -> None:
    # Upper edges of the 24 critical bands in Hz (Zwicker 1961): the rate there is a whole number.
    edges = [100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700]
    edges += [3150, 3700, 4400, 5300, 6400, 7700, 9500, 12000, 15500]
    rates = bark(torch.tensor(edges, dtype=torch.float64))
    expected = torch.arange(1, 25, dtype=torch.float64)
    torch.testing.assert_close(rates, expected, atol=0.2, rtol=0.0)


def test_the_ear_is_keenest_between_three_and_four_kilohertz() -> None:
    frequency = torch.arange(20.0, 16000.0, 10.0)
    level = threshold_in_quiet(frequency)
    assert 3000 < frequency[level.argmin()] < 4000
    assert level.min() == pytest.approx(-5.0, abs=0.3)
    written_out = 3.64 * 0.5**-0.8 - 6.5 * math.exp(-0.6 * 2.8**2) + 0.001 * 0.5**4
    assert threshold_in_quiet(torch.tensor(500.0)).item() == pytest.approx(written_out, abs=1e-4)


def test_the_threshold_in_quiet_is_finite_at_zero_hertz() -> None:
    at_zero, at_lowest = threshold_in_quiet(torch.tensor([0.0, 20.0]))
    assert at_zero == at_lowest > 60


@pytest.mark.parametrize("level", [20.0, 60.0, 100.0])
def test_spread_of_masking_has_four_slopes(level: float) -> None:
    distance = torch.tensor([-3.01, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 4.0, 7.99, 8.0])
    a, b = spread_of_masking(distance)
    near = 0.4 * level + 6.0
    up = 17.0 - 0.15 * level
    expected = [-34 - near, -17 - near, -near, -near / 2, 0, -8.5, -17, -17 - 3 * up]
    expected = [-math.inf, *expected, -17 - 6.99 * up, -math.inf]
    assert (a + b * level).tolist() == pytest.approx(expected, abs=1e-3)


def test_nothing_grows_where_nothing_is_heard() -> None:
    assert spread_of_masking(torch.tensor([-20.0, 20.0]))[1].tolist() == [0.0, 0.0]
