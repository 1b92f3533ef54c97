"""Which state is kept: a rule under a limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mondegreen.hardening.selection import Selection

STATES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12).map(
    lambda rows: [(clean / 20, robust / 20) for clean, robust in rows]
)


@given(STATES)
def test_the_most_robust_state_within_the_limit_is_kept(states: list[tuple[float, float]]) -> None:
    selection = Selection(least_clean=0.6)
    for epoch, (clean, robust) in enumerate(states, start=1):
        selection.take(clean, robust, epoch)
    inside = [state for state in states if state[0] >= 0.6]
    if inside:
        best = max(inside, key=lambda state: (state[1], state[0]))
    else:
        best = max(states, key=lambda state: state)
    assert (selection.clean, selection.robust) == best
    assert selection.within == bool(inside)
    assert states[selection.epoch - 1] == best


def test_three_points_of_a_hundred_clips_are_three_points() -> None:
    """0.96 - 0.03 is a little more than 0.93 in floating point; the state counts all the same."""
    selection = Selection(least_clean=0.96 - 0.03)
    assert selection.take(0.93, 0.5) and selection.within


def test_a_state_as_good_as_the_kept_one_does_not_replace_it() -> None:
    selection = Selection(least_clean=0.5)
    assert selection.take(0.9, 0.5, 1)
    assert not selection.take(0.9, 0.5, 2)
    assert selection.epoch == 1


def test_a_rounding_does_not_push_a_state_beyond_the_limit() -> None:
    selection = Selection(least_clean=0.1 + 0.2)  # a little more than 0.3
    assert selection.take(0.3, 0.5)
    assert selection.within
