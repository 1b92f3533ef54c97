"""Progress bars; where there is no terminal, a line a minute in their place."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")

LINE_SECONDS = 60.0
"""Without a terminal, nothing is silent for much longer."""

_shown: ContextVar[Progress | None] = ContextVar("shown", default=None)
_hidden: ContextVar[bool] = ContextVar("hidden", default=False)


class _Bar(Progress):
    """A progress display that what is called while it is shown can find.

    Args:
        clock: Tells the time in seconds.
        watched: Whether it is a bar on a terminal.
        told: Whether a line a minute is printed where it is none.
    """

    def __init__(self, clock: Callable[[], float], *, watched: bool, told: bool) -> None:
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not watched,
            get_time=clock,
        )
        self._lines = told and not watched
        self._began = self._last = clock()

    def __enter__(self) -> Self:
        self._token = _shown.set(self)
        return super().__enter__()

    def __exit__(self, *exception: Any) -> None:
        _shown.reset(self._token)
        super().__exit__(*exception)

    def update(self, task_id: TaskID, **fields: Any) -> None:
        super().update(task_id, **fields)
        self._tell()

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self._tell()

    def _tell(self) -> None:
        """Print how far the outermost task is, at most once a minute."""
        now = self.get_time()
        if not self._lines or now - self._last < LINE_SECONDS or not self.tasks:
            return
        self._last, task = now, self.tasks[0]
        total = "" if task.total is None else f" of {task.total:,.0f}"
        minutes = (now - self._began) / 60.0
        text = f"{task.description}: {task.completed:,.0f}{total} after {minutes:.0f} min"
        print(text, file=sys.stderr, flush=True)


def progress_bar(clock: Callable[[], float] = time.monotonic) -> Progress:
    """Return a progress display on standard error; without a terminal it is a line a minute.

    Args:
        clock: Tells the time in seconds.
    """
    watched, hidden = Console(stderr=True).is_terminal, _hidden.get()
    return _Bar(clock, watched=watched and not hidden, told=not hidden)


@contextmanager
def hidden() -> Iterator[None]:
    """Show no progress inside of the block: a server's terminal is nobody's progress bar."""
    token = _hidden.set(True)
    try:
        yield
    finally:
        _hidden.reset(token)


@contextmanager
def task(description: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a task, below the bar that is shown already if there is one.

    Args:
        description: What is being done.
        total: How many steps it has.

    Yields:
        A function that tells that a step is done.
    """
    outer = _shown.get()
    if outer is not None:
        number = outer.add_task(description, total=total)
        try:
            yield lambda: outer.advance(number)
        finally:
            outer.remove_task(number)
        return
    with progress_bar() as bar:
        number = bar.add_task(description, total=total)
        yield lambda: bar.advance(number)


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield from ``items`` behind a progress bar.

    Args:
        items: Anything iterable.
        description: What is being done, for the bar.
        total: Number of items, where ``len(items)`` does not tell it.
    """
    with progress_bar() as bar:
        yield from bar.track(items, description=description, total=total)
