from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from scipy import optimize

from mondegreen.data import synthetic_music as module
from mondegreen.data.folder import open_corpus
from mondegreen.data.gtzan import GENRES, gtzan
from mondegreen.data.music import band
from mondegreen.data.splits import hash_split, split_indices
from mondegreen.data.synthetic_music import (
    SyntheticMusicConfig,
    is_complete,
    synthesize_music,
    track_path,
)
from mondegreen.errors import MondegreenError

TINY = SyntheticMusicConfig(tracks=1, seconds=1.5, seed=11)
SMALL = SyntheticMusicConfig(tracks=12, seconds=2.0, seed=5)

Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of ``TINY``; read only."""
    return synthesize_music(tmp_path_factory.mktemp("music") / "tiny", TINY)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of ``SMALL``; read only."""
    return synthesize_music(tmp_path_factory.mktemp("music") / "small", SMALL)


def contents(root: Path) -> dict[str, bytes]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def refuse_to_play(*arguments: Any) -> Any:
    raise AssertionError("a track was played again")


def test_the_layout_is_gtzans(small: Path) -> None:
    corpus = open_corpus(small)
    assert (corpus.name, corpus.labels) == ("synthetic-music", GENRES)
    assert corpus.counts() == dict.fromkeys(GENRES, 24), "two clips of a second each"
    assert len(corpus.groups) == 120 and "jazz.00007" in corpus.groups
    info = soundfile.info(str(track_path(small, "metal", 3)))
    assert (info.samplerate, info.frames, info.channels) == (22_050, 44_100, 1)
    assert (info.format, info.subtype) == ("WAV", "PCM_16")
    assert gtzan(small / "genres").name == "synthetic-music"


def test_parts_share_no_track(small: Path) -> None:
    corpus = gtzan(small)
    parts = split_indices(corpus, "speaker")
    tracks = {name: {corpus.clips[i].group for i in part.tolist()} for name, part in parts.items()}
    assert sum(map(len, tracks.values())) == len(set.union(*tracks.values())) == 120
    leaky = split_indices(corpus, "random-chunk")
    heard = {corpus.clips[i].group for i in leaky["train"].tolist()}
    assert heard & {corpus.clips[i].group for i in leaky["test"].tolist()}


def test_a_synthetic_track_with_the_number_of_gtzans_damaged_one_is_kept(
    tiny: Path, tmp_path: Path
) -> None:
    for path in tiny.rglob("*.wav"):
        copy = tmp_path / path.relative_to(tiny)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.with_name(path.name.replace("00000", "00054")).write_bytes(path.read_bytes())
    (tmp_path / "corpus.json").write_bytes((tiny / "corpus.json").read_bytes())
    assert gtzan(tmp_path).counts()["jazz"] == 1


def test_record_of_the_corpus(tiny: Path) -> None:
    record = json.loads((tiny / "corpus.json").read_text())
    assert record["config"] == {"tracks": 1, "seconds": 1.5, "seed": 11}
    assert record["counts"] == {"genres": 10, "tracks": 10}


def test_the_same_seed_gives_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    assert contents(synthesize_music(tmp_path / "again", TINY)) == contents(tiny)


def test_tracks_do_not_depend_on_how_many_there_are(tiny: Path, tmp_path: Path) -> None:
    more = synthesize_music(tmp_path / "more", dataclasses.replace(TINY, tracks=2))
    ours, theirs = contents(tiny / "genres"), contents(more / "genres")
    assert len(theirs) == 20 and len(set(theirs.values())) == 20
    assert all(theirs[name] == data for name, data in ours.items())


def test_another_seed_gives_other_tracks(tiny: Path, tmp_path: Path) -> None:
    other = synthesize_music(tmp_path / "other", dataclasses.replace(TINY, seed=12))
    assert not set(contents(other / "genres").values()) & set(contents(tiny / "genres").values())


def test_a_complete_corpus_is_left_alone(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "play_track", refuse_to_play)
    before = {path: path.stat().st_mtime_ns for path in tiny.rglob("*")}
    assert synthesize_music(tiny, TINY) == tiny
    assert is_complete(tiny, TINY)
    assert {path: path.stat().st_mtime_ns for path in tiny.rglob("*")} == before


