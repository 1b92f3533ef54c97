"""Which of how many processes this one is, and who has started them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mondegreen.errors import MondegreenError

Starter = Literal["nobody", "this command", "torchrun", "slurm"]

STARTED_BY = "MONDEGREEN_STARTED_BY"
"""Environment variable of a process that another one of the same command has started: its id."""


@dataclass(frozen=True)
class ProcessOptions:
    """On how many processes a command runs."""

    devices: int | None = None
    """Processes on each machine: one a GPU or, on processors, one for each share of the cores. By
    default as many as torchrun or srun has started, else one."""
    num_nodes: int | None = None
    """Machines. The same command runs on each, with MASTER_ADDR, MASTER_PORT and NODE_RANK (0, 1,
    ...) set; torchrun and srun set what they need by themselves."""

    def __post_init__(self) -> None:
        """Refuse numbers that nothing can run on."""
        for name in ("devices", "num_nodes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise MondegreenError(f"--{name.replace('_', '-')} is {value}; choose 1 or more.")


@dataclass(frozen=True)
class Place:
    """Where one process stands among those that run the same command together."""

    starter: Starter = "nobody"
    rank: int = 0
    """Its number among all of them; the first one writes and prints."""
    local_rank: int = 0
    """Its number on its machine."""
    devices: int = 1
    """Processes on each machine."""
    nodes: int = 1
    """Machines."""
    begun: bool = False
    """Whether somebody has started the other processes of this machine already."""

    @property
    def count(self) -> int:
        """How many processes there are."""
        return self.devices * self.nodes


def find_place(options: ProcessOptions, environ: Mapping[str, str]) -> Place:
    """Return the place of this process.

    Args:
        options: What the command asks for.
        environ: The environment variables: those of torchrun (``TORCHELASTIC_RUN_ID`` and others),
            of a step of Slurm (``SLURM_STEP_NUM_TASKS`` and others), or ``LOCAL_RANK`` and
            ``NODE_RANK``.

    Raises:
        MondegreenError: The options contradict who has started the processes, or the address of
            the first of several machines is not set.

    Example:
        >>> find_place(ProcessOptions(devices=2), {"LOCAL_RANK": "1"}).rank
        1
    """
    try:
        if "TORCHELASTIC_RUN_ID" in environ:
            return _torchrun(options, environ)
        if int(environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
            return _slurm(options, environ)
        return _own(options, environ)
    except (KeyError, ValueError) as error:
        raise MondegreenError(
            f"the variables that tell the processes apart are incomplete ({error}); start them by "
            "--devices, torchrun or srun."
        ) from error


def _torchrun(options: ProcessOptions, environ: Mapping[str, str]) -> Place:
    world, local = int(environ["WORLD_SIZE"]), int(environ["LOCAL_WORLD_SIZE"])
    place = Place(
        "torchrun",
        rank=int(environ["RANK"]),
        local_rank=int(environ["LOCAL_RANK"]),
        devices=local,
        nodes=world // local,
        begun=True,
    )
    return _agreed(place, options, world)


def _slurm(options: ProcessOptions, environ: Mapping[str, str]) -> Place:
    world, nodes = int(environ["SLURM_STEP_NUM_TASKS"]), int(environ["SLURM_STEP_NUM_NODES"])
    place = Place(
        "slurm",
        rank=int(environ["SLURM_PROCID"]),
        local_rank=int(environ["SLURM_LOCALID"]),
        devices=world // nodes,
        nodes=nodes,
        begun=True,
    )
    return _agreed(place, options, world)


def _agreed(place: Place, options: ProcessOptions, world: int) -> Place:
    """Refuse options that say otherwise than who started the processes."""
    if place.count != world:
        raise MondegreenError(
            f"{place.starter} has started {world} processes on {place.nodes} machines; start as "
            "many on each."
        )
    for name, found in (("devices", place.devices), ("num_nodes", place.nodes)):
        asked = getattr(options, name)
        if asked is not None and asked != found:
            raise MondegreenError(
                f"--{name.replace('_', '-')} is {asked}, but {place.starter} has started {found}; "
                "leave the option out."
            )
    return place


def _own(options: ProcessOptions, environ: Mapping[str, str]) -> Place:
    devices, nodes = options.devices or 1, options.num_nodes or 1
    begun = "LOCAL_RANK" in environ and devices * nodes > 1
    local = int(environ["LOCAL_RANK"]) if begun else 0
    node = int(environ.get("NODE_RANK", "0")) if nodes > 1 else 0
    if nodes > 1 and not {"MASTER_ADDR", "MASTER_PORT", "NODE_RANK"} <= set(environ):
        raise MondegreenError(
            f"--num-nodes is {nodes}: set MASTER_ADDR and MASTER_PORT to the first machine's "
            "address and a free port of it, and NODE_RANK to 0 there and to 1, 2, ... elsewhere."
        )
    if not (0 <= local < devices and 0 <= node < nodes):
        raise MondegreenError(
            f"LOCAL_RANK {local} and NODE_RANK {node} do not fit --devices {devices} and "
            f"--num-nodes {nodes}; they count from 0."
        )
    starter: Starter = "this command" if devices * nodes > 1 else "nobody"
    return Place(starter, node * devices + local, local, devices, nodes, begun)
