"""The tables of ``docs/reliability.md``: faults and what they cost, files and who stumbles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import percent
from mondegreen.report.markdown import console_block, table


def render_table(path: Path) -> str:
    """Return, for every fault and command, how often it was provoked and what was lost.

    Args:
        path: What ``python -m benchmarks.reliability`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        starts = dict(content["starts"])
        order = list(dict.fromkeys(row["command"] for row in content["rows"]))
        kept = sorted(content["rows"], key=lambda row: order.index(row["command"]))
        rows = [_row(row, starts.get(row["command"])) for row in kept]
        provoked = sum(int(row["provoked"]) for row in content["rows"])
        identical = sum(int(row["identical"]) for row in content["rows"])
        about = (
            f"\n{identical} of {provoked} ended as if nothing had happened. "
            f"Machine: {machine_of(content['environment'])}.\n\n"
            f"{console_block(str(content['command']))}".rstrip("\n")
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/reliability."
        ) from error
    head = ["command", "fault", "provoked", "in time", "same result", "left behind", "unclear"]
    return table([*head, "more work", "a start"], rows, "llrrrrrrr") + about


def _row(row: dict[str, Any], start: float | None) -> list[str]:
    mean, most = float(row["work_repeated_mean"]), float(row["work_repeated_most"])
    return [
        str(row["command"]),
        str(row["fault"]),
        str(int(row["provoked"])),
        str(int(row["disturbed"])),
        str(int(row["identical"])),
        str(len(row["leftovers"])),
        str(len(row["unclear"])),
        f"{percent(mean, 0)} (at most {percent(most, 0)})",
        percent(start, 0),
    ]


def render_fuzzing(path: Path) -> str:
    """Return, for every reader, how many damaged files it was given.

    Args:
        path: What ``python -m benchmarks.fuzzing`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        rows = [
            [str(row["reader"]), f"{int(row['tried']):,}", str(int(row["findings"]))]
            for row in content["rows"]
        ]
        tried = sum(int(row["tried"]) for row in content["rows"])
        found = sum(int(row["findings"]) for row in content["rows"])
        minutes = sum(float(row["seconds"]) for row in content["rows"]) / 60
        about = (
            f"\n{tried:,} files in {minutes:.1f} minutes of processor time; findings: {found}. "
            f"Machine: {machine_of(content['environment'])}.\n\n"
            f"{console_block(str(content['command']))}".rstrip("\n")
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/fuzzing."
        ) from error
    return table(["reader", "damaged files", "findings"], rows, "lrr") + about
