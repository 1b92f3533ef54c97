"""Decoding many sound files, in threads, into one file of 16-bit samples."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from mondegreen.audio import fit_length, float_to_pcm16, read_mono
from mondegreen.errors import MondegreenError
from mondegreen.progress import track

_CLIPS_A_TASK = 32
_NAMED_FAILURES = 5


@dataclass(frozen=True)
class Source:
    """A sound file as it was when it was decoded.

    Attributes:
        path: Absolute.
        size: In bytes.
        mtime_ns: Time of the last change, in nanoseconds.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str) -> Source:
        """Look at a file; one that is missing has size -1 and fails when it is decoded."""
        try:
            status = os.stat(path)  # noqa: PTH116 (called once a clip)
        except OSError:
            return cls(path, -1, -1)
        return cls(path, status.st_size, status.st_mtime_ns)


Cut = tuple[float, float]
"""Where a clip begins in its file and how long it is, in seconds."""

WHOLE: Cut = (0.0, math.inf)


@dataclass(frozen=True)
class Job:
    """A sound file to decode.

    Attributes:
        row: Where its first clip belongs; the others follow.
        source: The file.
        cuts: Its clips.
    """

    row: int
    source: Source
    cuts: tuple[Cut, ...] = (WHOLE,)


_Failure = tuple[int, int, str]  # the first row, how many rows, the message


def decode_into(
    target: Path,
    jobs: Sequence[Job],
    *,
    clips: int,
    sample_rate: int,
    samples: int,
    start_from: Path | None,
    workers: int | None,
) -> None:
    """Write clips into rows of a raw int16 file.

    Args:
        target: The file to create.
        jobs: The sound files and the rows that their clips belong into.
        clips: Rows of the file.
        sample_rate: In Hz.
        samples: Samples of a row.
        start_from: An older such file, whose other rows are kept.
        workers: Threads.

    Raises:
        MondegreenError: Sound files cannot be read.
        OSError: The file cannot be written.
    """
    if start_from is not None:
        shutil.copyfile(start_from, target)
    else:
        target.touch()
    descriptor = os.open(target, os.O_RDWR)
    try:
        os.truncate(descriptor, clips * samples * 2)
        failures = _decode_all(descriptor, jobs, sample_rate, samples, workers)
        os.fsync(descriptor)  # before it is renamed, so that a power failure leaves no zeros
    finally:
        os.close(descriptor)
    if failures:
        raise MondegreenError(_report(failures, clips))


def _decode_all(
    descriptor: int, jobs: Sequence[Job], sample_rate: int, samples: int, workers: int | None
) -> list[_Failure]:
    failures: list[_Failure] = []
    pool = ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1))
    try:
        futures = [
            pool.submit(
                _decode_some, descriptor, jobs[at : at + _CLIPS_A_TASK], sample_rate, samples
            )
            for at in range(0, len(jobs), _CLIPS_A_TASK)
        ]
        description = f"decoding {sum(len(job.cuts) for job in jobs)} clips"
        for future in track(as_completed(futures), description, total=len(futures)):
            failures += future.result()
    finally:
        # Waits for the running tasks: they still write to the descriptor.
        pool.shutdown(wait=True, cancel_futures=True)
    return sorted(failures)


def _decode_some(
    descriptor: int, jobs: Sequence[Job], sample_rate: int, samples: int
) -> list[_Failure]:
    failures: list[_Failure] = []
    for job in jobs:
        try:
            x = read_mono(Path(job.source.path), sample_rate)
        except MondegreenError as error:
            failures.append((job.row, len(job.cuts), str(error)))
            continue
        for row, (start, seconds) in enumerate(job.cuts, start=job.row):
            end = None if math.isinf(seconds) else round((start + seconds) * sample_rate)
            piece = fit_length(x[round(start * sample_rate) : end], samples)
            pcm = float_to_pcm16(piece).numpy().astype("<i2", copy=False).tobytes()
            _write_at(descriptor, pcm, row * len(pcm))
    return failures


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _report(failures: list[_Failure], clips: int) -> str:
    lost = sum(count for _, count, _ in failures)
    named = "\n".join(f"  {message}" for _, _, message in failures[:_NAMED_FAILURES])
    rest = len(failures) - _NAMED_FAILURES
    more = f"\n  ... and {rest} more" if rest > 0 else ""
    return (
        f"{lost} of {clips} clips cannot be read:\n{named}{more}\n"
        "Repair these files or move them out of the data folder."
    )
