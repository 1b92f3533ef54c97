"""Score one pair of clips with PESQ or STOI, here or in a process of its own.

The pool starts this file as a plain script, which reads pairs from standard input and writes
scores to standard output. It imports nothing of the project: a process that need not load PyTorch
starts in a fraction of the time and memory, and needs no ``if __name__ == "__main__"`` in the
user's own script, as ``multiprocessing`` would.
"""

from __future__ import annotations

import json
import math
import os
import sys
import warnings
from collections.abc import Sequence
from typing import IO

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float32]

MAX_PESQ_SECONDS = 20.0
"""Longer clips get no PESQ. ITU's code has room for 50 utterances and does not check: utterances
and gaps of 0.2 s or more reach that in 20 s, and beyond it returns wrong scores or crashes."""

_STOI_FAILED = 1e-5  # what pystoi returns, with a warning, for less than 0.4 s of speech


def score(x: Signal, x_adv: Signal, sample_rate: int, measures: Sequence[str]) -> list[float]:
    """Return the named measures of one pair; NaN where one fails.

    Args:
        x: The clip, ``(time,)``.
        x_adv: The perturbed clip, of the same length.
        sample_rate: In Hz; 8000 or 16000 for PESQ (16000 for ``pesq_wb``).
        measures: ``pesq_nb_lqo`` (P.862.1), ``pesq_wb`` (P.862.2), ``stoi``.
    """
    if not all(bool(np.isfinite(clip).all()) and np.ptp(clip) > 0 for clip in (x, x_adv)):
        return [math.nan] * len(measures)  # a constant is as silent as zero
    scores = []
    for measure in measures:
        if measure == "stoi":
            scores.append(_stoi(x, x_adv, sample_rate))
        else:
            scores.append(_pesq(x, x_adv, sample_rate, "wb" if measure == "pesq_wb" else "nb"))
    return scores


def _pesq(x: Signal, x_adv: Signal, sample_rate: int, mode: str) -> float:
    from pesq import PesqError, pesq

    if len(x) > MAX_PESQ_SECONDS * sample_rate:
        return math.nan
    try:
        value = float(pesq(sample_rate, x, x_adv, mode))
    except (PesqError, ValueError):  # no utterance, too short, or an undefined level
        return math.nan
    return value


def _stoi(x: Signal, x_adv: Signal, sample_rate: int) -> float:
    from pystoi import stoi

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            value = float(stoi(x.astype(np.float64), x_adv.astype(np.float64), sample_rate))
        except ValueError:  # shorter than one frame
            return math.nan
    return math.nan if value == _STOI_FAILED else value


def write_job(
    stream: IO[bytes], x: Signal, x_adv: Signal, sample_rate: int, measures: Sequence[str]
) -> None:
    """Write a pair: one line of JSON, then the samples of both clips as float32."""
    head = {"samples": len(x), "sample_rate": sample_rate, "measures": list(measures)}
    stream.write(json.dumps(head).encode() + b"\n")
    stream.write(np.ascontiguousarray(x, dtype=np.float32).tobytes())
    stream.write(np.ascontiguousarray(x_adv, dtype=np.float32).tobytes())
    stream.flush()


def serve(jobs: IO[bytes], answers: IO[bytes]) -> None:
    """Announce itself, then answer every job by a line of JSON: scores, or what went wrong."""
    answers.write(b'"ready"\n')
    answers.flush()
    while line := jobs.readline():
        head = json.loads(line)
        size = 4 * head["samples"]
        x, x_adv = (np.frombuffer(jobs.read(size), dtype=np.float32) for _ in range(2))
        answer: list[float] | str
        try:
            answer = score(x, x_adv, head["sample_rate"], head["measures"])
        except Exception as error:  # whatever it is, the parent has to hear of it
            answer = f"{type(error).__name__}: {error}"
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    # Keep the answers apart from anything that the measures' C code may print.
    private = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, private)
