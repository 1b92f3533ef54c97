"""What careless users type: nothing of theirs is lost, and what was wrong is said."""

from __future__ import annotations

import io
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import soundfile
from tests.cli.conftest import Trained

from mondegreen.cli.demo import _start_over
from mondegreen.cli.ending import end_with_code
from mondegreen.cli.main import main
from mondegreen.data.synthetic_speech import SyntheticSpeechConfig, synthesize_speech
from mondegreen.errors import MondegreenError
from mondegreen.runs import lock_folder


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def said(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(words) == code
    found = capsys.readouterr()
    return " ".join((found.out + found.err).split())


@pytest.mark.parametrize("name", ["speech", "classifier", "generator", "evaluation", "cache"])
def test_a_demo_that_starts_over_deletes_nothing_of_others(
    trained: Trained, tmp_path: Path, name: str
) -> None:
    for stage in ("classifier", "generator"):
        shutil.copytree(getattr(trained, stage), tmp_path / stage)
    if name in ("classifier", "generator"):
        (tmp_path / name / "env.json").write_text('{"mine": true}')
    else:
        (tmp_path / name).mkdir()
        (tmp_path / name / "interviews.txt").write_text("months of work")
    before = content(tmp_path)
    with pytest.raises(MondegreenError, match=name):
        _start_over(tmp_path)
    assert content(tmp_path) == before


def test_a_demo_starts_over(trained: Trained, tmp_path: Path) -> None:
    shutil.copytree(trained.classifier, tmp_path / "classifier")
    shutil.copytree(trained.cache, tmp_path / "cache")
    synthesize_speech(
        tmp_path / "speech",
        SyntheticSpeechConfig(speakers=2, words=("yes", "no"), other_words=(), noise_seconds=1),
    )
    (tmp_path / "notes.txt").write_text("mine")
    with lock_folder(tmp_path / "evaluation"):
        _start_over(tmp_path)  # an empty folder, which nobody else works in
    assert set(content(tmp_path)) == {"notes.txt"}


def test_attacked_clips_never_replace_those_that_were_given(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "w"
    place.mkdir()
    for name in ("a.wav", "a.high.wav"):
        shutil.copy(trained.clip, place / name)
    (tmp_path / "link").symlink_to(place)
    before = content(place)
    monkeypatch.chdir(place)
    for out in ("../w", "../link", "."):
        words = ["attack", "a.wav", "a.high.wav", "--target", "high", "--out", out]
        assert main([*words, "--generator", str(trained.generator)]) == 0
        after = content(place)
        assert {name: after[name] for name in before} == before


def test_a_target_is_named_once(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--generator", str(trained.generator), "--out", str(tmp_path / "run")]
    text = said([*words, "--target", "high", "high"], 2, capsys)
    assert "--target high high: name each label once" in text
    for option, number in (("--pairs", "-7"), ("--quality-pairs", "-2"), ("--pairs", "0")):
        assert "or -1 for all" in said([*words, option, number], 2, capsys)


def test_a_folder_with_settings_of_others_is_no_run(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "events").write_text("mine")
    words = ["defend", "--classifier", str(trained.classifier), "--defence", "median:samples=3"]
    training = ["train", "classifier", "--preset", "smoke", "--data", str(trained.data)]
    for config in (None, '{"my": "settings"}', "[1]", "mine"):
        if config is not None:
            (tmp_path / "config.json").write_text(config)
        before = content(tmp_path)
        for command in (words, training):
            assert "is not a run" in said([*command, "--out", str(tmp_path)], 2, capsys)
        assert content(tmp_path) == before


def test_an_adoption_that_was_ended_can_be_repeated(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONDEGREEN_ALLOWED", str(tmp_path / "allowed"))
    strangers = Path(__file__).parents[1] / "classifiers" / "strangers"
    monkeypatch.chdir(tmp_path)
    shutil.copy(strangers / "raw.py", "their_raw_too.py")
    words = ["adopt", "their_raw_too.py:Raw", "--labels", "low", "mid", "high", "--out", "mine"]
    words += ["--sample-rate", "8000"]

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mondegreen.cli.adopt.save_sheet", ended)
        assert main(words) == 130
    assert main(words) == 0
    Path("mine/classifier.json").unlink()
    Path("mine/env.json").write_text('{"of": "another program"}')
    assert main(words) == 2


def test_going_on_with_a_demo_does_not_start_over(capsys: pytest.CaptureFixture[str]) -> None:
    def ended() -> None:
        raise KeyboardInterrupt

    assert end_with_code(ended, ["demo", "--fresh", "--out", "d"]) == 130
    assert "mondegreen demo --out d\n" in capsys.readouterr().err


def test_labels_in_brackets_are_shown(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in ("[unk]", "[b]"):
        shutil.copytree(trained.data / "low", tmp_path / "data" / label)
    text = said(["data", "info", "--data", str(tmp_path / "data")], 0, capsys)
    assert "[unk]" in text and "[b]" in text


def test_a_reproduction_keeps_its_device_and_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mondegreen.cli.reproduce.run_stages", lambda *_, **__: {})
    monkeypatch.setattr("mondegreen.cli.reproduce._finish", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    words = ["reproduce", "--preset", "smoke", "--out", "rep"]
    assert "--jobs is -1" in said([*words, "--jobs", "-1"], 2, capsys)
    text = said([*words, "--music-lists", "nowhere"], 2, capsys)
    assert "--music-lists is given without --music" in text
    said(words, 0, capsys)
    Path("rep/stages").mkdir()  # from now on it is begun
    said(words, 0, capsys)
    for other in (["--device", "cpu"], ["--cache", "c"], ["--out", str(tmp_path / "rep")]):
        assert "differs in" in said([*words, *other], 2, capsys)


def test_a_message_with_brackets_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert r"x\[/b] y" in said(["report", r"x\[/b] y"], 2, capsys)


def test_rates_and_lengths_have_a_limit(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data", "info", "--data", str(trained.data), "--cache", str(tmp_path / "cache")]
    text = said([*words, "--sample-rate", "999999999"], 2, capsys)
    assert "--sample-rate is 999999999; 768000 is the most" in text
    text = said([*words, "--clip-samples", "999999999999"], 2, capsys)
    assert "No space left" in text and "999,999,999,999 samples take" in text
    assert not any((tmp_path / "cache").iterdir())


def test_a_terminal_that_lacks_a_character_shows_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for label in ("Ärger", "no"):
        (tmp_path / label).mkdir()
        for number in range(60):
            place = tmp_path / label / f"{number:08x}_nohash_0.wav"
            soundfile.write(place, [0.0, 0.5] * 500, 16_000)
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    assert main(["data", "info", "--data", str(tmp_path)]) == 0
    sys.stdout.flush()
    assert b"?rger" in shown.getvalue()


def test_help_into_a_full_disk_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    for word in ("--help", "--version"):
        full = Path("/dev/full").open("w")  # noqa: SIM115 (closing it fails as well)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", full)
            assert main([word]) == 2
        with suppress(OSError):
            full.close()


def test_folders_that_begin_with_a_dash() -> None:
    from mondegreen.cli.clips import data_words
    from mondegreen.data.options import DataOptions

    words = data_words(DataOptions(data=Path("-clips"), limit=3))
    assert words == ("--data=-clips", "--limit", "3")
