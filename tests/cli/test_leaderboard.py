"""The leaderboard's commands: what they show and write, and what they find wrong with an entry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from mondegreen.cli.main import main
from mondegreen.leaderboard.smoke import voices

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "leaderboard"


def entry(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((BOARD / "entries" / f"{name}.json").read_text())
    return found


def said(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must end with a code; return what it said, on one line."""
    capsys.readouterr()
    assert main(words) == code
    out = capsys.readouterr()
    assert "Traceback" not in out.err
    return " ".join(f"{out.out} {out.err}".split())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the result files of the repository."""
    (tmp_path / "results").symlink_to(ROOT / "results")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def voices_folder() -> Iterator[Path]:
    """The synthetic voices that entries are tried on."""
    pytest.importorskip("espeakng_loader", reason="needs the wheel espeakng-loader")
    with voices() as folder:
        yield folder


def broken(place: Path, name: str, **fields: Any) -> str:
    """Write an entry of the repository with changed fields; return its file."""
    content = entry(name)
    for key, value in fields.items():
        one = content[key]
        content[key] = {**one, **value} if isinstance(one, dict) and value else value
    path = place / "mine.json"
    path.write_text(json.dumps(content))
    return str(path)


# ------------------------------------------------------------------ leaderboard


def test_the_boards_are_shown_and_written(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(["leaderboard", str(BOARD), "--out", "board"], 0, capsys)
    assert "spotter-hardened" in text and "fewer than 100" in text
    assert {one.name for one in (place / "board").iterdir()} == {
        "leaderboard.html",
        "leaderboard.md",
        "leaderboard.json",
    }
    boards = json.loads((place / "board" / "leaderboard.json").read_text())
    assert {one["goal"] for one in boards} == {"targeted", "untargeted"}


def test_a_board_is_chosen(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["leaderboard", str(BOARD), "--goal", "untargeted", "--budget", "snr:30"]
    text = said(words, 0, capsys)
    assert "untargeted, SNR ≥ 30 dB" in text and "SNR ≥ 20 dB" not in text
    assert main([*words, "--json"]) == 0
    (board,) = json.loads(capsys.readouterr().out)
    names = [one["entry"] for one in board["standings"]]
    assert names[0] == "spotter-hardened" and names.index("spotter") > 3
    text = said(["leaderboard", str(BOARD), "--channel", "phone-call"], 0, capsys)
    assert "through phone-call" in text


def test_a_board_that_is_not_there_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(["leaderboard", str(BOARD), "--budget", "snr:99"], 2, capsys)
    assert "no board is of that" in text and "snr:30" in text
    assert "holds no entries/" in said(["leaderboard", "results"], 2, capsys)


# ------------------------------------------------------------------ check, without measuring


def test_every_entry_is_whole(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(map(str, (BOARD / "entries").iterdir()))
    text = said(["leaderboard", "check", *files, "--read-only"], 0, capsys)
    assert f"{len(files)} checked, nothing wrong" in text
    assert "Not re-measurable here: its weights are not here: models/ast." in text


def test_what_is_out_of_reach_is_said_to_be(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("spotter-residual", "audited-ds-cnn", "paper-wide-resnet", "audited-ast")
    files = [str(BOARD / "entries" / f"{name}.json") for name in names]
    text = said(["leaderboard", "check", *files], 0, capsys)
    assert text.count("Not re-measurable here") == 4
    assert "residual, learns from training clips" in text
    assert "is a program or a service, which no file may start by itself" in text


def test_weights_and_numbers_that_differ_are_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = entry("spotter-hardened")["classifier"]["sha256"]
    path = broken(place, "spotter", classifier={"sha256": other})
    assert f"sha256 is {other}, but the weights in" in said(
        ["leaderboard", "check", path], 2, capsys
    )
    path = broken(place, "spotter", classifier={"place": "zoo:speech-commands-hardened"})
    assert "Name the weights that were measured" in said(["leaderboard", "check", path], 2, capsys)
    path = broken(place, "spotter", measured=[{"file": "results/no/comparison.json"}])
    assert "does not exist" in said(["leaderboard", "check", path], 2, capsys)


def test_every_wrong_entry_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = broken(place, "spotter", title="")
    worse = place / "worse.json"
    worse.write_text("{")
    text = said(["leaderboard", "check", bad, str(worse)], 2, capsys)
    assert "title: it is empty" in text and "worse.json is not valid JSON" in text
    assert "And 1 more" in text
    assert "name entries" in said(["leaderboard", "check"], 2, capsys)


# ------------------------------------------------------------------ add, and measure again


def test_an_entry_is_written_measured_again_and_found_out(
    place: Path,
    voices_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mondegreen.leaderboard.smoke.PAIRS", 12)
    for command in ("add", "check"):  # the same voices, made once
        there = f"mondegreen.cli.leaderboard_{command}.voices"
        monkeypatch.setattr(there, lambda: nullcontext(voices_folder))
    words = ["leaderboard", "add", "--classifier", "zoo:speech-commands", "--title", "Mine"]
    words += ["--defence", "input:quantize:bits=7", "--authors", "Me", "--out", "mine.json"]
    words += ["--result", "results/spotter-defences/defences.json:quantize:bits=7"]
    words += ["--against", "targeted@snr:25=0.9", "--reported-in", "Table 1"]
    said(words, 0, capsys)
    written = json.loads((place / "mine.json").read_text())
    listed = entry("spotter-quantize")
    assert written["classifier"] == listed["classifier"] and written["data"] == listed["data"]
    assert written["measured"] == listed["measured"]
    assert "exists" in said(words, 2, capsys)

    text = said(["leaderboard", "check", "mine.json"], 0, capsys)
    assert "untargeted pgd:steps=4, snr:25" in text and "nothing wrong" in text

    written["smoke"]["figures"][0]["successes"] = 12  # of 12: the defence would do nothing
    (place / "mine.json").write_text(json.dumps(written))
    text = said(["leaderboard", "check", "mine.json"], 2, capsys)
    assert "targeted generator, snr:20: 100 % is stated" in text
    written["smoke"] = None
    (place / "mine.json").write_text(json.dumps(written))
    assert "has no smoke figures" in said(["leaderboard", "check", "mine.json"], 2, capsys)


def test_an_entry_whose_labels_no_voice_says_has_no_smoke_figures(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mondegreen.cli.leaderboard_add.TEN_WORDS", ("bed", "cat"))
    words = ["leaderboard", "add", "--classifier", "zoo:speech-commands", "--title", "Mine"]
    words += ["--authors", "Me", "--out", "mine.json", "--against", "targeted@snr:30"]
    words += ["--result", "results/spotter-hardening/hardening.json:before"]
    assert "no smoke figures" in said(words, 0, capsys)
    assert json.loads((place / "mine.json").read_text())["smoke"] is None


ADD = {
    "defence": (["--defence", "quantize:bits=7"], "--defence 'quantize:bits=7' is not understood"),
    "claim": (["--against", "both@snr:30"], "--against 'both@snr:30' is not understood"),
    "unsourced": (["--against", "targeted@snr:30=0.5"], "name where the figure stands"),
    "budget": (["--against", "targeted@30"], "budget: '30' is not a budget"),
    "outside": (["--result", "/etc/hardening.json"], "does not lie below"),
    "row": (["--result", "results/spotter-hardening/hardening.json:me"], "there is no row 'me'"),
    "other": (
        ["--result", "results/spotter-hardening/hardening.json:fast"],
        "sha256",
    ),
    "date": (["--date", "today"], "--date 'today' is no date"),
    "weights": (["--classifier", "results"], "results holds no trained classifier"),
}


@pytest.mark.parametrize(("change", "message"), ADD.values(), ids=ADD)
def test_what_cannot_be_added_is_said(
    place: Path, capsys: pytest.CaptureFixture[str], change: list[str], message: str
) -> None:
    given = {
        "--classifier": "zoo:speech-commands",
        "--title": "Mine",
        "--authors": "Me",
        "--out": "mine.json",
        "--result": "results/spotter-hardening/hardening.json:before",
        "--against": "targeted@snr:30",
        change[0]: change[1],
    }
    words = [word for pair in given.items() for word in pair]
    text = said(["leaderboard", "add", *words], 2, capsys)
    assert message in text or (change[1].endswith(":fast") and "fingerprint" in text)
    assert not (place / "mine.json").exists()


def test_on_the_real_clips_the_figures_come_out_again(
    place: Path, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(BOARD / "entries" / "spotter-hardened.json")
    words = ["--data", str(real_data / "speech_commands"), "--pairs", "10"]
    text = said(["leaderboard", "check", file, *words], 0, capsys)
    assert "pgd, snr:" in text and "nothing wrong" in text
    path = broken(place, "spotter-hardened", data={"clips": 369})
    assert "369" in said(["leaderboard", "check", path, *words], 2, capsys)
