"""Full and read-only disks, folders that vanish, two processes in one folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from mondegreen.audio import write_wav
from mondegreen.data.cache import ClipCache
from mondegreen.data.folder import folder_corpus
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.partial import Partial
from mondegreen.files import atomic_write, write_json, write_text
from mondegreen.runs import Run
from mondegreen.sound_files import write_blocks
from mondegreen.weights import save_weights

SMALL, LARGE = 100, 100_000
ROOM = 128 * 1024


@dataclass(frozen=True)
class Config:
    """What a run was asked for."""

    epochs: int = 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for 128 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(words, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def blocks(path: Path, size: int) -> None:
    with write_blocks(path, 8000, 1, size) as writer:
        writer.write(torch.zeros(1, size))


def state(path: Path, size: int) -> None:
    Run(path, Config()).save_state({"step": 1, "weights": torch.ones(size)})


def batch(path: Path, size: int) -> None:
    Partial(path, {}).save(1, {"after": np.arange(size)})


WRITERS: dict[str, Callable[[Path, int], None]] = {
    "text": lambda path, size: write_text(path, "x" * 8 * size),
    "json": lambda path, size: write_json(path, ["x" * 8 * size]),
    "weights": lambda path, size: save_weights(path, nn.Linear(size, 2)),
    "state": state,
    "batch": batch,
    "wav": lambda path, size: write_wav(path, torch.zeros(4 * size), 8000),
    "blocks": lambda path, size: blocks(path, 4 * size),
}


def content(place: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_keeps_what_was_there(name: str, small_disk: Path) -> None:
    write = WRITERS[name]
    write(small_disk / "x", SMALL)
    before = content(small_disk)
    assert before
    with pytest.raises(MondegreenError, match=r"cannot write .*Free some space"):
        write(small_disk / "x", LARGE)
    assert content(small_disk) == before
    write(small_disk / "x", SMALL)  # nothing takes up the room


@pytest.mark.parametrize("name", WRITERS)
def test_a_read_only_disk_keeps_what_was_there(name: str, small_disk: Path) -> None:
    write = WRITERS[name]
    write(small_disk / "x", SMALL)
    before = content(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(MondegreenError, match=r"cannot write .*another output folder"):
        write(small_disk / "x", SMALL)
    assert content(small_disk) == before


def test_a_cache_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    write_clips(tmp_path / "clips", samples=20_000)
    corpus = folder_corpus(tmp_path / "clips")
    with pytest.raises(MondegreenError, match=r"No space left on device.*MONDEGREEN_CACHE"):
        ClipCache.build(corpus, sample_rate=8000, clip_samples=20_000, folder=small_disk)
    assert list(small_disk.iterdir()) == []


def write_clips(folder: Path, samples: int = 800) -> None:
    for label in ("no", "yes"):
        (folder / label).mkdir(parents=True)
        for take in range(2):
            soundfile.write(folder / label / f"{take}.wav", np.full(samples, 0.25), 8000)


def test_data_that_vanish_after_they_were_decoded(tmp_path: Path) -> None:
    write_clips(tmp_path / "clips")
    corpus = folder_corpus(tmp_path / "clips")
    cache = ClipCache.build(corpus, sample_rate=8000, clip_samples=800, folder=tmp_path / "cache")
    shutil.rmtree(tmp_path / "clips")
    shutil.rmtree(tmp_path / "cache")
    assert bool((cache.read([0, 1, 2, 3]) == 8192).all())


def test_data_that_vanish_before(tmp_path: Path) -> None:
    write_clips(tmp_path / "clips")
    corpus = folder_corpus(tmp_path / "clips")
    shutil.rmtree(tmp_path / "clips")
    with pytest.raises(MondegreenError, match=r"4 of 4 clips(.|\n)*does not exist"):
        ClipCache.build(corpus, sample_rate=8000, clip_samples=800, folder=tmp_path / "cache")


def test_a_run_that_vanishes_is_not_made_anew(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", Config())
    run.log(1, {"loss": 0.5})
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(MondegreenError, match="moved or deleted while"):
        run.log(2, {"loss": 0.25})
    assert not (tmp_path / "run").exists()


HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_is_for_one_process(tmp_path: Path) -> None:
    Run(tmp_path / "run", Config())
    words = [sys.executable, "-c", HOLDER, str(tmp_path / "run" / ".lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(MondegreenError, match=r"another process is working in .*run"):
            Run(tmp_path / "run", Config())
        other.kill()
    Run(tmp_path / "run", Config())


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    Run(folder, Config()).log(1, {"loss": 1.0})
    half = [folder / ".config.0123abcd.tmp.json", folder / "checkpoints" / ".s.89abcdef.tmp.pt"]
    kept = [folder / ".notes.tmp", folder / ".config.0123abcd.json"]
    half[1].parent.mkdir()
    for path in (*half, *kept):
        path.touch()
    Run(folder, Config())
    assert not any(path.exists() for path in half)
    assert all(path.exists() for path in kept)


def test_a_run_that_was_killed_in_its_first_write_begins(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".config.0123abcd.tmp.json").write_text("{")
    (tmp_path / "run" / ".lock").touch()
    Run(tmp_path / "run", Config())
    assert (tmp_path / "run" / "config.json").exists()


def test_content_is_on_the_disk_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened = []
    sync, rename = os.fsync, os.replace

    def synchronise(descriptor: int) -> None:
        happened.append(("sync", os.path.getsize(descriptor)))  # noqa: PTH202
        sync(descriptor)

    def replace(one: Path, other: Path) -> None:
        happened.append(("rename", Path(one).stat().st_size))
        rename(one, other)

    monkeypatch.setattr(os, "fsync", synchronise)
    monkeypatch.setattr(os, "replace", replace)
    with atomic_write(tmp_path / "x") as temporary:
        temporary.write_bytes(b"four")
    assert happened == [("sync", 4), ("rename", 4)]
