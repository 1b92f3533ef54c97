"""Score many pairs of clips on all cores."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from mondegreen.audio import resample
from mondegreen.errors import MondegreenError
from mondegreen.metrics import worker
from mondegreen.progress import track

Measure = Literal["pesq_nb_lqo", "pesq_wb", "stoi"]
Floats = npt.NDArray[np.float64]
Scorer = Callable[[worker.Signal, worker.Signal, int, Sequence[str]], list[float]]

SECONDS_PER_WORKER = 60.0
"""A process pays off from about so much sound: it takes 0.3 to 2 s to start and load SciPy."""


def score_pairs(
    x: Tensor,
    x_adv: Tensor,
    sample_rate: int,
    measures: Sequence[Measure],
    *,
    workers: int | None = None,
    description: str,
) -> Floats:
    """Return the measures of every pair, computed by as many processes as pay off.

    Args:
        x: The clips.
        x_adv: The perturbed clips.
        sample_rate: In Hz. Clips are resampled for measures that need 8 or 16 kHz.
        measures: Which.
        workers: The most processes to use; every core by default, 1 stays in this process.
        description: For the progress bar.

    Shape:
        - x, x_adv: ``(batch, time)`` or ``(batch, 1, time)``
        - Output: ``(batch, measures)``, NaN where a measure failed

    Raises:
        ValueError: The shapes differ or are not as above, or ``workers`` is less than 1.
        MondegreenError: A process cannot be started, or a measure broke down.
    """
    if x.shape != x_adv.shape or x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[1] != 1):
        raise ValueError(
            "expected two waveforms (batch, time) or (batch, 1, time), got "
            f"{tuple(x.shape)} and {tuple(x_adv.shape)}"
        )
    if workers is not None and workers < 1:
        raise ValueError(f"{workers} workers cannot score anything")
    pairs, seconds = len(x), x.numel() / sample_rate
    useful = min(workers or available_cores(), max(1, int(seconds / SECONDS_PER_WORKER)))
    scores = np.full((pairs, len(measures)), math.nan)

    def score_pair(scorer: Scorer, pair: int) -> None:
        scores[pair] = _score_pair(scorer, x[pair], x_adv[pair], sample_rate, measures)

    if useful == 1:
        for pair in track(range(pairs), description, total=pairs):
            score_pair(worker.score, pair)
    else:
        _in_processes(score_pair, pairs, useful, description)
    return scores


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_processes(
    score_pair: Callable[[Scorer, int], None], pairs: int, workers: int, description: str
) -> None:
    """Call ``score_pair`` for every pair, each thread with a process of its own at hand."""
    with ExitStack() as stack:
        idle: SimpleQueue[WorkerProcess] = SimpleQueue()
        for _ in range(workers):
            idle.put(stack.enter_context(WorkerProcess()))

        def run(pair: int) -> None:
            process = idle.get()
            try:
                score_pair(process.score, pair)
            finally:
                idle.put(process)

        threads = ThreadPoolExecutor(workers)
        try:
            waiting = [threads.submit(run, pair) for pair in range(pairs)]
            for done in track(as_completed(waiting), description, total=pairs):
                done.result()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)


def _score_pair(
    scorer: Scorer, x: Tensor, x_adv: Tensor, sample_rate: int, measures: Sequence[Measure]
) -> list[float]:
    """Score one pair, at the rate that each measure needs."""
    rates = [_rate(measure, sample_rate) for measure in measures]
    found: dict[Measure, float] = {}
    for rate in dict.fromkeys(rates):
        asked = [measure for measure, wanted in zip(measures, rates, strict=True) if wanted == rate]
        clips = [
            resample(clip.detach().cpu().float().flatten(), sample_rate, rate).numpy()
            for clip in (x, x_adv)
        ]
        found.update(zip(asked, scorer(clips[0], clips[1], rate, asked), strict=True))
    return [found[measure] for measure in measures]


def _rate(measure: Measure, sample_rate: int) -> int:
    """Return the sample rate at which a measure wants its clips."""
    if measure == "stoi" or (measure == "pesq_nb_lqo" and sample_rate == 8000):
        return sample_rate
    return 16000


class WorkerProcess:
    """A Python process that scores pairs; one that dies over a pair is replaced.

    The C code behind PESQ can crash. Then the pair scores NaN and nothing else is lost.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Return itself; the process starts with the first pair."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def score(
        self, x: worker.Signal, x_adv: worker.Signal, sample_rate: int, measures: Sequence[str]
    ) -> list[float]:
        """Do what :func:`mondegreen.metrics.worker.score` does, over there.

        Raises:
            MondegreenError: The process cannot be started, or a measure broke down.
        """
        if self._process is None:
            self._process = _start()
        jobs, answers = self._process.stdin, self._process.stdout
        assert jobs is not None and answers is not None
        with suppress(BrokenPipeError):
            worker.write_job(jobs, x, x_adv, sample_rate, measures)
        line = answers.readline()
        if not line:
            self.close()
            return [math.nan] * len(measures)
        answer = json.loads(line)
        if isinstance(answer, str):
            raise MondegreenError(f"{', '.join(measures)} could not be computed: {answer}")
        return [float(value) for value in answer]

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(BrokenPipeError):
                process.communicate()


def _start() -> subprocess.Popen[bytes]:
    """Start a process and wait until it is ready.

    Raises:
        MondegreenError: It does not start.
    """
    # -P: the folder of the script holds modules named like the packages that it imports.
    command = [sys.executable, "-P", str(Path(worker.__file__))]
    # One thread each, and its own session so that Ctrl-C reaches this process alone.
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise MondegreenError(
            f"cannot start {sys.executable!r} to score clips ({error}); use one worker."
        ) from error
    assert process.stdout is not None
    if process.stdout.readline() != b'"ready"\n':
        process.kill()
        process.communicate()
        raise MondegreenError("the process that scores clips does not start; use one worker.")
    return process
