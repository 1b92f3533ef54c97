"""Tables inside of pages: their numbers are those of the files, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.files import write_json
from mondegreen.report import (
    docs_ablation,
    docs_hearing,
    docs_music,
    docs_reliability,
    docs_serve,
    docs_streaming,
    docs_template,
)
from mondegreen.report.docs_tables import TABLES, main

KEPT = {"shipped": 0.99, "template": 0.8}


def variant(name: str, rates: tuple[float, float, float], seconds: float = 100.0) -> dict[str, Any]:
    measured: dict[str, Any] = {
        db: {"success_rate": rate, "pesq_nb": 3.0 + rate}
        for db, rate in zip(("20", "25", "30"), rates, strict=True)
    }
    return {
        "name": name,
        "steps": 1026,
        "processor_seconds": seconds,
        "parameters": 1_000_000,
        "macs": 30_000_000,
        "validation": measured | {"pairs": 3150},
        "environment": {"cpu": "a machine"},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three variants, out of order."""
    write_json(tmp_path / "a.json", variant("worse", (0.7, 0.5, 0.3), 150.0))
    write_json(tmp_path / "b.json", variant("the recipe", (0.8, 0.7, 0.5)))
    write_json(tmp_path / "c.json", variant("better", (0.9, 0.85, 0.7), 50.0))
    return tmp_path


def test_the_recipe_comes_first_and_the_others_by_success(folder: Path) -> None:
    rows = docs_ablation.render_table(folder).splitlines()[2:5]
    assert [row.split(" | ")[0] for row in rows] == ["| the recipe", "| better", "| worse"]
    assert "85.00 % (+15.0)" in rows[1] and "× 0.50" in rows[1] and "3.85" in rows[1]
    assert "50.00 % (-20.0)" in rows[2] and "× 1.50" in rows[2]
    assert "(" not in rows[0]


def test_the_time_of_a_resumed_training_is_not_shown(folder: Path) -> None:
    write_json(folder / "c.json", variant("better", (0.9, 0.85, 0.7)) | {"processor_seconds": None})
    rows = docs_ablation.render_table(folder).splitlines()
    assert rows[3].startswith("| better") and "×" not in rows[3] and "×" in rows[4]


def test_several_seeds_share_a_row(folder: Path) -> None:
    write_json(folder / "b2.json", variant("the recipe", (0.8, 0.6, 0.5), 300.0))
    write_json(folder / "c2.json", variant("better", (0.9, 0.75, 0.7), 150.0))
    write_json(folder / "d.json", variant("alike", (0.9, 0.65, 0.7)))
    lines = docs_ablation.render_table(folder).splitlines()
    assert [row.split(" | ")[0] for row in lines[2:6]] == [
        "| the recipe",
        "| better",
        "| alike",
        "| worse",
    ]
    assert "65.00 % (60.0 to 70.0)" in lines[2] and "× 1.00" in lines[2]
    assert "80.00 % (75.0 to 85.0)" in lines[3] and "× 0.50" in lines[3]
    assert "above the recipe's best at 25 dB: better." in lines[-1]
    assert "below the recipe's worst at 25 dB: worse." in lines[-1]


def test_results_without_the_recipe_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", variant("worse", (0.7, 0.5, 0.3)))
    with pytest.raises(MondegreenError, match="no result of 'the recipe'"):
        docs_ablation.render_table(tmp_path)
    write_json(tmp_path / "b.json", {"other": 1})
    with pytest.raises(MondegreenError, match=r"b\.json"):
        docs_ablation.render_table(tmp_path)


def write_results(folder: Path) -> None:
    """Write one small result of each kind."""
    write_json(folder / "ablation" / "b.json", variant("the recipe", (0.8, 0.7, 0.5)))
    measures = {
        name: {"spearman": -0.1 * place, "low": -0.9, "high": 0.25}
        for place, name in enumerate(docs_hearing.NAMES, start=5)
    }
    write_json(folder / "hearing.json", {"clips": 40, "correlations": {"all": measures}})
    rows = [
        {"block_ms": b, "lookahead_ms": 16, "latency_ms": b + 16, "success_rate": b / 1000}
        | {"real_time_factor": 0.25}
        for b in (256, 64)
    ]
    about = {"clips": 60, "snr_db": 20.0, "whole": 0.9875, "environment": {"cpu": "a machine"}}
    write_json(folder / "streaming.json", {**about, "rows": rows})
    network = {"accuracy": 0.8125, "parameters": 155_000, "processor_seconds": 660.0}
    split = {"tracks": {"train": 900, "test": 130}, "chance": 0.1, "loudness": 0.125}
    split |= {"mean_spectrum": 0.375, "sample_cnn": network}
    config = {"tracks": 120, "seconds": 4.0, "seed": 1024}
    music = {"corpus": {"config": config}, "preset": "cpu", "environment": {"cpu": "a machine"}}
    write_json(folder / "synthetic-music.json", {**music, "splits": {"speaker": split}})
    times = {"median_ms": 120.4, "slowest_ms": 300.0, "attack_median_ms": 7.25}
    crowd = {
        "people": 16,
        "answers": 80,
        "median_ms": 900.0,
        "slowest_ms": 1400.0,
        "answers_per_second": 12.5,
    }
    page = {"alone": {"generator": times}, "together": crowd, "environment": {"cpu": "a machine"}}
    write_json(folder / "serve.json", page)
    row = {
        "command": "evaluate",
        "fault": "SIGKILL",
        "provoked": 20,
        "disturbed": 18,
        "identical": 19,
    }
    row |= {"leftovers": ["run/.x.tmp"], "unclear": [], "work_repeated_mean": 0.5}
    row |= {"work_repeated_most": 0.875}
    about = {"command": "python -m faults", "environment": {"cpu": "a machine"}}
    write_json(folder / "reliability.json", {**about, "rows": [row], "starts": {"evaluate": 0.25}})


