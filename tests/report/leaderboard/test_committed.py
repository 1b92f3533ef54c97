"""The entries of the repository: their figures are those of the result files, row by row."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mondegreen.report import paper
from mondegreen.report.docs_leaderboard import main
from mondegreen.report.leaderboard.boards import Leaderboard, load_leaderboard
from mondegreen.report.leaderboard.entry import Entry
from mondegreen.report.leaderboard.flags import counterpart, meet
from mondegreen.zoo import models

ROOT = Path(__file__).parents[3]
BOARD = ROOT / "leaderboard"


@pytest.fixture(scope="module")
def board() -> Leaderboard:
    return load_leaderboard(BOARD)


def content(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "results" / file).read_text())
    return found


def entry(board: Leaderboard, name: str) -> Entry:
    found = board.listing(name)
    assert found is not None, name
    return found.entry


def robust(board: Leaderboard, name: str, goal: str, budget: str) -> dict[str, float]:
    """Return the robust share by attack; the least where several files measured it."""
    listing = board.listing(name)
    assert listing is not None
    found: dict[str, float] = {}
    for row in listing.rows:
        if (row.goal, row.budget, row.channel) == (goal, budget, ""):
            found[row.attack] = min(row.robust, found.get(row.attack, 1.0))
    return found


def test_hardened_rows_are_read_whole(board: Leaderboard) -> None:
    file = "spotter-hardening/hardening.json"
    named = {
        reference.row: one.entry.name
        for one in board.listings
        for reference in one.entry.measured
        if str(reference.file) == f"results/{file}" and len(one.entry.measured) == 1
    }
    measured = {one["name"]: one for one in content(file)["classifiers"]}
    assert len(named) >= 7 and named.keys() <= measured.keys()
    for row, name in named.items():
        assert row is not None
        listing, attacks = board.listing(name), measured[row]["attacks"]
        assert listing is not None and len(listing.rows) == len(attacks)
        for attack in attacks:
            budget = f"snr:{attack['budget']['value']:g}"
            mine = robust(board, name, attack["goal"], budget)[attack["label"]]
            assert mine == pytest.approx(1.0 - attack["success_rate"])


def test_defended_rows_are_those_of_the_cells(board: Leaderboard) -> None:
    found = content("spotter-defences/defences.json")
    spec = "quantize:bits=7"
    wanted = {
        (row["label"], row["budget"]["value"], row["knows"] in (spec, "*")): cell["success_rate"]
        for row in found["rows"]
        for cell in row["cells"]
        if cell["defence"] == spec
    }
    listing = board.listing("spotter-quantize")
    assert listing is not None
    mine = {
        (
            row.attack,
            float(row.budget.removeprefix("snr:")),
            "defence" in row.knowledge,
        ): row.success
        for row in listing.rows
    }
    assert mine == wanted and any(knows for _, _, knows in mine)


def test_channels_are_boards_of_their_own(board: Leaderboard) -> None:
    found = content("spotter-channels/channels.json")
    place = [one["channel"] for one in found["channels"]].index("phone-call")
    rates = [
        row["cells"][place]["success_rate"]
        for row in found["rows"]
        if row["budget"]["value"] == 25.0
    ]
    (one,) = [
        each for each in board.boards if (each.channel, each.budget) == ("phone-call", "snr:25")
    ]
    (spotter,) = one.standings
    assert spotter.worst.success == max(rates)
    assert spotter.clean_accuracy == found["channels"][place]["clean_accuracy"]


def test_audits_count_their_own_pairs(board: Leaderboard) -> None:
    found = content("audit-wav2vec2/audit.json")
    fewest = min(one["pairs"] for one in found["cells"])
    listing = board.listing("audited-wav2vec2")
    assert listing is not None and min(row.pairs for row in listing.rows) == fewest


def test_generators_of_a_reproduction_count_on_all_of_their_pairs(board: Leaderboard) -> None:
    settings = {
        one["key"]: one for one in content("reproduction-cpu/reproduction.json")["settings"]
    }
    for name, key, kinds in (
        ("wide-resnet", "speech", ("single", "unified", "spectral")),
        ("sample-cnn-sounds", "sounds", ("unified", "spectral")),
    ):
        listing = board.listing(f"reproduction-{name}")
        assert listing is not None
        found = {(row.attack, row.pairs): row for row in listing.rows}
        for kind in kinds:
            one = settings[key]["generators"][kind]
            label = "generator" if kind == "single" else f"generator:{kind}"
            row = found[label, one["pairs"]]
            assert row.success == one["success_rate"]
            assert row.interval == tuple(one["success_interval"])
            assert row.groups == settings[key]["groups"] and row.knowledge == "generator"
    beside = {}
    for one, threat in board.reported:
        listing = board.listing(one.beside or one.name)
        nearest = None if listing is None else counterpart(threat, listing.rows)
        beside[one.name] = nearest and (nearest.attack, nearest.pairs)
    assert beside["paper-wide-resnet"] == ("generator", 3330)
    assert beside["paper-sample-cnn"] == ("generator:unified", 3249)


def test_every_board_keeps_the_rule_of_its_ranks(board: Leaderboard) -> None:
    for one in board.boards:
        sure = [each for each in one.standings if each.rank is not None]
        for each in sure:
            shared = [
                first.rank
                for place, first in enumerate(sure, start=1)
                if first.rank == place
                and meet(first.worst.robust_interval, each.worst.robust_interval)
            ]
            assert each.rank == min(filter(None, shared)), (one.goal, one.budget, each.entry.name)


def test_the_paper_is_reported_and_not_measured(board: Leaderboard) -> None:
    for name, setting in (("wide-resnet", paper.SPEECH), ("sample-cnn", paper.SETTINGS[1])):
        one = entry(board, f"paper-{name}")
        (threat,) = one.threats
        assert threat.reported is not None and not one.measured
        assert threat.reported.robust == pytest.approx(1.0 - setting.proposed.success_rate)
        assert threat.reported.clean_accuracy == setting.clean_accuracy
        assert one.classifier.parameters == setting.classifier_parameters
        assert f"{setting.proposed.snr_db:g} dB" in threat.reported.source
        assert not any(s.entry is one for b in board.boards for s in b.standings)


def test_every_classifier_that_ships_has_an_entry_that_is_checked(board: Leaderboard) -> None:
    shipped = [one.entry for one in board.listings if one.entry.shipped]
    assert {one.classifier.place for one in shipped} == {f"zoo:{name}" for name in models()}
    assert all(one.smoke is not None for one in shipped)


def test_the_page_is_in_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "leaderboard.md"
    shutil.copy(ROOT / "docs" / "leaderboard.md", page)
    assert main([str(BOARD), str(page), "--check"]) == 0
    page.write_text(page.read_text().replace("| 1 | spotter", "| 2 | spotter", 1))
    assert main([str(BOARD), str(page), "--check"]) == 1
    assert "spotter" in capsys.readouterr().out


def test_more_rows_in_a_result_file_break_nothing(tmp_path: Path) -> None:
    shutil.copytree(BOARD, tmp_path / "leaderboard")
    shutil.copytree(ROOT / "results", tmp_path / "results")
    hardening = tmp_path / "results/spotter-hardening/hardening.json"
    found = json.loads(hardening.read_text())
    more = json.loads(json.dumps(found["classifiers"][1]))
    more["name"] = "yet another"
    more["classifier"]["fingerprint"] = "0" * 16
    stronger = {**found["classifiers"][1]["attacks"][0], "label": "pgd of another kind"}
    stronger.update(success_rate=1.0, success_interval=[0.97, 1.0])
    found["classifiers"][1]["attacks"].append(stronger)
    found["classifiers"].insert(1, more)
    hardening.write_text(json.dumps(found))
    defences = tmp_path / "results/spotter-defences/defences.json"
    found = json.loads(defences.read_text())
    row = json.loads(json.dumps(next(one for one in found["rows"] if one["knows"] == "residual")))
    row["label"] = "pgd:steps=50,shaping=0"
    found["rows"].append(row)
    defences.write_text(json.dumps(found))
    board = load_leaderboard(tmp_path / "leaderboard")
    budget = f"snr:{stronger['budget']['value']:g}"
    assert robust(board, "spotter-hardened", "untargeted", budget)["pgd of another kind"] == 0.0
    listing = board.listing("spotter-residual")
    assert listing is not None and row["label"] in {one.attack for one in listing.rows}
