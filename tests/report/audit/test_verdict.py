"""The verdict of an audit follows from its numbers by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mondegreen.report.audit.results import AuditResults, Cell, Confusions
from mondegreen.report.audit.tables import attacks, labels, weakest
from mondegreen.report.audit.verdict import judge, weakest_pairs
from mondegreen.report.results import AttackedClassifier, DataUsed


def cell(success: float, db: float, knows: str = "white box", **changes: object) -> Cell:
    label = {"white box": "pgd:steps=20", "black box": "square", "generator": "generator"}[knows]
    interval = max(0.0, success - 0.05), min(1.0, success + 0.05)
    found = Cell(label, "targeted", knows, db, 300, success, interval, 100.0, 2.5)
    return replace(found, **changes)  # type: ignore[arg-type]


def audit(*cells: Cell, differentiable: bool = True, accuracy: float = 0.95) -> AuditResults:
    return AuditResults(
        place="model",
        classifier=AttackedClassifier("net", 10, "0" * 16, ("yes", "no", "up")),
        differentiable=differentiable,
        data=DataUsed("clips", "test", "speaker", 100, 10, ()),
        clean_accuracy=accuracy,
        baseline_rate=0.01,
        minutes=10.0,
        notes=(),
        cells=cells,
        confusions=None,
        pesq=None,
        heard_db=None,
        stages=(),
        command="mondegreen audit model",
        environment={},
        created="2026-01-01T00:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("cells", "grade"),
    [
        ([cell(0.9, 20), cell(0.8, 30)], "fragile"),
        ([cell(0.9, 20), cell(0.8, 25), cell(0.44, 30)], "weak"),
        ([cell(0.9, 20), cell(0.8, 25), cell(0.54, 30)], "weak or fragile"),
        ([cell(0.9, 20), cell(0.3, 30), cell(0.46, 35, "generator")], "weak or fragile"),
        ([cell(0.9, 20), cell(0.8, 25)], "weak or fragile"),
        ([cell(0.3, 20), cell(0.1, 30)], "fairly robust"),
        ([cell(0.48, 20), cell(0.1, 30)], "cannot say"),
        ([cell(0.2, 20), cell(0.6, 30, "generator")], "fragile"),
        ([], "cannot say"),
    ],
)
def test_the_grade_looks_at_the_strongest_attack(cells: list[Cell], grade: str) -> None:
    away = cell(1.0, 40, goal="untargeted")
    assert judge(audit(*cells, away)).grade == grade


def test_a_model_without_gradients_is_never_called_robust() -> None:
    verdict = judge(audit(cell(0.1, 20, "black box"), differentiable=False))
    assert verdict.grade == "not fooled by what was tried"
    assert any("gradients are at hand" in text for text in verdict.advice)


def test_fewer_pairs_make_no_better_grade() -> None:
    louder = cell(0.87, 25, interval=(0.75, 0.94))
    narrow = cell(0.63, 30, interval=(0.55, 0.70))
    wide = cell(0.63, 30, pairs=60, interval=(0.46, 0.77))
    assert judge(audit(louder, narrow)).grade == "fragile"
    verdict = judge(audit(louder, wide))
    assert verdict.grade == "weak or fragile"
    assert "87 % of 300 pairs" in verdict.sentence
    assert verdict.sentence.endswith(
        "At 30 dB it is 63 % of 60 pairs (95 % interval 46 to 77) by gradient search: too few "
        "pairs to tell whether it is fragile."
    )
    assert any("Harden it" in text for text in verdict.advice)
    assert any("--minutes 40" in text for text in verdict.advice)


def test_the_sentence_names_the_quietest_ratio_that_decided() -> None:
    verdict = judge(
        audit(cell(0.99, 20), cell(0.9, 30), cell(0.95, 30, "generator"), cell(0.2, 40))
    )
    assert "30 dB below" in verdict.sentence and "95 % of 300 pairs" in verdict.sentence
    assert "generator" in verdict.sentence
    details = " ".join(verdict.details)
    assert "95 % at 30 dB" in details and "2.5 ms" in details


def test_advice_depends_on_what_was_found() -> None:
    broken = judge(audit(cell(0.9, 30), cell(0.4, 20, "black box"), accuracy=0.6))
    said = " ".join(broken.advice)
    for text in ("60 % of untouched clips", "Harden it", "100 queries a clip", "channels"):
        assert text in said, text
    sound = judge(audit(cell(0.05, 20), cell(0.04, 20, "black box")))
    assert sound.advice == ()
    slow = judge(audit(cell(0.4, 20, "black box", queries=90_000.0)))
    assert not any("probabilities" in text for text in slow.advice)
    few = judge(audit(cell(0.05, 20, pairs=30)))
    assert any("--minutes 40" in text for text in few.advice)


def test_one_speaker_makes_no_grade() -> None:
    found = audit(cell(0.2, 20, interval=(0.0, 1.0)))
    verdict = judge(replace(found, data=replace(found.data, groups=1)))
    assert verdict.grade == "cannot say" and "too few speakers" in verdict.sentence
    assert any("are of one speaker or recording," in text for text in verdict.advice)


def test_the_limits_of_the_advice() -> None:
    def said(*cells: Cell, groups: int = 10, accuracy: float = 0.95) -> str:
        found = audit(*cells, accuracy=accuracy)
        return " ".join(judge(replace(found, data=replace(found.data, groups=groups))).advice)

    sound = cell(0.05, 20)
    assert "4 speakers or recordings" in said(sound, groups=4)
    assert "--minutes" in said(replace(sound, pairs=99)) and said(replace(sound, pairs=100)) == ""
    assert said(sound, accuracy=0.7) == "" and "69 %" in said(sound, accuracy=0.69)
    wide = cell(0.48, 20)
    assert "--minutes 40): with 300 pairs" in said(wide)  # enough, and yet no grade
    asked = [cell(0.4, 20, "black box", queries=n) for n in (1_500.0, 2_000.0, 2_100.0)]
    assert "1,500 queries a clip" in said(*asked) and "2,000 queries" in said(asked[1])
    assert "probabilities" not in said(asked[2])


def test_the_grade_is_that_of_the_quietest_ratio_that_broke() -> None:
    assert judge(audit(cell(0.9, 30), cell(0.9, 20))).grade == "fragile"
    assert judge(audit(cell(0.55, 30))).grade == "fragile"  # its lower end is just a half


def test_untargeted_attacks_tell_the_robust_accuracy() -> None:
    away = cell(0.97, 30, goal="untargeted")
    details = judge(audit(cell(0.9, 30), away)).details
    assert any("95.0 %" in text and "3 % at 30 dB" in text for text in details)


def test_the_weakest_pairs_come_first_and_need_three_clips() -> None:
    found = audit(cell(0.9, 30))
    rates = ((None, 1.0, 0.5), (0.9, None, 0.2), (0.4, 0.8, None))
    counts = ((0, 2, 10), (10, 0, 10), (10, 20, 0))
    found = replace(found, confusions=Confusions("gradient search", 35.0, 0.55, rates, counts))
    assert [one[:2] for one in weakest_pairs(found, 2)] == [("no", "yes"), ("up", "no")]
    table = weakest(found)
    assert table is not None and table.rows[0] == ("no", "yes", "90 %", "10")
    by_label = labels(found)
    assert by_label is not None
    # "up" as a source: (0.4 x 10 + 0.8 x 20) / 30; "no" as a target: (1 x 2 + 0.8 x 20) / 22.
    assert ("up", "67 %", "35 %") in by_label.rows
    assert ("no", "55 %", "82 %") in by_label.rows
    assert any("“no” as “yes”" in text for text in judge(found).details)


def test_pairs_of_two_clips_are_no_weakest_ones() -> None:
    rates, counts = ((None, 1.0), (0.5, None)), ((0, 2), (2, 0))
    found = audit(cell(0.9, 30))
    found = replace(
        found,
        classifier=replace(found.classifier, labels=("yes", "no")),
        confusions=Confusions("gradient search", 35.0, 0.75, rates, counts),
    )
    assert weakest(found) is None and labels(found) is not None
    assert not any("confused" in text for text in judge(found).details)


def test_of_pairs_that_give_way_alike_the_better_known_come_first() -> None:
    found = audit(cell(0.9, 30))
    rates = ((None, 0.9, 0.9), (0.9, None, 0.2), (0.4, 0.8, None))
    counts = ((0, 5, 9), (7, 0, 10), (10, 20, 0))
    known = replace(found, confusions=Confusions("gradient search", 35.0, 0.55, rates, counts))
    named = [one[:2] for one in weakest_pairs(known, 3)]
    assert named == [("yes", "up"), ("no", "yes"), ("yes", "no")]


def test_the_table_has_a_row_for_every_cell() -> None:
    found = audit(cell(0.9, 30), cell(0.8, 20), cell(0.5, 20, goal="untargeted", queries=0.0))
    rows = attacks(found).rows
    assert [row[3] for row in rows] == ["20 dB", "30 dB", "20 dB"]
    assert rows[2][2] == "any mistake" and rows[2][7] == "–"
