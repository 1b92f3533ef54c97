from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from mondegreen.allocator import keep_memory

# How many pages the kernel has to provide while 40 MiB are taken and given back five times.
PROGRAM = """
import resource, sys
if sys.argv[1] == "keep":
    from mondegreen.allocator import keep_memory
    assert keep_memory()
bytearray(40 * 2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    bytearray(40 * 2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(word: str) -> int:
    command = [sys.executable, "-c", PROGRAM, word]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_used_again() -> None:
    """The program runs by itself, for the setting holds for a whole process."""
    assert faults("keep") < 0.1 * faults("leave")


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(name: object) -> None:
        raise AssertionError("the C library was opened")

    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr("ctypes.CDLL", called)
    assert keep_memory() is False
