"""Verdicts, tables, figures and page of a made-up measurement of defences."""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from mondegreen.errors import MondegreenError
from mondegreen.report.defence_figures import defence_figure, roc_figure
from mondegreen.report.defence_results import DefenceResults, load_defences
from mondegreen.report.defence_tables import markdown, print_defences, write_defences
from mondegreen.report.defence_verdicts import (
    COSTS,
    HOLDS,
    PLAIN_ONLY,
    UNKNOWN,
    USELESS,
    WEAKENS,
    judge,
)
from mondegreen.report.docs_defences import main

PAGE = (
    "# Defences\n\n<!-- defence-rule:begin -->\nold\n<!-- defence-rule:end -->\n\nMore.\n\n"
    "<!-- defence-results:begin -->\nold\n<!-- defence-results:end -->\n"
)


def rates(success: float, half: float = 0.05) -> dict[str, Any]:
    ends = [max(0.0, success - half), min(1.0, success + half)]
    return {
        "success_rate": success,
        "success_interval": ends,
        "true_label_rate": 0.25,
        "true_label_interval": [0.2, 0.3],
    }


def defence(name: str, loss: float = 0.01, kind: str = "defence") -> dict[str, Any]:
    about = {
        "name": name,
        "kind": kind,
        "settings": f"Some({name})",
        "straight_through": True,
        "clean_accuracy": 0.95 - loss,
        "accuracy_loss": loss,
        "loss_interval": [loss - 0.01, loss + 0.01],
        "certificate": None,
    }
    if kind == "detector":
        about |= {"chosen_on": 350, "trained_on": 200}
        about |= {"false_alarm_rate": 0.04, "false_alarm_interval": [0.02, 0.06]}
    return about


def cell(name: str, success: float, detection: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"defence": name, **rates(success), "detection": detection}


def row(label: str, knows: str | None, *cells: dict[str, Any], db: float = 20.0) -> dict[str, Any]:
    return {
        "label": label,
        "knows": knows,
        "attack": {"name": label, "steps": 20},
        "budget": {"kind": "snr", "value": db},
        "snr_db": {"mean": 20.7, "median": 20.5, "min": 20.0, "failed": 0, "pairs": 30},
        "direct": rates(0.95 if knows is None else 0.6),
        "cells": list(cells),
    }


def seen(area: float) -> dict[str, Any]:
    return {
        "positives": 28,
        "auc": area,
        "auc_interval": [area - 0.02, min(1.0, area + 0.02)],
        "detected_rate": 0.125,
        "detected_interval": [0.1, 0.2],
        "roc": [0.0, 0.5, 1.0],
    }


EFFECTS = {
    # What a plain attack, and one that knows the defence, has left.
    "solid": (0.05, 0.1),
    "brittle": (0.1, 0.8),
    "soft": (0.6, 0.5),
    "nothing": (0.95, 0.95),
    "unknown": (0.1, None),
    "dear": (0.0, 0.0),
}
WORDS = {
    "solid": HOLDS,
    "brittle": PLAIN_ONLY,
    "soft": WEAKENS,
    "nothing": USELESS,
    "unknown": UNKNOWN,
    "dear": COSTS,
}


def content() -> dict[str, Any]:
    listed = [defence(name, 0.2 if name == "dear" else 0.01) for name in EFFECTS]
    listed[0]["certificate"] = {
        "clips": 40,
        "certified_right": 33,
        "abstained": 5,
        "draws": 400,
        "median_radius": 0.0123,
        "median_snr_db": 53.21,
        "lowest_snr_db": 44.0,
    }
    plain = row("generator", None, *(cell(name, one) for name, (one, _) in EFFECTS.items()))
    plain["cells"].append(cell("residual", 0.02, seen(0.97)))
    knowing = [
        row("pgd", name, cell(name, two)) for name, (_, two) in EFFECTS.items() if two is not None
    ]
    knowing.append(row("pgd", "residual", cell("residual", 0.9, seen(0.55))))
    return {
        "format": 1,
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
            "clips": 66,
            "groups": 2,
            "silent_clips": [],
        },
        "pairs": {"count": 30, "available": 60, "clips": 6, "groups": 2},
        "clean_accuracy": 0.95,
        "baseline_rate": 0.02,
        "defences": [*listed, defence("residual", 0.04, "detector")],
        "rows": [plain, *knowing],
        "seed": 7,
        "command": "mondegreen defences --out runs/defences",
        "environment": {"python": "3.11.9"},
        "duration_seconds": 75.0,
        "created": "2026-01-02T03:04:05+00:00",
    }


