"""Two processes that share each batch do what one does with the whole batch, and none hangs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from tests.processes.toys import budgeted, open_toys, train_all, write_tones

from mondegreen.processes.place import Place

ROOT = Path(__file__).parents[2]
NAMES = ("budgeted", "paper", "spotter")


@dataclass(frozen=True)
class Done:
    """What the processes left, and how they ended."""

    folder: Path
    codes: tuple[int, int]
    said: str


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Run all trainings in two processes, and one in which the second is killed."""
    folder = tmp_path_factory.mktemp("processes")
    write_tones(folder)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    variables = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.processes.worker", str(folder)],
            cwd=ROOT,
            env={**os.environ, **variables, "LOCAL_RANK": str(rank), "PYTHONPATH": path},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    said = [process.communicate(timeout=600)[1] for process in processes]
    return Done(folder, (processes[0].returncode, processes[1].returncode), said[0])


@pytest.fixture(scope="module")
def alone(done: Done) -> Path:
    """Run the same trainings in this process."""
    torch.set_num_threads(1)
    train_all(done.folder / "one", Fabric(accelerator="cpu", devices=1), Place())
    return done.folder / "one"


def rows(folder: Path) -> list[dict[str, float]]:
    """Return the metrics without the time they took."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def weights(folder: Path, name: str) -> dict[str, Any]:
    state = torch.load(folder / "checkpoints" / "latest" / "state.pt", weights_only=True)
    found: dict[str, Any] = state[name]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_give_the_losses_of_one(done: Done, alone: Path, name: str) -> None:
    one, two = rows(alone / name), rows(done.folder / "two" / name)
    assert len(one) == 2 and len(two) == 2, done.said
    for left, right in zip(one, two, strict=True):
        assert right == pytest.approx(left, rel=2e-4, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_give_the_weights_of_one(done: Done, alone: Path, name: str) -> None:
    part = "classifier" if name == "spotter" else "generator"
    one, two = weights(alone / name, part), weights(done.folder / "two" / name, part)
    assert list(one) == list(two)
    for key, value in one.items():
        assert torch.allclose(value.double(), two[key].double(), rtol=1e-2, atol=1e-4), key


def test_when_one_is_killed_the_other_ends_and_says_so(done: Done) -> None:
    assert done.codes == (2, -9)
    assert "another process of this command ended" in done.said
    assert "Traceback" not in done.said


def test_the_killed_training_goes_on_in_one_process(done: Done, alone: Path) -> None:
    torch.set_num_threads(1)
    folder = done.folder / "killed"
    assert [row["epoch"] for row in rows(folder)] == [1]  # killed in the second one
    work = budgeted(folder, open_toys(done.folder), Fabric(accelerator="cpu", devices=1), Place())
    assert work.state.epoch == 1
    work.fit()
    for left, right in zip(rows(alone / "budgeted"), rows(folder), strict=True):
        assert right == pytest.approx(left, rel=2e-4, abs=1e-5)
