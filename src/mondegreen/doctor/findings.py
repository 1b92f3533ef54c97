"""From what was found to what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["broken", "slow", "note"]

SLOW_DISK = 30e6
"""Bytes a second below which a disk holds a training up: a second of clips takes longer to read
than to work on."""

_SLOWER = 1.1
_LITTLE_MEMORY = 2 * 2**30
_LITTLE_SPACE = 2**30
_NETWORK = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "lustre")


@dataclass(frozen=True)
class Finding:
    """Something that is broken, slow or worth knowing."""

    level: Level
    what: str
    """What is so, and why it matters."""
    action: str
    """What to do about it."""


def findings(about: Mapping[str, Any]) -> list[Finding]:
    """Return everything that is worth doing something about, the worst first.

    Args:
        about: What :func:`mondegreen.cli.doctor.examine` gathered.
    """
    found = [*_broken(about), *_threads(about), *_memory(about), *_disk(about), *_notes(about)]
    order = ("broken", "slow", "note")
    return sorted(found, key=lambda finding: order.index(finding.level))


def _broken(about: Mapping[str, Any]) -> Iterator[Finding]:
    for name, version in about["versions"].items():
        if version is None:
            yield Finding("broken", f"{name} is not installed", "pip install mondegreen")
    if about["model"] is not None:
        yield Finding("broken", about["model"], "pip install --force-reinstall mondegreen")
    if about["cache"]["error"] is not None:
        yield Finding(
            "broken",
            f"the cache folder {about['cache']['folder']} cannot be written: "
            f"{about['cache']['error']}",
            "set MONDEGREEN_CACHE to a folder on a local disk",
        )


def _threads(about: Mapping[str, Any]) -> Iterator[Finding]:
    processor = about["processor"]
    threads, usable = processor["threads"], processor["usable_cores"]
    if threads > usable:
        yield Finding(
            "slow",
            f"PyTorch computes with {threads} threads, but this process may use {usable} cores, so "
            "that they wait for each other",
            f"export OMP_NUM_THREADS={usable}",
        )
    for name, times in about["timings"].items():
        now, one = times.get(str(threads)), times.get("1")
        if threads > 1 and now and one and now > _SLOWER * one:
            yield Finding(
                "slow",
                f"{name}: {now:.0f} ms with {threads} threads, {one:.0f} ms with one",
                "export OMP_NUM_THREADS=1, and run several things at once instead",
            )
    if processor["load"] > 1.5 * processor["cores"]:
        yield Finding(
            "slow",
            f"{processor['load']:g} processes want to run on {processor['cores']} cores",
            "let other programs finish; do not trust times that are measured now",
        )


def _memory(about: Mapping[str, Any]) -> Iterator[Finding]:
    memory = about["memory"]
    limits = [n for n in (memory["available"], memory["cgroup_limit"]) if n is not None]
    if limits and min(limits) < _LITTLE_MEMORY:
        yield Finding(
            "slow",
            f"only {min(limits) / 2**30:.1f} GiB of memory are to be had",
            "train with --training.batch-size 16, or close other programs",
        )
    if not about["allocator"]:
        yield Finding(
            "slow",
            "this system's C library is not glibc, so freed memory goes back to the kernel at "
            "every training step",
            "use a Linux with glibc, or preload jemalloc",
        )


def _disk(about: Mapping[str, Any]) -> Iterator[Finding]:
    cache = about["cache"]
    speed, kind = cache.get("write_bytes_a_second"), cache.get("file_system") or ""
    action = "set MONDEGREEN_CACHE to a folder on a local disk"
    if speed is not None and speed < SLOW_DISK:
        yield Finding("slow", f"the cache's disk writes {speed / 1e6:.0f} MB a second", action)
    if kind.startswith(_NETWORK):
        yield Finding("slow", f"the cache lies on a network file system ({kind})", action)
    free = cache.get("free_bytes")
    if free is not None and free < _LITTLE_SPACE:
        yield Finding("slow", f"the cache's disk has {free / 2**20:.0f} MiB left", action)


def _notes(about: Mapping[str, Any]) -> Iterator[Finding]:
    for extra in about["extras"]:
        if extra["missing"]:
            yield Finding(
                "note",
                f"without {', '.join(extra['missing'])} there is no {extra['purpose']}",
                f"pip install 'mondegreen[{extra['extra']}]'",
            )
    if not about["gpu"]["devices"]:
        yield Finding("note", "there is no CUDA device", "train with --preset cpu or demo")
