from __future__ import annotations

from pathlib import Path

import pytest

from mondegreen.data.corpus import Clip, Corpus, sorted_corpus


def some_clips() -> list[Clip]:
    names = [("no", "b"), ("yes", "c"), ("no", "a"), ("yes", "a")]
    return [Clip(Path(label) / f"{name}.wav", label, name) for label, name in names]


def test_clips_are_sorted_by_label_order_and_then_by_name() -> None:
    corpus = sorted_corpus("c", Path(), ("yes", "no"), some_clips())
    assert [clip.name for clip in corpus.clips] == [
        "yes/a.wav",
        "yes/c.wav",
        "no/a.wav",
        "no/b.wav",
    ]
    assert corpus.label_indices().tolist() == [0, 0, 1, 1]


def test_counts_name_labels_without_clips() -> None:
    corpus = sorted_corpus("c", Path(), ("up", "yes", "no"), some_clips())
    assert corpus.counts() == {"up": 0, "yes": 2, "no": 2}
    assert corpus.groups == {"a", "b", "c"}


def test_subset_keeps_the_labels_and_the_order() -> None:
    corpus = sorted_corpus("c", Path(), ("yes", "no"), some_clips())
    part = corpus.subset([3, 0], name="part")
    assert part.clips == (corpus.clips[0], corpus.clips[3])
    assert (part.labels, part.name, len(part)) == (("yes", "no"), "part", 2)


def test_an_empty_group_is_refused() -> None:
    with pytest.raises(ValueError, match="empty group"):
        Clip(Path("a.wav"), "yes", "")


def test_inconsistent_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="lacks: \\['no'\\]"):
        sorted_corpus("c", Path(), ("yes",), some_clips())
    with pytest.raises(ValueError, match="repeat"):
        Corpus("c", Path(), ("yes", "yes"), ())
