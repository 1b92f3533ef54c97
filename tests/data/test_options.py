from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mondegreen.data import TEN_WORDS, hash_split
from mondegreen.data.options import DataOptions, open_labelled, open_material, open_test_split
from mondegreen.errors import MondegreenError


def write(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-3000, 3000, 100)
    soundfile.write(str(path), noise.astype(np.int16), 16000)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Two labels by forty speakers, in names of a form of their own."""
    root = tmp_path / "plain"
    for number, label in enumerate(("cat", "dog")):
        for speaker in range(40):
            write(root / label / f"c-s{speaker}.wav", seed=100 * number + speaker)
    return root


def options(root: Path | None, tmp_path: Path, **more: object) -> DataOptions:
    return DataOptions(data=root, cache=tmp_path / "cache", **more)  # type: ignore[arg-type]


def test_speech_commands_are_the_ten_words(words_folder: Path, tmp_path: Path) -> None:
    material = open_material(options(words_folder, tmp_path), None, 16000, 200)
    assert material.corpus.labels == TEN_WORDS
    assert list(material.splits) == ["train", "validation", "test"]
    assert sum(map(len, material.splits.values())) == len(material.corpus) == 400
    assert all(part.waveforms([0]).shape == (1, 1, 200) for part in material.splits.values())
    assert repr(material.noise) == "NoiseBank(recordings=1, sample_rate=16000)"


def test_unlabelled_words_are_those_of_training_speakers(
    words_folder: Path, tmp_path: Path
) -> None:
    material = open_material(options(words_folder, tmp_path), None, 16000, 200)
    assert material.unlabelled is not None
    assert {clip.label for clip in material.unlabelled.clips} == {"bed", "cat"}
    groups = material.unlabelled.groups
    assert groups == {group for group in material.corpus.groups if hash_split(group) == "train"}
    for part in ("validation", "test"):
        assert not groups & material.splits[part].groups
    assert material.unlabelled.waveforms([0]).shape == (1, 1, 200)


def test_a_limit_keeps_the_first_clips_of_each_label(words_folder: Path, tmp_path: Path) -> None:
    whole = open_material(options(words_folder, tmp_path), None, 16000, 200)
    cut = open_material(options(words_folder, tmp_path, limit=2), None, 16000, 200)
    for name, part in cut.splits.items():
        assert part.labels.bincount().tolist() == [2] * 10
        full = whole.splits[name]
        for label in range(10):
            rows = (full.labels == label).nonzero()[:2, 0]
            assert set(full.names(rows)) <= set(part.names())
    assert cut.unlabelled is not None and whole.unlabelled is not None
    assert len(cut.unlabelled) == len(whole.unlabelled), "held-out speakers stay out"
    test = open_test_split(options(words_folder, tmp_path, limit=2), TEN_WORDS, 16000, 200, "test")
    assert test.names() == cut.splits["test"].names()
    with pytest.raises(MondegreenError, match="--limit is 0"):
        DataOptions(limit=0)


def test_the_random_split_keeps_all_unlabelled_words(words_folder: Path, tmp_path: Path) -> None:
    material = open_material(options(words_folder, tmp_path, split="random"), None, 16000, 200)
    assert material.unlabelled is not None and len(material.unlabelled) == 80


def test_speakers_held_out_by_the_official_lists_are_left_out(
    words_folder: Path, tmp_path: Path
) -> None:
    root = tmp_path / "official"
    shutil.copytree(words_folder, root)
    speakers = sorted({path.name[:8] for path in (root / "yes").iterdir()})
    training = [name for name in speakers if hash_split(name) == "train"]
    for file, chosen in (
        ("validation_list.txt", training[:2]),
        ("testing_list.txt", training[2:4]),
    ):
        names = [f"{word}/{name}_nohash_0.wav" for word in TEN_WORDS for name in chosen]
        (root / file).write_text("\n".join(names))
    material = open_material(options(root, tmp_path, split="official"), None, 16000, 200)
    assert material.splits["test"].groups == set(training[2:4])
    assert material.unlabelled is not None
    assert material.unlabelled.groups == set(speakers) - set(training[:4])


def test_labels_may_be_chosen(words_folder: Path, tmp_path: Path) -> None:
    chosen = options(words_folder, tmp_path, labels=("no", "cat", "yes"))
    material = open_material(chosen, None, 16000, 200)
    assert material.corpus.labels == ("no", "cat", "yes")
    assert material.unlabelled is not None
    assert {clip.label for clip in material.unlabelled.clips} == {*TEN_WORDS, "bed"} - {"no", "yes"}
    assert open_labelled(chosen, ("go", "up")).labels == ("go", "up")


def test_one_split_is_that_of_the_material(words_folder: Path, tmp_path: Path) -> None:
    data = options(words_folder, tmp_path)
    material = open_material(data, None, 16000, 200)
    for name, part in material.splits.items():
        alone = open_test_split(data, TEN_WORDS, 16000, 200, name)
        assert alone.names() == part.names()


def test_a_plain_folder_has_generated_noise_and_no_spare_words(plain: Path, tmp_path: Path) -> None:
    data = options(plain, tmp_path, group_pattern=r"-(s\d+)")
    material = open_material(data, None, 16000, 200)
    assert material.corpus.labels == ("cat", "dog")
    assert material.corpus.groups == {f"s{n}" for n in range(40)}
    assert material.unlabelled is None
    assert repr(material.noise) == "NoiseBank(generated, sample_rate=16000)"
    chosen = open_material(options(plain, tmp_path, labels=("dog", "cat")), None, 16000, 200)
    assert chosen.corpus.labels == ("dog", "cat")
    assert chosen.unlabelled is None


@pytest.mark.parametrize("nested", [True, False], ids=["words", "clips"])
def test_extra_folders_hold_words_or_clips(nested: bool, plain: Path, tmp_path: Path) -> None:
    for number, folder in enumerate(("more", "still more")):
        place = tmp_path / folder / "bird" if nested else tmp_path / folder
        for speaker in range(6):
            write(place / f"x{number}{speaker}_nohash_0.wav")
    extra = (tmp_path / "more", tmp_path / "still more")
    data = options(plain, tmp_path, extra=extra)
    material = open_material(data, None, 16000, 200)
    assert material.unlabelled is not None
    wanted = {f"x{a}{b}" for a in range(2) for b in range(6) if hash_split(f"x{a}{b}") == "train"}
    assert material.unlabelled.groups == wanted


def test_an_extra_folder_without_training_speakers_is_none(plain: Path, tmp_path: Path) -> None:
    speaker = next(f"t{n}" for n in range(1000) if hash_split(f"t{n}") == "test")
    write(tmp_path / "more" / "bird" / f"{speaker}_nohash_0.wav")
    data = options(plain, tmp_path, extra=(tmp_path / "more",))
    assert open_material(data, None, 16000, 200).unlabelled is None


def test_noise_may_lie_elsewhere(plain: Path, tmp_path: Path) -> None:
    write(tmp_path / "hum" / "a.wav")
    write(tmp_path / "hum" / "b.wav")
    data = options(plain, tmp_path, noise=tmp_path / "hum")
    assert "recordings=2" in repr(open_material(data, None, 16000, 200).noise)
    (tmp_path / "quiet").mkdir()
    for folder, complaint in (("quiet", "--noise .*quiet holds no sound"), ("absent", "absent")):
        with pytest.raises(MondegreenError, match=complaint):
            open_material(options(plain, tmp_path, noise=tmp_path / folder), None, 16000, 200)


def test_missing_folders_are_named(tmp_path: Path, plain: Path) -> None:
    with pytest.raises(MondegreenError, match="--data is missing"):
        open_labelled(DataOptions())
    with pytest.raises(MondegreenError, match="absent"):
        open_labelled(DataOptions(data=tmp_path / "absent"))
    with pytest.raises(MondegreenError, match="absent"):
        open_material(options(plain, tmp_path, extra=(tmp_path / "absent",)), None, 16000, 200)


def test_extra_clips_of_held_out_speakers_are_found_by_the_group_pattern(
    plain: Path, tmp_path: Path
) -> None:
    for speaker in range(40):
        write(tmp_path / "more" / "bird" / f"c-s{speaker}.wav", seed=900 + speaker)
    chosen = options(plain, tmp_path, group_pattern=r"-(s\d+)", extra=(tmp_path / "more",))
    material = open_material(chosen, None, 16000, 200)
    assert material.unlabelled is not None
    for part in ("validation", "test"):
        assert material.splits[part].groups
        assert not material.unlabelled.groups & material.splits[part].groups
    assert material.unlabelled.groups == material.splits["train"].groups


def test_a_classifier_may_know_labels_that_have_no_clips(tmp_path: Path) -> None:
    for label in ("no", "yes"):
        (tmp_path / label).mkdir()
        soundfile.write(tmp_path / label / "s1_nohash_0.wav", np.zeros(100), 8000)
    known = ("_silence_", "yes", "a/b", "no")
    with pytest.warns(
        UserWarning, match="no clips of 2 of the classifier's labels: _silence_, a/b"
    ):
        corpus = open_labelled(DataOptions(data=tmp_path), known)
    assert corpus.labels == known
    assert sorted(corpus.label_indices().tolist()) == [1, 3]
    with pytest.raises(
        MondegreenError, match="'other'"
    ):  # hardly any fits: another folder is meant
        open_labelled(DataOptions(data=tmp_path), ("yes", "other"))
