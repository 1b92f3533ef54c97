"""The section on loading, memory and processes, for ``docs/performance.md``."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import number, percent
from mondegreen.report.markdown import console_block, table

HEAD = """\
## Loading

Clips are decoded once, into a memory-mapped file; a training reads them from there and changes them
(speed, shift, noise, babble, level) on the device that trains. So on a GPU the processor only
reads. `benchmarks/loading.py` measures what both cost in a training of the `cpu` preset on real
clips, on one thread. On a processor, the changes are computing like the rest of the step; *waiting*
is what reading takes of a step by the clock.
"""

MEMORY = """\
### Memory over many clips

Short recordings are listed, decoded, read in shuffled batches and classified, in a process of its
own for each number of them. *Own* is memory that only this process has; *mapped* are pages of
files, its libraries and the clips, which the system may take back at any time. Both in MB, at the
end of each stage, and at the most while reading.
"""


def render_section(path: Path) -> str:
    """Return the section as Markdown.

    Args:
        path: What ``benchmarks/loading.py`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        parts = [HEAD, _steps(content["steps"])]
        about = (
            f"Machine: {machine_of(content['environment'])}, PyTorch "
            f"{content['environment']['torch']}, {content['threads']} thread(s).\n\n"
            f"{console_block(str(content['command']))}"
        )
        return "\n".join(
            [*parts, about, MEMORY, _memory(content["memory"]), _pesq(content["pesq"])]
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/loading.py."
        ) from error


def _steps(rows: list[dict[str, Any]]) -> str:
    cells = []
    for row in rows:
        step, reading, changing = (row[name] for name in ("step", "reading", "changing"))
        whole = step["processor_ms"]
        cells.append(
            [
                str(row["network"]),
                number(whole, 0),
                number(reading["processor_ms"], 1),
                number(changing["processor_ms"], 1),
                percent(changing["processor_ms"] / whole, 1),
                percent(reading["clock_ms"] / step["clock_ms"], 1),
            ]
        )
    head = ["training of a", "a step (ms of the processor)", "reading", "changing"]
    return table([*head, "changing, share", "waiting, share"], cells, "lrrrrr")


def _memory(rows: list[dict[str, Any]]) -> str:
    few, many = rows[0], rows[-1]
    cells = [
        [
            stage,
            *(_megabytes(row["stages"][stage], "anonymous") for row in (few, many)),
            *(_megabytes(row["stages"][stage], "mapped") for row in (few, many)),
        ]
        for stage in few["stages"]
    ]
    counts = [f"{row['clips']:,} clips" for row in (few, many)]
    head = ["stage", *(f"own, {count}" for count in counts), *(f"mapped, {c}" for c in counts)]
    last = list(few["stages"])[-1]
    own = [row["stages"][last]["anonymous"] for row in (few, many)]
    each = (own[1] - own[0]) / (many["clips"] - few["clips"])
    text = (
        f"The decoded file has {many['decoded_bytes'] / 1e6:.0f} MB at {many['clips']:,} clips. "
        f"What grows is the list of files: {each / 1e3:.1f} kB a clip, whatever its length."
    )
    return f"{table(head, cells, 'lrrrr')}\n{text}\n"


def _megabytes(memory: Mapping[str, float], name: str) -> str:
    return f"{memory[name] / 1e6:.0f}"


def _pesq(content: dict[str, Any]) -> str:
    one, two = (statistics.median(content["seconds"][name]) for name in ("1", "2"))
    ratios = [a / b for a, b in zip(*(content["seconds"][n] for n in ("1", "2")), strict=True)]
    return (
        "### PESQ on all cores\n\n"
        f"PESQ of {content['pairs']} pairs of {content['clip_seconds']:.2f} s takes {one:.1f} s in "
        f"one process and {two:.1f} s in two, their start included: "
        f"{statistics.median(ratios):.2f} times faster. Medians of runs in turn, by the clock.\n"
    )
