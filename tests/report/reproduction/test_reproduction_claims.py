"""Verdicts follow the numbers: each is turned by changing what was measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mondegreen.report.paper import GENERATOR_MACS, MUSIC, SPEECH
from mondegreen.report.reproduction.claims import judge_all, tally
from mondegreen.report.reproduction.findings import Finding, merge
from mondegreen.report.reproduction.results import Reproduction
from mondegreen.report.reproduction.sentences import CLAIMS
from mondegreen.report.reproduction.statistics import as_high_by_chance, outliers

Content = dict[str, Any]
Load = Callable[..., Reproduction]
Scores = Callable[..., Content]
MakeCell = Callable[..., Content]
WORDS = tuple(one.target for one in SPEECH.targets)
GENRES = tuple(one.target for one in MUSIC.targets)


def verdict(found: Reproduction, key: str) -> tuple[str, str]:
    claim = next(one for one in CLAIMS if one.key == key)
    finding = claim.judge(found)
    return finding.verdict, finding.sentence


def test_every_claim_has_a_verdict_and_a_reason(load: Load) -> None:
    judged = judge_all(load())
    assert len({one.claim.key for one in judged}) == len(judged) >= 20
    assert all(one.finding.sentence.rstrip().endswith(".") for one in judged)
    assert all(one.claim.quote and one.claim.place and one.claim.rule for one in judged)
    counts = tally(judged)
    assert sum(counts.values()) == len(judged) and all(counts.values())


def test_an_empty_run_cannot_say_anything(load: Load) -> None:
    def change(content: Content) -> None:
        content["settings"], content["ablation"] = [], None
        content["examples"] = []

    judged = judge_all(load(change))
    assert tally(judged) == {"supports": 0, "contradicts": 0, "cannot say": len(judged)}
    music = next(one for one in judged if one.claim.key == "success-music")
    assert "music/classifier was left out, --hours 1 was spent" in music.finding.sentence


def test_generators_without_a_pair_cannot_say_anything(load: Load) -> None:
    def change(content: Content) -> None:
        nothing: list[list[Any]] = [[None] * 10 for _ in range(10)]
        single = content["settings"][0]["generators"]["single"]
        single.update(success_matrix=nothing, per_target={}, success_rate=0.0, pairs=0)

    found = load(change)
    for key in ("success-speech", "no-to-yes", "error-range-speech", "favoured-targets"):
        assert verdict(found, key) == ("cannot say", "No source and target were measured.")


def with_single(scores: Scores, rate: float, **more: Any) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        content["settings"][0]["generators"]["single"] = scores(WORDS, rate, **more)

    return change


def like_the_paper(scores: Scores, rate: float, **more: Any) -> Callable[[Content], None]:
    """A run at full width, of as many clips, against a classifier as large as the paper's."""

    def change(content: Content) -> None:
        with_single(scores, rate, width=1.0, **more)(content)
        content["settings"][0]["classifier"]["parameters"] = SPEECH.classifier_parameters
        content["settings"][0]["train_clips"] = SPEECH.train_clips

    return change


def test_success_needs_the_rate_and_the_quietness(load: Load, make_scores: Scores) -> None:
    assert verdict(load(), "success-speech")[0] == "supports"
    loud, text = verdict(load(with_single(make_scores, 0.95, snr=12.0)), "success-speech")
    assert loud == "cannot say" and "louder" in text and "12.00 dB (reported 20.27 dB)" in text
    low, text = verdict(load(with_single(make_scores, 0.6)), "success-speech")
    assert low == "cannot say" and "1/8 of the channels, fewer clips, another classifier." in text
    assert "A shortfall may come from that." in text
    low, text = verdict(load(like_the_paper(make_scores, 0.6)), "success-speech")
    assert low == "contradicts" and "Not like for like" not in text


