"""Tables, words, figure and page of a made-up measurement: every number can be found again."""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from mondegreen.errors import MondegreenError
from mondegreen.report.channel_figures import channel_figure
from mondegreen.report.channel_results import ChannelResults, load_channels
from mondegreen.report.channel_tables import about, markdown, print_channels, rows, write_channels
from mondegreen.report.channel_words import broken, sentences
from mondegreen.report.docs_channels import main
from mondegreen.report.page import write_report
from mondegreen.report.results import load_results
from mondegreen.report.terminal import print_results

PAGE = (
    "# Channels\n\n<!-- channel-list:begin -->\nold\n<!-- channel-list:end -->\n\nMore.\n\n"
    "<!-- channel-results:begin -->\nold\n<!-- channel-results:end -->\n"
)


def cell(success: float, survival: float | None) -> dict[str, Any]:
    return {
        "success_rate": success,
        "success_interval": [max(0.0, success - 0.1), min(1.0, success + 0.04)],
        "survival_rate": survival,
        "true_label_rate": 0.25,
    }


def row(label: str, db: float, *cells: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{label}--snr-{db:g}",
        "label": label,
        "attack": {"name": label, "steps": 20},
        "budget": {"kind": "snr", "value": db},
        "success_rate": 0.875,
        "success_interval": [0.8, 0.9],
        "snr_db": {"mean": 20.73, "median": 20.5, "min": 20.0, "failed": 0, "pairs": 30},
        "cells": list(cells),
    }


def channel(name: str, accuracy: float, baseline: float) -> dict[str, Any]:
    return {
        "channel": name,
        "settings": f"Some({name})",
        "random": False,
        "straight_through": True,
        "clean_accuracy": accuracy,
        "baseline_rate": baseline,
    }


