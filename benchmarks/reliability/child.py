"""One command in a process of its own, which may be told to die or to fail at a file operation.

Python reports every file that is opened, renamed or removed to audit hooks (PEP 578), before it
happens. So an exact moment, such as the one between writing a file and renaming it, needs no hook
in the program.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")


@dataclass(frozen=True)
class Fault:
    """What happens at a file operation, counted from 0 below the command's working folder."""

    at: int
    kind: str
    """``kill``, or the name of an error number, such as ENOSPC, that it and all later writing
    operations end with."""


@dataclass(frozen=True)
class Job:
    """A command and where it works."""

    words: tuple[str, ...]
    folder: str
    """Its working folder, to which its options are relative."""
    fault: Fault | None = None

    @property
    def log(self) -> Path:
        """What it printed."""
        return Path(self.folder + ".log")

    @property
    def spent(self) -> Path:
        """Its exit code, processor seconds and file operations, if it came to an end."""
        return Path(self.folder + ".spent.json")


def work(job: Job) -> None:
    """Run a command, in a session of its own, and leave with its exit code."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the shell may have had it ignored
    os.chdir(job.folder)
    log = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    job.spent.unlink(missing_ok=True)
    import torch

    from mondegreen.cli.main import main

    torch.set_num_threads(1)
    sys.argv = ["mondegreen", *job.words]
    counter = Operations(job.folder, job.fault)
    sys.addaudithook(counter)
    code = main(job.words)
    counter.fault = None
    sys.stdout.flush()
    seconds = sum(os.times()[:4])  # of this process and of those that it waited for
    spent = {"code": code, "seconds": seconds, "operations": counter.count}
    job.spent.write_text(json.dumps(spent))
    os._exit(code)


class Operations:
    """Counts the operations that change files below a folder, and fails one of them."""

    def __init__(self, folder: str, fault: Fault | None) -> None:
        self.folder, self.fault, self.count = folder, fault, 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at an event; called by the interpreter."""
        path = self._changed(event, arguments)
        if path is None:
            return
        number, self.count = self.count, self.count + 1
        if self.fault is None or number < self.fault.at:
            return
        if self.fault.kind == "kill":
            os.killpg(0, signal.SIGKILL)
        if event not in ("os.remove", "os.rmdir"):  # a full disk can be tidied up
            code = getattr(errno, self.fault.kind)
            raise OSError(code, os.strerror(code), path)

    def _changed(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        """Return the file that an event is about to change below the folder; None for others."""
        if event not in ("open", *_CHANGES) or not isinstance(arguments[0], str | os.PathLike):
            return None
        path = os.fspath(arguments[0])
        if event == "open" and not (arguments[2] & _WRITING or ".tmp" in path):
            return None  # files that are complete and not yet renamed are opened to be synchronised
        whole = os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118 (no event of its own)
        return path if whole.startswith(self.folder + os.sep) else None
