"""The commands as a user calls them: what they print, what they write, what they refuse."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.cli.conftest import Trained

from mondegreen.cli.main import COMMANDS, main
from mondegreen.generators.export import export_onnx
from mondegreen.generators.generator import load_generator


def refused(words: list[str], capsys: pytest.CaptureFixture[str], *parts: str) -> str:
    """Run a command that must end with code 2 and a message that holds ``parts``."""
    capsys.readouterr()
    assert main(words) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    flat = " ".join(message.split())
    for part in parts:
        assert part in flat, flat
    return flat


def attack(trained: Trained, out: Path, *words: str, target: str = "high") -> list[str]:
    return [
        *["attack", *words, "--target", target],
        *["--generator", str(trained.generator), "--out", str(out)],
    ]


# ------------------------------------------------------------------ help


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([*name.split(), "--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    assert f"mondegreen {name}" in text
    assert "--" in text


@pytest.mark.parametrize("words", [["nonsense"], ["train"], ["data", "nonsense"]])
def test_unknown_commands_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    refused(words, capsys, "there is no command", "choose from")


def test_unknown_options_exit_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["train", "classifier", "--nonsense", "1"])
    assert exit_.value.code == 2
    refused(["train", "classifier", "--preset", "huge"], capsys, "--preset", "huge", "smoke")


# ------------------------------------------------------------------ training


def test_the_same_command_again_trains_nothing(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = trained.classifier / "checkpoints" / "best" / "classifier.safetensors"
    before = weights.stat().st_mtime_ns
    words = ["train", "classifier", "--preset", "smoke", "--data", str(trained.data)]
    words += ["--cache", str(trained.cache), "--out", str(trained.classifier), "--device", "cpu"]
    assert main(words) == 0
    assert weights.stat().st_mtime_ns == before
    refused([*words, "--training.epochs", "9"], capsys, "another configuration", "training")


def test_training_needs_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "run")]
    refused(["train", "classifier", *out], capsys, "--data is missing")
    missing = str(tmp_path / "nowhere")
    refused(["train", "classifier", "--data", missing, *out], capsys, missing)
    (tmp_path / "empty").mkdir()
    refused(["train", "classifier", "--data", str(tmp_path / "empty"), *out], capsys, "empty")
    assert not (tmp_path / "run").exists()


def test_one_class_is_not_enough(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained.data / "low", tmp_path / "data" / "low")
    words = ["train", "classifier", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "r")]
    refused(words, capsys, "at least two label folders", "'low'")


def test_corrupt_clips_are_named(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained.data, tmp_path / "data")
    bad = tmp_path / "data" / "mid" / "00000003_nohash_0.wav"
    bad.write_bytes(b"this is not a sound file")
    words = ["train", "classifier", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "r")]
    words += ["--cache", str(tmp_path / "cache"), "--preset", "smoke"]
    refused(words, capsys, bad.name, "1 of 90")
    assert not (tmp_path / "r").exists()


def test_a_folder_that_is_no_run_is_not_touched(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    words = ["train", "generator", "--preset", "smoke", "--classifier", str(trained.classifier)]
    refused([*words, "--out", str(tmp_path)], capsys, "is not a run", "--out")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_unknown_targets_are_refused(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "generator", "--preset", "smoke", "--classifier", str(trained.classifier)]
    words += ["--target", "louder", "--out", str(tmp_path / "run")]
    refused(words, capsys, "'louder'", "low")


def test_cuda_without_cuda(
    tmp_path: Path,
    trained: Trained,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    words = ["train", "generator", "--preset", "smoke", "--classifier", str(trained.classifier)]
    refused([*words, "--device", "cuda", "--out", str(tmp_path / "r")], capsys, "--device cpu")


# ------------------------------------------------------------------ attack


def test_attack_prints_json_and_writes_wav(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*attack(trained, tmp_path / "out", str(trained.clip)), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    wanted = ["file", "before", "after", "target", "success", "snr_db", "pesq_nb", "pesq_wb"]
    assert len(rows) == 1
    assert {*wanted, "milliseconds"} <= set(rows[0])
    assert rows[0]["snr_db"] >= 20.0 - 1e-4
    samples, rate = soundfile.read(tmp_path / "out" / f"{trained.clip.stem}.high.wav")
    assert rate == 16_000
    assert len(samples) == 16_000


def test_attack_keeps_the_budget_it_is_given(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*attack(trained, tmp_path, str(trained.clip)), "--json", "--budget", "snr:33.5"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)[0]["snr_db"] >= 33.5 - 1e-4
    refused([*words[:-1], "loud"], capsys, "loud", "snr")


@pytest.mark.parametrize(
    ("subtype", "channels", "rate"),
    [("PCM_U8", 1, 16_000), ("PCM_24", 2, 44_100), ("PCM_32", 1, 8_000), ("FLOAT", 2, 22_050)],
)
def test_attack_takes_files_of_any_kind(
    tmp_path: Path,
    trained: Trained,
    capsys: pytest.CaptureFixture[str],
    subtype: str,
    channels: int,
    rate: int,
) -> None:
    rng = np.random.default_rng(0)
    x = 0.2 * np.sin(2 * np.pi * 300 * np.arange(int(2.3 * rate)) / rate)
    x = x[:, None] + 0.01 * rng.standard_normal((len(x), channels))
    path = tmp_path / "clip.wav"
    soundfile.write(path, x, rate, subtype=subtype)
    assert main([*attack(trained, tmp_path / "out", str(path)), "--json"]) == 0
    row: dict[str, Any] = json.loads(capsys.readouterr().out)[0]
    assert row["windows"] == 3
    assert row["snr_db"] >= 20.0 - 1e-4
    info = soundfile.info(row["output"])
    assert (info.samplerate, info.channels, info.frames) == (rate, channels, len(x))


def test_attack_as_a_stream(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*attack(trained, tmp_path / "out", str(trained.clip)), "--streaming"]
    words += ["--block-ms", "128", "--lookahead-ms", "32"]
    assert main([*words, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert row["latency_ms"] == 160.0
    assert row["real_time_factor"] > 0
    assert row["snr_db"] >= 20.0 - 1e-4
    assert soundfile.info(row["output"]).frames == 16_000
    assert main(words) == 0
    message = " ".join(capsys.readouterr().err.split())
    assert "Latency 160 ms" in message
    assert "of the sound's own time" in message
    refused([*words, "--block-ms", "-3"], capsys, "--block-ms -3")
    refused([*words, "--block-ms", "2000"], capsys, "longer than a clip")


def test_attack_refines(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*attack(trained, tmp_path / "out", str(trained.clip)), "--json"]
    assert main(words) == 0
    plain = soundfile.read(json.loads(capsys.readouterr().out)[0]["output"])[0]
    assert main([*words, "--refine", "3"]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert row["snr_db"] >= 20.0 - 1e-4
    assert not np.array_equal(soundfile.read(row["output"])[0], plain)
    refused([*words, "--quietness", "1.5"], capsys, "quietness")


def test_attack_with_onnx(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["attack", str(trained.clip), "--target", "high", "--backend", "onnx", "--json"]
    words += ["--classifier", str(trained.classifier), "--out", str(tmp_path / "out")]
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    file = tmp_path / "generator.onnx"
    refused([*words, "--generator", str(tmp_path)], capsys, "generator.onnx does not exist")
    export_onnx(load_generator(trained.generator), file)
    made = []
    for generator in (file, tmp_path):
        assert main([*words, "--generator", str(generator)]) == 0
        made.append(soundfile.read(json.loads(capsys.readouterr().out)[0]["output"])[0])
    assert main([*attack(trained, tmp_path / "torch", str(trained.clip)), "--json"]) == 0
    made.append(soundfile.read(json.loads(capsys.readouterr().out)[0]["output"])[0])
    assert np.array_equal(made[0], made[1])
    np.testing.assert_allclose(made[0], made[2], atol=2e-4)


def test_clips_of_one_name_do_not_overwrite_each_other(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    other = trained.data / "mid" / trained.clip.name
    words = attack(trained, tmp_path, str(trained.clip), str(other))
    assert main([*words, "--json"]) == 0
    outputs = {row["output"] for row in json.loads(capsys.readouterr().out)}
    assert len(outputs) == 2
    assert all(Path(output).is_file() for output in outputs)


def test_no_input_is_overwritten(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "x.wav", tmp_path / "x.high.wav"
    shutil.copy(trained.clip, first)
    shutil.copy(trained.data / "mid" / trained.clip.name, second)
    before = second.read_bytes()
    assert main([*attack(trained, tmp_path, str(first), str(second)), "--json"]) == 0
    assert second.read_bytes() == before
    outputs = {Path(row["output"]).name for row in json.loads(capsys.readouterr().out)}
    assert outputs == {"x-2.high.wav", "x.high.high.wav"}


def test_silent_clips_are_left_silent(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "silent.wav"
    soundfile.write(path, np.zeros(16_000), 16_000)
    assert main([*attack(trained, tmp_path / "out", str(path)), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert row["snr_db"] is None
    assert row["pesq_nb"] is None
    assert not soundfile.read(row["output"])[0].any()


def test_good_clips_are_attacked_beside_bad_ones(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    nan = tmp_path / "nan.wav"
    soundfile.write(nan, np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    text = tmp_path / "text.wav"
    text.write_text("not audio")
    words = attack(trained, tmp_path / "out", str(nan), str(trained.clip), str(text), "gone.wav")
    refused(words, capsys, "nan.wav", "NaN", "text.wav", "gone.wav")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{trained.clip.stem}.high.wav"]


def test_attack_refuses_what_it_cannot_do(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = str(trained.clip)
    refused(attack(trained, tmp_path, clip, target="loud"), capsys, "'loud'", "low, mid")
    words = ["attack", clip, "--target", "low", "--out", str(tmp_path)]
    nowhere = str(tmp_path / "nowhere")
    refused([*words, "--generator", nowhere], capsys, nowhere)


def test_another_classifiers_generator_is_refused(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    words = ["train", "classifier", "--preset", "smoke", "--data", str(trained.data)]
    words += ["--cache", str(trained.cache), "--out", str(other), "--training.epochs", "1"]
    assert main([*words, "--training.seed", "5"]) == 0
    words = attack(trained, tmp_path, str(trained.clip))
    refused([*words, "--classifier", str(other)], capsys, "trained against another classifier")


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path,
    trained: Trained,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mondegreen.sound_files.soundfile.SoundFile.write", full)
    out = tmp_path / "out"
    refused(attack(trained, out, str(trained.clip)), capsys, "No space left", str(out))
    assert list(out.iterdir()) == []


# ------------------------------------------------------------------ evaluate and report


def test_evaluate_writes_results_and_reuses_them(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "evaluation"
    words = ["evaluate", "--generator", str(trained.generator), "--out", str(out)]
    words += ["--quality-pairs", "2", "--samples", "1", "--timing-repeats", "1"]
    assert main(words) == 0
    assert "Success" in capsys.readouterr().out
    content = json.loads((out / "results.json").read_text())
    assert content["pairs"] == 2 * content["dataset"]["clips"]
    assert content["budget"] == {"kind": "snr", "value": 25.0}
    assert content["snr_db"]["min"] >= 20.0 - 1e-4
    assert content["generator"]["macs"] > 1_000_000
    page = (out / "report.html").read_text()
    assert "<html" in page
    before = (out / "results.json").stat().st_mtime_ns
    assert main(words) == 0
    assert (out / "results.json").stat().st_mtime_ns == before
    assert main(["report", str(out)]) == 0
    assert (out / "figures" / "success_matrix.svg").is_file()


def test_evaluate_refuses_results_of_other_weights(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    generator, out = tmp_path / "generator", tmp_path / "evaluation"
    shutil.copytree(trained.generator, generator)
    words = ["evaluate", "--generator", str(generator), "--out", str(out)]
    words += ["--quality-pairs", "0", "--samples", "0", "--timing-repeats", "1"]
    assert main(words) == 0
    again = ["train", "generator", "--preset", "smoke", "--classifier", str(trained.classifier)]
    again += ["--out", str(tmp_path / "other"), "--training.epochs", "1", "--training.seed", "9"]
    assert main(again) == 0
    shutil.rmtree(generator / "checkpoints")
    shutil.copytree(tmp_path / "other" / "checkpoints", generator / "checkpoints")
    refused(words, capsys, "measured with other weights", str(out))


def test_changes_to_the_data_options_count_without_data(
    tmp_path: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--generator", str(trained.generator), "--out", str(tmp_path / "e")]
    refused([*words, "--split", "official"], capsys, "validation_list.txt")
    refused([*words, "--batch-size", "0"], capsys, "batch-size")


def test_report_needs_an_evaluation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(["report", str(tmp_path)], capsys, "results.json")


def test_interrupting_says_how_to_continue(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mondegreen.cli.report.run", interrupt)
    assert main(["report", "somewhere"]) == 130
    assert "run it again with:\n  mondegreen report somewhere\n" in capsys.readouterr().err
