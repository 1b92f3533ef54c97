"""Tables hold the numbers of the file, beside those of the paper, and say what is missing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from mondegreen.report.paper import MUSIC
from mondegreen.report.reproduction import summaries, tables
from mondegreen.report.reproduction.results import Reproduction
from mondegreen.report.reproduction.terminal import print_reproduction
from mondegreen.report.reproduction.trainings import Ablation
from mondegreen.report.tables import Table

Content = dict[str, Any]
Load = Callable[..., Reproduction]


def rows(table: Table) -> dict[str, dict[str, str]]:
    """Rows by their first cell; a column that repeats the title before it has that title too."""
    titles: list[str] = []
    for title in table.head:
        before = titles[-1].partition(",")[0] if titles else ""
        titles.append(f"{before}, {title}" if title == "measured" else title)
    return {row[0]: dict(zip(titles, row, strict=True)) for row in table.rows}


def test_table_1_has_reported_beside_measured(load: Load) -> None:
    found = rows(tables.table_1(load().settings[0]))
    single = found["generator: one network a target"]
    assert (single["success, reported"], single["success, measured"]) == ("92.33 %", "93.00 %")
    assert (single["SNR (dB), reported"], single["SNR (dB), measured"]) == ("20.27", "20.50")
    assert (single["s a clip, reported"], single["s a clip, measured"]) == ("0.009", "0.0045")
    genetic = found["genetic attack (Alzantot et al.)"]
    assert (genetic["success, reported"], genetic["success, measured"]) == ("84.96 %", "41.00 %")
    assert (genetic["s a clip, reported"], genetic["s a clip, measured"]) == ("231.46", "61.5†")
    assert (genetic["queries"], genetic["pairs"], genetic["budget"]) == (
        "9,000",
        "450",
        "SNR ≥ 20 dB",
    )
    swarm = found["SirenAttack (particle swarm)"]
    assert (swarm["SNR (dB), reported"], swarm["s a clip, measured"]) == ("17.57", "75.2†")
    assert found["gradient search, 20 steps"]["success, reported"] == "–"


def test_rows_that_are_missing_say_why(load: Load) -> None:
    music = rows(tables.table_1(load().settings[2]))
    single = music["generator: one network a target"]
    assert (single["success, reported"], single["success, measured"]) == ("90.58 %", "–")
    assert single["remark"] == "--hours 1 was spent"
    assert music["Alzantot et al."]["success, reported"] == "82.76 %"
    assert music["SirenAttack"]["remark"] == "no time was left"
    absent = rows(tables.absent_table_1(MUSIC, "no data"))
    assert absent["GAN"]["SNR (dB), reported"] == "26.92"
    assert {row["remark"] for row in absent.values()} == {"no data"}

    def change(content: Content) -> None:
        speech = content["settings"][0]
        speech["comparison"]["cells"] = speech["comparison"]["cells"][:1]
        speech["generators"]["single"]["missing_targets"] = {"go": "the loss became infinite"}

    speech = rows(tables.table_1(load(change).settings[0]))
    assert speech["SirenAttack"]["remark"] == "not in the comparison"
    remark = speech["generator: one network a target"]["remark"]
    assert remark == "U-Net, 1/8 of its width; without go: the loss became infinite"


def test_table_2_has_every_target_and_the_averages(load: Load) -> None:
    table = tables.table_2(load().settings[0])
    found = rows(table)
    assert found["up"]["SNR (dB), reported"] == "21.55"
    assert found["up"]["SNR (dB), one network a target"] == "21.10"  # 20.5 + 2 x 0.3
    assert found["go"]["PESQ, spectral generator"] == "3.420"
    assert found["average"]["PESQ, reported"] == "3.087"
    assert found["average"]["SNR (dB), one network for all"] == "19.55"  # 18.2 + 4.5 x 0.3
    assert len(table.rows) == 11
    music = tables.table_2(load().settings[2])
    assert "one network a target: --hours 1 was spent" in music.note
    assert not any("reported" in title for title in tables.table_2(load().settings[1]).head)

    def other_labels(content: Content) -> None:
        content["settings"][1]["reported"] = "music"

    sounds = load(other_labels).settings[1]
    assert sounds.reported is MUSIC  # but none of its targets is here
    assert not any("reported" in title for title in tables.table_2(sounds).head)
    assert not any("reported" in title for title in summaries.success_by_target(sounds).head)


def test_running_time_is_in_times_of_the_first(load: Load) -> None:
    table = tables.running_time(load())
    speech = [row for row in table.rows if row[0] == "speech"]
    assert speech[0][1:5] == ("generator: one network a target", "0.009", "0.0045", "1.0")
    genetic = next(row for row in speech if row[1].startswith("genetic"))
    assert genetic[2:5] == ("231.46", "61.5", "13666.7") and "in batches" in genetic[5]
    assert "Toy CPU" in table.note


def test_kinds_count_all_networks(load: Load) -> None:
    found = [row for row in summaries.kinds(load()).rows if row[0] == "speech"]
    assert found[0][2:6] == ("10", "820.00 k", "5,200", "1 h 12 min")
    assert found[1][2:4] == ("1", "82.00 k")
    music = [row for row in summaries.kinds(load()).rows if row[0] == "music"]
    assert music[0][-1] == "--hours 1 was spent" and set(music[0][2:-1]) == {"–"}


def test_targets_by_kind(load: Load) -> None:
    found = rows(summaries.success_by_target(load().settings[0]))
    assert found["on"]["reported"] == "96.2 %" and found["yes"]["reported"] == "–"
    assert found["all pairs"]["one network a target"] == "93.0 %"


def test_ablation_has_means_and_ranges(load: Load) -> None:
    ablation = load().ablation
    assert isinstance(ablation, Ablation)
    found = {row[0][:20] + row[1]: row for row in summaries.ablation(ablation).rows}
    both = found["100 · mean |δ|, as iL2 and hinge"]
    assert both[2:6] == ("3", "96.88 %", "98.0 % (97.0–99.0)", "97.0 % (96.0–98.0)")
    assert both[-1] == "58.2 % (58.0–58.5)"
    assert "37 pairs" in summaries.ablation(ablation).note


def test_the_leak_and_the_stages(load: Load) -> None:
    found = load()
    leak = summaries.leaks(found)
    assert leak.rows[0] == ("music", "random-chunk", "92.90 %", "92.10 %", "leaks")
    assert leak.rows[1][1:4] == ("fold-5", "–", "60.20 %")
    table = summaries.stages(found)
    assert table.rows[2][2:] == ("failed", "12.0 s", "18.0 s", "the loss became infinite")
    assert table.note.startswith("2 of 4 stages are done; their times add up to 7 min 12 s")
    assert table.note.endswith("Not done: speech/single/no, music/classifier.")
    settings = summaries.settings(found)
    assert settings.rows[0][4:6] == ("96.03 %", "95.95 %")
    assert "1/8 of the paper's channels" in settings.rows[0][-1]


def test_a_table_is_shown_anywhere() -> None:
    table = Table(
        "50 % & more", ("name", "value", "remark"), (("a|b", "1", "x_y"),), 1, True, "<n>"
    )
    assert table.alignment == "lrl"
    assert table.markdown().splitlines()[1:] == [
        "| --- | --: | --- |",
        r"| a\|b | 1 | x_y |",
        "",
        "&lt;n>",
    ]
    assert r"\caption{50 \% \& more. $<$n$>$}" in table.latex()
    assert r"\begin{tabular}{lrl}" in table.latex() and r"a|b & 1 & x\_y \\" in table.latex()
    console = Console(file=io.StringIO(), width=60)
    table.print(console)
    assert "a|b" in console.file.getvalue()  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="has not 2 cells"):
        Table("t", ("a", "b"), (("1",),))


def test_numbers_are_whole_in_a_narrow_terminal(load: Load) -> None:
    console = Console(file=io.StringIO(), width=80)
    tables.table_2(load().settings[0]).print(console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for number in ("16.73", "20.50", "27.70", "2.808", "3.420"):
        assert number in text


def test_everything_is_printed(load: Load) -> None:
    def hostile(content: Content) -> None:
        content["stages"][0]["title"] = "[red]not markup[/red]"

    console = Console(file=io.StringIO(), width=300)
    print_reproduction(load(hostile), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("92.33 %", "[red]not markup[/red]", "2 of 4 stages", "cannot say: “", "93.00 %"):
        assert part in text
    assert "A clip and its adversarial examples" in text and "missing" in text
