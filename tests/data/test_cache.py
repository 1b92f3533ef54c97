from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mondegreen.audio import fit_length, float_to_pcm16, read_mono
from mondegreen.claims import claimed
from mondegreen.data import cache as cache_module
from mondegreen.data import decoding
from mondegreen.data.cache import ClipCache
from mondegreen.data.cache_folder import default_cache_folder
from mondegreen.data.corpus import Corpus, sorted_corpus
from mondegreen.data.folder import folder_corpus
from mondegreen.errors import MondegreenError

SAMPLES = 160


def build(corpus: Corpus, folder: Path) -> ClipCache:
    return ClipCache.build(
        corpus, sample_rate=16000, clip_samples=SAMPLES, folder=folder, workers=2
    )


def everything(cache: ClipCache) -> torch.Tensor:
    return cache.read(range(len(cache)))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded, as it happens."""
    names: list[str] = []

    def noting(path: Path, sample_rate: int) -> torch.Tensor:
        names.append(f"{path.parent.name}/{path.name}")
        return read_mono(path, sample_rate)

    monkeypatch.setattr(decoding, "read_mono", noting)
    return names


def test_holds_what_soundfile_reads_cut_or_padded(pair_folder: Path, tmp_path: Path) -> None:
    corpus = folder_corpus(pair_folder)
    rows = everything(build(corpus, tmp_path / "cache")).numpy()
    assert rows.shape == (12, SAMPLES)
    assert rows.dtype == np.int16
    for clip, row in zip(corpus.clips, rows, strict=True):
        pcm, _ = soundfile.read(str(clip.path), dtype="int16")
        assert np.array_equal(row[: len(pcm)], pcm[:SAMPLES])
        assert not row[len(pcm) :].any()


def test_resamples(pair_folder: Path, tmp_path: Path) -> None:
    corpus = folder_corpus(pair_folder)
    cache = ClipCache.build(corpus, sample_rate=8000, clip_samples=60, folder=tmp_path / "cache")
    wanted = float_to_pcm16(fit_length(read_mono(corpus.clips[7].path, 8000), 60))
    assert torch.equal(cache.read([7])[0], wanted)


def test_reads_in_any_order_and_refuses_what_is_not_there(
    pair_folder: Path, tmp_path: Path
) -> None:
    cache = build(folder_corpus(pair_folder), tmp_path / "cache")
    rows = everything(cache)
    assert torch.equal(cache.read(torch.tensor([5, 0, 5])), rows[[5, 0, 5]])
    assert cache.read([]).shape == (0, SAMPLES)
    with pytest.raises(IndexError):
        cache.read([12])


def test_nothing_is_decoded_twice(pair_folder: Path, tmp_path: Path, decoded: list[str]) -> None:
    corpus = folder_corpus(pair_folder)
    first = build(corpus, tmp_path / "cache")
    assert len(decoded) == 12
    again = build(corpus, tmp_path / "cache")
    assert len(decoded) == 12
    assert again.data == first.data


def test_label_order_does_not_matter_to_the_file_but_to_the_rows(
    pair_folder: Path, tmp_path: Path, decoded: list[str]
) -> None:
    corpus = folder_corpus(pair_folder)
    turned = sorted_corpus("t", pair_folder, ("dog", "cat"), corpus.clips)
    rows = everything(build(corpus, tmp_path / "cache"))
    assert torch.equal(everything(build(turned, tmp_path / "cache")), rows.roll(6, 0))
    assert len(decoded) == 12


def test_only_changed_clips_are_decoded_again(
    pair_folder: Path, tmp_path: Path, decoded: list[str]
) -> None:
    corpus = folder_corpus(pair_folder)
    old = build(corpus, tmp_path / "cache")
    before = everything(old)
    changed, touched = pair_folder / "cat" / "3.wav", pair_folder / "dog" / "1.wav"
    soundfile.write(str(changed), np.full(50, 77, dtype=np.int16), 16000)
    os.utime(touched, ns=(1, 1))
    decoded.clear()
    after = everything(build(corpus, tmp_path / "cache"))
    assert sorted(decoded) == ["cat/3.wav", "dog/1.wav"]
    assert torch.equal(after, everything(build(corpus, tmp_path / "fresh")))
    assert not torch.equal(after[3], before[3])
    assert torch.equal(everything(old), before), "a cache in use keeps its content"
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.mark.parametrize("damage", ["no index", "bad json", "wrong json", "short data", "no data"])
def test_a_damaged_cache_is_built_again(pair_folder: Path, tmp_path: Path, damage: str) -> None:
    corpus = folder_corpus(pair_folder)
    cache = build(corpus, tmp_path / "cache")
    rows = everything(cache)
    (index,) = (tmp_path / "cache").glob("*.json")
    if damage == "no index":
        index.unlink()
    elif damage == "bad json":
        index.write_text("{")
    elif damage == "wrong json":
        index.write_text("[1]")
    elif damage == "short data":
        os.truncate(cache.data, 100)
    else:
        cache.data.unlink()
    assert torch.equal(everything(build(corpus, tmp_path / "cache")), rows)


def test_an_interrupted_build_leaves_nothing_and_can_be_repeated(
    pair_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = folder_corpus(pair_folder)

    def stop(path: Path, sample_rate: int) -> torch.Tensor:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(decoding, "read_mono", stop)
        with pytest.raises(KeyboardInterrupt):
            build(corpus, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    assert len(build(corpus, tmp_path / "cache")) == 12


def test_remains_of_killed_builds_go_and_builds_under_way_stay(
    pair_folder: Path, tmp_path: Path
) -> None:
    corpus = folder_corpus(pair_folder)
    cache = build(corpus, tmp_path / "cache")
    key = cache.data.name[:16]
    dead = [cache.data.with_name(name) for name in (f".{key}-dead.pcm.tmp", f"{key}-dead.pcm")]
    busy = [cache.data.with_name(name) for name in (f".{key}-busy.pcm.tmp", f"{key}-busy.pcm")]
    for path in dead:
        path.write_bytes(b"x")
    with claimed(busy[0]), claimed(busy[1]):
        build(corpus, tmp_path / "cache")
        assert not any(path.exists() for path in dead)
        os.utime(corpus.clips[0].path, ns=(1, 1))
        again = build(corpus, tmp_path / "cache")
        assert all(path.exists() for path in busy)
        assert not cache.data.exists() and again.data.exists()
    build(corpus, tmp_path / "cache")
    assert not any(path.exists() for path in busy)


def test_bad_clips_are_counted_and_five_are_named(pair_folder: Path, tmp_path: Path) -> None:
    corpus = folder_corpus(pair_folder)
    for clip in range(6):
        (pair_folder / "cat" / f"{clip}.wav").write_text("no sound")
    (pair_folder / "dog" / "0.wav").unlink()
    with pytest.raises(MondegreenError) as caught:
        build(corpus, tmp_path / "cache")
    message = str(caught.value)
    assert "7 of 12 clips cannot be read" in message
    assert [f"{clip}.wav" in message for clip in range(6)] == [True] * 5 + [False]
    assert "and 2 more" in message
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_made(pair_folder: Path) -> None:
    with pytest.raises(MondegreenError, match="MONDEGREEN_CACHE"):
        build(folder_corpus(pair_folder), pair_folder / "cat" / "0.wav" / "cache")


def test_a_full_disk(pair_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: memoryview, offset: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(MondegreenError, match="No space left on device"):
        build(folder_corpus(pair_folder), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_short_writes_are_continued(
    pair_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = folder_corpus(pair_folder)
    rows = everything(build(corpus, tmp_path / "cache"))
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: whole(fd, bytes(data[:7]), at))
    assert torch.equal(everything(build(corpus, tmp_path / "slow")), rows)


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="no clips"):
        build(Corpus("c", tmp_path, ("a", "b"), ()), tmp_path)


def build_many_times(root: Path, folder: Path, results: multiprocessing.Queue[bytes]) -> None:
    corpus = folder_corpus(root)
    for turn in range(8):
        os.utime(corpus.clips[turn].path, ns=(turn, turn + os.getpid()))
        results.put(everything(build(corpus, folder)).numpy().tobytes())


def test_processes_may_build_at_the_same_time(pair_folder: Path, tmp_path: Path) -> None:
    """Each touches clips, so that the others must begin anew while it copies the old file."""
    wanted = everything(build(folder_corpus(pair_folder), tmp_path / "alone")).numpy().tobytes()
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[bytes] = context.Queue()
    args = (pair_folder, tmp_path / "cache", results)
    processes = [context.Process(target=build_many_times, args=args) for _ in range(3)]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in range(24)]
    for process in processes:
        process.join()
    assert all(rows == wanted for rows in found)
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_a_file_replaced_before_it_is_opened(
    pair_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = folder_corpus(pair_folder)
    refresh, calls = cache_module._Place.refresh, []

    def replaced(place: cache_module._Place, workers: int | None) -> Path:
        data = refresh(place, workers)
        calls.append(data)
        if len(calls) == 1:
            data.unlink()  # as another process does once it has written a newer one
        return data

    monkeypatch.setattr(cache_module._Place, "refresh", replaced)
    assert len(build(corpus, tmp_path / "cache")) == 12
    assert len(calls) == 2


def test_a_file_replaced_while_it_is_copied(
    pair_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = folder_corpus(pair_folder)
    rows = everything(build(corpus, tmp_path / "cache"))
    os.utime(corpus.clips[0].path, ns=(1, 1))

    def vanished(source: Path, target: Path) -> None:
        source.unlink()
        raise FileNotFoundError(2, "No such file or directory", str(source))

    monkeypatch.setattr(shutil, "copyfile", vanished)
    assert torch.equal(everything(build(corpus, tmp_path / "cache")), rows)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_threads_may_read_at_the_same_time(pair_folder: Path, tmp_path: Path) -> None:
    cache = build(folder_corpus(pair_folder), tmp_path / "cache")
    rows = everything(cache)
    same: list[bool] = []

    def read() -> None:
        for _ in range(50):
            cache._count(2**30)  # gives the pages back at once
            same.append(torch.equal(everything(cache), rows))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 200


def test_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONDEGREEN_CACHE", "/somewhere/else")
    assert default_cache_folder() == Path("/somewhere/else")
    monkeypatch.delenv("MONDEGREEN_CACHE")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_cache_folder() == Path("/home/somebody/.cache/mondegreen")


def test_a_file_that_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "x.pcm").write_bytes(b"123")
    with pytest.raises(MondegreenError, match=r"x\.pcm is damaged"):
        ClipCache(tmp_path / "x.pcm", 2)
