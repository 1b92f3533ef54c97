"""Worst cases and flags, against figures worked out by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from tests.report.leaderboard.workshop import ENTRY, ROW, Workshop, cell, comparison

from mondegreen.errors import MondegreenError
from mondegreen.report.leaderboard import flags
from mondegreen.report.leaderboard.boards import Board, load_leaderboard
from mondegreen.report.leaderboard.entry import read_entry
from mondegreen.report.leaderboard.schema import Sheet


def only_board(workshop: Workshop) -> Board:
    (board,) = load_leaderboard(workshop.folder).boards
    return board


def reasons(workshop: Workshop) -> tuple[str, ...]:
    (one,) = only_board(workshop).standings
    return one.reasons


# ------------------------------------------------------------------ the worst case


def test_the_strongest_attack_decides(workshop: Workshop) -> None:
    (one,) = only_board(workshop).standings
    assert (one.worst.attack, one.rank) == ("pgd", 1)
    assert one.worst.robust == pytest.approx(0.6)
    assert one.worst.robust_interval == pytest.approx((0.55, 0.65))
    assert one.reasons == ()


def test_every_row_of_the_file_counts(workshop: Workshop) -> None:
    workshop.measure(comparison(cell("pgd", 0.4), cell("new attack", 0.7)))
    (one,) = only_board(workshop).standings
    assert one.worst.attack == "new attack" and one.worst.robust == pytest.approx(0.3)


def test_the_worst_case_is_the_highest_rate_not_the_surest(workshop: Workshop) -> None:
    workshop.measure(comparison(cell("pgd", 0.5, width=0.15), cell("cw", 0.45, width=0.02)))
    (one,) = only_board(workshop).standings
    assert one.worst.attack == "pgd"


def test_several_files_are_one_entry(workshop: Workshop) -> None:
    other = "results/more/comparison.json"
    workshop.measure(comparison(cell("cw", 0.5)), other)
    workshop.write(measured=[*ENTRY["measured"], {"file": other, "row": None}])
    (one,) = only_board(workshop).standings
    assert (one.worst.attack, one.worst.file) == ("cw", other)


def test_an_interval_without_width_is_given_one(workshop: Workshop) -> None:
    workshop.measure(comparison(cell("pgd", 1.0, width=0.0)))
    (one,) = only_board(workshop).standings
    low, high = one.worst.robust_interval
    assert low == 0.0 and high == pytest.approx(1.0 - 0.025 ** (1 / 200))


def test_goals_budgets_and_clips_are_boards_of_their_own(workshop: Workshop) -> None:
    away = "results/away/comparison.json"
    workshop.measure(comparison(cell("pgd", 0.4), cell("pgd", 0.9, db=20.0)))
    workshop.measure(comparison(cell("pgd", 0.5), goal="untargeted"), away)
    workshop.write(measured=[*ENTRY["measured"], {"file": away, "row": None}])
    boards = load_leaderboard(workshop.folder).boards
    assert {(one.goal, one.budget) for one in boards} == {
        ("targeted", "snr:30"),
        ("targeted", "snr:20"),
        ("untargeted", "snr:30"),
    }


def test_attacks_without_a_budget_stand_on_no_board(workshop: Workshop) -> None:
    loud = {**cell("deepfool", 1.0), "budget": {"kind": "none", "value": None}}
    workshop.measure(comparison(cell("pgd", 0.4), loud))
    found = load_leaderboard(workshop.folder)
    assert [one.budget for one in found.boards] == ["snr:30"]
    assert len(found.listings[0].rows) == 2


# ------------------------------------------------------------------ flags


def reported(robust: float, pairs: int | None = None, attack: str | None = None) -> dict[str, Any]:
    said = {"robust_accuracy": robust, "pairs": pairs, "source": "Table 1"}
    return {**ENTRY["threat_models"][0], "attack": attack, "reported": said}


def test_a_report_that_disagrees_is_flagged(workshop: Workshop) -> None:
    workshop.write(threat_models=[reported(0.9)])
    assert reasons(workshop) == ("reported 90.0 %, but measured 60.0 [55, 65] under pgd",)
    (one,) = only_board(workshop).standings
    assert one.rank is None
    workshop.write(threat_models=[reported(0.62)])
    assert reasons(workshop) == ()


def test_a_report_on_few_pairs_is_given_its_own_interval(workshop: Workshop) -> None:
    workshop.write(threat_models=[reported(0.7)])
    assert reasons(workshop)
    workshop.write(threat_models=[reported(0.7, pairs=40)])
    assert reasons(workshop) == ()


def test_a_report_is_compared_with_the_same_attack(workshop: Workshop) -> None:
    workshop.write(threat_models=[reported(0.9, attack="square")])
    assert reasons(workshop) == ()
    workshop.write(threat_models=[reported(0.6, attack="square")])
    assert reasons(workshop)[0].endswith("under square")


def test_a_report_is_compared_on_the_most_pairs(workshop: Workshop) -> None:
    more = "results/more/comparison.json"
    workshop.measure(comparison(cell("square", 0.1), pairs=200))
    workshop.measure(comparison(cell("square:queries=9", 0.05), cell("pgd", 0.4), pairs=900), more)
    measured = [*ENTRY["measured"], {"file": more, "row": None}]
    workshop.write(measured=measured, threat_models=[reported(0.5, attack="square")])
    assert reasons(workshop)[0].endswith("measured 95.0 [90, 100] under square:queries=9")


def test_a_report_is_compared_with_attackers_who_know_no_more(workshop: Workshop) -> None:
    blind = {**reported(0.9), "knowledge": "black box"}
    workshop.write(threat_models=[blind])
    assert reasons(workshop) == ()  # the square attack leaves 90 %
    workshop.write(threat_models=[{**blind, "reported": {**blind["reported"], "pairs": None}}])
    workshop.measure(comparison(cell("pgd", 0.4), cell("square", 0.3)))
    assert reasons(workshop)[0].endswith("measured 70.0 [65, 75] under square")


Measure = Callable[[Workshop], object]
FLAGGED: dict[str, tuple[Measure, str]] = {
    "few pairs": (
        lambda w: w.measure(comparison(cell("pgd", 0.4), pairs=99)),
        "99 pairs, fewer than 100",
    ),
    "wide": (
        lambda w: w.measure(comparison(cell("pgd", 0.4, width=0.21))),
        "an interval of 42 points",
    ),
    "black box only": (
        lambda w: w.measure(comparison(cell("square", 0.4))),
        "nobody attacked with gradients: black box at most",
    ),
    "generator only": (
        lambda w: w.measure(comparison(cell("generator", 0.4))),
        "nobody attacked with gradients: generator at most",
    ),
    "nobody knew enough": (
        lambda w: w.measure(comparison(cell("generator", 0.3), cell("square", 0.4))),
        "nobody attacked with gradients: generator at most",
    ),
    "the weaker is ahead": (
        lambda w: w.measure(comparison(cell("pgd", 0.4), cell("square", 0.43))),
        "square (black box) reaches 43 %, pgd (white box) 40 %",
    ),
    "never looked": (
        lambda w: w.write(defence={"kind": "hardening", "spec": "mine"}),
        "nobody looked for masked gradients",
    ),
}


@pytest.mark.parametrize(("make", "reason"), FLAGGED.values(), ids=FLAGGED)
def test_a_rule_that_fires_says_so(workshop: Workshop, make: Measure, reason: str) -> None:
    make(workshop)
    assert reasons(workshop) == (reason,)


@pytest.mark.parametrize(("rate", "flagged"), [(0.45, False), (0.49, False), (0.54, True)])
def test_of_other_pairs_only_intervals_tell(workshop: Workshop, rate: float, flagged: bool) -> None:
    other = "results/more/comparison.json"
    workshop.measure(comparison(cell("square", rate)), other)
    workshop.write(measured=[*ENTRY["measured"], {"file": other, "row": None}])
    assert bool(reasons(workshop)) is flagged  # the search by gradients has 35 to 45 %


NOT_FLAGGED: dict[str, Measure] = {
    "pairs enough": lambda w: w.measure(comparison(cell("pgd", 0.4), pairs=100)),
    "narrow enough": lambda w: w.measure(comparison(cell("pgd", 0.4, width=0.19))),
    "refined by gradients": lambda w: w.measure(comparison(cell("generator+5", 0.4))),
    "hardly ahead": lambda w: w.measure(comparison(cell("pgd", 0.4), cell("square", 0.41))),
}


@pytest.mark.parametrize("make", NOT_FLAGGED.values(), ids=NOT_FLAGGED)
def test_a_rule_that_does_not_fire_is_silent(workshop: Workshop, make: Measure) -> None:
    make(workshop)
    assert reasons(workshop) == ()


@pytest.mark.parametrize("kind", ["input", "detector"])
def test_who_knows_no_defence_is_not_enough_before_one(kind: Any) -> None:
    entry = read_entry(Sheet.wrap(ENTRY, "x"), "mine")
    behind = dataclasses.replace(entry, defence=dataclasses.replace(entry.defence, kind=kind))
    found = flags.reasons(behind, (), [ROW], ROW)
    assert found == ("nobody who knows the defence attacked",)
    knowing = dataclasses.replace(ROW, knowledge="knowing the defence")
    assert flags.reasons(behind, (), [ROW, knowing], ROW) == ()


def test_who_expects_another_channel_expects_none() -> None:
    entry = read_entry(Sheet.wrap(ENTRY, "x"), "mine")
    row = dataclasses.replace(ROW, channel="mp3:kbps=32")
    aware, other = (
        dataclasses.replace(row, settings={"channel": channel}) for channel in (row.channel, "room")
    )
    assert flags.reasons(entry, (), [row, aware], row) == ()
    for rows in ([row], [row, other]):
        assert flags.reasons(entry, (), rows, row) == (flags.UNEXPECTED,)


def test_few_speakers_are_flagged(workshop: Workshop) -> None:
    content = comparison(cell("pgd", 0.4))
    content["pairs"]["groups"] = 9
    workshop.measure(content)
    assert reasons(workshop) == ("9 speakers or tracks, fewer than 10",)


# ------------------------------------------------------------------ what does not fit


MISFITS: dict[str, tuple[Measure, str]] = {
    "another classifier": (
        lambda w: w.write(classifier={**ENTRY["classifier"], "fingerprint": "f" * 16}),
        "classifier: fingerprint is 'ffffffffffffffff', but '0123456789abcdef'",
    ),
    "parameters": (
        lambda w: w.write(classifier={**ENTRY["classifier"], "parameters": 1}),
        "classifier: parameters is 1, but 1234",
    ),
    "other clips": (
        lambda w: w.write(data={**ENTRY["data"], "clips": 9}),
        "data: clips is 9, but 300",
    ),
    "a defence that was not measured": (
        lambda w: w.write(defence={"kind": "input", "spec": "shift"}),
        "defence: spec is 'shift', but None",
    ),
    "no such file": (
        lambda w: w.write(measured=[{"file": "results/none/comparison.json"}]),
        "does not exist",
    ),
    "no result file": (
        lambda w: w.write(measured=[{"file": "results/none/summary.json"}]),
        "summary.json is no result file",
    ),
    "a row where there is one": (
        lambda w: w.write(measured=[{"file": ENTRY["measured"][0]["file"], "row": "x"}]),
        "name no row (found 'x')",
    ),
    "beside nobody": (lambda w: w.write(beside="nobody"), "'nobody', which is no entry"),
    "the same twice": (lambda w: w.write(name="other"), "entries mine and other are of the same"),
    "no entries": (lambda w: (w.folder / "entries" / "mine.json").unlink(), "holds 0 entries"),
}


@pytest.mark.parametrize(("make", "message"), MISFITS.values(), ids=MISFITS)
def test_a_measurement_of_something_else_is_refused(
    workshop: Workshop, make: Measure, message: str
) -> None:
    make(workshop)
    with pytest.raises(MondegreenError) as caught:
        load_leaderboard(workshop.folder)
    assert message in str(caught.value)
