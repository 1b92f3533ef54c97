"""Run stages, several at once, each in its own process; continue where an earlier run ended."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mondegreen.claims import Claims
from mondegreen.errors import MondegreenError
from mondegreen.processes.starting import end_with_parent
from mondegreen.stages.stage import (
    DONE,
    FAILED,
    LEFT_OUT,
    WAITING,
    Outcome,
    Records,
    Stage,
    last_error,
)

COMMANDS = (sys.executable, "-m", "mondegreen.stages.commands")
_POLL_S, _POLL_OTHERS_S = 0.05, 0.5


@dataclass
class _Running:
    stage: Stage
    process: subprocess.Popen[bytes]
    start: float


@dataclass
class _Progress:
    """What is known of every stage while they run."""

    stages: Sequence[Stage]
    outcomes: dict[str, Outcome]
    running: list[_Running] = field(default_factory=list)
    claims: Claims | None = None
    """Where other machines work on the same stages."""

    def ready(self) -> Stage | None:
        """Return the next stage that may start now."""
        if any(one.stage.alone for one in self.running):
            return None
        busy = {one.stage.name for one in self.running}
        for stage in self.stages:
            if stage.name in busy or self.outcomes[stage.name].state != WAITING:
                continue
            if any(self.outcomes[name].state != DONE for name in stage.needs):
                continue
            if stage.alone and self.running:
                continue
            if self.claims is not None and not self.claims.take(stage.name):
                continue
            return stage
        return None

    def take_over(self, records: Records, before: Mapping[str, Outcome]) -> None:
        """Take over what other machines have done since this one looked last."""
        busy = {one.stage.name for one in self.running}
        for stage in self.stages:
            if self.outcomes[stage.name].state == WAITING and stage.name not in busy:
                found = records.read(stage)
                if found.state == DONE or found not in (before[stage.name], Outcome(WAITING)):
                    self.outcomes[stage.name] = found

    def waits(self) -> bool:
        """Tell whether there is something left that others are at."""
        return self.claims is not None and any(
            outcome.state == WAITING for outcome in self.outcomes.values()
        )

    def leave_out(self) -> list[Stage]:
        """Leave out the stages whose needs cannot be met; return them."""
        found = []
        for stage in self.stages:
            if self.outcomes[stage.name].state != WAITING:
                continue
            broken = [n for n in stage.needs if self.outcomes[n].state in (FAILED, LEFT_OUT)]
            if broken:
                reason = f"it needs {', '.join(broken)}"
                self.outcomes[stage.name] = Outcome(LEFT_OUT, reason)
                found.append(stage)
        return found


def run_stages(
    stages: Sequence[Stage],
    folder: Path,
    *,
    jobs: int,
    tell: Callable[[str], None] = lambda _: None,
    program: Sequence[str] = COMMANDS,
    share: bool = False,
) -> dict[str, Outcome]:
    """Run every stage that is not finished, at most ``jobs`` at once.

    A stage that fails leaves out those that need it; the others go on. Stages that failed before
    are tried again. When this process ends, however it ends, so do the stages that are running.

    Args:
        stages: In the order in which they should start; a stage's needs come before it.
        folder: Of the job; records and logs are kept in its ``stages/``.
        jobs: Processes at once; they share the cores.
        tell: Is told of every stage that begins or ends.
        program: Is started for a stage, with its commands as JSON.
        share: Other machines work in the same folder, on a disk that all see, and say so, too. Each
            stage is run by one of them; a stage whose machine fails is taken by another.

    Returns:
        What became of each stage, by name.

    Raises:
        MondegreenError: Another process is working in the folder, or it cannot be written.
        KeyboardInterrupt: After the running stages were told to stop.
    """
    records = Records(folder)
    with _locked(folder, share=share):
        found = {stage.name: records.read(stage) for stage in stages}
        again = {n: o if o.state == DONE else Outcome(WAITING) for n, o in found.items()}
        progress = _Progress(stages, again)
        if share:
            progress.claims = Claims(records.folder / "claims")
        try:
            _loop(progress, records, _Work(found, jobs, tell, tuple(program)))
        finally:
            _stop(progress.running)
    return progress.outcomes


@dataclass(frozen=True)
class _Work:
    """How stages are run."""

    before: dict[str, Outcome]
    """What earlier attempts came to."""
    jobs: int
    tell: Callable[[str], None]
    program: tuple[str, ...]


def _loop(progress: _Progress, records: Records, work: _Work) -> None:
    tell = work.tell
    while True:
        if progress.claims is not None:
            progress.take_over(records, work.before)
        for stage in progress.leave_out():
            records.write(stage, progress.outcomes[stage.name])
            tell(f"{stage.name}: left out, {progress.outcomes[stage.name].reason}")
        while len(progress.running) < work.jobs and (ready := progress.ready()) is not None:
            if _done_meanwhile(ready, progress, records):
                continue
            progress.running.append(_start(ready, records, work))
            tell(f"{ready.name}: {ready.title}")
        if not progress.running and not progress.waits():
            return
        time.sleep(_POLL_S if progress.claims is None else _POLL_OTHERS_S)
        for one in list(progress.running):
            outcome = _ended(one, records, work.before[one.stage.name])
            if outcome is not None:
                progress.running.remove(one)
                progress.outcomes[one.stage.name] = outcome
                records.write(one.stage, outcome)
                if progress.claims is not None:
                    progress.claims.give_back(one.stage.name)
                tell(_sentence(one.stage, outcome, progress))


def _done_meanwhile(stage: Stage, progress: _Progress, records: Records) -> bool:
    """Tell whether another machine finished a stage before this one got hold of it."""
    if progress.claims is None or records.read(stage).state != DONE:
        return False
    progress.outcomes[stage.name] = records.read(stage)
    progress.claims.give_back(stage.name)
    return True


def _start(stage: Stage, records: Records, work: _Work) -> _Running:
    """Begin a stage with its share of the cores; what it prints goes into its log."""
    threads = str(max(1, (os.cpu_count() or 1) // work.jobs))
    path = records.log(stage.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        process = subprocess.Popen(
            [*work.program, json.dumps(stage.commands)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"OMP_NUM_THREADS": threads, **os.environ},
            preexec_fn=end_with_parent,
        )
    return _Running(stage, process, time.perf_counter())


def _ended(one: _Running, records: Records, before: Outcome) -> Outcome | None:
    """Return what became of a process, or None while it runs."""
    pid, status, usage = os.wait4(one.process.pid, os.WNOHANG)
    if pid == 0:
        return None
    code = one.process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - one.start + (before.seconds or 0.0)
    spent = usage.ru_utime + usage.ru_stime + (before.processor_seconds or 0.0)
    if code == 0 and one.stage.produces.is_file():
        return Outcome(DONE, "", round(seconds, 2), round(spent, 2))
    log = records.log(one.stage.name)
    said = last_error(log.read_text(encoding="utf-8", errors="replace"))
    reason = f"ended by signal {-code}" if code < 0 else said
    return Outcome(FAILED, f"{reason} (see {log})", round(seconds, 2), round(spent, 2))


def _stop(running: list[_Running]) -> None:
    """Interrupt what still runs, and wait for it."""
    for one in running:
        one.process.send_signal(signal.SIGINT)
    for one in running:
        try:
            one.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()
    running.clear()


def _sentence(stage: Stage, outcome: Outcome, progress: _Progress) -> str:
    ended = sum(o.state != WAITING for o in progress.outcomes.values())
    head = f"[{ended}/{len(progress.stages)}] {stage.name}: {outcome.state}"
    if outcome.state == FAILED:
        return f"{head}: {outcome.reason}"
    return f"{head} in {outcome.seconds:.0f} s{_left(progress)}"


def _left(progress: _Progress) -> str:
    """Say how long the rest will take, from what finished stages took beside what was expected."""
    done = [s for s in progress.stages if progress.outcomes[s.name].state == DONE]
    rest = [s for s in progress.stages if progress.outcomes[s.name].state == WAITING]
    expected = sum(stage.cost for stage in done)
    if not rest or not expected:
        return ""
    taken = sum(progress.outcomes[stage.name].seconds or 0.0 for stage in done)
    busy = max(1, len(progress.running) + 1)
    minutes = sum(stage.cost for stage in rest) * taken / expected / busy / 60
    return f"; about {max(minutes, 1):.0f} min left"


@contextmanager
def _locked(folder: Path, *, share: bool = False) -> Iterator[None]:
    """Keep other processes out of the folder, but for those that share, where this one does.

    Raises:
        MondegreenError: Another one is in it, or the folder cannot be written.
    """
    path = folder / "stages" / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            try:
                kind = fcntl.LOCK_SH if share else fcntl.LOCK_EX
                fcntl.flock(file, kind | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise MondegreenError(
                    f"another process is working in {folder}; wait for it, or choose another --out."
                ) from error
            yield
    except OSError as error:
        raise MondegreenError(f"cannot write {folder}: {error.strerror}.") from error