@pytest.mark.parametrize(
    "key", ["above-90-speech", "no-to-yes", "error-range-speech", "outliers-speech"]
)
def test_low_rates_contradict_a_run_like_the_papers_only(
    load: Load, make_scores: Scores, key: str
) -> None:
    assert verdict(load(like_the_paper(make_scores, 0.97)), key)[0] == "supports"
    assert verdict(load(with_single(make_scores, 0.5)), key)[0] == "cannot say"
    assert verdict(load(like_the_paper(make_scores, 0.5)), key)[0] == "contradicts"


def changed_single(scores: Scores, **values: Any) -> Callable[[Content], None]:
    """A run like the paper's, but for some of what its generators reach."""

    def change(content: Content) -> None:
        like_the_paper(scores, 0.97)(content)
        content["settings"][0]["generators"]["single"].update(values)

    return change


def mean_snr(mean: float | None) -> Content:
    return {"mean": mean, "median": mean, "min": mean, "failed": 0, "pairs": 90}


@pytest.mark.parametrize(
    ("rate", "high", "snr", "expected"),
    [
        (0.904, 0.95, 19.3, "supports"),  # of 92.33 % at 20.27 dB
        (0.902, 0.95, 19.3, "cannot say"),
        (0.902, 0.92, 19.3, "contradicts"),
        (0.93, 0.95, 19.2, "cannot say"),
        (0.93, 0.95, None, "cannot say"),
    ],
)
def test_how_near_is_near(
    load: Load, make_scores: Scores, rate: float, high: float, snr: float | None, expected: str
) -> None:
    values = {"success_rate": rate, "success_interval": [0.85, high], "snr_db": mean_snr(snr)}
    found = load(changed_single(make_scores, **values))
    assert verdict(found, "success-speech")[0] == expected


def matrix(rate: float, **cells: float) -> list[list[float | None]]:
    """Rates of all pairs of words; those named, as in no_yes, differ."""
    return [
        [None if one == other else cells.get(f"{one}_{other}", rate) for other in WORDS]
        for one in WORDS
    ]


@pytest.mark.parametrize(
    ("key", "rates", "expected"),
    [
        ("no-to-yes", matrix(0.95, no_yes=0.92), "supports"),  # one of 40 clips below 94.44 %
        ("no-to-yes", matrix(0.95, no_yes=0.91), "contradicts"),
        ("above-90-speech", matrix(0.95, **dict.fromkeys(("no_yes", "up_on"), 0.0)), "supports"),
        ("above-90-speech", matrix(0.91, **{f"{w}_yes": 0.1 for w in WORDS}), "supports"),
        ("above-90-speech", matrix(0.9), "contradicts"),
        ("error-range-speech", matrix(0.99, no_yes=0.5), "contradicts"),  # the worst cell
        ("error-range-speech", matrix(0.85), "contradicts"),  # the mean
        ("outliers-speech", matrix(0.8), "contradicts"),  # none lies apart, all above 15 %
        ("outliers-speech", matrix(0.99, no_yes=0.9, up_on=0.9), "supports"),
    ],
)
def test_cells_are_judged_one_by_one(
    load: Load, make_scores: Scores, key: str, rates: list[list[float | None]], expected: str
) -> None:
    found = load(changed_single(make_scores, success_matrix=rates))
    assert verdict(found, key)[0] == expected


def test_what_lies_apart_is_found_on_both_sides() -> None:
    assert outliers([-100.0, 1.0, 2.0, 3.0, 4.0, 100.0]) == [-100.0, 100.0]
    assert outliers([0.0, 1.0, 2.0, 3.0, 6.0]) == []  # just 1.5 quartile ranges
    assert outliers([0.0, 1.0, 2.0, 3.0, 6.1]) == [6.1]
    assert as_high_by_chance({"a": 1.0, "b": 1.0, "c": 0.0}, ["a"]) == pytest.approx(2 / 3)


