"""Progress bars that vanish where nobody watches."""

from __future__ import annotations

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
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")

_shown: ContextVar[Progress | None] = ContextVar("shown", default=None)
_hidden: ContextVar[bool] = ContextVar("hidden", default=False)


class _Bar(Progress):
    """A progress display that what is called while it is shown can find."""

    def __enter__(self) -> Self:
        self._token = _shown.set(self)
        return super().__enter__()

    def __exit__(self, *exception: Any) -> None:
        _shown.reset(self._token)
        super().__exit__(*exception)


def progress_bar() -> Progress:
    """Return a progress display on standard error; without a terminal it prints nothing."""
    console = Console(stderr=True)
    return _Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=_hidden.get() or not console.is_terminal,
    )


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
