"""Figures, tables and page of a made-up comparison: every number can be found again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes
from rich.console import Console

from mondegreen.errors import MondegreenError
from mondegreen.report.comparison_figures import (
    draw_comparison,
    pareto_front,
    success_over_pesq,
    success_over_snr,
    success_over_time,
)
from mondegreen.report.comparison_results import Comparison, load_comparison
from mondegreen.report.comparison_tables import (
    about,
    columns,
    latex,
    markdown,
    print_comparison,
    rows,
    verdicts,
    write_comparison,
)
from mondegreen.report.docs_comparison import main

Make = Callable[..., Comparison]


def quality(mean: float | None) -> dict[str, Any]:
    found = {"mean": mean, "median": mean, "min": mean, "failed": 0, "pairs": 9}
    return found if mean is not None else {**found, "reason": "not asked for"}


def cell(
    label: str,
    db: float,
    rate: float,
    *,
    steps: int | None = None,
    quietness: float | None = None,
    pesq: float | None = 3.0,
    ms: float | None = 8.0,
) -> dict[str, Any]:
    return {
        "name": f"{label}--snr-{db:g}",
        "label": label,
        "family": re.split(r"[+:]", label)[0],
        "steps": steps,
        "quietness": quietness,
        "attack": {"name": label, "fingerprint": "12"},
        "budget": {"kind": "snr", "value": db},
        "success_rate": rate,
        "success_interval": [max(0.0, rate - 0.1), min(1.0, rate + 0.1)],
        "success_rate_correct": rate,
        "snr_db": quality(db + 0.5),
        "pesq_nb": quality(pesq),
        "pesq_wb": quality(None),
        "stoi": quality(0.9),
        "milliseconds_per_clip": {
            "batch1": 7.0,
            "batch1_mean": ms,
            "batchN": 2.0,
            "N": 64,
            "calls": [20, 5],
        },
        "generator": None,
        "queries_per_clip": 3.0,
        "gradients_per_clip": 2.5,
        "peak_memory_bytes": None,
    }


CURVES = [
    cell("generator", 20, 0.95, steps=0, pesq=3.1),
    cell("generator", 30, 0.85, steps=0, pesq=3.5, ms=9.0),
    cell("generator+5", 20, 0.99, steps=5, pesq=3.0, ms=60.0),
    cell("generator+5", 30, 0.97, steps=5, pesq=None, ms=61.0),
    cell("pgd:steps=20", 20, 0.9, steps=20, pesq=2.9, ms=200.0),
    cell("pgd:steps=20", 30, 0.5, steps=20, pesq=3.3, ms=210.0),
    cell("generator:quietness=0.5", 20, 0.9, steps=0, quietness=0.5, pesq=3.6),
    cell("generator:quietness=1", 20, 0.8, steps=0, quietness=1.0, pesq=3.9),
]


def content(cells: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": 1,
        "classifier": {
            "name": "toy_net",
            "parameters": 305_120,
            "fingerprint": "9f2c41d0",
            "labels": ["low", "high"],
        },
        "dataset": {
            "name": "tones",
            "split": "test",
            "split_kind": "speaker",
            "clips": 40,
            "groups": 9,
            "silent_clips": [],
        },
        "pairs": {"count": 30, "available": 40, "quality": 9, "clips": 28, "groups": 8},
        "baseline_rate": 0.01,
        "clean_accuracy": 0.95,
        "timing": {"rounds": 20, "warmup": 2, "seconds": 4.0, "threads": 1, "load": 0.5},
        "cells": cells,
        "seed": 7,
        "command": "mondegreen compare --recipe curves",
        "environment": {"python": "3.11.9", "torch": "2.6.0", "cpu": "Toy CPU", "cores": 2},
        "duration_seconds": 75.0,
        "created": "2026-01-02T03:04:05+00:00",
    }


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that writes a comparison of some cells and reads it back."""

    def make(cells: list[dict[str, Any]] = CURVES, name: str = "toy", **changes: Any) -> Comparison:
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "comparison.json"
        path.write_text(json.dumps({**content(cells), **changes}), encoding="utf-8")
        return load_comparison(path)

    return make


