"""How much an audit measures follows from how long it may take."""

from __future__ import annotations

from itertools import pairwise

import pytest

from mondegreen.audit.sizes import FEWEST, MOST, Amounts, choose_sizes
from mondegreen.audit.speed import Speed

FAST = Speed(query=0.0006, gradient=0.002, step=0.2)
SLOW = Speed(query=0.3, gradient=1.0, step=40.0)
BLIND = Speed(query=0.05, gradient=None, step=None)
SPOTTER = Amounts(train_clips=2800, validation_clips=350, labelled=32, pairs=3330, clips=370)


def test_more_minutes_measure_more() -> None:
    found = [choose_sizes(FAST, SPOTTER, minutes, together=True) for minutes in (3, 10, 30, 120)]
    for less, more in pairwise(found):
        assert less.epochs < more.epochs or more.epochs == 60
        assert less.pairs < more.pairs or more.pairs == MOST
        assert less.blind_pairs * less.queries < more.blind_pairs * more.queries


def test_the_stages_fit_into_the_minutes() -> None:
    for minutes in (5, 10, 60):
        sizes = choose_sizes(FAST, SPOTTER, minutes, together=True)
        assert sizes.seconds.together() <= 60 * minutes
        assert not sizes.notes
        alone = choose_sizes(FAST, SPOTTER, minutes, together=False)
        assert alone.seconds.alone() <= 60 * minutes


def test_what_does_not_fit_is_measured_at_the_least_size_and_said() -> None:
    sizes = choose_sizes(SLOW, SPOTTER, 1, together=True)
    assert sizes.epochs == 1 and sizes.pairs == FEWEST and sizes.blind_pairs == FEWEST
    assert sizes.queries == 250
    assert len(sizes.notes) == 3
    assert "pass over the training clips" in sizes.notes[0]


def test_without_gradients_all_the_time_goes_to_queries() -> None:
    sizes = choose_sizes(BLIND, SPOTTER, 10, together=True)
    assert sizes.epochs == 0 and sizes.pairs == 0
    assert sizes.seconds.alone() == sizes.seconds.blind
    # Two ratios, 250 queries of 50 ms, 60 % of them spent, again for 60 % of that: 24 s a pair.
    assert sizes.blind_pairs == FEWEST and sizes.queries == 250
    assert "attack without gradients" in sizes.notes[0]


@pytest.mark.parametrize("pairs", [1, 20, 59])
def test_never_more_pairs_than_there_are(pairs: int) -> None:
    amounts = Amounts(train_clips=100, validation_clips=9, labelled=32, pairs=pairs, clips=9)
    sizes = choose_sizes(FAST, amounts, 60, together=True)
    assert sizes.pairs == pairs and sizes.blind_pairs == pairs
