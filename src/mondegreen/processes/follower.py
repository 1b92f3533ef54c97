"""The run's folder, seen from a process that must not write into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mondegreen.board import Board
from mondegreen.processes.place import Place
from mondegreen.runs import Run


class FollowedRun(Run):
    """A run that the first process keeps: nothing is read, written, locked or printed here.

    Args:
        folder: The run's; it need not exist on this machine.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.board = Board(None)

    def log(self, step: int, metrics: dict[str, float | None], *, steps: int | None = None) -> None:
        """Do nothing."""

    def save_state(self, state: dict[str, Any]) -> None:
        """Do nothing."""

    def load_state(self) -> dict[str, Any] | None:
        """Return None: the first process tells."""
        return None

    def finish(self, summary: dict[str, Any]) -> None:
        """Do nothing."""


def open_run(folder: Path, config: Any, place: Place, *, tensorboard: bool = False) -> Run:
    """Return the run, to be written by the first process only; see :class:`Run`."""
    first = place.rank == 0
    return Run(folder, config, tensorboard=tensorboard) if first else FollowedRun(folder)
