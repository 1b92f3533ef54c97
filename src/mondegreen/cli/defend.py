"""``mondegreen defend``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mondegreen.classifiers.defended import parse_defence, save_defended
from mondegreen.cli.options import parse, say
from mondegreen.errors import MondegreenError
from mondegreen.runs import Run


@dataclass(frozen=True)
class Defend:
    """Options of ``defend``."""

    classifier: Path
    """Run folder of the classifier, or zoo:<name>."""
    defence: str
    """Channels as mondegreen channels takes them, such as median:samples=5 or
    lowpass:hz=4000+quantize:bits=8; after @ how many votes a random one gets:
    gaussian:sigma=0.005@16."""
    out: Path
    """Folder for defended.json. Other commands take it as a classifier."""
    seed: int = 1024
    """Of what a random defence draws: the defender's secret."""


def run(words: Sequence[str]) -> None:
    """Parse the words and write the defended classifier."""
    description = "Put a defence before a classifier; what comes out is a classifier."
    execute(parse(Defend, words, "defend", description))


def execute(options: Defend) -> None:
    """Write ``defended.json``."""
    if options.seed < 0:
        raise MondegreenError(f"--seed is {options.seed}; give 0 or more.")
    defence = parse_defence(options.defence)
    run = Run(options.out, options)
    folder = run.folder
    defended = save_defended(folder, options.classifier, defence, options.seed)
    say(
        f"{defended.undefended.name} behind {defence.text}: give it as a classifier by "
        f"{options.out}. Whether it helps is measured by mondegreen defences."
    )
