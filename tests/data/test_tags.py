"""Clips with several tags: the listing, the goal that each clip meets, the splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mondegreen.data.folder import open_corpus, open_tagged
from mondegreen.data.goals import parse_goal
from mondegreen.data.options import DataOptions, open_tags, open_test_split
from mondegreen.data.splits import split_indices
from mondegreen.data.tags import read_tags
from mondegreen.errors import MondegreenError

GOALS = [parse_goal("+rain"), parse_goal("hush=-dog")]


def write_clips(root: Path, *names: str) -> None:
    random = np.random.default_rng(1)
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, 0.1 * random.standard_normal(400), 4000)


def listing(root: Path, *lines: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "tags.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """One clip of each combination of rain and dog."""
    write_clips(tmp_path, "both.wav", "sub/rain.wav", "dog.wav", "neither.wav")
    return listing(
        tmp_path,
        "file,tags,group",
        "both.wav,rain;dog,a",
        "sub/rain.wav,rain,b",
        "dog.wav,dog; wind,",
        "neither.wav,,a",
    )


def test_the_listing_is_read(four: Path) -> None:
    found = read_tags(four)
    assert [clip.path.name for clip in found.clips] == [
        "both.wav",
        "rain.wav",
        "dog.wav",
        "neither.wav",
    ]
    assert [clip.group for clip in found.clips] == ["a", "b", "dog", "a"]
    wanted = ("rain", "dog"), ("rain",), ("dog", "wind"), ()
    assert found.tags == tuple(map(frozenset, wanted))
    assert found.known == ("dog", "rain", "wind")
    truth = found.truth(found.clips[::-1], ("wind", "rain"))
    assert truth.tolist() == [[False, False], [True, False], [False, True], [False, True]]


def test_files_of_one_name_in_two_folders_have_names_of_their_own(tmp_path: Path) -> None:
    write_clips(tmp_path, "d1/001.wav", "d2/001.wav")
    found = read_tags(listing(tmp_path, "file,tags", "d1/001.wav,rain", "./d2/001.wav,rain"))
    names = [clip.name for clip in found.corpus(GOALS[:1]).clips]
    assert sorted(names) == ["+rain/d1/001.wav", "+rain/d2/001.wav"]


def test_a_clip_has_the_label_of_the_goal_it_meets(four: Path) -> None:
    tagged = read_tags(four)
    corpus = tagged.corpus(GOALS)
    assert corpus.labels == ("none", "+rain", "hush")
    found = {clip.path.name: clip.label for clip in corpus.clips}
    # The clip with rain alone meets both goals: neither is an attack's doing.
    assert found == {"both.wav": "+rain", "dog.wav": "none", "neither.wav": "hush"}
    every = tagged.corpus(GOALS, several=True)
    assert {clip.path.name: clip.label for clip in every.clips}["rain.wav"] == "+rain"
    assert corpus.groups == {"a", "dog"}


def test_pairs_are_of_clips_and_goals_that_they_do_not_meet(four: Path) -> None:
    tagged = read_tags(four)
    tags = dict(zip((clip.path for clip in tagged.clips), tagged.tags, strict=True))
    for clip in tagged.corpus(GOALS).clips:
        for goal in GOALS:
            assert goal.met_by(tags[clip.path]) == (clip.label == goal.label)


def test_a_folder_is_opened_for_goals(four: Path) -> None:
    by_labels = open_corpus(four, labels=("none", "+rain", "hush"), goals=("hush=-dog",))
    assert by_labels == open_corpus(four, goals=("+rain", "hush=-dog"))
    assert by_labels.counts() == {"none": 1, "+rain": 1, "hush": 1}
    with pytest.raises(MondegreenError, match="mondegreen goals"):
        open_corpus(four)
    with pytest.raises(MondegreenError, match="mondegreen goals"):
        open_corpus(four, labels=("none", "rain"))


def test_folders_of_labels_are_clips_with_one_tag(tmp_path: Path) -> None:
    write_clips(tmp_path, "rain/1.wav", "rain/2.wav", "dog/3.wav", "wind/4.wav")
    corpus = open_corpus(tmp_path, labels=("none", "+dog", "dry"), goals=("dry=-rain-dog",))
    found = {clip.path.name: clip.label for clip in corpus.clips}
    assert found == {"1.wav": "none", "2.wav": "none", "3.wav": "+dog", "4.wav": "dry"}
    assert open_tagged(tmp_path).known == ("dog", "rain", "wind")


def test_groups_and_folds_divide_the_clips(tmp_path: Path) -> None:
    names = [f"{number}.wav" for number in range(40)]
    write_clips(tmp_path, *names)
    tags = ("rain", "dog", "", "dog;rain")
    lines = [f"{n}.wav,{tags[n % 4]},song-{n // 4},{n % 5 + 1}" for n in range(40)]
    listing(tmp_path, "file,tags,group,fold", *lines)
    corpus = open_corpus(tmp_path, goals=("+rain", "+dog"))
    assert len(corpus) == 30  # those with both tags are left out
    by_song = split_indices(corpus, "speaker")
    songs = [{corpus.clips[i].group for i in part} for part in by_song.values()]
    assert sum(map(len, songs)) == len(set.union(*songs)) == 10
    by_fold = split_indices(corpus, "fold-2")
    assert {corpus.clips[i].fold for i in by_fold["test"]} == {2}
    assert read_tags(tmp_path, group_pattern=r"(\d)\d*\.").clips[-1].group == "3"


def test_options_open_the_parts(tmp_path: Path) -> None:
    write_clips(tmp_path, *(f"{number}.wav" for number in range(20)))
    lines = [f"{n}.wav,{'dog' if n < 10 else 'dog;rain'},{n % 5 + 1}" for n in range(20)]
    listing(tmp_path, "file,tags,fold", *lines)
    options = DataOptions(tmp_path, goals=("hush=-dog",), split="fold-1", cache=tmp_path / "cache")
    with pytest.raises(MondegreenError, match="nothing says what the goal 'wet' wants"):
        open_test_split(options, ("none", "hush", "wet"), 4000, 400, "test")
    data = open_test_split(options, ("none", "hush", "+rain"), 4000, 400, "test")
    assert data.labels.tolist() == [0, 0, 2, 2]
    tagged, parts = open_tags(options, GOALS, 4000, 400)
    assert torch.equal(
        tagged.truth(parts["test"].clips, ("dog", "rain")),
        torch.tensor([[True, False], [True, False], [True, True], [True, True]]),
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,tags", "gone.wav,rain"], r"line 2: there is no file .*gone\.wav"),
        (["file,tags", ",rain"], "line 2: there is no file"),
        (["file,tags", "1.wav,rain", "2.wav,", "1.wav,dog"], r"line 4: 1\.wav is listed in line 2"),
        (["file,tags", "1.wav,rain,dog"], "line 2: 2 values are expected"),
        (["file,tags", "1.wav"], "line 2: 2 values are expected"),
        (["file,tags", "1.wav,rain;;dog"], "an empty or a repeated one"),
        (["file,tags", "1.wav,rain;rain"], "an empty or a repeated one"),
        (["file,tags,fold", "1.wav,rain,6"], "the fold is '6'"),
        (["name,tags", "1.wav,rain"], "the first line has to be file,tags"),
        (["file,tags,tags", "1.wav,rain,dog"], "the first line has to be file,tags"),
        (["file,tags,colour", "1.wav,rain,red"], "the first line has to be file,tags"),
        (["file,tags"], "lists no clips"),
        ([""], "the first line has to be file,tags"),
        (["file,tags", '1.wav,"rain'], "cannot read"),
    ],
)
def test_a_damaged_listing_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    write_clips(tmp_path, "1.wav", "2.wav")
    listing(tmp_path, *lines)
    with pytest.raises(MondegreenError, match=message):
        read_tags(tmp_path)


def test_one_file_under_two_spellings_is_one_clip(tmp_path: Path) -> None:
    write_clips(tmp_path, "a.wav", "b.wav")
    listing(tmp_path, "file,tags", "a.wav,rain", "b.wav,dog", "./sub/../a.wav,dog")
    with pytest.raises(MondegreenError, match=r"line 4: .* is listed in line 2 already"):
        read_tags(tmp_path)


def test_goals_that_do_not_fit_the_clips_are_refused(four: Path) -> None:
    with pytest.raises(MondegreenError, match=r"no clip of .* has the tag 'rian'; there are: dog"):
        read_tags(four).corpus([parse_goal("+rian")])
    write_clips(four, "1.wav")
    listing(four, "file,tags", "1.wav,rain;wind")
    with pytest.raises(MondegreenError, match="meets several goals"):
        read_tags(four).corpus([parse_goal("+rain"), parse_goal("+wind")])
