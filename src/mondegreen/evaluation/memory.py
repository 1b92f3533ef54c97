"""The most memory that something takes, beyond what was in use before."""

from __future__ import annotations

import ctypes
import platform
from contextlib import suppress
from pathlib import Path

import torch

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"  # see proc_pid_clear_refs(5); needs no rights beyond one's own process


class PeakMemory:
    """Watches the memory of this process, or of the GPU, between :meth:`begin` and :meth:`end`.

    On a CPU it is resident memory as the kernel counts it, and only Linux lets the peak begin anew.
    What was freed before but is still held by the C library would hide what is taken from it, so it
    is given back first: the next allocations are a little slower for that.

    Args:
        device: Where the work runs.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._before: int | None = None

    def begin(self) -> None:
        """Forget the peak so far, and note what is in use."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)
            self._before = torch.cuda.memory_allocated(self.device)
            return
        _give_back()
        self._before = None
        with suppress(OSError):
            (_PROCESS / "clear_refs").write_text(_RESET_PEAK)
            self._before = _kibibytes("VmRSS")

    def end(self) -> int | None:
        """Return the bytes that were in use at most beyond those before; None if nobody knows."""
        if self._before is None:
            return None
        if self.device.type == "cuda":
            return max(0, torch.cuda.max_memory_allocated(self.device) - self._before)
        peak = _kibibytes("VmHWM")
        return None if peak is None else 1024 * max(0, peak - self._before)


def _give_back() -> None:
    """Let the C library return freed memory to the kernel, where it can."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def _kibibytes(name: str) -> int | None:
    """Return one line of this process's status; None where there is no such line."""
    with suppress(OSError, ValueError, IndexError):
        for line in (_PROCESS / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return None
