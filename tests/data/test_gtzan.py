from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mondegreen.audio import fit_length, float_to_pcm16, read_mono
from mondegreen.data import decoding
from mondegreen.data.cache import ClipCache
from mondegreen.data.corpus import Clip, Corpus
from mondegreen.data.dataset import open_splits
from mondegreen.data.excerpts import cut, duration
from mondegreen.data.folder import open_corpus
from mondegreen.data.gtzan import CLIPS_A_TRACK, GENRES, gtzan
from mondegreen.data.options import DataOptions, open_labelled, open_material
from mondegreen.data.splits import hash_split, split_indices
from mondegreen.errors import MondegreenError

RATE = 2_000  # about a tenth of GTZAN's, to be quick


def write_track(path: Path, seed: int, seconds: float = 3.4, rate: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-9000, 9000, round(seconds * rate))
    soundfile.write(str(path), noise.astype(np.int16), rate)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve tracks a genre in the official layout, AU and WAV; read only."""
    root = tmp_path_factory.mktemp("gtzan")
    for number, genre in enumerate(GENRES):
        for track in range(12):
            suffix = "wav" if track % 2 else "au"
            path = root / "genres" / genre / f"{genre}.{track:05}.{suffix}"
            write_track(path, seed=100 * number + track)
    return root


def decode(corpus: Corpus, folder: Path) -> torch.Tensor:
    cache = ClipCache.build(corpus, sample_rate=1600, clip_samples=1638, folder=folder)
    return cache.read(range(len(cache)))


@pytest.fixture
def corpus(root: Path) -> Corpus:
    return gtzan(root)


def test_tracks_are_cut_into_seconds_and_are_the_groups(corpus: Corpus) -> None:
    assert (corpus.name, corpus.labels) == ("gtzan", GENRES)
    assert corpus.counts() == dict.fromkeys(GENRES, 36)
    assert len(corpus.groups) == 120 and "jazz.00007" in corpus.groups
    assert [clip.name for clip in corpus.clips[:4]] == [
        "blues/blues.00000.au@0s",
        "blues/blues.00000.au@1s",
        "blues/blues.00000.au@2s",
        "blues/blues.00001.wav@0s",
    ]
    assert {clip.seconds for clip in corpus.clips} == {1.0}


def test_a_track_of_thirty_seconds_gives_29_clips(tmp_path: Path) -> None:
    for seconds, clips in ((30.013, 29), (29.0, 29), (28.99, 28), (0.5, 1)):
        path = tmp_path / "rock.00000.au"
        write_track(path, 0, seconds)
        assert duration(path) == pytest.approx(seconds, abs=1e-3)
        pieces = cut([Clip(path, "rock", "rock.00000", fold=3)], at_most=CLIPS_A_TRACK)
        assert [piece.start for piece in pieces] == list(range(clips))
        assert {(p.label, p.group, p.fold) for p in pieces} == {("rock", "rock.00000", 3)}


@pytest.mark.parametrize("layout", ["", "genres", "genres_original"])
def test_the_layouts_in_use_are_recognised(root: Path, tmp_path: Path, layout: str) -> None:
    if layout:
        (tmp_path / layout).symlink_to(root / "genres")
    found = open_corpus(tmp_path if layout else root / "genres")
    assert (found.name, len(found)) == ("gtzan", 360)
    two = open_corpus(root, labels=("rock", "blues"))
    assert (two.name, two.labels, len(two)) == ("gtzan", ("rock", "blues"), 72)
    grouped = open_corpus(root, group_pattern=r"\.(\d+)\.")
    assert (grouped.name, len(grouped.groups)) == ("gtzan", 12)


def test_the_damaged_track_is_left_out_and_named(tmp_path: Path) -> None:
    for genre in GENRES:
        write_track(tmp_path / genre / f"{genre}.00000.wav", 0)
    (tmp_path / "jazz" / "jazz.00054.wav").write_bytes(b"no sound")
    with pytest.warns(UserWarning, match=r"jazz\.00054\.wav is left out: it is damaged"):
        corpus = gtzan(tmp_path)
    assert corpus.counts()["jazz"] == 3
    (tmp_path / "pop" / "pop.00031.wav").write_bytes(b"no sound")
    with (
        pytest.raises(MondegreenError, match=r"pop\.00031\.wav cannot be decoded"),
        warnings.catch_warnings(action="ignore"),
    ):
        gtzan(tmp_path)


def test_what_is_missing_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="does not hold the ten folders of GTZAN"):
        gtzan(tmp_path)
    with pytest.raises(MondegreenError, match="no folder for the label 'polka'"):
        gtzan(root, labels=("rock", "polka"))
    for genre in GENRES:
        (tmp_path / genre).mkdir()
    with pytest.raises(MondegreenError, match="blues holds no sound files"):
        gtzan(tmp_path)
    with pytest.raises(MondegreenError, match="cannot be decoded"):
        duration(tmp_path / "absent.wav")


def test_clips_hold_their_second_resampled_and_padded(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def noting(path: Path, sample_rate: int) -> torch.Tensor:
        read.append(path.name)
        return read_mono(path, sample_rate)

    monkeypatch.setattr(decoding, "read_mono", noting)
    few = corpus.subset([0, 1, 2, 5])
    rows = decode(few, tmp_path)
    assert sorted(read) == ["blues.00000.au", "blues.00001.wav"], "a track is decoded once"
    for row, clip in zip(rows, few.clips, strict=True):
        whole = read_mono(clip.path, 1600)
        start = int(clip.start) * 1600
        wanted = fit_length(float_to_pcm16(whole[start : start + 1600]), 1638)
        assert torch.equal(row, wanted)
        assert row[:1600].any() and not row[1600:].any()
    track = float_to_pcm16(read_mono(few.clips[0].path, 1600))
    assert torch.equal(rows[:3, :1600].flatten(), track[:4800])


@pytest.mark.filterwarnings("ignore:the 'speaker' split")
def test_splits_by_track_by_default(root: Path, tmp_path: Path) -> None:
    options = DataOptions(data=root, cache=tmp_path)
    material = open_material(options, None, 1600, 1638)
    groups = [part.groups for part in material.splits.values()]
    assert len(set.union(*map(set, groups))) == sum(map(len, groups)) == 120
    for name, part in material.splits.items():
        assert {hash_split(group) for group in part.groups} == {name}
        assert len(part) == 3 * len(part.groups)
    assert material.splits["train"].waveforms([0]).shape == (1, 1, 1638)
    assert material.unlabelled is None


@pytest.mark.parametrize(("kind", "leaks"), [("random", False), ("random-chunk", True)])
def test_only_the_random_chunk_split_parts_a_track(corpus: Corpus, kind: str, leaks: bool) -> None:
    parts = split_indices(corpus, kind, seed=1)  # type: ignore[arg-type]
    tracks = {name: {corpus.clips[i].group for i in part.tolist()} for name, part in parts.items()}
    assert bool(tracks["train"] & tracks["test"]) == leaks
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(360))
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 288,
        "validation": 36,
        "test": 36,
    }


def test_whole_files_have_no_chunks(pair_folder: Path) -> None:
    with pytest.raises(MondegreenError, match=r"'random-chunk' split .* are whole files"):
        split_indices(open_corpus(pair_folder), "random-chunk")


def write_lists(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    names = [f"{genre}/{genre}.{track:05}.wav" for track in range(12) for genre in GENRES]
    (folder / "train_filtered.txt").write_text("\n".join(names[:60]) + "\n\n")
    short = [Path(name).stem for name in names[60:80]]  # without folder and suffix
    (folder / "valid_filtered.txt").write_text("\n".join(short))
    (folder / "test_filtered.txt").write_text("\r\n".join(f"genres/{n}" for n in names[80:110]))


def test_lists_of_tracks(root: Path, corpus: Corpus, tmp_path: Path) -> None:
    write_lists(tmp_path / "lists")
    options = DataOptions(
        data=root, cache=tmp_path / "cache", split="lists", lists=tmp_path / "lists"
    )
    material = open_material(options, None, 1600, 1638)
    tracks = {name: len(part.groups) for name, part in material.splits.items()}
    assert tracks == {"train": 60, "validation": 20, "test": 30}
    assert "rock.00004" in material.splits["train"].groups
    assert "blues.00006" in material.splits["validation"].groups
    assert len(open_labelled(options)) == 360
    assert not {"blues.00011"} & set().union(*(p.groups for p in material.splits.values()))


def test_a_listed_name_with_its_folder_counts_more_than_one_without(
    corpus: Corpus, tmp_path: Path
) -> None:
    write_lists(tmp_path)
    with (tmp_path / "valid_filtered.txt").open("a") as file:
        file.write("\nblues.00000")  # which is blues/blues.00000 in the list for training
    parts = split_indices(corpus, "lists", lists=tmp_path)
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 180,
        "validation": 60,
        "test": 90,
    }


def test_listed_files_that_are_absent_are_counted(corpus: Corpus, tmp_path: Path) -> None:
    write_lists(tmp_path)
    with (tmp_path / "test_filtered.txt").open("a") as file:
        file.write("\njazz/jazz.00054.wav\nrock/rock.00099.wav")
    with pytest.warns(UserWarning, match=r"name 2 files .*jazz/jazz\.00054, rock/rock\.00099"):
        parts = split_indices(corpus, "lists", lists=tmp_path)
    assert len(parts["test"]) == 90


def test_lists_that_cannot_be_used(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match=r"needs one file train\*\.txt in .*by --lists"):
        split_indices(corpus, "lists")
    write_lists(tmp_path)
    (tmp_path / "train_stratified.txt").touch()
    with pytest.raises(MondegreenError, match=r"train_filtered\.txt, train_stratified\.txt"):
        split_indices(corpus, "lists", lists=tmp_path)
    (tmp_path / "train_stratified.txt").unlink()
    (tmp_path / "test_filtered.txt").write_text("blues/blues.00000.wav")
    with pytest.raises(MondegreenError, match=r"blues/blues\.00000 twice, for train and for test"):
        split_indices(corpus, "lists", lists=tmp_path)
    (tmp_path / "test_filtered.txt").write_text("nothing/here.wav")
    with (
        pytest.raises(MondegreenError, match=r"no clips for test: .*The lists do not fit"),
        warnings.catch_warnings(action="ignore"),
    ):
        split_indices(corpus, "lists", lists=tmp_path)


def test_labels_that_a_part_lacks_are_named(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"'speaker' split .* leaves no clips of .* for test\."):
        open_splits(corpus, sample_rate=1600, clip_samples=1638, cache_folder=tmp_path / "cache")


def test_a_change_of_a_track_replaces_all_of_its_clips(tmp_path: Path) -> None:
    root, cache = tmp_path / "g", tmp_path / "cache"
    for genre in GENRES:
        write_track(root / genre / f"{genre}.00000.wav", 0)
    before = decode(gtzan(root), cache)
    write_track(root / "disco" / "disco.00000.wav", 1, rate=2 * RATE)
    after = decode(gtzan(root), cache)
    changed = (before != after).any(dim=1)
    assert changed.nonzero().flatten().tolist() == [9, 10, 11]
    assert torch.equal(after, decode(gtzan(root), tmp_path / "fresh"))


@pytest.mark.filterwarnings("ignore:the 'random-chunk' split")
def test_tracks_that_break_later_are_counted_by_their_clips(tmp_path: Path) -> None:
    for genre in GENRES:
        write_track(tmp_path / "g" / genre / f"{genre}.00000.wav", 0)
    corpus = gtzan(tmp_path / "g")
    (tmp_path / "g" / "metal" / "metal.00000.wav").write_bytes(b"no sound")
    with pytest.raises(
        MondegreenError, match=r"3 of 30 clips cannot be read:\n.*metal\.00000\.wav"
    ):
        open_splits(
            corpus,
            "random-chunk",
            sample_rate=1600,
            clip_samples=1638,
            cache_folder=tmp_path / "cache",
        )