def write(folder: Path, values: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "defences.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "results" / "tones-defences", content()).parent


@pytest.fixture
def found(folder: Path) -> DefenceResults:
    return load_defences(folder / "defences.json")


@pytest.mark.parametrize("name", WORDS)
def test_the_rule_has_a_branch_for_everything(name: str, found: DefenceResults) -> None:
    (one,) = (one for one in found.defences if one.name == name)
    assert judge(found, one, found.budgets[0]).words == WORDS[name]


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> DefenceResults:
    values = content()
    change(values)
    return load_defences(write(tmp_path / "changed", values))


def test_attacks_that_were_weak_before_prove_nothing(tmp_path: Path) -> None:
    weak = changed(tmp_path, lambda c: c["rows"][0].update(direct=rates(0.22)))
    assert {judge(weak, one, weak.budgets[0]).words for one in weak.defences} == {UNKNOWN, COSTS}


def test_intervals_decide(tmp_path: Path) -> None:
    def wide(values: dict[str, Any]) -> None:
        values["rows"][1]["cells"][0]["success_interval"] = [0.05, 0.3]  # of "solid"
        values["rows"][0]["cells"][1]["success_interval"] = [0.05, 0.85]  # of "brittle", plain
        values["rows"][3]["cells"][0]["success_interval"] = [0.3, 0.85]  # of "soft", knowing
        values["defences"][5]["loss_interval"] = [0.04, 0.4]  # of "dear"

    loose = changed(tmp_path, wide)
    words = [judge(loose, one, loose.budgets[0]).words for one in loose.defences]
    assert words[0] == WEAKENS and words[5] == HOLDS
    assert words[1] == USELESS, "nobody surely loses more than ten points"
    assert words[2] == PLAIN_ONLY, "who knows it does not surely lose"


def test_the_strongest_of_several_attacks_decides(tmp_path: Path) -> None:
    def more(values: dict[str, Any]) -> None:
        weak = row("shift", None, *(cell(name, 0.01) for name in [*EFFECTS, "residual"]))
        weak["direct"] = rates(0.1)
        feeble = [row("cw", name, cell(name, 0.01)) for name in EFFECTS]
        values["rows"] += [weak, *feeble]

    several = changed(tmp_path, more)
    for one in several.defences[:4]:
        found = judge(several, one, several.budgets[0])
        assert found.words == WORDS[one.name]
        assert found.direct is not None and found.direct.label == "generator"
        assert found.plain is not None and found.plain.label == "generator"
        assert found.knowing is not None and found.knowing.label == "pgd"


@pytest.mark.parametrize(
    ("loss", "plain", "knowing", "words"),
    [
        ([0.049, 0.3], 0.05, 0.1, HOLDS),
        ([0.051, 0.3], 0.05, 0.1, COSTS),
        ([0.0, 0.1], 0.05, 0.149, HOLDS),
        ([0.0, 0.1], 0.06, 0.151, WEAKENS),
        ([0.0, 0.1], 0.151, 0.05, WEAKENS),  # who knows it is weaker; the plain one counts
        ([0.0, 0.1], 0.749, 0.7, WEAKENS),  # an upper end of 0.8, ten points below 0.9
        ([0.0, 0.1], 0.751, 0.7, USELESS),
        ([0.0, 0.1], 0.5, 0.599, WEAKENS),
        ([0.0, 0.1], 0.5, 0.601, PLAIN_ONLY),  # surely more than the plain attacks
        ([0.0, 0.1], 0.7, 0.76, PLAIN_ONLY),
    ],
)
def test_the_limits_of_the_rule(
    tmp_path: Path, loss: list[float], plain: float, knowing: float, words: str
) -> None:
    def limit(values: dict[str, Any]) -> None:
        values["defences"][2]["loss_interval"] = loss  # of "soft"
        values["rows"][0]["cells"][2].update(rates(plain))
        values["rows"][3]["cells"][0].update(rates(knowing))

    found = changed(tmp_path, limit)
    assert judge(found, found.defences[2], found.budgets[0]).words == words


def test_a_retrained_generator_knows_defences_but_no_detector(tmp_path: Path) -> None:
    def retrained(values: dict[str, Any]) -> None:
        every = [cell(name, 0.7) for name in EFFECTS] + [cell("residual", 0.03)]
        values["rows"].append(row("retrained", "*", *every))

    more = changed(tmp_path, retrained)
    unknown, detector = more.defences[4], more.defences[6]
    verdict = judge(more, unknown, more.budgets[0])
    assert verdict.words == PLAIN_ONLY
    assert verdict.knowing is not None and verdict.knowing.label == "retrained"
    verdict = judge(more, detector, more.budgets[0])
    assert verdict.knowing is not None and verdict.knowing.label == "pgd"
    assert verdict.words == PLAIN_ONLY


def test_tables_hold_every_number(found: DefenceResults) -> None:
    text = markdown(found)
    assert "| brittle | 94.0 | 10.0 (5 to 15) generator | 80.0 (75 to 85) pgd |" in text
    assert "| reject by residual | generator | 28 | 0.970 (0.950 to 0.990) | 12.5 | 4.0 |" in text
    assert "| reject by residual | pgd, knowing | 28 | 0.550" in text
    assert "| solid | 40 | 33 | 5 | 0.0123 | – | 53.2 | 44.0 |" in text
    assert "| pgd, knowing | soft | 50.0 (45 to 55) | 25.0 | 60.0 |" in text
    console = Console(file=io.StringIO(), width=160)
    print_defences(found, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert PLAIN_ONLY in shown and "0.0123" in shown and "30 of 60, drawn" in shown


def test_a_median_that_the_draws_limit_is_told(tmp_path: Path) -> None:
    def of(**proven: float) -> Callable[[dict[str, Any]], None]:
        def change(values: dict[str, Any]) -> None:
            values["defences"][0]["settings"] = "Gaussian(sigma=0.005)"
            values["defences"][0]["certificate"] |= {"draws": 200} | proven

        return change

    # 0.005 times the normal quantile of 0.001 ** (1 / 200), from scipy.stats.norm.ppf.
    limited = markdown(changed(tmp_path, of(median_radius=0.009128407811878333)))
    assert (
        "| 0.0091 | 0.0091 | 53.2 |" in limited
        and "For solid (200 draws) the median is that" in limited
    )
    free = markdown(changed(tmp_path, of(median_radius=0.0089)))
    assert "| 0.0089 | 0.0091 | 53.2 |" in free and "the median is that" not in free
    told = markdown(changed(tmp_path, of(median_radius=0.02, highest_radius=0.03)))
    assert "| 0.0200 | 0.0300 | 53.2 |" in told


def test_figures_have_a_mark_for_every_strongest_attack(found: DefenceResults) -> None:
    (axes,) = defence_figure(found).axes
    marks = {
        (round(float(x), 1), round(float(y)))
        for container in axes.containers
        for x, y in zip(*container[0].get_data(), strict=True)
    }
    assert {(10.0, 1), (80.0, 1), (60.0, 2), (50.0, 2), (2.0, 6), (90.0, 6)} <= marks
    curves = roc_figure(found)
    assert curves is not None and len(curves.axes[0].lines) == 3
    assert np.asarray(curves.axes[0].lines[0].get_xdata()).tolist() == [0.0, 50.0, 100.0]


def test_without_detectors_there_is_no_curve(tmp_path: Path) -> None:
    def only_defences(values: dict[str, Any]) -> None:
        values["defences"].pop()
        values["rows"][0]["cells"].pop()
        values["rows"].pop()

    assert roc_figure(changed(tmp_path, only_defences)) is None


def test_a_folder_gets_tables_and_figures(folder: Path, found: DefenceResults) -> None:
    files = write_defences(folder, found)
    names = ["table.md", "defences.png", "defences.svg", "roc.png", "roc.svg"]
    assert [file.name for file in files] == names
    ElementTree.fromstring(files[4].read_text(encoding="utf-8"))


def test_the_page_is_generated_and_checked(folder: Path) -> None:
    page = folder.parent.parent / "defences.md"
    page.write_text(PAGE, encoding="utf-8")
    words = [str(folder.parent), str(page)]
    assert main([*words, "--check"]) == 1
    assert main(words) == 0
    assert main([*words, "--check"]) == 0
    text = page.read_text(encoding="utf-8")
    assert "### tones-defences" in text and f"**{HOLDS}**" in text
    assert (page.parent / "images" / "defences-tones.svg").is_file()
    assert (page.parent / "images" / "detectors-tones.svg").is_file()
    values = content()
    values["rows"][0]["cells"][0]["success_rate"] = 0.08
    write(folder, values)
    assert main([*words, "--check"]) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c.update(format=2), "format"),
        (lambda c: c["defences"][0].update(kind="wall"), "neither defence nor detector"),
        (lambda c: c["defences"][0].update(loss_interval=[0.2, 0.1]), "in order"),
        (lambda c: c["rows"][0]["cells"][0].update(defence="other"), "not listed"),
        (lambda c: c["rows"][0].update(knows="other"), "none of the defences"),
        (lambda c: c["rows"][0]["cells"][0].update(success_rate=1.2), "between 0 and 1"),
        (lambda c: c["rows"][0]["cells"][6]["detection"].update(roc="x"), "list of numbers"),
    ],
)
def test_damage_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    damaged = copy.deepcopy(content())
    change(damaged)
    with pytest.raises(MondegreenError, match=re.escape(told)):
        load_defences(write(tmp_path / "damaged", damaged))
