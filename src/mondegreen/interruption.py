"""Ending when asked to: Ctrl-C and SIGTERM, now or at the next moment that loses nothing."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_ASKING = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM, as by ``kill``, a batch system or a shutdown."""


@contextmanager
def terminable() -> Iterator[None]:
    """Have SIGTERM raise :class:`Terminated` inside of the block, so that it is cleaned up after.

    Where SIGTERM is handled or ignored already, and outside of the main thread, nothing changes.
    """
    if not _main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


class StopRequest:
    """Whether somebody has asked to stop since :func:`stop_when_safe` began."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        """Tell whether it was asked for."""
        return self.signal is not None

    def obey(self) -> None:
        """Stop, if it was asked for.

        Raises:
            KeyboardInterrupt: It was; of the kind :class:`Terminated` after SIGTERM.
        """
        if self.signal is not None:
            asked, self.signal = self.signal, None
            _raise(asked, None)


@contextmanager
def stop_when_safe() -> Iterator[StopRequest]:
    """Hold Ctrl-C and SIGTERM back inside of the block until the work is at a safe place.

    The first one is noted, and the block is expected to look at the request now and then, to save
    and to obey. A second one stops at once. A request that was not obeyed is when the block ends.

    Yields:
        The request; it stays empty outside of the main thread, where no signal can be held back.

    Raises:
        KeyboardInterrupt: Somebody asked to stop.
    """
    request = StopRequest()
    if not _main_thread():
        yield request
        return

    def note(number: int, frame: FrameType | None) -> None:
        if request:
            _raise(number, frame)
        request.signal = number
        print("stopping after this step; once more stops at once.", file=sys.stderr)

    held = {number: before for number in _ASKING if (before := _hold(number, note)) is not None}
    try:
        yield request
    finally:
        for number, before in held.items():
            signal.signal(number, before)
    request.obey()


def _hold(number: int, note: Callable[[int, FrameType | None], None]) -> Any:
    """Set the handler and return the one before; None where the signal is ignored, and stays so."""
    before = signal.getsignal(number)
    if before in (signal.SIG_IGN, None):
        return None
    signal.signal(number, note)
    return before


def _raise(number: int, _: FrameType | None) -> None:
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
