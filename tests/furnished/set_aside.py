"""The shell lines of the documentation that no test executes, each with its reason."""

from __future__ import annotations

SET_UP = "what `make setup` does before any test can run"
WHOLE = "runs whole programs that other tests run"
DOWNLOAD = "fetches gigabytes from the network; tests/data runs it against a server of its own"
FAULTS = "provokes faults for long; tests/reliability and tests/fuzz provoke the same ones"

TIMING = "times trainings on one process and on several for long; tests/processes runs such ones"

SET_ASIDE = {
    "make demo": WHOLE,
    "make test": WHOLE,
    "python3 -m venv": SET_UP,
    ".venv/bin/pip install": SET_UP,
    "pip install": SET_UP,
    "mondegreen data download": DOWNLOAD,
    "python -m benchmarks.reliability": FAULTS,
    "python -m benchmarks.fuzzing": FAULTS,
    "python -m benchmarks.scaling": TIMING,
}
"""How a line begins, and why it is not run."""


def reason(words: list[str]) -> str | None:
    """Return why a line is not run; None for all that are.

    Example:
        >>> reason(["make", "demo"]) == WHOLE, reason(["mondegreen", "serve"])
        (True, None)
    """
    line = " ".join(words)
    return next((why for start, why in SET_ASIDE.items() if line.startswith(start)), None)
