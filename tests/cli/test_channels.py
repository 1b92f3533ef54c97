"""``mondegreen channels``, and channels in ``evaluate`` and ``train generator``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Trained

from mondegreen.cli.main import main
from mondegreen.cli.options import join_repeated


def test_channels_are_measured_and_joined(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["channels", "--generator", str(trained.generator), "--pairs", "6", "--device", "cpu"]
    words += ["--channel", "lowpass:hz=2000", "--channel", "noise:snr_db=5+gain:db=-6"]
    words += ["--budgets", "snr:20", "--out", str(out), "--attacks", "generator"]
    assert main(words) == 0
    assert "lowpass:hz=2000" in capsys.readouterr().out
    more = "pgd:steps=1,draws=2,channel=lowpass:hz=2000"
    assert main([*words, more, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content == json.loads((out / "channels.json").read_text())
    assert [row["label"] for row in content["rows"]] == ["generator", more]
    assert [one["channel"] for one in content["channels"]] == [
        "lowpass:hz=2000",
        "noise:snr_db=5+gain:db=-6",
    ]
    assert (out / "table.md").is_file() and (out / "figures" / "channels.svg").is_file()
    assert len(list((out / "rows").glob("*.json"))) == 2
    assert main([*words, "--seed", "3"]) == 2, "another seed in the same folder"


def test_several_generators_share_a_table(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [str(trained.generator), str(trained.generator)]
    words = ["channels", "--generator", *both, "--pairs", "3", "--device", "cpu"]
    words += ["--channel", "gain", "--attacks", "generator+1", "--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert "each its own" in capsys.readouterr().err
    assert main([*words, "--names", "first", "second", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [row["label"] for row in content["rows"]] == ["first+1", "second+1"]


def test_an_evaluation_listens_through_channels(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["evaluate", "--generator", str(trained.generator), "--quality-pairs", "0"]
    words += ["--timing-repeats", "0", "--device", "cpu", "--out", str(out)]
    assert main([*words, "--channel", "gain:db=0", "--channel", "quantize:bits=4"]) == 0
    shown = capsys.readouterr().out
    assert "same clips after a channel" in shown and "quantize:bits=4" in shown
    content = json.loads((out / "results.json").read_text())
    same, coarse = content["channels"]
    assert same["success_rate"] == content["success_rate"]
    assert coarse["channel"] == "quantize:bits=4"
    assert "<code>quantize:bits=4</code>" in (out / "report.html").read_text()
    assert main([*words, "--channel", "nonsense"]) == 2
    assert "over-the-air" in capsys.readouterr().err


def test_a_generator_is_trained_through_channels(trained: Trained, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["train", "generator", "--preset", "smoke", "--classifier", str(trained.classifier)]
    words += ["--training.epochs", "1", "--device", "cpu", "--out", str(out)]
    words += ["--channel", "phone-call", "--channel", "quantize:bits=8", "--channel-share", "0.5"]
    assert main(words) == 0
    saved = json.loads((out / "config.json").read_text())
    assert saved["channel"] == ["phone-call", "quantize:bits=8"]
    line = json.loads((out / "metrics.jsonl").read_text().splitlines()[0])
    mean = (line["validation/direct"] + line["validation/channels"]) / 2
    assert line["validation/success"] == pytest.approx(mean)
    assert main([*words, "--channel-share", "2"]) == 2


def test_repeated_options_are_joined_and_others_left_alone() -> None:
    words = ["--out", "x", "--channel", "a", "b", "--json", "--channel=c:d=1"]
    assert join_repeated(words, "--channel") == [
        "--out",
        "x",
        "--json",
        "--channel",
        "a",
        "b",
        "c:d=1",
    ]
    assert join_repeated(["--out", "x"], "--channel") == ["--out", "x"]
