from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mondegreen.errors import MondegreenError
from mondegreen.report.docs_results import main, render_results
from mondegreen.report.results import load_results
from mondegreen.report.terminal import print_results

Build = Callable[..., Path]


@pytest.fixture
def root(build: Build, tmp_path: Path) -> Path:
    def change(content: dict[str, Any]) -> None:
        content["classifier"]["name"] = "toy|net <b>"

    root = tmp_path / "results"
    root.mkdir()
    build(sounds=0, change=change).rename(root / "toy-20db")
    (root / "spotter").mkdir()
    summary = {"test/accuracy": 0.951, "command": "mondegreen train classifier"}
    (root / "spotter" / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    (root / "README.md").write_text("not a result", encoding="utf-8")
    return root


def table(text: str, heading: str) -> list[list[str]]:
    part = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in part.splitlines() if line.startswith("|")]
    return [[c.strip() for c in row.replace("\\|", "¦").strip("|").split("|")] for row in rows]


def test_one_row_a_result_below_the_papers(root: Path) -> None:
    text = render_results(root)
    head, rule, *rows = table(text, "All results")
    assert len({len(row) for row in (head, rule, *rows)}) == 1
    assert [row[0] for row in rows[:6]] == ["*reported (paper)*"] * 6
    assert len(rows) == 7
    measured = dict(zip(head, rows[-1], strict=True))
    assert measured["result"] == "[toy-20db](#toy-20db)"
    assert measured["classifier"] == "toy¦net &lt;b> on tones"
    assert measured["clips / pairs"] == "6 / 12"
    assert measured["success"] == "**50.00 %** (25.0–75.0)"
    assert measured["right"] == "62.50 %" and measured["nothing"] == "4.17 %"
    assert measured["SNR mean / median / worst (dB)"] == "20.61 / 20.55 / 20.00 (1 failed)"
    assert measured["PESQ nb"] == "3.200 (1 failed)" and measured["PESQ wb"] == "– (no extra)"
    assert measured["ms"] == "13.71" and measured["MACs"] == "98.00 M"
    reported = dict(zip(head, rows[0], strict=True))
    assert (reported["success"], reported["PESQ nb"], reported["ms"]) == (
        "92.33 %",
        "3.087",
        "9 (Titan X)",
    )


def test_qualities_of_fewer_pairs_say_of_how_many(build: Build, tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["pairs"] = 3330
        content["snr_db"].update(failed=2, pairs=3330)
        content["pesq_nb"].update(failed=18, pairs=1000)
        content["stoi"].update(failed=0, pairs=1000)

    root = tmp_path / "fewer"
    root.mkdir()
    build(sounds=0, change=change).rename(root / "toy")
    text = render_results(root)
    head, _, *rows = table(text, "All results")
    measured = dict(zip(head, rows[-1], strict=True))
    assert measured["SNR mean / median / worst (dB)"].endswith(" (2 failed)")
    assert measured["PESQ nb"] == "3.200 (18 of 1,000 failed)"
    assert measured["STOI"].endswith(" (of 1,000)")
    assert "of the pairs listened to" in text


def test_targets_classifiers_and_commands(root: Path) -> None:
    text = render_results(root)
    assert [row[:3] for row in table(text, "toy-20db")[2:]] == [
        [label, "50.0 %", "20.50"] for label in ("low", "mid", "high")
    ]
    assert table(text, "Trainings")[2] == [
        "spotter",
        "95.10 %",
        "– accuracy",
        "–",
        "`mondegreen train classifier`",
    ]
    assert "```console\nmondegreen evaluate --generator runs/generator\n```" in text
    assert "Toy CPU" in text and "1 of them silent" in text and "make results" in text


def test_no_results_yet(tmp_path: Path) -> None:
    text = render_results(tmp_path)
    assert "No results yet." in text
    assert len(table(text, "All results")) == 2 + 6


def test_check_tells_whether_the_page_is_in_step(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "results.md"
    arguments = [str(root), str(page)]
    assert main([*arguments, "--check"]) == 1
    assert not page.exists()
    assert main(arguments) == 0
    assert page.read_text(encoding="utf-8") == render_results(root)
    assert main([*arguments, "--check"]) == 0
    capsys.readouterr()
    page.write_text(page.read_text(encoding="utf-8").replace("50.00 %", "99.99 %"))
    assert main([*arguments, "--check"]) == 1
    captured = capsys.readouterr()
    assert "-" in captured.out and "**99.99 %**" in captured.out and "**50.00 %**" in captured.out
    assert "out of step" in captured.err
    assert "99.99 %" in page.read_text(encoding="utf-8")


def test_damage_is_a_user_error(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "spotter" / "summary.json").write_text('{"test/accuracy": 95.1}', encoding="utf-8")
    with pytest.raises(MondegreenError, match="test/accuracy"):
        render_results(root)
    assert main([str(root), str(tmp_path / "page.md")]) == 2
    assert "summary.json" in capsys.readouterr().err
    with pytest.raises(MondegreenError, match="is not a folder"):
        render_results(root / "nowhere")


def test_terminal_shows_measured_beside_reported(build: Build) -> None:
    def change(content: dict[str, Any]) -> None:
        content["classifier"]["name"] = "toy[/bold]net"

    results = load_results(build(sounds=0, change=change) / "results.json")
    console = Console(width=120, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        print_results(results, console)
    lines = capture.get().splitlines()
    assert any("generator against toy[/bold]net" in line for line in lines)
    success = next(line for line in lines if "Success, all pairs" in line)
    assert "50.00 %" in success and "92.33 %" in success
    assert any("SNR, mean" in line and "20.61 dB" in line and "20.27 dB" in line for line in lines)
