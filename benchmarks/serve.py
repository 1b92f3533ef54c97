"""How fast the live page answers: medians over a running server, alone and with 16 people at once.

    .venv/bin/python benchmarks/serve.py --out results/serve.json

Starts `mondegreen serve` at a free port and attacks a one-second clip again and again, through the
same requests that a browser sends. An answer is complete when its HTML has arrived, sounds and
pictures included; each request uploads its clip anew. Nobody of the sixteen pauses.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from mondegreen.files import write_json
from mondegreen.runs import command_line, environment

MODEL = "zoo:speech-commands"
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
ATTACKS = {
    "generator": ("generator", 1),
    "generator+5": ("refined", 5),
    "pgd:steps=20": ("pgd", 20),
    "fgsm": ("fgsm", 1),
}


@contextmanager
def serving() -> Iterator[tuple[str, float]]:
    """Serve the page; yields its address and how long it took to start."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "mondegreen", "serve", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            found = re.search(r"http://\S+", line)
            if found:
                yield found.group(), time.perf_counter() - start
                return
        raise SystemExit("the page did not start")
    finally:
        process.terminate()
        process.wait(timeout=30)


def second_of_noise(path: Path, seed: int) -> Path:
    """Write a second of noise that falls by 6 dB an octave, in bursts: PESQ takes it for speech."""
    rng = np.random.default_rng(seed)
    noise = np.cumsum(rng.normal(size=16_000))
    noise -= np.convolve(noise, np.ones(400) / 400, mode="same")
    envelope = 0.05 + np.abs(np.sin(2 * np.pi * 3 * np.arange(16_000) / 16_000))
    x = noise * envelope
    soundfile.write(path, 0.3 * x / np.abs(x).max(), 16_000)
    return path


class Visitor:
    """Somebody with a page of their own."""

    def __init__(self, url: str, clip: Path) -> None:
        from gradio_client import Client, handle_file

        self._client = Client(url, verbose=False, analytics_enabled=False)
        self._clip = handle_file(clip)

    def attack(self, turn: int, kind: str, steps: int) -> tuple[float, dict[str, Any]]:
        """Return how many milliseconds an answer took, and its numbers."""
        start = time.perf_counter()
        arguments = (self._clip, MODEL, WORDS[turn % len(WORDS)], 20, kind, steps, 0)
        html, numbers = self._client.predict(*arguments, api_name="/attack")
        assert numbers["target"] in html
        return 1e3 * (time.perf_counter() - start), numbers


def summary(times: list[float]) -> dict[str, float]:
    """Return the median and the ends."""
    return {
        "median_ms": round(statistics.median(times), 1),
        "fastest_ms": round(min(times), 1),
        "slowest_ms": round(max(times), 1),
        "answers": len(times),
    }


def alone(visitor: Visitor, kind: str, steps: int, answers: int) -> dict[str, Any]:
    """Time one person, and the part of it that is the attack itself."""
    found = [visitor.attack(turn, kind, steps) for turn in range(answers)]
    inner = statistics.median(numbers["milliseconds"] for _, numbers in found)
    return {**summary([taken for taken, _ in found]), "attack_median_ms": round(inner, 2)}


def together(visitors: list[Visitor], answers: int) -> dict[str, Any]:
    """Time people who ask at once, all without a pause."""

    def visit(number: int) -> list[float]:
        turns = range(number, number + answers)
        return [visitors[number].attack(turn, "generator", 1)[0] for turn in turns]

    start = time.perf_counter()
    with ThreadPoolExecutor(len(visitors)) as threads:
        times = [taken for one in threads.map(visit, range(len(visitors))) for taken in one]
    seconds = time.perf_counter() - start
    return {
        "people": len(visitors),
        **summary(times),
        "answers_per_second": round(len(times) / seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/serve.json"))
    parser.add_argument("--answers", type=int, default=30)
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--each", type=int, default=5, help="answers to each of them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving() as (url, start_s):
        clips = [second_of_noise(Path(name) / f"{n}.wav", n) for n in range(options.people)]
        visitors = [Visitor(url, clip) for clip in clips]
        found = {
            "command": command_line(),
            "environment": environment(),
            "start_s": round(start_s, 1),
            "alone": {
                attack: alone(visitors[0], kind, steps, options.answers)
                for attack, (kind, steps) in ATTACKS.items()
            },
            "together": together(visitors, options.each),
        }
    write_json(options.out, found)
    print(options.out.read_text())


if __name__ == "__main__":
    main()