def lines(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    """The points of every line that has a name."""
    return {
        str(line.get_label()): list(
            zip(
                np.asarray(line.get_xdata(), dtype=float).tolist(),
                np.asarray(line.get_ydata(), dtype=float).tolist(),
                strict=True,
            )
        )
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }


# ------------------------------------------------------------------ figures


def test_success_over_snr_has_a_line_and_a_band_an_attack(make: Make) -> None:
    figure = success_over_snr(make())
    (axes,) = figure.axes
    drawn = lines(axes)
    assert drawn["generator"] == [(20.0, 95.0), (30.0, 85.0)]
    assert drawn["generator + 5 steps"] == [(20.0, 99.0), (30.0, 97.0)]
    assert drawn["gradient search, 20 steps"] == [(20.0, 90.0), (30.0, 50.0)]
    assert set(drawn) == {*list(drawn)[:3], "untouched clips"}  # quietness is no line here
    assert len(axes.collections) == 3
    low, high = axes.collections[0].get_paths()[0].get_extents().intervaly
    assert (low, high) == pytest.approx((75.0, 100.0))
    assert "dB" in axes.get_xlabel() and axes.get_ylabel() == "success rate (%)"


def test_colours_marks_and_dashes_differ(make: Make) -> None:
    axes = success_over_snr(make()).axes[0]
    looks = [(x.get_color(), x.get_marker(), x.get_linestyle()) for x in axes.lines[:3]]
    assert all(len(set(part)) == 3 for part in zip(*looks, strict=True))


def test_many_attacks_are_thinned_to_their_ends(make: Make) -> None:
    steps = (1, 2, 3, 5, 10, 20)
    cells = [cell(f"pgd:steps={k}", db, 0.5, steps=k) for k in steps for db in (20, 30)]
    cells += [cell(f"generator+{k}", db, 0.5, steps=k) for k in steps for db in (20, 30)]
    drawn = lines(success_over_snr(make(cells)).axes[0])
    assert set(drawn) == {
        "gradient search, 1 step",
        "gradient search, 20 steps",
        "generator + 1 step",
        "generator + 20 steps",
        "untouched clips",
    }


def test_success_over_pesq_leaves_out_what_was_not_measured(make: Make) -> None:
    drawn = lines(success_over_pesq(make()).axes[0])
    assert drawn["generator"] == [(3.1, 95.0), (3.5, 85.0)]
    assert drawn["generator + 5 steps"] == [(3.0, 99.0)]  # nothing was measured at 30 dB
    dial = drawn["its quietness, at 20 dB"]
    assert dial == [(3.1, 95.0), (3.6, 90.0), (3.9, 80.0)]
    texts = [text.get_text() for text in success_over_pesq(make()).axes[0].texts]
    assert texts == ["20 dB", "30 dB", "0.5", "1"]


def test_figures_without_numbers_are_not_drawn(make: Make) -> None:
    deaf = [cell(label, 20, 0.5, pesq=None, ms=None) for label in ("generator", "universal")]
    assert draw_comparison(make(deaf)) == {}
    assert set(draw_comparison(make())) == {
        "success_over_snr",
        "success_over_pesq",
        "success_over_time",
    }


def test_success_over_time_has_a_panel_a_budget(make: Make) -> None:
    figure = success_over_time(make())
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in panels] == ["SNR ≥ 20 dB", "SNR ≥ 30 dB"]
    drawn = lines(panels[0])
    assert drawn["generator + k steps"] == [(8.0, 95.0), (60.0, 99.0)]
    assert drawn["gradient search, 20 steps"] == [(200.0, 90.0)]
    assert drawn["Pareto front"][:2] == [(8.0, 95.0), (60.0, 99.0)]
    assert panels[0].get_xscale() == "log"
    assert [text.get_text() for text in panels[0].texts] == ["0", "5"]
    assert panels[0].get_xlim()[0] < 8.0 and panels[0].get_xlim()[1] > 210.0


def test_the_front_holds_what_nothing_beats() -> None:
    random = np.random.default_rng(0)
    points = [(float(x), float(y)) for x, y in random.integers(0, 12, (60, 2))]
    beaten = {p for p in points for q in points if q[0] <= p[0] and q[1] >= p[1] and q != p}
    assert set(pareto_front(points)) == set(points) - beaten
    assert pareto_front([]) == []


# ------------------------------------------------------------------ tables


