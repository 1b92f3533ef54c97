from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mondegreen.data import TEN_WORDS, ClipCache, split_indices
from mondegreen.data.speech_commands import background_noise_files, speech_commands, unlabelled
from mondegreen.errors import MondegreenError


def test_ten_words_in_the_order_of_the_paper(words_folder: Path) -> None:
    corpus = speech_commands(words_folder)
    assert corpus.labels == ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
    assert corpus.counts() == dict.fromkeys(TEN_WORDS, 40)
    assert len(corpus.groups) == 40
    assert {clip.path.suffix for clip in corpus.clips} == {".wav", ".flac"}
    assert all(clip.path.name.startswith(f"{clip.group}_nohash_") for clip in corpus.clips)


def test_chosen_labels_keep_their_order(words_folder: Path) -> None:
    corpus = speech_commands(words_folder, labels=("stop", "bed"))
    assert corpus.labels == ("stop", "bed")
    assert corpus.clips[0].label == "stop"


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match=r"nowhere does not exist"):
        speech_commands(tmp_path / "nowhere")


def test_missing_word_is_named_beside_those_present(pair_folder: Path) -> None:
    with pytest.raises(MondegreenError, match=r"no folder for bird \(it has cat, dog\)"):
        speech_commands(pair_folder, labels=("cat", "bird"))


def test_word_without_clips_is_named(pair_folder: Path) -> None:
    shutil.rmtree(pair_folder / "dog")
    (pair_folder / "dog").mkdir()
    with pytest.raises(MondegreenError, match=r"dog holds no sound files"):
        speech_commands(pair_folder, labels=("cat", "dog"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("yes",), "at least two labels .* only 'yes'"),
        ((), "none given"),
        (("yes", "no", "yes"), "given twice: yes"),
        (("yes", "../no"), "cannot be a label"),
        (("yes", "_background_noise_"), "cannot be a label"),
    ],
)
def test_impossible_labels(words_folder: Path, labels: tuple[str, ...], message: str) -> None:
    with pytest.raises(MondegreenError, match=message):
        speech_commands(words_folder, labels=labels)


def test_background_noise_is_found_or_empty(words_folder: Path, pair_folder: Path) -> None:
    assert [path.name for path in background_noise_files(words_folder)] == ["hum.wav"]
    assert background_noise_files(pair_folder) == ()


def test_unlabelled_is_every_other_word(words_folder: Path, pair_folder: Path) -> None:
    for hidden in ("_unknown_", "_silence_", "_background_noise_"):
        shutil.copytree(pair_folder / "cat", pair_folder / hidden)
    shutil.copytree(pair_folder / "cat", pair_folder / "yes")
    corpus = unlabelled(words_folder, extra=[pair_folder])
    assert corpus.counts() == {"_unknown_": 6, "bed": 40, "cat": 46, "dog": 6}


def test_unlabelled_takes_a_folder_of_loose_clips(words_folder: Path, pair_folder: Path) -> None:
    corpus = unlabelled(words_folder, extra=[pair_folder / "dog"])
    assert corpus.counts() == {"bed": 40, "cat": 40, "dog": 6}


def test_real_clips(real_data: Path, tmp_path: Path) -> None:
    with (real_data / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "speech_commands"]
    corpus = speech_commands(real_data / "speech_commands")
    assert len(corpus) == len(rows)
    assert corpus.counts() == {w: Counter(row["word"] for row in rows)[w] for w in TEN_WORDS}
    assert corpus.groups == {row["speaker"] for row in rows}
    assert len(corpus.groups) == 208

    parts = split_indices(corpus, "speaker")
    groups = [{corpus.clips[i].group for i in part.tolist()} for part in parts.values()]
    assert len(set.union(*groups)) == sum(map(len, groups)) == 208

    few = corpus.subset(np.arange(0, len(corpus), 37))
    cache = ClipCache.build(few, sample_rate=16000, clip_samples=16000, folder=tmp_path)
    for clip, row in zip(few.clips, cache.read(range(len(few))).numpy(), strict=True):
        pcm, rate = soundfile.read(str(clip.path), dtype="int16")
        assert rate == 16000
        assert np.array_equal(row[: len(pcm)], pcm[:16000])
        assert not row[len(pcm) :].any()


def test_unknown_words_of_the_real_test_archive_have_their_speakers(real_data: Path) -> None:
    corpus = unlabelled(real_data / "speech_commands", extra=[real_data / "speech_commands_other"])
    groups = {clip.group for clip in corpus.clips if clip.label == "_unknown_"}
    assert groups
    assert all(len(group) == 8 for group in groups)
