from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mondegreen.data.corpus import Clip, Corpus, sorted_corpus
from mondegreen.data.splits import SPLIT_NAMES, SplitKind, hash_split, split_indices
from mondegreen.errors import MondegreenError


def corpus_of(groups: list[str], root: Path = Path()) -> Corpus:
    clips = [
        Clip(root / label / f"{number}.flac", label, group)
        for label in ("a", "b")
        for number, group in enumerate(groups)
    ]
    return sorted_corpus("c", root, ("a", "b"), clips)


@pytest.mark.parametrize("kind", ["speaker", "random"])
def test_every_clip_lands_in_exactly_one_part(words: Corpus, kind: SplitKind) -> None:
    parts = split_indices(words, kind)
    assert tuple(parts) == SPLIT_NAMES
    together = np.concatenate(list(parts.values()))
    assert sorted(together.tolist()) == list(range(len(words)))


def test_groups_are_disjoint_by_speaker(words: Corpus) -> None:
    parts = split_indices(words, "speaker")
    groups = [{words.clips[i].group for i in part.tolist()} for part in parts.values()]
    assert len(set.union(*groups)) == sum(len(group) for group in groups)


@settings(max_examples=20)
@given(st.sets(st.text(min_size=1, max_size=8), min_size=30, max_size=60))
def test_groups_are_disjoint_whatever_their_names(groups: set[str]) -> None:
    corpus = corpus_of(sorted(groups))
    try:
        parts = split_indices(corpus, "speaker")
    except MondegreenError:
        assert len({hash_split(group) for group in groups}) < 3
        return
    for name, part in parts.items():
        assert {hash_split(corpus.clips[i].group) for i in part.tolist()} == {name}


def test_hash_split_agrees_with_exact_integers() -> None:
    for group in map(str, range(2000)):
        number = int(hashlib.sha1(group.encode()).hexdigest()[:16], 16)
        tenths = 10 * number / 2**64
        assert hash_split(group) == (
            "train" if tenths < 8 else "validation" if tenths < 9 else "test"
        )


def test_hash_split_shares() -> None:
    names = [hash_split(f"speaker {n}") for n in range(20_000)]
    for name, share in zip(SPLIT_NAMES, (0.8, 0.1, 0.1), strict=True):
        assert names.count(name) / len(names) == pytest.approx(share, abs=0.01)


def test_random_split_follows_the_seed_and_the_shares(words: Corpus) -> None:
    first, again = (split_indices(words, "random", seed=3) for _ in range(2))
    other = split_indices(words, "random", seed=4)
    assert {name: len(part) for name, part in first.items()} == {
        "train": 320,
        "validation": 40,
        "test": 40,
    }
    assert all(np.array_equal(first[name], again[name]) for name in SPLIT_NAMES)
    assert not np.array_equal(first["test"], other["test"])


def test_random_split_leaks_speakers(words: Corpus) -> None:
    parts = split_indices(words, "random")
    train, test = (
        {words.clips[i].group for i in parts[name].tolist()} for name in ("train", "test")
    )
    assert train & test


@pytest.mark.parametrize("kind", ["speaker", "random"])
def test_an_empty_part_is_an_error_with_advice(kind: SplitKind) -> None:
    with pytest.raises(MondegreenError, match=r"leaves no clips for .*2 clips of 1 speakers"):
        split_indices(corpus_of(["only one"]), kind)


def test_an_unknown_kind_is_an_error(words: Corpus) -> None:
    with pytest.raises(MondegreenError, match="unknown split 'clip'"):
        split_indices(words, "clip")  # type: ignore[arg-type]


def test_official_lists_hold_for_copies_in_another_format(tmp_path: Path) -> None:
    (tmp_path / "validation_list.txt").write_text("a/0.wav\nb/1.wav\n")
    (tmp_path / "testing_list.txt").write_text("a/2.wav\r\n\n")
    corpus = corpus_of(["x", "y", "z"], tmp_path)
    parts = split_indices(corpus, "official")
    named = {name: [corpus.clips[i].name for i in part.tolist()] for name, part in parts.items()}
    assert named == {
        "train": ["a/1.flac", "b/0.flac", "b/2.flac"],
        "validation": ["a/0.flac", "b/1.flac"],
        "test": ["a/2.flac"],
    }


def test_official_lists_that_are_missing_or_do_not_fit(tmp_path: Path) -> None:
    corpus = corpus_of(["x"], tmp_path)
    with pytest.raises(MondegreenError, match=r"validation_list\.txt, which does not exist"):
        split_indices(corpus, "official")
    for name in ("validation_list.txt", "testing_list.txt"):
        (tmp_path / name).write_text("elsewhere/0.wav\n")
    with pytest.raises(MondegreenError, match="do not fit these clips"):
        split_indices(corpus, "official")


def test_names_that_are_no_utf8_are_divided_too() -> None:
    assert hash_split("caf\udce9") in ("train", "validation", "test")  # as Python reads b"caf\xe9"
