from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from mondegreen.data import TEN_WORDS, background_noise_files, speech_commands, unlabelled
from mondegreen.data import synthetic_speech as module
from mondegreen.data.espeak import find_engine
from mondegreen.data.speech_engine import SpeechEngine, Utterance
from mondegreen.data.synthetic_speech import SyntheticSpeechConfig, is_complete, synthesize_speech
from mondegreen.errors import MondegreenError

TINY = SyntheticSpeechConfig(
    speakers=3, takes=2, seed=11, words=("yes", "up"), other_words=("bed",), noise_seconds=2
)


class Interrupting:
    """An engine that is interrupted after some utterances."""

    def __init__(self, engine: SpeechEngine, after: int) -> None:
        self.name, self.voices, self.left = engine.name, engine.voices, after
        self.engine = engine

    def speak(self, utterance: Utterance) -> npt.NDArray[np.int16]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.engine.speak(utterance)


@pytest.fixture(scope="module")
def engine() -> SpeechEngine:
    try:
        return find_engine()
    except MondegreenError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def tiny(engine: SpeechEngine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of ``TINY``; read only."""
    return synthesize_speech(tmp_path_factory.mktemp("speech") / "tiny", TINY)


def contents(root: Path) -> dict[str, bytes]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def no_engine() -> SpeechEngine:
    raise AssertionError("the synthesiser was asked for")


def test_layout(tiny: Path) -> None:
    corpus = speech_commands(tiny, labels=TINY.words)
    assert corpus.counts() == {"yes": 6, "up": 6}
    assert len(corpus.groups) == 3
    assert unlabelled(tiny, TINY.words).counts() == {"bed": 6}
    for clip in corpus.clips:
        info = soundfile.info(str(clip.path))
        assert (info.samplerate, info.frames, info.channels) == (16_000, 16_000, 1)
        assert (info.format, info.subtype) == ("WAV", "PCM_16")
    noises = background_noise_files(tiny)
    assert "babble.wav" in [path.name for path in noises]
    assert {soundfile.info(str(path)).frames for path in noises} == {32_000}


def test_record_of_the_corpus(tiny: Path, engine: SpeechEngine) -> None:
    record = json.loads((tiny / "corpus.json").read_text())
    assert record["engine"] == engine.name
    assert record["config"]["seed"] == 11
    counts = record["counts"]
    assert (counts["speakers"], counts["clips"], counts["labelled_clips"]) == (3, 18, 12)
    names = {speaker["name"] for speaker in record["speakers"]}
    assert names == speech_commands(tiny, labels=TINY.words).groups


def test_clips_are_audible_whole_and_not_clipped(tiny: Path) -> None:
    for path in sorted(tiny.glob("[a-z]*/*.wav")):
        x, _ = soundfile.read(str(path))
        peak_db = 20 * np.log10(np.abs(x).max())
        assert -30.5 < peak_db < -2.9, path
        power = np.convolve(x**2, np.ones(400) / 400, "valid")
        loud = np.flatnonzero(power > power.max() / 30)
        assert 0.08 < (loud[-1] - loud[0]) / 16_000 < 0.9, path
        # Nothing is cut off: the clip's ends are at least 12 dB below the loudest part.
        assert max(power[0], power[-1]) < power.max() / 16, path


def test_noises_are_neither_silent_nor_clipped(tiny: Path) -> None:
    for path in background_noise_files(tiny):
        x, _ = soundfile.read(str(path))
        assert np.sqrt(np.mean(x**2)) > 0.01, path
        assert np.abs(x).max() < 0.91, path


def test_takes_and_speakers_differ(tiny: Path) -> None:
    clips = list(contents(tiny / "yes").values())
    assert len(clips) == len(set(clips)) == 6


def test_the_same_seed_gives_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    again = synthesize_speech(tmp_path / "again", TINY)
    assert contents(again) == contents(tiny)


def test_other_settings_leave_the_common_clips_alone(tiny: Path, tmp_path: Path) -> None:
    fewer = dataclasses.replace(TINY, speakers=2, takes=1, words=("up",), other_words=())
    clips = contents(synthesize_speech(tmp_path / "fewer", fewer) / "up")
    full = contents(tiny / "up")
    assert len(clips) == 2
    assert all(full[name] == data for name, data in clips.items())


def test_another_seed_gives_other_speakers(
    tiny: Path, engine: SpeechEngine, tmp_path: Path
) -> None:
    config = dataclasses.replace(TINY, seed=12, speakers=2, takes=1, words=("up",), other_words=())
    other = synthesize_speech(tmp_path / "other", config)
    assert not set(contents(other / "up")) & set(contents(tiny / "up"))


def test_a_complete_corpus_is_left_alone(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_engine", no_engine)
    before = {path: path.stat().st_mtime_ns for path in tiny.rglob("*")}
    assert synthesize_speech(tiny, TINY) == tiny
    assert {path: path.stat().st_mtime_ns for path in tiny.rglob("*")} == before


def test_a_damaged_corpus_is_built_again(engine: SpeechEngine, tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, speakers=2, takes=1, words=("up",), other_words=())
    root = synthesize_speech(tmp_path / "speech", config)
    whole = contents(root)
    clip = next(root.glob("up/*.wav"))
    clip.write_bytes(clip.read_bytes()[:1000])
    assert not is_complete(root, config)
    synthesize_speech(root, config)
    assert contents(root) == whole
    next(root.glob("_background_noise_/*.wav")).unlink()
    assert not is_complete(root, config)
    assert [path.name for path in tmp_path.iterdir()] == ["speech"]


def test_another_corpus_is_replaced(engine: SpeechEngine, tmp_path: Path) -> None:
    small = dataclasses.replace(TINY, speakers=2, takes=1, words=("up",), other_words=())
    root = synthesize_speech(tmp_path / "speech", small)
    other = dataclasses.replace(small, words=("no",))
    synthesize_speech(root, other)
    assert is_complete(root, other)
    assert not (root / "up").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["speech"]


def test_an_interrupted_build_leaves_no_trace(
    engine: SpeechEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = dataclasses.replace(TINY, speakers=2, takes=1, words=("up",), other_words=())
    root = tmp_path / "speech"
    for after in (0, 1, 3):
        monkeypatch.setattr(module, "find_engine", lambda n=after: Interrupting(engine, n))
        with pytest.raises(KeyboardInterrupt):
            synthesize_speech(root, dataclasses.replace(small, words=("up", "no")))
        assert list(tmp_path.iterdir()) == []

    monkeypatch.setattr(module, "find_engine", lambda: engine)
    before = contents(synthesize_speech(root, small))
    monkeypatch.setattr(module, "find_engine", lambda: Interrupting(engine, 1))
    with pytest.raises(KeyboardInterrupt):
        synthesize_speech(root, dataclasses.replace(small, words=("no",)))
    assert contents(root) == before
    assert [path.name for path in tmp_path.iterdir()] == ["speech"]


@pytest.mark.parametrize("name", ["notes.txt", "yes/mine.wav", "yes/0123abcd_nohash_0.wav"])
def test_a_folder_with_other_things_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(module, "find_engine", no_engine)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("precious")
    with pytest.raises(MondegreenError, match=f"not a synthetic speech corpus.*{name}"):
        synthesize_speech(tmp_path, TINY)
    assert (tmp_path / name).read_text() == "precious"


def test_a_corpus_with_something_added_is_not_replaced(
    engine: SpeechEngine, tmp_path: Path
) -> None:
    small = dataclasses.replace(TINY, speakers=2, takes=1, words=("up",), other_words=())
    root = synthesize_speech(tmp_path / "speech", small)
    (root / "up" / "my-own.wav").write_text("precious")
    assert synthesize_speech(root, small) == root
    with pytest.raises(MondegreenError, match=r"my-own\.wav"):
        synthesize_speech(root, dataclasses.replace(small, seed=5))


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(MondegreenError, match="not a synthetic speech corpus"):
        synthesize_speech(path, TINY)


def test_a_word_too_long_for_a_second_is_named(engine: SpeechEngine, tmp_path: Path) -> None:
    word = "supercalifragilisticexpialidocious"
    config = dataclasses.replace(TINY, words=("up", word))
    with pytest.raises(MondegreenError, match=f"'{word}'.*Leave the word out"):
        synthesize_speech(tmp_path / "speech", config)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speakers": 1}, "speakers must lie in 2 to 10000, not 1"),
        ({"takes": 0}, "takes must lie"),
        ({"noise_seconds": 0}, "noise_seconds must lie"),
        ({"seed": -1}, "seed must not be negative"),
        ({"words": ()}, "must not be empty"),
        ({"words": ("../up",)}, r"'\.\./up'"),
        ({"words": ("Up",)}, "'Up'"),
        ({"words": ("up", "bed")}, "different words"),
    ],
)
def test_impossible_configurations_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MondegreenError, match=message):
        dataclasses.replace(TINY, **changes)


def test_the_default_corpus_has_the_papers_words() -> None:
    config = SyntheticSpeechConfig()
    assert config.words == TEN_WORDS
    assert not set(config.other_words) & set(TEN_WORDS)