def test_pages_are_written_and_checked(tmp_path: Path) -> None:
    results, docs = tmp_path / "results", tmp_path / "docs"
    docs.mkdir()
    write_results(results)
    for page in {page for page, _, _ in TABLES.values()}:
        marks = [name for name, (place, _, _) in TABLES.items() if place == page]
        text = "\n".join(f"<!-- {name}:begin -->\n<!-- {name}:end -->" for name in marks)
        (docs / page).write_text(f"before\n{text}\nafter\n")
    words = [str(results), str(docs)]
    assert main([*words, "--check"]) == 1
    assert main(words) == 0
    assert main([*words, "--check"]) == 0
    generator, measurement, serve, faults = ((docs / name).read_text() for name in TABLES_PAGES)
    for text in (generator, measurement, serve, faults):
        assert text.startswith("before\n") and text.endswith("after\n")
    assert "| all | -0.50 (-0.90 to +0.25) | -0.60" in generator and "over 40 clips" in generator
    assert "the recipe" in generator
    assert "| one person, `generator` | 120 | 300 | 7.2 |" in serve
    assert "| 16 people at once, `generator` | 900 | 1400 |" in serve and "12.5 answers" in serve
    latencies = [
        line for line in measurement.splitlines() if line.startswith("| ") and "16" in line
    ]
    assert latencies[0].startswith("| 64 + 16 | 80 | 6.40 %") and "272" in latencies[1]
    assert "| evaluate | SIGKILL | 20 | 18 | 19 | 1 | 0 | 50 % (at most 88 %) | 25 % |" in faults
    assert "19 of 20 ended as if nothing had happened" in faults and "python -m faults" in faults
    assert "98.75 %" in measurement
    assert "| by track | 900 / 130 | 10.00 % | 12.50 % | 37.50 % | 81.25 % |" in measurement
    assert "155,000 parameters" in measurement and "11 minutes" in measurement


TABLES_PAGES = ("generator.md", "measurement.md", "serve.md", "reliability.md")


@pytest.mark.parametrize(
    "kind", [docs_hearing, docs_music, docs_reliability, docs_serve, docs_streaming]
)
def test_damaged_files_are_refused(kind: ModuleType, tmp_path: Path) -> None:
    write_json(tmp_path / "result.json", {"clips": 40})
    with pytest.raises(MondegreenError, match=r"result\.json is damaged"):
        kind.render_table(tmp_path / "result.json")


def test_a_template_is_set_beside_the_shipped_generator(tmp_path: Path) -> None:
    found = {"success_interval": [0.5, 0.75], "pesq_nb": {"mean": 3.25}, "pairs": 3330}
    for db, rate in ((20, 0.7), (25, 0.65), (30, 0.6)):
        write_json(tmp_path / "template" / f"{db}db.json", found | {"success_rate": rate - 0.1})
        shipped = tmp_path / f"spotter-spectral-{db}db" / "results.json"
        write_json(shipped, found | {"success_rate": rate})
    cells = ({"label": name, "cells": [{"survival_rate": rate}]} for name, rate in KEPT.items())
    heard = {"channels": [{"channel": "shift:ms=50"}], "rows": list(cells), "pairs": {"count": 270}}
    write_json(tmp_path / "template" / "shifts.json", heard)
    lines = docs_template.render_table(tmp_path / "template").splitlines()
    assert lines[0].endswith("| left after `shift:ms=50` |")
    rates = " | ".join(f"{rate}.00 % (50.0–75.0)" for rate in (70, 65, 60))
    assert lines[2] == f"| shipped | {rates} | 3.25 | 99 % |"
    assert lines[3].startswith("| template | 60.00 %") and lines[3].endswith("| 80 % |")
    assert "3,330 pairs" in lines[-1] and "270 pairs" in lines[-1]
    (tmp_path / "template" / "25db.json").write_text("{}")
    with pytest.raises(MondegreenError, match="is damaged"):
        docs_template.render_table(tmp_path / "template")
