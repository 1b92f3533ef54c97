"""One of two processes of a test: ``LOCAL_RANK=0 python -m tests.processes.worker FOLDER``.

It runs all trainings, evaluates, and at last begins a training in which the second process dies.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch
from tests.processes.toys import dying, train_all

from mondegreen.cli.ending import end_with_code
from mondegreen.processes.place import ProcessOptions, find_place
from mondegreen.processes.starting import together


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path) -> None:
    """Do all of it."""
    torch.set_num_threads(1)
    place = find_place(ProcessOptions(devices=2), os.environ)
    with together(place, "cpu", "32-true") as fabric:
        train_all(folder / "two", fabric, place)
        dying(folder / "killed", fabric, place, 6, _die)


if __name__ == "__main__":
    sys.exit(end_with_code(lambda: main(Path(sys.argv[1])), ["train", "generator"]))
