"""The rules by which a line of the documentation is made small enough to be run by a test.

A line is run as it stands, but for what these tables say: the same command, with less to do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from mondegreen.cli.main import COMMANDS

TRAINING = "--training.epochs 1 --limit 4"
PAIRS = "--pairs 4 --limit 4"

GIVEN = {
    "train classifier": f"--preset smoke {TRAINING}",
    "train generator": TRAINING,
    "train universal": "--preset smoke --epochs 1 --limit 4",
    "evaluate": "--pairs 4 --quality-pairs 1 --timing-repeats 1 --limit 4 --no-report",
    "compare": f"{PAIRS} --quality-pairs 0 --timing-rounds 1 --timing-seconds 0.1",
    "channels": PAIRS,
    "transfer": PAIRS,
    "defences": f"{PAIRS} --draws 1 --certify 1 --certify-draws 20 --training-clips 12",
    "harden": "--epochs 1 --select-steps 1 --limit 4",
    "harden report": f"{PAIRS} --steps 2 --queries 2 --square-pairs 2 --restarts 2",
    "audit": "--minutes 0.05 --jobs 1 --start-from scratch --target yes --limit 4",
    "reproduce": "--preset smoke --plan",
}
"""What every line of a command is given, in place of its own values of these options."""

KINDS = {
    "data synthesize --kind music": "--tracks 5 --seconds 1",
    "data synthesize": "--speakers 8 --other-words bed --noise-seconds 1",
}
"""What lines are given that begin so; the first that fits counts."""

OPTIONS = {
    ("--preset", "paper"): "--preset smoke",
    ("--device", "cuda"): "--device cpu",
    ("--precision", "bf16-mixed"): "--precision 32-true",
    ("--port", "8000"): "--port 0",
}
"""Values that are replaced wherever they stand."""

ATTACKS = {
    r"\bsteps=\d+": "steps=2",
    r"\bdraws=\d+": "draws=1",
    r"\bqueries=\d+": "queries=4",
    r"\biterations=\d+": "iterations=2",
    r"\bepochs=\d+": "epochs=1,iterations=2",
    r"^square$": "square:queries=4",
    r"^deepfool\b": "deepfool:steps=1",
    r"^cw\b": "cw:steps=2,binary_search_steps=1",
}
"""What is replaced in the words after ``--attacks`` and ``--knowing``."""

CONSTANTS = {
    "mondegreen.evaluation.recipes.CURVE_DB": (20,),
    "mondegreen.evaluation.recipes.PARETO_DB": (30,),
    "mondegreen.evaluation.recipes.GENETIC": "genetic:iterations=2",
    "mondegreen.evaluation.recipes.SWARM": "pso:epochs=1,iterations=2",
    "mondegreen.evaluation.recipes.SQUARE": "square:queries=4",
    "mondegreen.audit.speed.REPEATS": 1,
    "mondegreen.audit.sizes.QUERIES": (4,),
    "mondegreen.audit.plan.BUDGETS_DB": (20, 30),
    "mondegreen.audit.plan.GRADIENT": "pgd:steps=2",
}
"""What ``compare --recipe`` and ``audit`` decide themselves, where no option reaches."""


def command_of(words: list[str]) -> str:
    """Return which command the words call: ``train generator``, or ``evaluate``."""
    two = " ".join(words[:2])
    return two if two in COMMANDS else words[0]


def split_options(words: list[str]) -> list[list[str]]:
    """Return the words in groups, each of which but the first begins with an option.

    Example:
        >>> split_options(["attack", "a.wav", "--target", "no", "--json"])
        [['attack', 'a.wav'], ['--target', 'no'], ['--json']]
    """
    groups: list[list[str]] = [[]]
    for word in words:
        if word.startswith("--"):
            groups.append([])
        groups[-1].append(word)
    return groups


def with_options(words: list[str], given: str) -> list[str]:
    """Return the words with some options set, in place of what they say about them.

    Example:
        >>> with_options(["compare", "--pairs", "90", "--json"], "--pairs 4 --limit 2")
        ['compare', '--json', '--pairs', '4', '--limit', '2']
    """
    names = {word for word in given.split() if word.startswith("--")}
    kept = [group for group in split_options(words) if group[:1] == [] or group[0] not in names]
    return [word for group in kept for word in group] + given.split()


def smaller_attack(text: str) -> str:
    """Return an attack with less to do.

    Example:
        >>> smaller_attack("pgd:steps=20,kappa=1000"), smaller_attack("pso:epochs=2@snr:20")
        ('pgd:steps=2,kappa=1000', 'pso:epochs=1,iterations=2@snr:20')
    """
    for pattern, replacement in ATTACKS.items():
        text = re.sub(pattern, replacement, text)
    return text


def shrunk(words: list[str], places: Mapping[str, str]) -> list[str]:
    """Return the words of a line of Mondegreen, without its name, as they are run.

    Args:
        words: The words of the page.
        places: Addresses that stand for something else here.
    """
    words = [places.get(word, os.path.expandvars(word)) for word in words]
    groups = split_options(words)
    for number, group in enumerate(groups):
        if tuple(group) in OPTIONS:
            groups[number] = OPTIONS[group[0], group[1]].split()
        elif group and group[0] in ("--attacks", "--knowing"):
            groups[number] = [group[0], *map(smaller_attack, group[1:])]
    words = [word for group in groups for word in group]
    line = " ".join(words)
    kind = next((given for start, given in KINDS.items() if line.startswith(start)), "")
    return with_options(words, f"{GIVEN.get(command_of(words), '')} {kind}")
