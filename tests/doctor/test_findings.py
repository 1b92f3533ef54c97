from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from mondegreen.doctor.findings import findings

WELL: dict[str, Any] = {
    "versions": {"torch": "2.13.0"},
    "extras": [{"extra": "quality", "purpose": "PESQ", "versions": {"pesq": "1"}, "missing": []}],
    "processor": {"cores": 4, "usable_cores": 4, "threads": 4, "load": 1.0},
    "memory": {"total": 16 * 2**30, "available": 12 * 2**30, "cgroup_limit": None},
    "allocator": True,
    "cache": {
        "folder": "cache",
        "error": None,
        "free_bytes": 2**36,
        "write_bytes_a_second": 5e8,
        "file_system": "ext4",
    },
    "gpu": {"devices": ["A GPU"]},
    "model": None,
    "timings": {"attack": {"4": 10.0, "1": 30.0}},
}


def test_nothing_is_said_where_all_is_well() -> None:
    assert findings(WELL) == []


@pytest.mark.parametrize(
    ("path", "value", "level", "what", "action"),
    [
        ("versions.torch", None, "broken", "torch is not installed", "pip install"),
        ("model", "weights are off", "broken", "weights are off", "reinstall"),
        ("cache.error", "Read-only", "broken", "cache cannot be written: Read-only", "CACHE"),
        ("processor.usable_cores", 2, "slow", "4 threads, .* 2 cores", "OMP_NUM_THREADS=2"),
        ("timings.attack.1", 8.0, "slow", "10 ms with 4 threads, 8 ms with one", "THREADS=1"),
        ("processor.load", 9.0, "slow", "9 processes want to run on 4 cores", "times"),
        ("memory.cgroup_limit", 2**30, "slow", r"only 1\.0 GiB", "batch-size"),
        ("allocator", False, "slow", "not glibc", "glibc"),
        ("cache.write_bytes_a_second", 9e6, "slow", "writes 9 MB a second", "local disk"),
        ("cache.file_system", "nfs4", "slow", r"network file system \(nfs4\)", "local disk"),
        ("cache.free_bytes", 2**20, "slow", "1 MiB left", "local disk"),
        ("extras.0.missing", ["pesq"], "note", "without pesq there is no PESQ", r"\[quality\]"),
        ("gpu.devices", [], "note", "no CUDA device", "--preset cpu"),
    ],
)
def test_each_ill_has_its_finding(
    path: str, value: Any, level: str, what: str, action: str
) -> None:
    about = copy.deepcopy(WELL)
    *outer, last = path.split(".")
    inner: Any = about
    for name in outer:
        inner = inner[int(name) if name.isdigit() else name]
    inner[last] = value
    (found,) = findings(about)
    assert found.level == level
    assert re.search(what, found.what), found.what
    assert re.search(action, found.action), found.action


def test_the_worst_comes_first() -> None:
    about = copy.deepcopy(WELL) | {"model": "off", "allocator": False, "gpu": {"devices": []}}
    assert [found.level for found in findings(about)] == ["broken", "slow", "note"]
