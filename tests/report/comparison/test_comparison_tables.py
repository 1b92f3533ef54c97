"""Tables of a made-up comparison: in the terminal, in Markdown, in LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from mondegreen.report.comparison_paper import paper_note, paper_rows
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_tables import (
    latex,
    markdown,
    markdown_reaches,
    print_comparison,
    write_comparison,
)
from mondegreen.report.comparison_texts import about, columns, reach_rows, rows, verdicts

Make = Callable[..., Comparison]
MakeCell = Callable[..., dict[str, Any]]


# ------------------------------------------------------------------ tables


def test_the_table_holds_the_numbers(make: Make, curves: list[dict[str, Any]]) -> None:
    comparison = make()
    found = [dict(zip(columns(comparison), row, strict=True)) for row in rows(comparison)]
    assert found[0] == {
        "attack": "generator",
        "budget": "SNR ≥ 20 dB",
        "success (%)": "95.0",
        "95 % interval": "85.0–100.0",
        "right (%)": "95.0",
        "SNR mean / median / worst (dB)": "20.50 / 20.50 / 20.50",
        "PESQ nb": "3.10",
        "PESQ wb": "–",
        "STOI": "0.900",
        "queries": "3.0",
        "gradients": "2.5",
        "ms, batch 1 (median / mean)": "7.00 / 8.00",
        "ms, batch 64": "2.00",
        "s a clip, in the run": "–",
        "memory (MiB)": "–",
    }
    assert found[6]["attack"] == "generator, quietness 0.5"
    assert len(markdown(comparison).splitlines()) == 2 + len(curves)


def test_the_setting_is_stated(make: Make) -> None:
    text = about(make())
    for part in ("30 of 40, drawn", "seed 7", "2 for warming up", "Toy CPU", "same 9", "1.00 %"):
        assert part in text
    assert "busy" not in text
    timing = {**make().timing, "load": 12.0}
    assert "load average before 12, so the machine was busy" in about(make(timing=timing))


def test_who_wins_is_worked_out(make: Make, cell: MakeCell) -> None:
    assert verdicts(make()) == [
        ("20 dB", "generator + 5 steps (99.0 %)", "generator (8.00 ms)"),
        ("30 dB", "generator + 5 steps (97.0 %)", "generator + 5 steps (61.00 ms)"),
    ]
    weak = [cell("universal", 40, 0.2), cell("filter", 40, 0.2)]
    winners = "universal perturbation, filter and perturbation (20.0 %)"
    assert verdicts(make(weak)) == [("40 dB", winners, "none")]


def test_latex_is_escaped(make: Make, curves: list[dict[str, Any]]) -> None:
    text = latex(make())
    assert "toy\\_net" in text and "95 \\% interval" in text and "$\\geq$" in text
    body = text.split("\\midrule\n")[1].split("\\bottomrule")[0].splitlines()
    assert len(body) == len(curves)
    assert all(line.count("&") == 14 and line.endswith("\\\\") for line in body)


def shown(comparison: Comparison, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        print_comparison(comparison, console)
    return capture.get()


def test_the_terminal_shows_every_cell(make: Make) -> None:
    text = shown(make())
    assert text.count("gradient search, 20") == 3  # under two budgets, and among the thresholds
    assert "85.0–100.0" in text and "SNR ≥ 30 dB" in text
    assert "MiB" not in text  # nobody measured it
    assert max(map(len, text.splitlines())) <= 80


def test_the_terminal_stays_narrow_with_every_column(make: Make, cell: MakeCell) -> None:
    more = {"peak_memory_bytes": 512 * 2**20, "queries_per_clip": 123_456.0}
    slow = {"milliseconds_per_clip": None, "seconds_per_clip": 123.456}
    cells = [cell("genetic:iterations=500", 20, 1.0, **more, **slow)]
    text = shown(make(cells))
    assert max(map(len, text.splitlines())) <= 80
    for part in ("123,456", "512", "123,456†", "genetic attack", "† too slow"):
        assert part in text


def test_thresholds_are_shown_with_their_ends(make: Make, cell: MakeCell) -> None:
    levels = [
        {"level": 0.5, "db": 30.0, "side": "above", "interval": [27.25, None]},
        {"level": 0.9, "db": 22.04, "side": "within", "interval": [None, 25.0]},
        {"level": 0.99, "db": 20.0, "side": "below", "interval": [None, None]},
    ]
    unbounded = [
        {"level": 0.5, "db": 31.0, "side": "within", "interval": [30.0, 32.0]},
        {"level": 0.9, "db": None, "side": "below", "interval": [None, 12.0]},
        {"level": 0.99, "db": None, "side": "above", "interval": [50.0, None]},
    ]
    smallest = cell("cw", 0, 0.8, budget={"kind": "none", "value": None}, smallest=True)
    cells = [cell("pgd", 20, 0.9), cell("pgd", 30, 0.6), smallest]
    comparison = make(
        cells,
        thresholds=[
            {"label": "pgd", "smallest": False, "levels": levels},
            {"label": "cw", "smallest": True, "levels": unbounded},
        ],
    )
    assert reach_rows(comparison) == [
        ("gradient search", "> 30 (27.2–> 30)", "22.0 (< 20–25.0)", "< 20"),
        (
            "Carlini and Wagner, smallest",
            "31.0 (30.0–32.0)",
            "never (never–12.0)",
            "∞ (50.0–∞)",
        ),
    ]
    assert "| attack | 50 % at (dB) | 90 % at (dB) | 99 % at (dB) |" in markdown_reaches(comparison)
    assert "$>$ 30 (27.2--$>$ 30)" in latex(comparison)
    assert "> 30 (27.2–> 30)" in shown(comparison)
    assert markdown_reaches(make([cell("pgd", 20, 0.9)])) == ""


def test_an_untargeted_comparison_says_so(make: Make) -> None:
    comparison = make(goal="untargeted")
    assert "untouched clips are misheard in 1.00 %" in about(comparison)
    assert "untargeted attacks against toy_net" in shown(comparison)


def test_the_papers_numbers_stand_beside_those_measured(make: Make, cell: MakeCell) -> None:
    cells = [
        cell("generator", 20, 0.9),
        cell("generator+5", 20, 0.99, steps=5),
        cell("genetic:iterations=500", 20, 0.4, milliseconds_per_clip=None, seconds_per_clip=70.0),
        cell("pso", 20, 0.3, ms=None),
    ]
    found = [(row[0], *row[2:]) for row in paper_rows(make(cells))]
    assert found == [
        ("generator", "92.33 %", "90.00 %", "20.27", "20.50", "0.009", "0.008"),
        ("generator + 5 steps", "–", "99.00 %", "–", "20.50", "–", "0.008"),
        (
            "genetic attack (Alzantot et al.)",
            *("84.96 %", "40.00 %", "15.72", "20.50", "231", "70.0†"),
        ),
        ("SirenAttack (particle swarm)", "89.25 %", "30.00 %", "17.57", "20.50", "368", "–"),
    ]
    note = paper_note(make(cells))
    assert "Titan X" in note and "toy_net" in note and "do" not in note[:8]
    assert note.endswith(
        "† too slow to be timed again beside the others: the time of the run "
        "itself, in batches of 64."
    )
    busy = paper_note(make(cells, timing={"load": 9.0}))
    assert busy.endswith(
        "Others kept the machine busy, so these times hold much waiting: alone it is less."
    )


def test_all_files_are_written(make: Make, tmp_path: Path) -> None:
    files = write_comparison(tmp_path / "out", make())
    names = {str(path.relative_to(tmp_path / "out")) for path in files}
    assert {"table.md", "table.tex", "figures/success_over_time.svg"} <= names
    assert all(path.stat().st_size > 100 for path in files)