def content() -> dict[str, Any]:
    good, bad = cell(0.86, 0.981), cell(0.123, 0.14)
    return {
        "format": 1,
        "goal": "targeted",
        "classifier": {
            "name": "small_net",
            "parameters": 305_120,
            "fingerprint": "9f2c",
            "labels": ["low", "high"],
        },
        "dataset": {
            "name": "tones",
            "split": "test",
            "split_kind": "speaker",
            "clips": 6,
            "groups": 2,
            "silent_clips": [],
        },
        "pairs": {"count": 30, "available": 60, "clips": 6, "groups": 2},
        "clean_accuracy": 0.951,
        "baseline_rate": 0.0213,
        "channels": [channel("mp3:kbps=64", 0.94, 0.022), channel("over-the-air", 0.611, 0.083)],
        "rows": [
            row("generator", 20.0, good, bad),
            row("pgd:steps=20", 20.0, cell(0.5, 0.571), cell(0.25, 0.286)),
            row("generator", 25.0, good, cell(0.0, None)),
        ],
        "seed": 7,
        "command": "mondegreen channels --generator runs/generator",
        "environment": {"python": "3.11.9"},
        "duration_seconds": 75.0,
        "created": "2026-01-02T03:04:05+00:00",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "results" / "tones"
    place.mkdir(parents=True)
    (place / "channels.json").write_text(json.dumps(content()), encoding="utf-8")
    return place


@pytest.fixture
def found(folder: Path) -> ChannelResults:
    return load_channels(folder / "channels.json")


def test_rows_hold_every_rate(found: ChannelResults) -> None:
    first, second = found.budgets
    assert (first.value, second.value) == (20.0, 25.0)
    assert rows(found, first) == [
        ("none", "95.1", "2.1", "87.5", "87.5"),
        ("mp3:kbps=64", "94.0", "2.2", "86.0 / 98.1", "50.0 / 57.1"),
        ("over-the-air", "61.1", "8.3", "12.3 / 14.0", "25.0 / 28.6"),
    ]
    assert rows(found, second)[2] == ("over-the-air", "61.1", "8.3", "0.0 / –")
    assert "30 of 60, drawn" in about(found) and "up to 10.0 points from it" in about(found)
    text = markdown(found)
    assert text.count("| channel |") == 2 and "12.3 / 14.0" in text


def test_words_follow_from_the_numbers(found: ChannelResults) -> None:
    generator, search = sentences(found, found.budgets[0])
    assert "nearly all of its success survives `mp3:kbps=64`" in generator
    assert "little of its success survives `over-the-air`" in generator
    assert "more than half of its success survives `mp3:kbps=64`" in search
    assert "some of its success survives `over-the-air`" in search
    assert "over-the-air" not in sentences(found, found.budgets[1])[0]
    assert broken(found).endswith("`over-the-air`.")


def test_the_terminal_shows_it(found: ChannelResults) -> None:
    console = Console(file=io.StringIO(), width=140)
    print_channels(found, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "SNR ≥ 25 dB" in shown and "86.0 / 98.1" in shown


def test_the_figure_has_a_mark_for_every_rate(found: ChannelResults) -> None:
    figure = channel_figure(found)
    assert len(figure.axes) == 2
    left, right = figure.axes
    marks = [
        (round(float(x), 1), round(float(y)))
        for container in left.containers
        for x, y in zip(*container[0].get_data(), strict=True)
    ]
    assert sorted(marks) == sorted(
        [(87.5, 0), (86.0, 1), (12.3, 2), (87.5, 0), (50.0, 1), (25.0, 2)]
    )
    assert len(right.containers) == 1
    assert [tick.get_text() for tick in left.get_yticklabels()] == [
        "none",
        "mp3:kbps=64",
        "over-the-air",
    ]


def test_a_folder_gets_table_and_figure(folder: Path, found: ChannelResults) -> None:
    files = write_channels(folder, found)
    assert [file.name for file in files] == ["table.md", "channels.png", "channels.svg"]
    ElementTree.fromstring(files[2].read_text(encoding="utf-8"))
    again = write_channels(folder, found)[2].read_bytes()
    assert again == files[2].read_bytes()


def test_the_page_is_generated_and_checked(folder: Path) -> None:
    page = folder.parent.parent / "channels.md"
    page.write_text(PAGE, encoding="utf-8")
    words = [str(folder.parent), str(page)]
    assert main([*words, "--check"]) == 1
    assert main(words) == 0
    assert main([*words, "--check"]) == 0
    text = page.read_text(encoding="utf-8")
    assert "`lowpass`" in text and "`hz=4000`" in text and "`folder=PATH`" in text
    assert "### tones" in text and "86.0 / 98.1" in text and "old" not in text.split("More.")
    assert (page.parent / "images" / "channels-tones.svg").is_file()
    changed = content()
    changed["rows"][0]["cells"][0]["success_rate"] = 0.2
    (folder / "channels.json").write_text(json.dumps(changed), encoding="utf-8")
    assert main([*words, "--check"]) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c.update(format=2), "format"),
        (lambda c: c["rows"][0]["cells"].pop(), "one for each"),
        (lambda c: c["rows"][0]["cells"][0].update(success_rate=1.2), "between 0 and 1"),
        (lambda c: c["channels"][0].pop("clean_accuracy"), "clean_accuracy"),
        (lambda c: c.update(rows="none"), "list of objects"),
    ],
)
def test_damage_is_named(folder: Path, change: Callable[[dict[str, Any]], None], told: str) -> None:
    damaged = copy.deepcopy(content())
    change(damaged)
    path = folder / "channels.json"
    path.write_text(json.dumps(damaged), encoding="utf-8")
    with pytest.raises(MondegreenError, match=re.escape(told)):
        load_channels(path)


def test_results_with_channels_are_shown(build: Callable[..., Path]) -> None:
    def add(results: dict[str, Any]) -> None:
        results["channels"] = [
            {**channel("mp3:kbps=64", 0.94, 0.022), **cell(0.457, 0.981)},
            {**channel("<odd>", 0.5, 0.1), **cell(0.0, None)},
        ]

    evaluation = build(change=add)
    found = load_results(evaluation / "results.json")
    console = Console(file=io.StringIO(), width=140)
    print_results(found, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "45.7 % (35.7 to 49.7)" in shown and "98.1 %" in shown
    html = write_report(evaluation).read_text(encoding="utf-8")
    assert "<code>mp3:kbps=64</code>" in html and "45.7 % (35.7 to 49.7)" in html
    assert "<code>&lt;odd&gt;</code>" in html


def test_results_without_channels_show_none(evaluation: Path) -> None:
    found = load_results(evaluation / "results.json")
    assert found.channels == ()
    assert "after a channel" not in write_report(evaluation).read_text(encoding="utf-8")
