"""Commands that are killed, run again, and compared with those that nothing disturbed."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from benchmarks.reliability.child import Fault, Job, work
from benchmarks.reliability.snapshots import differences, leftovers, snapshot

_POLL_S = 0.004
_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")


def fork_server() -> ForkServerContext:
    """Return the server that has loaded everything already, so that a process costs no start."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before PyTorch is loaded there
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["benchmarks.reliability.preload"])
    return server


@dataclass(frozen=True)
class Whole:
    """A command that nothing disturbed."""

    seconds: float
    """Of the processor, of the processes that it started, too."""
    operations: int
    """That changed files."""
    left: dict[str, str]
    again_seconds: float
    """Of the processor, to find that everything is done: what starting costs."""


@dataclass(frozen=True)
class Ended:
    """What became of a command that was disturbed and run again."""

    disturbed: bool
    """Whether it was still at work at that moment."""
    differing: list[str]
    """Files that are not as without the disturbance."""
    leftovers: list[str]
    repeated: float
    """Work that was done twice, as a share of the whole run."""
    code: int | None = None
    """How the disturbed one ended: an exit code, or minus a signal."""
    said: str = ""
    """What it printed."""


class Bench:
    """Runs one command again and again, each time in a new folder below a given one.

    Args:
        words: The command; paths of what it makes are relative, all others absolute.
        folder: Of the working folders.
        server: From :func:`fork_server`.
    """

    def __init__(self, words: tuple[str, ...], folder: Path, server: ForkServerContext) -> None:
        self.words, self.folder, self.server = words, folder, server
        self.number = 0

    def whole(self) -> Whole:
        """Run the command to its end.

        Raises:
            RuntimeError: It fails.
        """
        place = self._place()
        seconds, operations = self._finish(place)
        left = snapshot(place)
        again, _ = self._finish(place)
        shutil.rmtree(place)
        return Whole(seconds, operations, left, again)

    def killed_at(self, share: float, whole: Whole, sent: int = signal.SIGKILL) -> Ended:
        """Send a signal to the process group after a share of its work, then run it again."""
        place = self._place()
        job = Job(self.words, str(place))
        process = self._start(job)
        spent = _watch(process, share * whole.seconds, sent)
        return self._again(job, process, spent, whole)

    def killed_often(self, shares: Sequence[float], whole: Whole) -> list[Ended]:
        """Kill the command again and again, after these shares of its work each time."""
        place = self._place()
        hit, spent = [], 0.0
        for share in shares:
            job = Job(self.words, str(place))
            spent += _watch(self._start(job), share * whole.seconds, signal.SIGKILL)
            hit.append(not job.spent.exists())
            if not hit[-1]:
                break
        seconds, _ = self._finish(place)
        differing, left = differences(whole.left, snapshot(place)), leftovers(place)
        repeated = max(0.0, (spent + seconds) / whole.seconds - 1.0)
        if not differing:
            shutil.rmtree(place)
        return [Ended(one, differing, left, repeated, -signal.SIGKILL) for one in hit]

    def failing_at(self, fault: Fault, whole: Whole) -> Ended:
        """Let a file operation fail or be the last one, then run the command again."""
        place = self._place()
        job = Job(self.words, str(place), fault)
        process = self._start(job)
        spent = _watch(process, float("inf"), signal.SIGKILL)
        return self._again(job, process, spent, whole)

    def _again(self, job: Job, process: ForkServerProcess, spent: float, whole: Whole) -> Ended:
        disturbed = not job.spent.exists() or json.loads(job.spent.read_text())["code"] != 0
        said = job.log.read_text()
        place = Path(job.folder)
        seconds, _ = self._finish(place)
        ended = Ended(
            disturbed,
            differences(whole.left, snapshot(place)),
            leftovers(place),
            max(0.0, (spent + seconds) / whole.seconds - 1.0),
            process.exitcode,
            said,
        )
        if not ended.differing:
            shutil.rmtree(place)
        return ended

    def _place(self) -> Path:
        self.number += 1
        place = self.folder / f"{self.number:03d}"
        place.mkdir(parents=True)
        return place

    def _start(self, job: Job) -> ForkServerProcess:
        process = self.server.Process(target=work, args=(job,))
        process.start()
        return process

    def _finish(self, place: Path) -> tuple[float, int]:
        job = Job(self.words, str(place))
        process = self._start(job)
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"{' '.join(self.words)}: {process.exitcode}\n{job.log.read_text()}")
        spent = json.loads(job.spent.read_text())
        return spent["seconds"], spent["operations"]


def _watch(process: ForkServerProcess, limit: float, sent: int) -> float:
    """Wait until a process has ended, or used so many seconds and got its signal; return them."""
    assert process.pid is not None
    spent = 0.0
    while process.exitcode is None and spent < limit:
        spent = max(spent, _processor_seconds(process.pid))
        time.sleep(_POLL_S)
    if process.exitcode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
    process.join()
    return spent


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process and all that it started; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(int(fields[number]) for number in (11, 12, 13, 14)) * _TICK_S
    return own + sum(_processor_seconds(int(child)) for child in children)
