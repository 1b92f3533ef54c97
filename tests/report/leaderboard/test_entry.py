"""Entries are read strictly: whatever is wrong is named, and nothing hostile takes long."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.report.leaderboard.workshop import ENTRY, Workshop

from mondegreen.errors import MondegreenError
from mondegreen.report.leaderboard.entry import MAX_BYTES, Entry, load_entry

Change = Callable[[dict[str, Any]], None]


def changed(path: str, value: Any) -> Change:
    """Return what sets a field, named by a path with dots."""

    def change(entry: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        place: Any = entry
        for name in parents:
            place = place[int(name)] if name.isdigit() else place[name]
        place[last] = value

    return change


def without(path: str) -> Change:
    def change(entry: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        place: Any = entry
        for name in parents:
            place = place[name]
        del place[last]

    return change


REPORTED = {"source": "Table 1", "success_rate": 0.4, "pairs": 50}

WRONG: dict[str, tuple[Change, str]] = {
    "format": (changed("format", 2), "format: this version reads format 1"),
    "misspelt": (changed("titel", "x"), "titel: there is no such field"),
    "no title": (changed("title", " "), "title: it is empty"),
    "long title": (changed("title", "x" * 121), "title: 121 characters; 120"),
    "two lines": (changed("title", "a\nb"), "title: it holds characters that are not shown"),
    "backwards": (changed("title", "a\u202eb"), "title: it holds characters that are not shown"),
    "authors missing": (without("reported_by.authors"), "reported_by: authors: the field is miss"),
    "no such day": (changed("reported_by.date", "2026-02-30"), "date: there is no day 2026-02-30"),
    "date in words": (changed("reported_by.date", "today"), "date: 'today' is not a date"),
    "script as link": (changed("reported_by.link", "javascript:x"), "link: 'javascript:x' begins"),
    "sha cut": (changed("classifier.sha256", "ab"), "sha256: 'ab' is not 64 hexadecimal digits"),
    "no fingerprint": (changed("classifier.fingerprint", None), "needs its fingerprint"),
    "half parameters": (changed("classifier.parameters", 1.5), "parameters: expected a count"),
    "kind of defence": (changed("defence.kind", "magic"), "kind: 'magic' is none of: none, input"),
    "unnamed defence": (changed("defence.kind", "input"), "spec: name the defence"),
    "named nothing": (changed("defence.spec", "pgd"), "spec: 'pgd' is named, and the kind"),
    "no threat": (changed("threat_models", []), "threat_models: name at least one"),
    "goal": (changed("threat_models.0.goal", "both"), "goal: 'both' is none of: untargeted"),
    "budget": (changed("threat_models.0.budget", "30 dB"), "budget: '30 dB' is not a budget"),
    "knowledge": (changed("threat_models.0.knowledge", "all"), "knowledge: 'all' is none of"),
    "rate": (
        changed("threat_models.0.reported", {**REPORTED, "success_rate": 1.2}),
        "success_rate: expected a rate between 0 and 1",
    ),
    "both rates": (
        changed("threat_models.0.reported", {**REPORTED, "robust_accuracy": 0.6}),
        "robust_accuracy: give it or success_rate",
    ),
    "no source": (
        changed("threat_models.0.reported", {"success_rate": 0.4}),
        "source: the field is missing",
    ),
    "measured elsewhere": (
        changed("measured.0.file", "../../secret/comparison.json"),
        "file: expected a .json file below",
    ),
    "absolute": (changed("measured.0.file", "/etc/x.json"), "file: expected a .json file below"),
    "nothing known": (changed("measured", []), "nothing is reported, and nothing measured"),
    "measured typed in": (
        changed("measured.0.success_rate", 0.0),
        "success_rate: there is no such",
    ),
    "too many": (
        changed("threat_models", ENTRY["threat_models"] * 201),
        "threat_models: 201 objects; 200 are allowed",
    ),
    "shipped, nameless": (
        lambda entry: entry["classifier"].update(place="zoo:x", sha256=None),
        "weights that come with the package need their sha256",
    ),
    "smoke": (
        changed("smoke", {"corpus": "v", "clips": 5, "right": 6, "figures": []}),
        "right: 6 of 5 clips make no sense",
    ),
}


def read(workshop: Workshop) -> Entry:
    return load_entry(workshop.write())


def test_an_entry_says_what_its_file_says(workshop: Workshop) -> None:
    workshop.entry["threat_models"][0]["reported"] = REPORTED
    entry = read(workshop)
    assert (entry.name, entry.title) == ("mine", "A spotter")
    (threat,) = entry.threats
    assert threat.reported is not None and threat.reported.robust == pytest.approx(0.6)
    low, high = threat.reported.interval
    assert low < 0.6 < high and (low, high) == pytest.approx((0.4618, 0.7239), abs=1e-3)  # Wilson
    assert not entry.shipped


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(workshop: Workshop, change: Change, message: str) -> None:
    change(workshop.entry)
    with pytest.raises(MondegreenError) as caught:
        read(workshop)
    assert message in str(caught.value)
    assert "mine.json" in str(caught.value)


HOSTILE = {
    "deep": "[" * 100_000,
    "nan": json.dumps({**ENTRY, "format": float("nan")}),
    "huge number": '{"format": ' + "9" * 5000 + "}",
    "twice": '{"format": 1, "format": 1}',
    "list": "[]",
    "half a character": '{"title": "\\ud800"}',
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused(workshop: Workshop, text: str) -> None:
    path = workshop.write()
    path.write_text(text[:MAX_BYTES], encoding="utf-8")
    with pytest.raises(MondegreenError, match="mine"):
        load_entry(path)


def test_a_large_file_is_refused_before_it_is_read(workshop: Workshop) -> None:
    path = workshop.write(note="x" * MAX_BYTES)
    with pytest.raises(MondegreenError, match="an entry has 65536 at most"):
        load_entry(path)


def test_a_name_that_is_no_anchor_is_refused(workshop: Workshop) -> None:
    with pytest.raises(MondegreenError, match="small letters"):
        load_entry(workshop.write(name="My Entry"))
