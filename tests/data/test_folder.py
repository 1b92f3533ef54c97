from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mondegreen.data.folder import folder_corpus, open_corpus
from mondegreen.data.listing import speaker_of
from mondegreen.data.speech_commands import TEN_WORDS
from mondegreen.errors import MondegreenError


def rename_clips(root: Path, form: str) -> None:
    for path in sorted(root.glob("*/*.wav")):
        path.rename(path.with_name(form.format(path.stem)))


def test_labels_are_sorted_and_stems_are_the_groups(pair_folder: Path) -> None:
    corpus = folder_corpus(pair_folder)
    assert (corpus.name, corpus.labels) == ("pair", ("cat", "dog"))
    assert corpus.groups == {"0", "1", "2", "3", "4", "5"}


def test_hidden_names_and_other_files_are_ignored(pair_folder: Path) -> None:
    shutil.copytree(pair_folder / "cat", pair_folder / ".cat")
    shutil.copytree(pair_folder / "cat", pair_folder / "_cat")
    (pair_folder / "cat" / "notes.txt").write_text("not audio")
    (pair_folder / "cat" / "._0.wav").write_bytes(b"resource fork")
    (pair_folder / "cat" / "folder.wav").mkdir()
    (pair_folder / "README.md").write_text("not a label")
    assert folder_corpus(pair_folder).counts() == {"cat": 6, "dog": 6}


@pytest.mark.parametrize("suffix", ["WAV", "flac", "ogg", "mp3", "au"])
def test_suffixes(pair_folder: Path, suffix: str) -> None:
    rename_clips(pair_folder, f"{{}}.{suffix}")
    assert len(folder_corpus(pair_folder)) == 12


def test_group_is_the_speaker_before_nohash(pair_folder: Path) -> None:
    rename_clips(pair_folder, "anna-{}_nohash_3.wav")
    assert "anna-0" in folder_corpus(pair_folder, group_pattern=r"(\w+)").groups


@pytest.mark.parametrize(
    ("name", "speaker"),
    [
        ("0bac8a71_nohash_0.wav", "0bac8a71"),
        ("backward_0c540988_nohash_0.wav.flac", "0c540988"),
        ("jean_paul_nohash_0.wav", "jean_paul"),
        ("_nohash_0.wav", None),
        ("blues.00000.wav", None),
    ],
)
def test_speakers_in_file_names(name: str, speaker: str | None) -> None:
    assert speaker_of(name) == speaker


def test_group_pattern_takes_the_first_capture_group(pair_folder: Path) -> None:
    rename_clips(pair_folder, "take-{}-track7.wav")
    assert folder_corpus(pair_folder, group_pattern=r"(track\d)(.)").groups == {"track7"}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "not a regular expression"),
        ("track", "no capture group"),
        (r"(track\d)", "finds no group in the file name 0.wav"),
        (r"(x*)", "finds no group"),
    ],
)
def test_bad_group_patterns(pair_folder: Path, pattern: str, message: str) -> None:
    with pytest.raises(MondegreenError, match=message):
        folder_corpus(pair_folder, group_pattern=pattern)


def test_one_label_is_not_enough(pair_folder: Path) -> None:
    shutil.rmtree(pair_folder / "dog")
    with pytest.raises(MondegreenError, match=r"at least two label folders .* only 'cat'"):
        folder_corpus(pair_folder)
    with pytest.raises(MondegreenError, match="none and 6 sound files outside of any folder"):
        folder_corpus(pair_folder / "cat")


def test_label_without_audio_is_named(pair_folder: Path) -> None:
    (pair_folder / "bird").mkdir()
    with pytest.raises(MondegreenError, match=r"label folder .*bird holds no sound files"):
        folder_corpus(pair_folder)


def test_a_file_is_no_data_folder(pair_folder: Path) -> None:
    with pytest.raises(MondegreenError, match=r"0\.wav is not a folder"):
        open_corpus(pair_folder / "cat" / "0.wav")


def test_open_tells_speech_commands_from_a_folder(words_folder: Path, pair_folder: Path) -> None:
    assert open_corpus(words_folder).labels == TEN_WORDS
    assert open_corpus(words_folder).name == "speech-commands"
    assert open_corpus(words_folder, labels=("cat", "yes")).labels == ("cat", "yes")
    assert open_corpus(pair_folder).name == "pair"
    assert open_corpus(pair_folder, labels=("dog", "cat")).labels == ("dog", "cat")
    with pytest.raises(MondegreenError, match="no folder for the label 'bird'"):
        open_corpus(pair_folder, labels=("dog", "bird"))
