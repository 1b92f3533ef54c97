"""What a run left behind, without what has to differ: times, and pages that show them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mondegreen.files import is_leftover

TIMES = re.compile(r"seconds|created|milliseconds|_ms|memory|load|timing|cpu_")
"""Fields that hold times, or what else depends on how busy the machine is."""

_SHOWN = (".html", ".md", ".tex", ".svg", ".png", ".pdf")
_SKIPPED = (".log", ".pcm", ".tmp", ".lock")


def snapshot(folder: Path) -> dict[str, str]:
    """Return a digest of the content of every file below a folder, by its path.

    Pages and figures show times, so that only their presence counts. Numbers, weights, states and
    sounds count bit by bit.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        kept = path.suffix not in _SKIPPED and path.name not in _SKIPPED
        if path.is_file() and kept and not is_leftover(path):
            found[str(path.relative_to(folder))] = _digest(path)
    return found


def leftovers(folder: Path) -> list[str]:
    """Return the files that somebody began to write and did not finish."""
    hidden = [path for path in folder.rglob(".*") if path.name != ".lock" and path.is_file()]
    return [str(path.relative_to(folder)) for path in hidden]


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Return the files that are not the same in both."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _digest(path: Path) -> str:
    if path.suffix in _SHOWN:
        return "there" if path.stat().st_size else "empty"
    if path.suffix == ".jsonl":
        return _hash([_timeless(json.loads(line)) for line in path.read_text().splitlines()])
    if path.suffix == ".json":
        content = _timeless(json.loads(path.read_text()))
        data = content.get("data") if isinstance(content, dict) else None
        if isinstance(data, str) and data.endswith(".pcm"):  # the index of a cache
            content["data"] = _hash_bytes(path.with_name(data).read_bytes())
        return _hash(content)
    if path.suffix == ".pt":
        return _hash(_plain(torch.load(path, weights_only=True)))
    return _hash_bytes(path.read_bytes())


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if not TIMES.search(str(k))}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        tensor = value.contiguous()
        return [str(tensor.dtype), list(tensor.shape), _hash_bytes(tensor.numpy().tobytes())]
    if isinstance(value, dict):
        return {str(k): _plain(item) for k, item in value.items() if not TIMES.search(str(k))}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _hash(value: Any) -> str:
    return _hash_bytes(json.dumps(value, sort_keys=True).encode())


def _hash_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
