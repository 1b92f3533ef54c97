"""Stages that cost nothing: a small program takes the place of the commands."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mondegreen.stages.stage import Stage

PROGRAM = """
import json, os, sys, time
for word, *rest in json.loads(sys.argv[1]):
    if word == "write":
        with open(rest[0], "a") as file:
            file.write(os.environ["OMP_NUM_THREADS"] + "\\n")
    elif word == "sleep":
        time.sleep(float(rest[0]))
    elif word == "fail":
        sys.exit("error: " + rest[0])
    elif word == "wait":
        while not os.path.exists(rest[0]):
            time.sleep(0.01)
    elif word == "absent":
        assert not os.path.exists(rest[0]), "error: something ran beside it"
"""


@pytest.fixture
def program(tmp_path: Path) -> tuple[str, ...]:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return (sys.executable, str(path))


@pytest.fixture
def writes(tmp_path: Path) -> Callable[..., Stage]:
    """Makes a stage that writes a file, after further commands."""

    def make(
        name: str, *before: tuple[str, ...], needs: tuple[str, ...] = (), alone: bool = False
    ) -> Stage:
        path = tmp_path / f"{name.replace('/', '-')}.txt"
        commands = (*before, ("write", str(path)))
        return Stage(name, f"the stage {name}", commands, path, needs, alone=alone)

    return make
