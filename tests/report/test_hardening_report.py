"""Words, tables, figure and page of a made-up hardening: every number can be found again."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from mondegreen.errors import MondegreenError
from mondegreen.report.docs_hardening import main
from mondegreen.report.hardening_results import HardeningResults, Point, load_hardening
from mondegreen.report.hardening_tables import (
    check_rows,
    print_hardening,
    rows,
    write_hardening,
)
from mondegreen.report.hardening_words import cost, reached, verdict

PAGE = "# Hardening\n\n<!-- hardening-results:begin -->\nold\n<!-- hardening-results:end -->\n"


def attack(label: str, db: float, rate: float, pairs: int = 50) -> dict[str, Any]:
    return {
        "label": label,
        "attack": {"name": label, "queries": 300} if label == "square" else {"name": label},
        "budget": {"kind": "snr", "value": db},
        "goal": "untargeted",
        "pairs": pairs,
        "success_rate": rate,
        "success_interval": [max(0.0, rate - 0.1), min(1.0, rate + 0.05)],
    }


def training(seconds: list[float], robust: list[float]) -> dict[str, Any]:
    course = [
        {"cpu_seconds": spent, "clean": 0.9, "robust": rate}
        for spent, rate in zip(seconds, robust, strict=True)
    ]
    return {
        "method": "refined",
        "settings": {"share": 0.5},
        "floor": 0.01,
        "cpu_seconds": seconds[-1],
        "to_kept": seconds[-1],
        "within_limit": True,
        "select_db": 30.0,
        "max_loss": 3.0,
        "before": {"clean": 0.95, "robust": 0.0},
        "course": course,
        "command": f"mondegreen harden --epochs {len(seconds)}",
    }


def classifier(name: str, clean: float, rates: tuple[float, float, float]) -> dict[str, Any]:
    away, towards, generated = rates
    return {
        "name": name,
        "classifier": {
            "name": "small_net",
            "parameters": 305_120,
            "fingerprint": name,
            "labels": ["low", "high"],
        },
        "training": None,
        "generator": {
            "command": f"mondegreen train generator --classifier {name} --start-from runs/old",
            "epochs": 20,
        },
        "clean_accuracy": clean,
        "clean_interval": [clean - 0.02, clean + 0.01],
        "attacks": [
            attack("pgd", 25.0, min(1.0, away + 0.1)),
            attack("pgd", 30.0, away),
            attack("pgd targeted", 30.0, towards),
            attack("generator", 25.0, generated),
            attack("square", 30.0, away / 2, pairs=20),
        ],
        "restarts": {"count": 3, "success_rate": away},
        "loss_along_steps": [0.5, 1.0, 2.0],
        "checks": [{"name": "steps help", "value": 0.5, "at_least": 0.25, "holds": True}],
        "unreliable": False,
    }


def content() -> dict[str, Any]:
    good, bad = classifier("good", 0.93, (0.35, 0.2, 0.3)), classifier("bad", 0.9, (0.5, 0.3, 0.4))
    good["training"] = training([60.0, 120.0], [0.3, 0.6])
    bad["training"] = training([200.0, 360.0, 500.0], [0.2, 0.65, 0.4])
    bad["generator"]["epochs"] = 3
    bad["checks"][0] |= {"value": 0.125, "holds": False}
    bad["unreliable"] = True
    return {
        "format": 1,
        "dataset": {
            "name": "tones",
            "split": "test",
            "split_kind": "speaker",
            "clips": 80,
            "groups": 8,
            "silent_clips": [],
        },
        "check_db": 30.0,
        "classifiers": [classifier("before", 0.955, (0.98, 0.97, 0.93)), good, bad],
        "seed": 7,
        "command": "mondegreen harden report --out runs/hardening-report",
        "environment": {"python": "3.11.9"},
        "created": "2026-01-02T03:04:05+00:00",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "results" / "tones-hardening"
    place.mkdir(parents=True)
    (place / "hardening.json").write_text(json.dumps(content()), encoding="utf-8")
    return place


@pytest.fixture
def found(folder: Path) -> HardeningResults:
    return load_hardening(folder / "hardening.json")


def test_the_verdict_is_decided_by_the_numbers(found: HardeningResults) -> None:
    good, bad = found.after
    assert verdict(found, good) == (
        "good: Under gradient search at 30 dB, 65.0 % [60.0, 75.0] are still heard rightly (2.0 % "
        "[0.0, 12.0] before), which meets the goal of 60 %. Clean accuracy loses 2.5 points, "
        "within the 3 that may be lost. A generator trained against it for 20 epochs, going on "
        "from runs/old, reaches its target in 30.0 % [20.0, 35.0] of the pairs at 25 dB (93.0 % "
        "[83.0, 98.0] before), which meets the goal of a third."
    )
    words = verdict(found, bad)
    assert "50.0 % [45.0, 60.0] are still heard rightly" in words
    assert words.count("misses") == 2 and "loses 5.5 points, more than the 3" in words
    assert words.endswith("Unreliable: its gradients may be masked, for this failed: steps help.")


@pytest.mark.parametrize(
    ("epochs", "words"),
    [
        (20, "which meets the goal of a third."),
        (19, "was not tested as hard as elsewhere, where a generator was trained for 20 epochs."),
        (None, "The goal of a third is not shown: how long that training was is unknown."),
    ],
)
def test_only_the_longest_trained_generator_shows_the_goal(
    found: HardeningResults, epochs: int | None, words: str
) -> None:
    good, bad = found.after
    one = replace(good, generator_epochs=epochs)
    other = replace(bad, generator_epochs=20)
    assert verdict(replace(found, classifiers=(found.before, one, other)), one).endswith(words)


def courses(
    found: HardeningResults, one: list[float], other: list[float], start: float = 0.0
) -> list[str]:
    """Return what is said of two trainings with epochs of 60 and of 75 seconds."""
    after = []
    for each, seconds, rates in zip(found.after, (60.0, 75.0), (one, other), strict=True):
        assert each.training is not None
        course = tuple(Point(seconds * (n + 1), 0.9, rate) for n, rate in enumerate(rates))
        trained = replace(each.training, course=course, before=Point(0.0, 0.9, start))
        after.append(replace(each, training=trained))
    return cost(replace(found, classifiers=(found.before, *after)))


def test_costs_are_compared_at_a_level_that_both_clearly_passed(found: HardeningResults) -> None:
    assert cost(found) == [
        "57.0 % under attack at 30 dB on validation clips: good after 2 min 0 s of processor "
        "time, bad after 6 min 0 s, 3.0 times as long."
    ]
    # The second one's best epoch is a lucky one: most of what it seems to cost is that.
    assert courses(found, [0.5, 0.6], [0.57, 0.57, 0.57, 0.6]) == [
        "57.0 % under attack at 30 dB on validation clips: whether good or bad is quicker cannot "
        "be told, for within 3 points above it the order changes."
    ]
    assert courses(found, [0.5, 0.6], [0.5, 0.57, 0.57, 0.6]) == [
        "57.0 % under attack at 30 dB on validation clips: good after 2 min 0 s of processor time, "
        "bad after 2 min 30 s, 1.2 times as long."
    ]
    assert courses(found, [0.5, 0.6], [0.58, 0.6], start=0.58) == []
    course = [Point(1.0, 0.9, 0.1), Point(2.0, 0.9, 0.5), Point(3.0, 0.9, 0.4)]
    assert reached(course, 0.1) == 1.0 and reached(course, 0.4) == 2.0


def test_the_table_holds_every_rate(found: HardeningResults) -> None:
    lines = {line[0]: line[1:] for line in rows(found)}
    assert lines["clean accuracy"] == ["95.5 [94, 96]", "93.0 [91, 94]", "90.0 [88, 91]"]
    assert lines["accuracy under gradient search, 30 dB"][1] == "65.0 [60, 75]"
    assert lines["targets reached by gradient search, 30 dB"][2] == "30.0 [20, 35]"
    generated = [f"targets reached by a generator trained against it, {db} dB" for db in (25, 30)]
    assert lines[generated[0]] == [
        "93.0 [83, 98], 20 epochs",
        "30.0 [20, 35], 20 epochs",
        "40.0 [30, 45], 3 epochs",
    ]
    assert generated[1] not in lines
    assert lines["training, processor time"] == ["–", "2 min 0 s", "8 min 20 s"]
    assert lines["of that an epoch"] == ["–", "1 min 0 s", "2 min 46 s"]
    assert lines["limit of lost accuracy kept in validation?"] == ["–", "yes", "yes"]
    assert lines["gradients masked?"] == ["no sign of it", "no sign of it", "unreliable"]
    assert check_rows(found)[2] == ["steps help", "bad", "12.5", "25.0", "no"]


def test_terminal_files_and_figure_say_the_same(found: HardeningResults, folder: Path) -> None:
    text = io.StringIO()
    print_hardening(found, Console(file=text, width=200))
    assert "65.0 [60, 75]" in text.getvalue() and "which meets the goal of 60 %" in text.getvalue()
    table, png, svg = write_hardening(folder, found)
    assert "| clean accuracy | 95.5 [94, 96] |" in table.read_text(encoding="utf-8")
    assert png.stat().st_size > 10_000
    ElementTree.fromstring(svg.read_text(encoding="utf-8"))


def test_the_page_is_generated_and_checked(tmp_path: Path, folder: Path) -> None:
    page = tmp_path / "docs" / "hardening.md"
    page.parent.mkdir()
    page.write_text(PAGE, encoding="utf-8")
    arguments = [str(tmp_path / "results"), str(page)]
    assert main([*arguments, "--check"]) == 1
    assert main(arguments) == 0 and main([*arguments, "--check"]) == 0
    text = page.read_text(encoding="utf-8")
    assert "mondegreen train generator --classifier good" in text
    assert "mondegreen harden --epochs 2\nmondegreen harden --epochs 3\n" in text
    assert (tmp_path / "docs/images/hardening-tones.svg").is_file()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda top: top.update(format=2), "format"),
        (lambda top: top.update(classifiers=top["classifiers"][:1]), "two or more"),
        (lambda top: top["classifiers"][0].update(attacks=[]), "pgd"),
        (lambda top: top["classifiers"][1].update(clean_interval=[0.1]), "clean_interval"),
        (lambda top: top["classifiers"][1].update(unreliable="no"), "unreliable"),
    ],
)
def test_a_damaged_file_is_named(
    folder: Path, change: Callable[[dict[str, Any]], object], word: str
) -> None:
    top = copy.deepcopy(content())
    change(top)
    (folder / "hardening.json").write_text(json.dumps(top), encoding="utf-8")
    with pytest.raises(MondegreenError, match=word):
        load_hardening(folder / "hardening.json")
