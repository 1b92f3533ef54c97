"""Commands on two processes that they start themselves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.cli.conftest import Trained

from mondegreen.cli.main import main

ROOT = Path(__file__).parents[2]
TIMES = {"created", "duration_seconds", "milliseconds_per_clip", "environment", "command"}


def started(words: list[str], folder: Path) -> subprocess.Popen[str]:
    """Begin a command with ``--devices 2``, each process with one thread."""
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "mondegreen", *words, "--devices", "2"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def metrics(folder: Path) -> list[dict[str, float]]:
    """Return what was logged, without the time it took."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def lasting(value: Any) -> Any:
    """Return results without what differs between any two runs: times, memory, the command."""
    if isinstance(value, dict):
        left_out = TIMES | {key for key in value if "memory" in key}
        return {key: lasting(item) for key, item in value.items() if key not in left_out}
    return [lasting(item) for item in value] if isinstance(value, list) else value


def test_an_evaluation_on_two_processes_is_that_of_one(trained: Trained, tmp_path: Path) -> None:
    words = ["evaluate", "--generator", str(trained.generator), "--device", "cpu", "--batch-size"]
    words += ["7", "--quality-pairs", "0", "--channel", "noise:snr_db=20", "--no-report"]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as of each of the two: sums of several threads round otherwise
    assert main([*words, "--out", str(tmp_path / "one")]) == 0
    torch.set_num_threads(threads)
    with started([*words, "--out", str(tmp_path / "two")], tmp_path) as process:
        said = process.communicate(timeout=600)[1]
    assert process.returncode == 0, said
    assert said.count("Results:") == 1  # only the first one speaks
    one, other = (
        json.loads((tmp_path / name / "results.json").read_text()) for name in ("one", "two")
    )
    assert lasting(one) == lasting(other)
    assert one["pairs"] == 12
    pairs = [(tmp_path / name / "pairs.csv").read_bytes() for name in ("one", "two")]
    assert pairs[0] == pairs[1]
    assert not (tmp_path / "two" / "batches.part").exists()


def _children(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(word) for word in path.read_text().split()]


def elsewhere(kind: str, rank: int, port: int) -> dict[str, str]:
    """Return the variables that tell a process what it is, one of two."""
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    if kind == "two machines":
        return {**address, "NODE_RANK": str(rank)}
    numbers = {"SLURM_PROCID": rank, "SLURM_LOCALID": rank, "SLURM_NODEID": 0, "SLURM_JOB_ID": 7}
    numbers |= {"SLURM_STEP_NUM_TASKS": 2, "SLURM_STEP_NUM_NODES": 1, "SLURM_NNODES": 1}
    numbers |= {"SLURM_NTASKS": 2, "SLURM_NTASKS_PER_NODE": 2}
    return {**address, **{name: str(number) for name, number in numbers.items()}}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["torchrun", "slurm", "two machines"])
def test_processes_that_others_have_started_train_together(
    trained: Trained, tmp_path: Path, kind: str
) -> None:
    words = ["train", "classifier", "--preset", "smoke", "--device", "cpu", "--data"]
    words += [str(trained.data), "--cache", str(trained.cache)]
    assert main([*words, "--out", str(tmp_path / "one")]) == 0
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    environ = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    python, runs = [sys.executable, "-m"], [("two", 0), ("not here", 1)]
    if kind == "torchrun":
        python += ["torch.distributed.run", "--nproc-per-node", "2", "-m"]
        runs = runs[:1]
    words += ["--num-nodes", "2"] if kind == "two machines" else []
    started = [
        subprocess.Popen(
            [*python, "mondegreen", *words, "--out", str(tmp_path / folder)],
            env={**environ, **(elsewhere(kind, rank, port) if kind != "torchrun" else {})},
        )
        for folder, rank in runs
    ]
    assert [process.wait(900) for process in started] == [0] * len(started)
    for left, right in zip(metrics(tmp_path / "one"), metrics(tmp_path / "two"), strict=True):
        assert right == pytest.approx(left, rel=1e-2, abs=1e-3)
    assert json.loads((tmp_path / "two" / "summary.json").read_text())["processes"] == 2
    assert not (tmp_path / "not here").exists(), "only the first process writes"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["another is killed", "the first is asked to end"])
def test_a_training_on_two_processes_ends_and_goes_on(
    trained: Trained, tmp_path: Path, how: str
) -> None:
    words = ["train", "generator", "--preset", "smoke", "--device", "cpu", "--training.epochs", "4"]
    words += ["--training.patience", "0", "--classifier", str(trained.classifier)]
    one, out = tmp_path / "one", tmp_path / "two"
    assert main([*words, "--out", str(one)]) == 0
    with started([*words, "--out", str(out)], tmp_path) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("step "):  # an epoch is done
                break
        (child,) = _children(process.pid)
        os.kill(*((child, signal.SIGKILL) if "killed" in how else (process.pid, signal.SIGTERM)))
        said = process.stderr.read()
        code = process.wait(300)
    assert not Path(f"/proc/{child}").exists()
    if "killed" in how:
        assert code == 2 and "another process of this command ended" in said
    else:
        assert code == 143 and said.count("continue where it left off") == 1
    assert main([*words, "--out", str(out)]) == 0  # alone
    for left, right in zip(metrics(one), metrics(out), strict=True):
        assert right == pytest.approx(left, rel=1e-2, abs=1e-3)