def test_quality_is_measured_by_the_papers_own(load: Load, make_scores: Scores) -> None:
    key = "quality-speech"
    assert verdict(load(), key)[0] == "supports"
    worse = {"snr": 20.5, "pesq": 2.5}
    assert verdict(load(with_single(make_scores, 0.93, **worse)), key)[0] == "cannot say"
    assert verdict(load(like_the_paper(make_scores, 0.93, **worse)), key)[0] == "contradicts"
    loud = like_the_paper(make_scores, 0.93, snr=19.2, pesq=3.1)
    assert verdict(load(loud), key)[0] == "contradicts"
    near = like_the_paper(make_scores, 0.93, snr=19.3, pesq=2.99)  # of 20.27 dB and 3.087
    assert verdict(load(near), key)[0] == "supports"
    without = verdict(load(with_single(make_scores, 0.93, pesq=None)), key)
    assert without[0] == "cannot say" and "not asked for" in without[1]


def test_labels_are_favoured_beyond_chance_or_not(load: Load) -> None:
    def favour(rates: dict[str, float]) -> Callable[[Content], None]:
        def change(content: Content) -> None:
            single = content["settings"][0]["generators"]["single"]
            for label, one in single["per_target"].items():
                one["success_rate"] = rates.get(label, 0.8)

        return change

    named = {"up": 0.9, "right": 0.9, "on": 0.9, "off": 0.9}
    found, text = verdict(load(favour(named)), "favoured-targets")
    assert found == "supports" and "on average 90.0 %, against 80.0 % of the other 6" in text
    assert "0.5 % do as well" in text  # one of 210 choices
    lower = dict.fromkeys(named, 0.7)
    found, text = verdict(load(favour(lower)), "favoured-targets")
    assert found == "contradicts" and "0.5 % do as badly" in text
    one_low = {"up": 0.79}
    found, text = verdict(load(favour(one_low)), "favoured-targets")
    assert found == "cannot say" and "40.0 % do as badly" in text  # every choice that holds it
    alike = dict.fromkeys(WORDS, 0.75)
    assert verdict(load(favour(alike)), "favoured-targets")[0] == "cannot say"
    one_high = {"up": 0.81}
    assert verdict(load(favour(one_high)), "favoured-targets")[0] == "cannot say"


def test_sources_are_judged_by_their_rows(load: Load) -> None:
    def change(content: Content) -> None:
        matrix = content["settings"][0]["generators"]["single"]["success_matrix"]
        for place, row in enumerate(matrix):
            rate = 0.99 if WORDS[place] in ("no", "left", "stop") else 0.9
            row[:] = [None if cell is None else rate for cell in row]

    found, text = verdict(load(change), "favoured-sources")
    assert found == "supports" and "“left” 99.0 % (reported 94.3 %)" in text


def compared(*cells: Content) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        content["settings"][0]["comparison"]["cells"] = list(cells)

    return change


