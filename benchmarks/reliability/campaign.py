"""Every fault, provoked so often on every command, and what was lost."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.reliability.child import Fault
from benchmarks.reliability.killing import Bench, Ended, Whole

STAGED = ("reproduce",)
OFTEN = 0.25
"""The longest share of such a command's work between two kills."""
Provoke = Callable[[Bench, Whole, random.Random, int], list[Ended]]


@dataclass(frozen=True)
class Kind:
    """A kind of fault."""

    name: str
    """In the table of ``docs/reliability.md``."""
    provoke: Provoke
    share: float
    """How often, as a share of the number that was asked for."""
    codes: tuple[int, ...] = ()
    """How the disturbed process may end; any way by default."""
    says: str = ""
    """What it has to print."""


def _signal(number: int) -> Provoke:
    return lambda bench, whole, rng, times: [
        bench.killed_at(rng.random(), whole, number) for _ in range(times)
    ]


def _operation(kind: str) -> Provoke:
    return lambda bench, whole, rng, times: [
        bench.failing_at(Fault(rng.randrange(whole.operations), kind), whole) for _ in range(times)
    ]


def _again_and_again(bench: Bench, whole: Whole, rng: random.Random, times: int) -> list[Ended]:
    ended: list[Ended] = []
    while len(ended) < times:
        shares = [rng.uniform(0.0, OFTEN) for _ in range(times - len(ended))]
        ended += bench.killed_often(shares, whole)
    return ended


KINDS = (
    Kind("SIGKILL, at a random moment", _signal(signal.SIGKILL), 1.0),
    Kind("SIGKILL, just before a random file operation", _operation("kill"), 0.5),
    Kind("Ctrl-C, at a random moment", _signal(signal.SIGINT), 0.2, (130,), "mondegreen "),
    Kind("SIGTERM, at a random moment", _signal(signal.SIGTERM), 0.1, (143,), "mondegreen "),
    Kind("disk full, from a random file operation on", _operation("ENOSPC"), 0.2, (2,), "error: "),
    Kind("read-only disk, from a random one on", _operation("EROFS"), 0.1, (2,), "error: "),
    Kind("disk error, from a random one on", _operation("EIO"), 0.1, (2,), "error: "),
)
STAGED_KINDS = (
    Kind("SIGKILL, at random moments, several a run", _again_and_again, 1.0),
    Kind("Ctrl-C, at a random moment", _signal(signal.SIGINT), 0.1, (130,), "mondegreen "),
)
"""Of commands that start processes for their stages, and take as long as all of these."""


def kinds_of(command: str) -> tuple[Kind, ...]:
    """Return what is provoked on a command."""
    return STAGED_KINDS if command in STAGED else KINDS


def provoke(bench: Bench, kind: Kind, whole: Whole, times: int, seed: int) -> dict[str, Any]:
    """Provoke one kind of fault several times; return a row of the result file."""
    rng = random.Random(f"{seed} {kind.name} {' '.join(bench.words[:2])}")
    ended = kind.provoke(bench, whole, rng, max(1, round(times * kind.share)))
    hit = [one for one in ended if one.disturbed]
    wrong = list(_wrong(kind, hit))
    return {
        "fault": kind.name,
        "provoked": len(ended),
        "disturbed": len(hit),
        "identical": sum(not one.differing for one in ended),
        "differing": sorted({name for one in ended for name in one.differing}),
        "leftovers": sorted({name for one in ended for name in one.leftovers}),
        "unclear": wrong,
        "work_repeated_mean": sum(one.repeated for one in hit) / max(1, len(hit)),
        "work_repeated_most": max((one.repeated for one in hit), default=0.0),
    }


def _wrong(kind: Kind, ended: list[Ended]) -> Iterator[str]:
    """Yield what those printed that did not end as they should have."""
    for one in ended:
        if kind.codes and one.code not in kind.codes:
            yield f"exit code {one.code}: {one.said[-600:]}"
        elif "Traceback" in one.said or (kind.codes and kind.says not in one.said):
            yield one.said[-600:]