def test_an_interrupted_corpus_is_continued(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, played, real = tmp_path / "music", [], band.track

    def interrupted(genre: str, *rest: Any) -> Any:
        played.append(genre)
        if len(played) > 3:
            raise KeyboardInterrupt
        return real(genre, *rest)

    monkeypatch.setattr(module, "play_track", interrupted)
    with pytest.raises(KeyboardInterrupt):
        synthesize_music(out, TINY)
    assert not is_complete(out, TINY)
    assert not list(out.rglob("*.tmp.wav"))
    track_path(out, played[0], 0).write_bytes(b"half of a file")
    done = {path for path in out.rglob("*.wav") if path.stat().st_size > 1000}
    assert done
    before = {path: path.stat().st_mtime_ns for path in done}
    monkeypatch.setattr(module, "play_track", real)
    assert contents(synthesize_music(out, TINY)) == contents(tiny)
    assert {path: path.stat().st_mtime_ns for path in done} == before


def test_another_configuration_is_refused(tiny: Path, tmp_path: Path) -> None:
    before = contents(tiny)
    for changes in ({"seed": 12}, {"tracks": 2}, {"seconds": 2.0}):
        with pytest.raises(MondegreenError, match="another configuration"):
            synthesize_music(tiny, dataclasses.replace(TINY, **changes))
    assert contents(tiny) == before


@pytest.mark.parametrize("name", ["notes.txt", "genres/rock/mine.wav", "genres/rock/pop.00000.wav"])
def test_a_folder_with_other_things_is_not_touched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("precious")
    with pytest.raises(MondegreenError, match=f"not a synthetic music corpus.*{name}"):
        synthesize_music(tmp_path, TINY)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [Path(name).name]


def test_gtzan_itself_is_not_taken_for_it(tiny: Path, tmp_path: Path) -> None:
    path = track_path(tmp_path, "blues", 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(track_path(tiny, "blues", 0).read_bytes())
    with pytest.raises(MondegreenError, match="not a synthetic music corpus"):
        synthesize_music(tmp_path, TINY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tracks": 0}, "tracks must lie in 1 to 99999, not 0"),
        ({"seconds": 0.5}, "seconds must lie in 1 to 60, not 0.5"),
        ({"seconds": float("nan")}, "seconds must lie"),
        ({"seed": -1}, "seed must not be negative"),
    ],
)
def test_impossible_configurations_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MondegreenError, match=message):
        dataclasses.replace(TINY, **changes)


def seconds_of(root: Path) -> tuple[list[Floats], Floats, npt.NDArray[np.bool_]]:
    """Every second of music, its genre's number, and whether its track is for training."""
    clips, genre, train = [], [], []
    for number, name in enumerate(GENRES):
        for path in sorted((root / "genres" / name).glob("*.wav")):
            x, rate = soundfile.read(str(path))
            for second in x[: len(x) // rate * rate].reshape(-1, rate):
                clips.append(second)
                genre.append(number)
                train.append(hash_split(path.stem) == "train")
    return clips, np.asarray(genre), np.asarray(train)


def loudness(clip: Floats) -> list[float]:
    level = 10 * np.log10(np.mean(clip[:22_000].reshape(20, 1100) ** 2, axis=1) + 1e-9)
    mean, spread = 10 * np.log10(np.mean(clip**2) + 1e-9), float(np.std(level))
    return [mean, spread, mean**2, spread**2, mean * spread]


def mean_spectrum(clip: Floats) -> list[float]:
    power = np.abs(np.fft.rfft(clip[:22_000].reshape(20, 1100) * np.hanning(1100))) ** 2
    edges = np.unique(np.geomspace(2, 400, 25).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    return list(np.log(bands + 1e-4).mean(axis=0))


def linear_accuracy(features: Floats, genre: Floats, train: npt.NDArray[np.bool_]) -> float:
    """Accuracy of multinomial logistic regression on the tracks that were not trained with."""
    x = (features - features[train].mean(axis=0)) / features[train].std(axis=0)
    x = np.column_stack([x, np.ones(len(x))])
    target = np.eye(10)[genre[train]]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(-1, 10)
        z = x[train] @ weights
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        value = -np.mean(np.log(np.sum(p * target, axis=1))) + 1e-3 * np.sum(flat**2)
        slope = x[train].T @ (p - target) / train.sum() + 2e-3 * weights
        return float(value), slope.ravel()

    start = np.zeros(x.shape[1] * 10)
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 150})
    guess = (x[~train] @ found.x.reshape(-1, 10)).argmax(axis=1)
    return float(np.mean(guess == genre[~train]))


def test_neither_loudness_nor_the_mean_spectrum_give_the_genre_away(small: Path) -> None:
    clips, genre, train = seconds_of(small)
    assert 30 <= np.sum(~train) <= 120
    by_loudness = linear_accuracy(np.asarray([loudness(c) for c in clips]), genre, train)
    by_spectrum = linear_accuracy(np.asarray([mean_spectrum(c) for c in clips]), genre, train)
    assert by_loudness < 0.25, by_loudness
    assert 0.12 < by_spectrum < 0.55, by_spectrum
