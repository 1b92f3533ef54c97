from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mondegreen.cli.main import main
from mondegreen.data.corpus import Corpus
from mondegreen.data.dataset import open_splits
from mondegreen.data.esc10 import SILENCE_DB, esc10, is_esc10
from mondegreen.data.folder import open_corpus
from mondegreen.data.splits import split_indices
from mondegreen.errors import MondegreenError

RATE = 1_600


def write_recording(path: Path, seed: int, audible: float = 2.0, seconds: float = 3.1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-9000, 9000, round(seconds * RATE))
    noise[round(audible * RATE) :] //= 3000  # -70 dB
    soundfile.write(str(path), noise.astype(np.int16), RATE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes, four recordings a fold, two of which share a source; tests may change it."""
    root = tmp_path / "esc10"
    for number, name in enumerate(("001 - Dog bark", "010 - Fire crackling")):
        for fold in range(1, 6):
            for take in range(4):
                source = 1000 * fold + 10 * number + min(take, 2)
                path = root / name / f"{fold}-{source}-{'AAAB'[take]}.wav"
                write_recording(path, seed=source + 7 * take)
    return root


@pytest.fixture
def corpus(root: Path) -> Corpus:
    return esc10(root)


def test_recordings_are_cut_and_sources_are_the_groups(corpus: Corpus) -> None:
    assert (corpus.name, corpus.labels) == ("esc10", ("dog_bark", "fire_crackling"))
    assert corpus.counts() == {"dog_bark": 60, "fire_crackling": 60}
    assert len(corpus.groups) == 30
    assert corpus.clips[0].name == "dog_bark/1-1000-A.wav@0s"
    assert {(clip.group, clip.fold) for clip in corpus.clips[:12]} == {
        ("1000", 1),
        ("1001", 1),
        ("1002", 1),
    }


def test_it_is_told_from_other_folders(root: Path, pair_folder: Path) -> None:
    assert is_esc10(root) and not is_esc10(pair_folder)
    assert open_corpus(root).name == "esc10"
    assert open_corpus(root, labels=("fire_crackling", "dog_bark")).labels[0] == "fire_crackling"
    assert open_corpus(root, group_pattern=r"^(\d)-").groups == set("12345")
    write_recording(root / "001 - Dog bark" / "mine.wav", 0)
    assert not is_esc10(root)
    with pytest.raises(MondegreenError, match=r"mine\.wav is not named <fold>-<source>-<take>"):
        esc10(root)


def test_labels_that_are_absent_are_named(root: Path) -> None:
    with pytest.raises(MondegreenError, match="label 'rain'; it has: dog_bark, fire_crackling"):
        esc10(root, labels=("rain", "dog_bark"))


@pytest.mark.parametrize("test", [1, 4, 5])
def test_a_fold_is_the_test_part_and_the_next_validates(corpus: Corpus, test: int) -> None:
    parts = split_indices(corpus, f"fold-{test}")  # type: ignore[arg-type]
    folds = {name: {corpus.clips[i].fold for i in part.tolist()} for name, part in parts.items()}
    after = test % 5 + 1
    assert folds == {
        "test": {test},
        "validation": {after},
        "train": {1, 2, 3, 4, 5} - {test, after},
    }
    assert sum(len(part) for part in parts.values()) == len(corpus)


def test_folds_are_neither_lists_nor_everywhere(corpus: Corpus, pair_folder: Path) -> None:
    with pytest.raises(MondegreenError, match="official folds, not lists: choose fold-1 to fold-5"):
        split_indices(corpus, "official")
    with pytest.raises(MondegreenError, match="no official folds"):
        split_indices(open_corpus(pair_folder), "fold-1")
    first = [i for i, clip in enumerate(corpus.clips) if clip.fold != 3]
    with pytest.raises(MondegreenError, match=r"no clips for test: .*all five folds are needed"):
        split_indices(corpus.subset(first), "fold-3")


def test_silent_clips_are_left_out_of_parts_and_corpus(corpus: Corpus, tmp_path: Path) -> None:
    assert corpus.floor_db == SILENCE_DB
    assert corpus.subset([0, 1]).floor_db == SILENCE_DB
    splits = open_splits(
        corpus, "fold-2", sample_rate=RATE, clip_samples=1638, cache_folder=tmp_path / "cache"
    )
    assert {name: len(part) for name, part in splits.items()} == {
        "train": 48,
        "validation": 16,
        "test": 16,
    }
    for part in splits.values():
        assert len(part.corpus) == 80
        assert {clip.start for clip in part.clips} == {0.0, 1.0}
        assert (part.waveforms().square().mean(dim=2) > 1e-3).all()
    by_hand, _ = soundfile.read(str(splits["test"].clips[1].path), dtype="int16")
    row = splits["test"].cache.read(splits["test"].indices[1:2])[0].numpy()
    assert np.array_equal(row[:RATE], by_hand[RATE : 2 * RATE])


def test_info_counts_what_is_left_out(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data", "info", "--data", str(root), "--split", "fold-5"]
    shape = ["--cache", str(tmp_path / "c"), "--sample-rate", str(RATE), "--clip-samples", "1638"]
    assert main([*words, *shape]) == 0
    shown = capsys.readouterr()
    assert "esc10: 80 clips" in shown.out and "speakers or tracks" in shown.out
    assert "left out below -60 dB of full scale: 40" in shown.err


def test_a_sample_cnn_trains_on_it_and_is_measured(root: Path, tmp_path: Path) -> None:
    """The whole way on the command line: classifier, generator, evaluation."""
    data = ["--data", str(root), "--split", "fold-5", "--cache", str(tmp_path / "cache")]
    smoke = ["--preset", "smoke", "--device", "cpu"]
    classifier, generator = str(tmp_path / "classifier"), str(tmp_path / "generator")
    words = ["train", "classifier", *smoke, *data, "--model", "sample-cnn"]
    small = ["--architecture.width", "0.03", "--training.epochs", "1"]
    assert main([*words, *small, "--out", classifier]) == 0
    words = ["train", "generator", *smoke, *data, "--classifier", classifier]
    assert main([*words, "--training.epochs", "1", "--out", generator]) == 0
    words = ["evaluate", *data, "--device", "cpu", "--generator", generator, "--refine", "1"]
    spare = ["--quality-pairs", "0", "--samples", "1", "--timing-repeats", "0"]
    assert main([*words, *spare, "--out", str(tmp_path / "measured")]) == 0
    pairs = (tmp_path / "measured" / "pairs.csv").read_text()
    assert "dog_bark/5-5000-A.wav@1s" in pairs
    assert '"split_kind": "fold-5"' in (tmp_path / "measured" / "results.json").read_text()


@pytest.mark.skipif("MONDEGREEN_DATA" not in os.environ, reason="MONDEGREEN_DATA is not set")
def test_the_real_one(tmp_path: Path) -> None:
    root = Path(os.environ["MONDEGREEN_DATA"]) / "esc10"
    corpus = open_corpus(root)
    assert (corpus.name, len(corpus.labels), len(corpus.groups)) == ("esc10", 10, 302)
    assert {clip.fold for clip in corpus.clips} == {1, 2, 3, 4, 5}
    assert len({(clip.group, clip.fold) for clip in corpus.clips}) == 302, (
        "clips of one source share a fold"
    )
    chosen = [i for i, clip in enumerate(corpus.clips) if clip.path.name[2:5] in ("100", "177")]
    splits = open_splits(
        corpus.subset(chosen),
        "random",
        sample_rate=16_000,
        clip_samples=16_384,
        cache_folder=tmp_path,
    )
    levels = [10 * part.waveforms().square().mean(dim=2).log10() for part in splits.values()]
    assert min(float(level.min()) for level in levels) >= SILENCE_DB
    assert sum(len(part) for part in splits.values()) < len(chosen)