def test_the_table_holds_the_numbers(make: Make) -> None:
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
        "ms, batch 1 (median / mean)": "7.00 / 8.00",
        "ms, batch 64": "2.00",
        "gradients": "2.5",
    }
    assert found[6]["attack"] == "generator, quietness 0.5"
    assert len(markdown(comparison).splitlines()) == 2 + len(CURVES)


def test_the_setting_is_stated(make: Make) -> None:
    text = about(make())
    for part in ("30 of 40, drawn", "seed 7", "2 for warming up", "Toy CPU", "same 9", "1.00 %"):
        assert part in text
    assert "busy" not in text
    timing = {**content(CURVES)["timing"], "load": 12.0}
    assert "load average before 12, so the machine was busy" in about(make(timing=timing))


def test_who_wins_is_worked_out(make: Make) -> None:
    assert verdicts(make()) == [
        ("20 dB", "generator + 5 steps (99.0 %)", "generator (8.00 ms)"),
        ("30 dB", "generator + 5 steps (97.0 %)", "generator + 5 steps (61.00 ms)"),
    ]
    weak = [cell("universal", 40, 0.2), cell("filter", 40, 0.2)]
    winners = "universal perturbation, filter and perturbation (20.0 %)"
    assert verdicts(make(weak)) == [("40 dB", winners, "none")]


def test_latex_is_escaped(make: Make) -> None:
    text = latex(make())
    assert "toy\\_net" in text and "95 \\% interval" in text and "$\\geq$" in text
    body = text.split("\\midrule\n")[1].split("\\bottomrule")[0].splitlines()
    assert len(body) == len(CURVES)
    assert all(line.count("&") == 11 and line.endswith("\\\\") for line in body)


def test_the_terminal_shows_every_cell(make: Make) -> None:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        print_comparison(make(), console)
    shown = capture.get()
    assert shown.count("gradient search, 20 steps") == 2
    assert "85.0–100.0" in shown and "SNR ≥ 30 dB" in shown


def test_all_files_are_written(make: Make, tmp_path: Path) -> None:
    files = write_comparison(tmp_path / "out", make())
    names = {str(path.relative_to(tmp_path / "out")) for path in files}
    assert {"table.md", "table.tex", "figures/success_over_time.svg"} <= names
    assert all(path.stat().st_size > 100 for path in files)


# ------------------------------------------------------------------ reading and the page


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cells": []}, "cells"),
        ({"format": 2}, "format"),
        ({"cells": [{**CURVES[0], "success_rate": 95.0}]}, "cell 1: success_rate"),
        ({"cells": [{k: v for k, v in CURVES[0].items() if k != "label"}]}, "label"),
    ],
)
def test_damage_is_named(make: Make, change: dict[str, Any], named: str) -> None:
    with pytest.raises(MondegreenError, match=named):
        make(**change)


def test_the_page_is_written_and_checked(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(name="b-toy")
    page = tmp_path / "docs" / "comparison.md"
    words = [str(tmp_path / "results"), str(page)]
    assert main([*words, "--check"]) == 1 and not page.exists()
    assert main(words) == 0
    text = page.read_text(encoding="utf-8")
    pictures = re.findall(r"\]\((images/[^)]+)\)", text)
    assert len(pictures) == 3
    for picture in pictures:
        assert ElementTree.parse(page.parent / picture).getroot().tag.endswith("svg")
    assert "## b-toy" in text and "mondegreen compare --recipe curves" in text
    assert "| generator + 5 steps | SNR ≥ 20 dB | 99.0 |" in text
    assert main([*words, "--check"]) == 0
    capsys.readouterr()
    (page.parent / pictures[0]).unlink()
    assert main([*words, "--check"]) == 1
    assert pictures[0] in capsys.readouterr().err
    assert main(words) == 0
    make(cells=[cell("generator", 20, 0.123)], name="b-toy")
    assert main([*words, "--check"]) == 1
    assert "12.3" in capsys.readouterr().out


def test_a_page_without_comparisons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results").mkdir()
    page = tmp_path / "comparison.md"
    assert main([str(tmp_path / "results"), str(page)]) == 0
    assert "No comparisons yet." in page.read_text(encoding="utf-8")
    assert main([str(tmp_path / "nowhere"), str(page)]) == 2
    assert "is not a folder" in capsys.readouterr().err
