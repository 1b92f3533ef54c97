"""Starting the processes of a command, and seeing that none is left waiting for one that ended.

Fabric joins them, knows their devices and carries their messages. It could start them as well, but
then kills all of them when one ends, the first one included, which could neither save nor say why.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mondegreen.errors import MondegreenError
from mondegreen.processes.group import Processes
from mondegreen.processes.place import STARTED_BY, Place

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PATIENCE = timedelta(minutes=10)
"""How long a process waits for another one that is neither there nor known to have ended."""

_POLL_S, _GRACE_S = 0.2, 30.0
_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_WRONG_INPUT = 2


@contextmanager
def together(
    place: Place,
    accelerator: str,
    precision: Literal["32-true", "bf16-mixed"] = "32-true",
    *,
    backend: Literal["gloo"] | None = None,
) -> Iterator[Fabric]:
    """Start what processes are missing on this machine, join all, and part at the end.

    Args:
        place: Of this process.
        accelerator: ``cpu`` or ``cuda``.
        precision: Of a training.
        backend: gloo carries what is no tensor, whatever the device; by default the device's.

    Yields:
        Devices, precision and messages.

    Raises:
        MondegreenError: There are fewer GPUs than processes, or the others did not come.
    """
    from lightning_fabric import Fabric  # takes seconds

    if place.count == 1:
        fabric = Fabric(accelerator=accelerator, devices=1, precision=precision)
        fabric.launch()
        yield fabric
        return
    _refuse_missing_gpus(place, accelerator)
    address = _address(place)
    started = [] if place.begun else [_start(rank, address) for rank in range(1, place.devices)]
    watch = _Watch(started)
    if started:
        watch.start()
    try:
        yield _join(place, address, accelerator, precision, backend)
        watch.expected.set()
        _part()
        for process in started:
            process.wait()
    finally:
        watch.expected.set()
        for process in started:
            process.kill()
            process.wait()


@contextmanager
def shared(place: Place, accelerator: str) -> Iterator[Processes]:
    """Do as :func:`together` for work that is no training; alone, Fabric is not even loaded."""
    if place.count == 1:
        yield Processes()
        return
    with together(place, accelerator, backend="gloo") as fabric:
        yield Processes(fabric)


@contextmanager
def only_first_speaks(place: Place) -> Iterator[None]:
    """Drop what other processes than the first print inside of the block; errors come after it."""
    if place.rank == 0:
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def end_with_parent() -> None:
    """Have the kernel end this process when its parent ends, even by ``kill -9``."""
    ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)


def _refuse_missing_gpus(place: Place, accelerator: str) -> None:
    import torch

    there = torch.cuda.device_count() if accelerator == "cuda" else place.devices
    if there < place.devices:
        raise MondegreenError(
            f"--devices {place.devices}: this machine has {there} GPUs; start as many, or give "
            "--device cpu."
        )


def _address(place: Place) -> tuple[str, int]:
    """Return where the first process listens."""
    if place.begun or place.nodes > 1:
        return os.environ.get("MASTER_ADDR", ""), int(os.environ.get("MASTER_PORT", "0"))
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return "127.0.0.1", int(one.getsockname()[1])


def _start(local_rank: int, address: tuple[str, int]) -> subprocess.Popen[bytes]:
    """Start one more process of this command on this machine."""
    variables = {
        "LOCAL_RANK": str(local_rank),
        "NODE_RANK": os.environ.get("NODE_RANK", "0"),
        "MASTER_ADDR": address[0],
        "MASTER_PORT": str(address[1]),
        STARTED_BY: str(os.getpid()),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "mondegreen", *sys.argv[1:]],
        stdin=subprocess.DEVNULL,
        env={**os.environ, **variables},
        preexec_fn=end_with_parent,
    )


def _join(
    place: Place,
    address: tuple[str, int],
    accelerator: str,
    precision: Literal["32-true", "bf16-mixed"],
    backend: str | None,
) -> Fabric:
    """Return the Fabric of all processes, once all are there."""
    import torch
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    class Started(LightningEnvironment):
        """Processes that were started here."""

        creates_processes_externally = True
        main_address, main_port = address

        def local_rank(self) -> int:
            return place.local_rank

        def node_rank(self) -> int:
            return place.rank // place.devices

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if not _libuv():
        os.environ.setdefault("USE_LIBUV", "0")
    kinds = {"torchrun": TorchElasticEnvironment, "slurm": SLURMEnvironment}
    try:
        fabric = Fabric(
            accelerator=accelerator,
            devices=place.devices,
            num_nodes=place.nodes,
            precision=precision,
            strategy=DDPStrategy(
                timeout=PATIENCE,
                process_group_backend=backend,
                cluster_environment=kinds.get(place.starter, Started)(),
            ),
        )
        fabric.launch()
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise MondegreenError(
            f"the {place.count} processes of this command did not come together: {reason}"
        ) from error
    assert torch.distributed.is_initialized()
    return fabric


def _libuv() -> bool:
    """Tell whether this PyTorch was built with the library that its processes meet by."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    try:
        TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    except (RuntimeError, ValueError):
        return False
    return True


def _part() -> None:
    """Wait for all, then close the connections, so that the next command can open its own."""
    import torch

    with suppress(RuntimeError):  # the work is done, so a connection that breaks now is no matter
        if torch.distributed.get_backend() == "gloo":
            torch.distributed.barrier()
        torch.distributed.destroy_process_group()


class _Watch(threading.Thread):
    """Ends this process when one that it started failed and it hangs waiting for that one.

    A broken connection is noticed by itself in most cases, and then there is more time to clean up.

    Args:
        started: The processes.
    """

    def __init__(self, started: list[subprocess.Popen[bytes]]) -> None:
        super().__init__(daemon=True, name="watch over processes")
        self.started = started
        self.expected = threading.Event()

    def run(self) -> None:
        """Look at the processes until their end is expected."""
        while not self.expected.wait(_POLL_S):
            failed = [one for one in self.started if one.poll() not in (None, 0)]
            if failed:
                self._end(failed[0])
                return

    def _end(self, failed: subprocess.Popen[bytes]) -> None:
        code = failed.returncode
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        print(f"note: one of the processes of this command ended {how}.", file=sys.stderr)
        since = time.monotonic()
        while time.monotonic() - since < _GRACE_S:
            if self.expected.wait(_POLL_S):
                return
        print(
            "error: nothing was heard of it since; ending. What was saved is whole; the same "
            "command goes on from there.",
            file=sys.stderr,
        )
        for one in self.started:
            one.kill()
        os._exit(_WRONG_INPUT)