def test_rivals_are_compared_under_one_budget(load: Load, make_cell: MakeCell) -> None:
    found = load()
    result, text = verdict(found, "rivals-speech")
    assert result == "supports" and "41.0 % (SNR ≥ 20 dB) after 9,000 queries" in text
    assert "Alzantot et al. 84.96 %" in text
    own = make_cell("generator", 20.0, 0.5, 7.0)
    behind = load(compared(own, make_cell("genetic", 20.0, 0.9, None)))
    assert verdict(behind, "rivals-speech")[0] == "contradicts"
    few = make_cell("genetic", 20.0, 0.45, None, success_interval=[0.3, 0.6])
    assert verdict(load(compared(own, few)), "rivals-speech")[0] == "cannot say"
    mixed = [make_cell("genetic", 20.0, 0.9, None), make_cell("pso", 20.0, 0.1, None)]
    assert verdict(load(compared(own, *mixed)), "rivals-speech")[0] == "cannot say"
    other = load(compared(own, make_cell("genetic", 30.0, 0.1, None)))
    assert verdict(other, "rivals-speech")[0] == "cannot say"
    alike = make_cell("generator", 20.0, 0.91, 7.0, success_interval=[0.909, 0.911])
    rival = make_cell("genetic", 20.0, 0.9, None, success_interval=[0.899, 0.901])
    assert verdict(load(compared(alike, rival)), "rivals-speech")[0] == "cannot say"
    helped = [make_cell("generator", 20.0, 0.99, 7.0, steps=5)]
    helped.append(make_cell("generator", 20.0, 0.99, 7.0, quietness=0.5))
    beaten = load(compared(own, *helped, make_cell("genetic", 20.0, 0.9, None)))
    assert verdict(beaten, "rivals-speech")[0] == "contradicts"  # the plain one counts
    free = make_cell("generator", None, 0.9, 7.0)
    unlike = load(compared(free, make_cell("genetic", 20.0, 0.1, None)))
    assert verdict(unlike, "rivals-speech")[0] == "cannot say"
    bounded = make_cell("pso", None, 0.2, None, budget={"kind": "linf", "value": 0.0078125})
    result, text = verdict(load(compared(free, bounded)), "rivals-speech")
    assert result == "supports" and "20.0 % (max |δ| ≤ 0.0078125)" in text


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("genetic", {"iterations": 100}, "searched 20 % of its published limit"),
        ("pso", {"epochs": 1, "iterations": 30, "particles": 25}, "searched 0.33 % of its"),
        ("genetic", {"iterations": 500, "queries": 1000}, "was stopped at 1000 queries"),
        ("genetic", {}, "is not known"),
    ],
)
def test_a_rival_that_was_cut_short_supports_nothing(
    load: Load, make_cell: MakeCell, kind: str, options: Content, reason: str
) -> None:
    def found(own: float) -> tuple[str, str]:
        rival = make_cell(kind, 20.0, 0.5, None, attack={"name": kind, **options})
        run = load(compared(make_cell("generator", 20.0, own, 7.0), rival))
        return verdict(run, "rivals-speech")

    ahead, text = found(0.9)
    assert ahead == "cannot say" and reason in text and "might succeed more often" in text
    assert found(0.1)[0] == "contradicts"  # a rival that is ahead all the same


def test_snr_is_compared_only_where_no_budget_sets_it(load: Load, make_cell: MakeCell) -> None:
    assert "kept the same budget (SNR ≥ 20 dB)" in verdict(load(), "rivals-snr")[1]
    free = [make_cell(name, None, 0.9, None) for name in ("generator", "genetic", "pso")]
    for cell, snr in zip(free, (22.0, 15.0, 16.0), strict=True):
        cell["snr_db"]["mean"] = snr
    assert verdict(load(compared(*free)), "rivals-snr")[0] == "supports"
    free[1]["success_rate"] = 0.3  # louder, and fails: that helps it nothing
    assert verdict(load(compared(*free)), "rivals-snr")[0] == "supports"
    free[1]["success_rate"] = 0.9
    free[0]["snr_db"]["mean"] = 16.9
    assert verdict(load(compared(*free)), "rivals-snr")[0] == "cannot say"  # less than 1 dB
    free[0]["snr_db"]["mean"] = 14.0
    assert verdict(load(compared(*free)), "rivals-snr")[0] == "contradicts"
    for cell in free[1:]:
        cell["success_rate"] = 0.3  # quiet, and of no use
    result, text = verdict(load(compared(*free)), "rivals-snr")
    assert result == "cannot say" and "which fails in 70.0 % of the pairs" in text


