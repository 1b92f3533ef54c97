"""Who is who: the environment variables of torchrun, Slurm and of processes started by hand."""

from __future__ import annotations

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.interruption import StopRequest
from mondegreen.processes.group import Processes, share
from mondegreen.processes.place import Place, ProcessOptions, find_place

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none",
    "WORLD_SIZE": "6",
    "LOCAL_WORLD_SIZE": "3",
    "RANK": "4",
    "LOCAL_RANK": "1",
}
SLURM = {
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
}
NODE = {"MASTER_ADDR": "a", "MASTER_PORT": "29500", "NODE_RANK": "1"}


@pytest.mark.parametrize(
    ("options", "environ", "place"),
    [
        (ProcessOptions(), {}, Place()),
        (ProcessOptions(), {"LOCAL_RANK": "3"}, Place()),
        (ProcessOptions(devices=1, num_nodes=1), {"NODE_RANK": "1"}, Place()),
        (ProcessOptions(devices=3), {}, Place("this command", 0, 0, 3, 1, False)),
        (ProcessOptions(3), {"LOCAL_RANK": "2"}, Place("this command", 2, 2, 3, 1, True)),
        (ProcessOptions(2, 3), NODE, Place("this command", 2, 0, 2, 3, False)),
        (ProcessOptions(), TORCHRUN, Place("torchrun", 4, 1, 3, 2, True)),
        (ProcessOptions(3, 2), TORCHRUN, Place("torchrun", 4, 1, 3, 2, True)),
        (ProcessOptions(), SLURM, Place("slurm", 5, 1, 4, 2, True)),
        (ProcessOptions(), {"SLURM_STEP_NUM_TASKS": "1", "SLURM_NTASKS": "4"}, Place()),
    ],
)
def test_the_place_of_a_process(
    options: ProcessOptions, environ: dict[str, str], place: Place
) -> None:
    assert find_place(options, environ) == place


@pytest.mark.parametrize(
    ("options", "environ", "message"),
    [
        (ProcessOptions(devices=2), TORCHRUN, "--devices is 2, but torchrun has started 3"),
        (ProcessOptions(num_nodes=4), SLURM, "--num-nodes is 4, but slurm has started 2"),
        (ProcessOptions(), {**SLURM, "SLURM_STEP_NUM_TASKS": "7"}, "as many on each"),
        (ProcessOptions(), {"TORCHELASTIC_RUN_ID": "x"}, "incomplete .*WORLD_SIZE"),
        (ProcessOptions(2), {"LOCAL_RANK": "2"}, "LOCAL_RANK 2 .* do not fit --devices 2"),
        (ProcessOptions(2, 2), {}, "set MASTER_ADDR and MASTER_PORT"),
    ],
)
def test_contradictions_are_refused(
    options: ProcessOptions, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(MondegreenError, match=message):
        find_place(options, environ)


@pytest.mark.parametrize("name", ["devices", "num_nodes"])
def test_there_is_at_least_one_process(name: str) -> None:
    with pytest.raises(MondegreenError, match=f"--{name.replace('_', '-')} is 0"):
        ProcessOptions(**{name: 0})


@pytest.mark.parametrize(("size", "count"), [(0, 2), (1, 3), (7, 3), (64, 4), (5, 5)])
def test_shares_are_even_and_complete(size: int, count: int) -> None:
    rows = [range(size)[share(size, rank, count)] for rank in range(count)]
    assert [row for one in rows for row in one] == list(range(size))
    assert max(map(len, rows)) - min(map(len, rows)) <= 1


def test_an_error_of_ones_own_is_not_taken_for_a_broken_connection() -> None:
    with pytest.raises(RuntimeError, match="connection"), Processes().broken():
        raise RuntimeError("connection")


def test_alone_one_agrees_with_oneself() -> None:
    asked = StopRequest()
    asked.signal = 2
    Processes().agree(asked, asked)
    assert asked
