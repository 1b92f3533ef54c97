"""How a command ends: its exit code, and what is said where it did not come to its end."""

from __future__ import annotations

import errno
import os
import shlex
import sys
from collections.abc import Callable, Sequence

from mondegreen.errors import MondegreenError, PeerEndedError
from mondegreen.interruption import Terminated, terminable
from mondegreen.processes.place import STARTED_BY

DONE, FAILED, WRONG_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143

RESUMED = (
    *("demo", "data synthesize", "data download", "train", "evaluate", "compare", "channels"),
    *("transfer", "reproduce", "audit", "harden", "defences"),
)
"""Commands that go on where they were ended."""

_SURROUNDINGS = {
    errno.ENOSPC: "Free some space and run the same command again.",
    errno.EDQUOT: "Free some of your quota and run the same command again.",
    errno.EFBIG: "A file may not become so large here; choose another output folder.",
    errno.EROFS: "Choose another output folder.",
    errno.EACCES: "Choose a folder that you may write to, or change its permissions.",
    errno.EPERM: "Choose a folder that you may write to, or change its permissions.",
    errno.ENOENT: "Was it moved or deleted meanwhile? Put it back and run the same command again.",
    errno.ENOTDIR: "Was it moved or deleted meanwhile? Put it back and run the same command again.",
    errno.ENAMETOOLONG: "No file can have that name; look at what was typed or written there.",
    errno.ELOOP: "A link leads back to itself; mend it.",
    errno.EIO: "The disk or the network drive fails; see that it is healthy.",
    errno.ESTALE: "The network drive fails; see that it is mounted.",
    errno.EMFILE: "Too many files are open; raise the limit with ulimit -n.",
    errno.ENFILE: "Too many files are open on this machine.",
    errno.ENOMEM: "Close other programs, or work on smaller batches.",
}
"""Errors of the system that the user can do something about, and what."""


def end_with_code(run: Callable[[], int | None], words: Sequence[str]) -> int:
    """Call ``run``; print what went wrong, without a traceback, and return the exit code.

    Args:
        run: The command; it may return an exit code.
        words: What was typed, to be repeated.
    """
    try:
        with terminable():
            return run() or DONE
    except KeyboardInterrupt as stop:
        return _interrupted(stop, words)
    except Exception as error:
        hidden = _interruption(error)
        if hidden is not None:
            return _interrupted(hidden, words)
        if isinstance(error, BrokenPipeError):
            sys.stderr.close()
            return FAILED
        if isinstance(error, PeerEndedError) and _started_by_another():
            return WRONG_INPUT  # the process that started this one says it
        message = str(error) if isinstance(error, MondegreenError) else explain(error)
        if message is None:
            raise
        return _fail(message)


def _interruption(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interruption that another error hides, as where PyTorch cleans up after it."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, KeyboardInterrupt):
        inner = inner.__cause__ or inner.__context__
    return inner


def _interrupted(stop: KeyboardInterrupt, words: Sequence[str]) -> int:
    if words[0] == "demo":  # what was started over is to go on now
        words = [word for word in words if word != "--fresh"]
    again = shlex.join(["mondegreen", *words])
    resumed = " ".join(words).startswith(RESUMED)
    what = "continue where it left off with" if resumed else "run it again with"
    ended = isinstance(stop, Terminated)
    if not _started_by_another():
        print(f"{'terminated' if ended else 'interrupted'}; {what}:\n  {again}", file=sys.stderr)
    return TERMINATED if ended else INTERRUPTED


def _started_by_another() -> bool:
    """Tell whether another process of this command has started this one, and speaks for it."""
    return os.environ.get(STARTED_BY, "") == str(os.getppid())


def explain(error: Exception) -> str | None:
    """Return what the user can do about an error of the machine; None for an error of ours.

    Example:
        >>> explain(OSError(28, "No space left on device", "x.wav"))
        'x.wav: No space left on device. Free some space and run the same command again.'
    """
    if isinstance(error, OSError) and error.errno in _SURROUNDINGS:
        name = str(error.filename or "")
        where = f"{name if len(name) < 200 else f'{name[:200]}...'}: " if name else ""
        return f"{where}{error.strerror}. {_SURROUNDINGS[error.errno]}"
    text = str(error)
    device = type(error).__name__ == "OutOfMemoryError"  # torch's, without importing torch
    if device or isinstance(error, MemoryError) or "not enough memory" in text:
        where = "the GPU's memory" if device else "the memory"
        return (
            f"{where} does not suffice. Choose a smaller batch (--training.batch-size or "
            "--batch-size), or close what else uses it."
        )
    return None


def _fail(message: str) -> int:
    from rich.console import Console  # whose import takes a while
    from rich.text import Text

    text = Text.assemble(("error:", "bold red"), f" {message}")
    Console(stderr=True, soft_wrap=True, highlight=False).print(text)
    return WRONG_INPUT
