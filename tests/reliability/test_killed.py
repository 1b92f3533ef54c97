"""What is killed, or meets a full disk, and is run again ends as if nothing had happened."""

from __future__ import annotations

import random
import signal
from pathlib import Path
from typing import Any

import pytest
from benchmarks.reliability.campaign import kinds_of, provoke
from benchmarks.reliability.child import Fault
from benchmarks.reliability.killing import Ended
from benchmarks.reliability.snapshots import differences, leftovers, snapshot

EVERY = (
    "data info",
    "train classifier",
    "train generator",
    "train universal",
    "evaluate",
    "compare",
    "channels",
    "transfer",
    "defences",
    "harden",
    "reproduce",
)
CASES = [
    pytest.param(name, kind, id=f"{name}, {kind.name.partition(',')[0]}")
    for name in EVERY
    for kind in kinds_of(name)
]


def check(ended: Ended) -> None:
    assert ended.differing == []
    assert ended.leftovers == []


def test_a_cache_that_is_killed_at_any_file_operation(commands: Any, tmp_path: Path) -> None:
    bench = commands.bench("data info", tmp_path)
    whole = bench.whole()
    assert len(whole.left) == 1  # the index, with a digest of the samples
    for operation in range(whole.operations):
        ended = bench.failing_at(Fault(operation, "kill"), whole)
        assert (ended.disturbed, ended.code) == (True, -signal.SIGKILL)
        assert ended.differing == []
        assert all(name.endswith(".tmp.json") for name in ended.leftovers)


def test_a_training_that_is_killed_or_meets_a_full_disk(commands: Any, tmp_path: Path) -> None:
    bench = commands.bench("train universal", tmp_path)
    whole = bench.whole()
    rng = random.Random(20)
    for _ in range(2):
        check(bench.killed_at(rng.random(), whole))
        check(bench.failing_at(Fault(rng.randrange(whole.operations), "kill"), whole))
    ended = bench.failing_at(Fault(rng.randrange(whole.operations), "ENOSPC"), whole)
    check(ended)
    assert ended.code == 2
    assert "No space left on device" in " ".join(ended.said.split())
    assert "Traceback" not in ended.said


def test_a_training_that_is_asked_to_stop(commands: Any, tmp_path: Path) -> None:
    bench = commands.bench("train universal", tmp_path)
    whole = bench.whole()
    ended = bench.killed_at(0.6, whole, signal.SIGTERM)
    check(ended)
    assert ended.disturbed and ended.code == 143
    assert "mondegreen train universal --preset smoke" in ended.said


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_fault_of_every_command(commands: Any, tmp_path: Path, name: str, kind: Any) -> None:
    bench = commands.bench(name, tmp_path)
    row = provoke(bench, kind, bench.whole(), times=20, seed=20)
    assert row["identical"] == row["provoked"], row["differing"]
    assert row["unclear"] == []
    assert name == "data info" or row["leftovers"] == []


def test_snapshots_see_a_bit_and_no_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.json").write_text('{"rate": 1, "seconds": 2}')
        (tmp_path / name / "x.wav").write_bytes(b"RIFF")
    assert differences(snapshot(tmp_path / "a"), snapshot(tmp_path / "b")) == []
    (tmp_path / "b" / "x.json").write_text('{"rate": 1, "seconds": 3}')
    assert differences(snapshot(tmp_path / "a"), snapshot(tmp_path / "b")) == []
    (tmp_path / "b" / "x.json").write_text('{"rate": 1.5, "seconds": 3}')
    (tmp_path / "b" / "x.wav").write_bytes(b"RIFE")
    (tmp_path / "b" / "more").touch()
    (tmp_path / "b" / ".x.0123abcd.tmp.wav").touch()
    different = differences(snapshot(tmp_path / "a"), snapshot(tmp_path / "b"))
    assert different == ["more", "x.json", "x.wav"]
    assert leftovers(tmp_path / "b") == [".x.0123abcd.tmp.wav"]
