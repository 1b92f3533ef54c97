"""Ranks, against figures worked out by hand and a ranking written anew."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from tests.report.leaderboard.workshop import ENTRY, ROW

from mondegreen.report.leaderboard.boards import Standing, ranked
from mondegreen.report.leaderboard.entry import read_entry
from mondegreen.report.leaderboard.schema import Sheet


def standing(name: str, robust: float, half: float, *, doubt: bool = False) -> Standing:
    entry = dataclasses.replace(read_entry(Sheet.wrap(ENTRY, "x"), name))
    success = 1.0 - robust
    interval = (max(0.0, success - half), min(1.0, success + half))
    row = dataclasses.replace(ROW, success=success, interval=interval)
    return Standing(entry, row, (row,), 0.9, ("doubted",) if doubt else ())


def test_who_may_be_in_order_by_chance_shares_a_rank() -> None:
    found = ranked(
        [
            standing("d", 0.20, 0.05),
            standing("a", 0.90, 0.05),
            standing("c", 0.60, 0.10),
            standing("b", 0.85, 0.05),
            standing("doubted", 0.99, 0.005, doubt=True),
        ]
    )
    assert [(one.entry.name, one.rank) for one in found] == [
        ("doubted", None),
        ("a", 1),
        ("b", 1),
        ("c", 3),
        ("d", 4),
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 6), st.booleans()), min_size=1, max_size=12
    )
)
def test_ranks_follow_the_rule_whatever_the_figures(many: list[tuple[int, int, bool]]) -> None:
    standings = [
        standing(f"e{number}", rate / 20, half / 20, doubt=doubt)
        for number, (rate, half, doubt) in enumerate(many)
    ]
    found = ranked(standings)
    assert {one.entry.name for one in found} == {one.entry.name for one in standings}
    assert all((one.rank is None) == one.unreliable for one in found)
    left = [one for one in found if one.rank is not None]
    place = 1
    while left:  # all that meet the best of those without a rank share the next one
        best = max(left, key=lambda one: (one.worst.robust, one.worst.robust_interval[1]))
        low, high = best.worst.robust_interval
        shares = [
            one
            for one in left
            if one.worst.robust_interval[1] >= low and one.worst.robust_interval[0] <= high
        ]
        assert {one.rank for one in shares} == {place}
        robust = [one.worst.robust for one in shares]
        assert robust == sorted(robust, reverse=True)
        left = [one for one in left if one.rank != place]
        place += len(shares)


def test_a_wide_interval_shares_the_rank_whoever_stands_between() -> None:
    rank = {
        one.entry.name: one.rank
        for one in ranked(
            [
                standing("best", 0.70, 0.10),
                standing("narrow", 0.50, 0.01),
                standing("wide", 0.45, 0.16),
                standing("z-wide", 0.0, 0.02),
                standing("a-narrow", 0.0, 0.005),
                standing("low", 0.03, 0.011),
            ]
        )
    }
    assert (rank["best"], rank["wide"], rank["narrow"]) == (1, 1, 3)
    assert (rank["low"], rank["z-wide"], rank["a-narrow"]) == (4, 4, 6)


def test_names_decide_no_rank() -> None:
    figures = [(0.3, 0.05), (0.0, 0.02), (0.0, 0.004), (0.05, 0.04), (0.0, 0.04)]
    found = [
        [
            one.rank
            for one in sorted(
                ranked(
                    [standing(name, *figure) for name, figure in zip(names, figures, strict=True)]
                ),
                key=lambda one: names.index(one.entry.name),
            )
        ]
        for names in ("abcde", "edcba", "cabed")
    ]
    assert found[0] == found[1] == found[2]
