"""What the machine and the software around us are: versions, cores, memory, disk, GPU."""

from __future__ import annotations

import os
import platform
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from mondegreen import __version__
from mondegreen.data.cache_folder import default_cache_folder
from mondegreen.doctor.extras import installed

CORE = (
    *("torch", "numpy", "soundfile", "julius", "safetensors", "tyro", "rich"),
    *("lightning-fabric", "matplotlib", "pillow", "jinja2"),
)

_BLOCK = 8 * 2**20
_GROUP = Path("/sys/fs/cgroup")
_NO_LIMIT = 2**60


def versions() -> dict[str, str | None]:
    """Return the version of Python and of every package that is always needed; None: missing."""
    own = {"mondegreen": __version__, "python": platform.python_version()}
    return {**own, **{name: installed(name) for name in CORE}}


def processor() -> dict[str, Any]:
    """Return how many cores there are, how many this process may use, and how busy they are."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = os.cpu_count() or 1
    quota = _quota()
    usable = min(allowed or cores, quota or cores)
    return {
        "cores": cores,
        "affinity": allowed,
        "cgroup_cores": quota,
        "usable_cores": max(1, int(usable)),
        "threads": torch.get_num_threads(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "load": round(os.getloadavg()[0], 2),
    }


def _quota() -> float | None:
    """Return the cores that a control group grants, of version 2 or 1; None for no limit."""
    try:
        quota, period = (_GROUP / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:
        quota = (_GROUP / "cpu" / "cpu.cfs_quota_us").read_text()
        period = (_GROUP / "cpu" / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError):
        return None


def memory() -> dict[str, int | None]:
    """Return the machine's memory, what is free of it, and the control group's limit, in bytes."""
    found: dict[str, int | None] = {"total": None, "available": None, "cgroup_limit": None}
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _, value = line.partition(":")
            key = {"MemTotal": "total", "MemAvailable": "available"}.get(name)
            if key:
                found[key] = int(value.split()[0]) * 1024
    except (OSError, ValueError):
        pass
    for path in (_GROUP / "memory.max", _GROUP / "memory" / "memory.limit_in_bytes"):
        try:
            limit = int(path.read_text())
        except (OSError, ValueError):
            continue
        found["cgroup_limit"] = limit if limit < _NO_LIMIT else None
        break
    return found


def cache() -> dict[str, Any]:
    """Return where decoded clips are kept, how much that is, and how fast its disk is."""
    folder = default_cache_folder()
    found: dict[str, Any] = {"folder": str(folder), "bytes": 0, "files": 0, "error": None}
    for path in folder.glob("*") if folder.is_dir() else ():
        found["bytes"] += path.stat().st_size if path.is_file() else 0
        found["files"] += 1
    probe = folder / f".doctor.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found["free_bytes"] = shutil.disk_usage(folder).free
        start = time.perf_counter()
        with probe.open("wb") as file:
            file.write(os.urandom(_BLOCK))
            file.flush()
            os.fsync(file.fileno())
        found["write_bytes_a_second"] = _BLOCK / (time.perf_counter() - start)
    except OSError as error:
        found["error"] = error.strerror or str(error)
    finally:
        if probe.exists():
            probe.unlink()
    found["file_system"] = _file_system(folder)
    return found


def _file_system(folder: Path) -> str | None:
    """Return the type of the file system that a folder lies on, such as ext4 or nfs4."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return None
    place = folder.resolve()
    above = [(len(at), kind) for at, kind in mounts if place.is_relative_to(at)]
    return max(above)[1] if above else None


def gpu() -> dict[str, Any]:
    """Return the CUDA devices, and the CUDA that PyTorch was built for."""
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {"built_for": torch.version.cuda, "devices": names}
