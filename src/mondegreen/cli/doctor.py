"""``mondegreen doctor``: is this installation whole, and what makes it slow?"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mondegreen.allocator import keep_memory
from mondegreen.cli.options import parse
from mondegreen.doctor import machine
from mondegreen.doctor.extras import describe_extras
from mondegreen.doctor.findings import Finding, findings
from mondegreen.doctor.selftest import check_model
from mondegreen.doctor.timing import time_work

_COLORS = {"broken": "red", "slow": "yellow", "note": "cyan"}


@dataclass(frozen=True)
class Doctor:
    """Options of ``doctor``."""

    json: bool = False
    """Print everything as one JSON object instead."""


def run(words: Sequence[str]) -> int:
    """Parse the words, look at everything and print it; return 1 where something is broken."""
    description = (
        "Look at the installation and the machine: versions, extras, cores, memory, disk, GPU; "
        "check that the shipped model answers as it should; time a training step and an attack; "
        "say what is broken, what is slow and why. Exit code 0, or 1 where something is broken."
    )
    options = parse(Doctor, words, "doctor", description, Doctor())
    about = examine()
    found = findings(about)
    ok = all(finding.level != "broken" for finding in found)
    if options.json:
        plain = [dataclasses.asdict(finding) for finding in found]
        print(json.dumps({"ok": ok, **about, "findings": plain}, indent=2))
    else:
        _print(about, found, ok=ok)
    return 0 if ok else 1


def examine() -> dict[str, Any]:
    """Return everything that there is to know, JSON-ready."""
    allocator = keep_memory()
    model = check_model()
    return {
        "versions": machine.versions(),
        "extras": describe_extras(),
        "processor": machine.processor(),
        "memory": machine.memory(),
        "allocator": allocator,
        "cache": machine.cache(),
        "gpu": machine.gpu(),
        "model": model,
        "timings": time_work() if model is None else {},
    }


def _print(about: Mapping[str, Any], found: Sequence[Finding], *, ok: bool) -> None:
    console = Console(highlight=False)
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, text in _rows(about):
        table.add_row(Text(name, style="bold"), Text(text))
    console.print(table)
    for finding in found:
        level = (finding.level, _COLORS[finding.level])
        console.print(Text.assemble(level, f": {finding.what}."), soft_wrap=True)
        console.print(f"  -> {finding.action}", markup=False, soft_wrap=True)
    console.print("The installation works." if ok else "[red]Something is broken.[/red]")


def _rows(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    processor, memory, cache = about["processor"], about["memory"], about["cache"]
    rows = [("versions", ", ".join(f"{k} {v or 'missing'}" for k, v in about["versions"].items()))]
    for extra in about["extras"]:
        there = ", ".join(f"{name} {version}" for name, version in extra["versions"].items())
        missing = f"missing: {', '.join(extra['missing'])}" if extra["missing"] else ""
        parts = "; ".join(filter(None, (there, missing)))
        rows.append((f"extra {extra['extra']}", f"{parts} ({extra['purpose']})"))
    rows += [
        (
            "processor",
            f"{processor['cores']} cores, {processor['usable_cores']} usable, "
            f"{processor['threads']} threads, load {processor['load']:g}",
        ),
        ("memory", f"{_size(memory['available'])} free of {_size(memory['total'])}"),
        ("allocator", "keeps memory between steps" if about["allocator"] else "as the system's"),
        (
            "cache",
            f"{cache['folder']}: {_size(cache['bytes'])} in {cache['files']} files on "
            f"{cache['file_system']}, {_size(cache.get('free_bytes'))} free, writes "
            f"{_size(cache.get('write_bytes_a_second'))} a second",
        ),
        ("GPU", ", ".join(about["gpu"]["devices"]) or "none"),
        ("shipped model", about["model"] or "answers as it should"),
    ]
    for name, times in about["timings"].items():
        each = ", ".join(f"{ms:.1f} ms with {count} threads" for count, ms in times.items())
        rows.append((name, each.replace("1 threads", "1 thread")))
    return rows


def _size(count: float | None) -> str:
    if count is None:
        return "unknown"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.1f} {unit}"