def test_much_faster_is_a_hundredth(load: Load, make_cell: MakeCell) -> None:
    result, text = verdict(load(), "faster")
    assert result == "supports" and "8,786 times" in text  # 61.5 s to 7 ms
    assert "25,718" in text and "succeeds in 99.9 %" in text
    own = make_cell("generator", 20.0, 0.9, 10.0)
    near = load(compared(own, make_cell("genetic", 20.0, 0.9, 500.0)))
    assert verdict(near, "faster")[0] == "cannot say"
    slower = load(compared(own, make_cell("genetic", 20.0, 0.9, 5.0)))
    assert verdict(slower, "faster")[0] == "contradicts"
    rivals = [make_cell("genetic", 20.0, 0.9, 5.0), make_cell("pso", 20.0, 0.9, 5000.0)]
    assert verdict(load(compared(own, *rivals)), "faster")[0] == "cannot say"
    hundred = load(compared(own, make_cell("genetic", 20.0, 0.9, 1000.0)))
    assert verdict(hundred, "faster")[0] == "supports"
    untimed = load(compared(own, make_cell("genetic", 20.0, 0.9, None)))
    assert verdict(untimed, "faster") == ("cannot say", "The attacks were not timed.")


def test_milliseconds(load: Load) -> None:
    def single(macs: int | None, milliseconds: float) -> Callable[[Content], None]:
        def change(content: Content) -> None:
            one = content["settings"][0]["generators"]["single"]
            one["macs"], one["milliseconds_per_clip"]["batch1"] = macs, milliseconds

        return change

    half = GENERATOR_MACS // 2
    result, text = verdict(load(single(half, 4.5)), "milliseconds")
    assert result == "supports" and "4.5 ms (reported 9.0 ms)" in text
    result, text = verdict(load(single(half - 1, 4.5)), "milliseconds")
    assert result == "cannot say" and "So small a network says nothing" in text
    assert verdict(load(single(None, 4.5)), "milliseconds")[0] == "cannot say"
    assert verdict(load(single(GENERATOR_MACS, 130.0)), "milliseconds")[0] == "cannot say"


def leak(**changes: Any) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        content["settings"][2]["leak"].update(changes)

    return change


def test_the_leak_is_told_from_chance_by_recordings(load: Load) -> None:
    result, text = verdict(load(), "leak")
    assert result == "contradicts" and "(reported for GTZAN: 92.90 %)" in text
    # Newcombe's method 10 by hand: Wilson's ends of 19 of 21 are 0.7109 and 0.9735, of 13 of 21
    # 0.4088 and 0.7925, so 0.319 - hypot(0.2101, 0.1905) and 0.319 + hypot(0.0525, 0.1932).
    assert "21 and 21, the difference has a 95 % interval of +3.5 to +51.9 points" in text
    result, text = verdict(load(leak(honest_accuracy=0.8)), "leak")
    assert result == "cannot say" and "Chance may explain the difference." in text
    result, text = verdict(load(leak(groups=None)), "leak")
    assert result == "cannot say" and "the file does not say" in text
    assert "21 recordings for units, the second has a 95 % interval of 40.9–79.2" in text


def test_an_honest_division_supports_what_it_reaches_only(load: Load) -> None:
    assert verdict(load(leak(honest_accuracy=0.93)), "leak")[0] == "supports"
    result, text = verdict(load(leak(clean_accuracy=0.41, honest_accuracy=0.4)), "leak")
    assert result == "cannot say" and text.endswith("Chance may hide a difference.")


def runs(change: Callable[[Content], None]) -> Callable[[Content], None]:
    """Apply a change to every training of the code's reading, and leave out the other."""

    def apply(content: Content) -> None:
        kept = [one for one in content["ablation"]["runs"] if one["reading"] == "code"]
        content["ablation"]["runs"] = kept
        for one in kept:
            change(one)

    return apply


def set_for(variant: str, **values: Any) -> Callable[[Content], None]:
    def change(one: Content) -> None:
        if one["variant"] == variant:
            one.update(values)

    return runs(change)


