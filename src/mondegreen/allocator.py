"""Keep glibc from giving memory back to the kernel between training steps."""

from __future__ import annotations

import ctypes
import platform

_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_MAX = -4


def keep_memory() -> bool:
    """Tell glibc's malloc to keep freed memory for reuse.

    By default every tensor above 128 KiB (growing to 32 MiB) is a fresh mapping whose pages the
    kernel zeroes again at each step. What that costs depends on the machine;
    ``benchmarks/allocator.py`` measures it. The process may hold up to its peak memory until it
    ends.

    Returns:
        True where it took effect: on Linux with glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 200_000_000))
    accepted = [mallopt(option, value) for option, value in settings]
    return accepted == [1, 1, 1]
