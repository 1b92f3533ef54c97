"""Files that a process is writing, told apart from those that one that was killed has left."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mondegreen.errors import MondegreenError

ABANDONED_SECONDS = 24 * 3600.0
"""Where a file system has no locks, a file of this age counts as abandoned."""


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Create an empty file and hold a lock on it inside of the block, also when it is renamed.

    The kernel gives the lock back however the process ends.

    Raises:
        OSError: The file cannot be created.
        MondegreenError: Somebody else has the file.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            held = _lock(descriptor)
            if held is False:
                raise MondegreenError(f"another process is writing {path}; wait for it.")
            if held is None or _same(descriptor, path):
                yield
                return
        finally:
            os.close(descriptor)


class Claims:
    """Pieces of work that several processes or machines divide among them, by locked files.

    A claim ends when it is given back, or with the process, however that ends. Where the file
    system has no locks, everybody gets every claim: work is then done twice, and is none the worse.

    Args:
        folder: Of the files, on a disk that all share; it is made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held = dict[str, int]()

    def take(self, name: str) -> bool:
        """Tell whether a piece of work is this process's; nobody else has it then.

        Raises:
            MondegreenError: The file cannot be made.
        """
        if name in self._held:
            return True
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / name.replace("/", "--")
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise MondegreenError(f"cannot write {self.folder}: {error.strerror}.") from error
        if _lock(descriptor) is False:
            os.close(descriptor)
            return False
        self._held[name] = descriptor
        return True

    def give_back(self, name: str) -> None:
        """Let others have a piece of work."""
        os.close(self._held.pop(name))


def remove_abandoned(path: Path, confirm: Callable[[], bool] = lambda: True) -> None:
    """Remove a file that nobody claims, if there is nothing against it.

    Args:
        path: The file; it may be gone.
        confirm: Asked while nobody else can claim the file.
    """
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR)
        try:
            free = _lock(descriptor)
            if free is None:
                free = time.time() - path.stat().st_mtime > ABANDONED_SECONDS
            if free and confirm():
                path.unlink()
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Lock an open file; return whether that succeeded, None where there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _same(descriptor: int, path: Path) -> bool:
    """Tell whether a path still names the open file: it may have been removed before the lock."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)