@pytest.mark.parametrize(
    ("key", "before", "change", "after"),
    [
        ("sparse-and-uniform", "supports", ("hinge", {"energy_in_tenth": 0.3}), "contradicts"),
        ("prefers-places", "supports", ("both", {"energy_in_tenth": 0.4}), "contradicts"),
        ("joint-is-best", "supports", ("both", {"best_train_success": 0.9}), "contradicts"),
        ("joint-is-best", "supports", ("hinge", {"best_train_success": 0.975}), "cannot say"),
        ("alone-collapses", "supports", ("l2", {"last_train_success": 0.93}), "cannot say"),
        ("joint-is-stable", "supports", ("both", {"last_train_success": 0.5}), "contradicts"),
        ("weight-buys-quality", "supports", ("hinge", {"snr_db": 30.0}), "contradicts"),
        ("discriminator", "supports", ("no-discriminator", {"snr_db": 22.0}), "contradicts"),
        ("discriminator", "supports", ("no-discriminator", {"success_rate": 1.0}), "cannot say"),
    ],
)
def test_losses_are_judged_over_all_seeds(
    load: Load, key: str, before: str, change: tuple[str, Content], after: str
) -> None:
    equal = set_for("no-discriminator", success_rate=0.92)

    def changed(content: Content) -> None:
        equal(content)
        set_for(change[0], **change[1])(content)

    assert verdict(load(equal), key)[0] == before
    assert verdict(load(changed), key)[0] == after


def test_a_short_training_says_nothing_of_the_collapse(load: Load) -> None:
    def cut(one: Content) -> None:
        one["curve"] = [row for row in one["curve"] if row["step"] <= 600]

    found = load(runs(cut))
    for key in ("alone-collapses", "joint-is-stable"):
        result, text = verdict(found, key)
        assert result == "cannot say" and "589" in text


def test_the_best_success_of_a_short_training_contradicts_nothing(load: Load) -> None:
    def change(one: Content) -> None:
        if one["variant"] == "both":
            one["best_train_success"] = 0.5

    def short(one: Content) -> None:
        change(one)
        one["curve"] = [row for row in one["curve"] if row["step"] <= 200]

    assert verdict(load(runs(change)), "joint-is-best")[0] == "contradicts"
    result, text = verdict(load(runs(short)), "joint-is-best")
    assert result == "cannot say" and "within 182 steps" in text


def test_no_collapse_contradicts(load: Load) -> None:
    def steady(one: Content) -> None:
        one["last_train_success"] = one["best_train_success"]

    assert verdict(load(runs(steady)), "alone-collapses")[0] == "contradicts"


def test_both_readings_are_told_apart(load: Load) -> None:
    claim = next(one for one in CLAIMS if one.key == "joint-is-best")
    finding = claim.judge(load())
    assert finding.verdict == "cannot say"
    assert [part.verdict for _, part in finding.parts] == ["supports", "contradicts"]
    assert "as printed (contradicts): best training success: L2 and hinge 20.0 %" in (
        finding.sentence
    )


def test_one_network_for_all(load: Load, make_scores: Scores) -> None:
    assert verdict(load(), "unified")[0] == "supports"

    def worse(rate: float) -> Callable[[Content], None]:
        def change(content: Content) -> None:
            content["settings"] = content["settings"][:1]
            one = make_scores(WORDS, rate, networks=1)
            content["settings"][0]["generators"]["unified"] = one

        return change

    result, text = verdict(load(worse(0.7)), "unified")
    assert result == "cannot say" and "It works, and worse." in text
    assert verdict(load(worse(0.2)), "unified")[0] == "contradicts"
    assert verdict(load(worse(0.88)), "unified")[0] == "supports"


def test_findings_join() -> None:
    yes, no, maybe = (Finding(v, f"{v}.") for v in ("supports", "contradicts", "cannot say"))
    assert merge([("a", yes), ("b", maybe)], "none").verdict == "supports"
    assert merge([("a", no), ("b", no)], "none").verdict == "contradicts"
    assert merge([("a", yes), ("b", no)], "none").verdict == "cannot say"
    assert merge([], "none") == Finding("cannot say", "none")
    assert merge([("a", yes)], "none") == yes
