"""The command line: one short module a command, loaded only when it is called."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence
from contextlib import suppress

from mondegreen import __version__
from mondegreen.cli.ending import end_with_code
from mondegreen.errors import MondegreenError

COMMANDS = {
    "demo": "the whole job on a synthetic corpus: train, attack, measure, report",
    "data synthesize": "make the embedded corpus: ten words by synthetic voices, or ten genres",
    "data download": "fetch the official Speech Commands archive",
    "data info": "count and check the clips of a folder; decode them into the cache",
    "adopt": "make any audio classifier usable here: a PyTorch, ONNX or HTTP model of yours",
    "train classifier": "train a keyword spotter or any classifier of labelled clips",
    "train generator": "train a generator of adversarial clips against a classifier",
    "train universal": "train the generator's trivial rivals: one waveform or filter a target",
    "audit": "how easily is a classifier fooled? one report within some minutes",
    "goals": "name what attacks on a tagger are to reach: tags on, tags off",
    "harden": "train a classifier to withstand attacks",
    "harden report": "before and after hardening: fresh attacks, and a verdict",
    "attack": "make sound files be heard as a chosen label",
    "evaluate": "measure success and quality over a test split; write results.json",
    "compare": "attacks beside each other on the same clips, under the same budgets",
    "channels": "what survives codecs, filters, noise and rooms",
    "defend": "put a defence before a classifier",
    "defences": "what defences and detectors are worth against who knows them",
    "transfer": "clips made against one classifier, heard by others",
    "reproduce": "the paper's experiments, from data to figures, in one report",
    "export": "write a generator as an ONNX file and check it against PyTorch",
    "report": "write the figures and the page of an evaluation",
    "leaderboard": "classifiers and defences ranked by their worst case over attacks",
    "leaderboard add": "write an entry of the leaderboard from a result file",
    "leaderboard check": "is an entry whole, and do its figures come out again",
    "doctor": "is the installation whole, and what makes it slow",
    "serve": "a page to attack, hear and see clips in the browser",
}

USAGE = """\
[bold]mondegreen[/bold] makes audio classifiers mishear on demand, and measures how easily they do.

A generator is trained against a frozen classifier. Afterwards one forward pass turns any clip into
one that sounds the same and is heard as a label of your choice. Use it on models that are yours.

[bold]Usage:[/bold] mondegreen COMMAND [OPTIONS]

[bold]Commands[/bold]
{commands}

[bold]A first tour[/bold] (ten minutes on two cores, no download)
  mondegreen demo --out runs/demo

[bold]Your own clips[/bold] (one folder a label; Speech Commands' layout is recognised)
  mondegreen train classifier --data clips --out runs/spotter
  mondegreen train generator --classifier runs/spotter --out runs/generator
  mondegreen evaluate --generator runs/generator --out runs/evaluation
  mondegreen attack hello.wav --target yes --generator runs/generator --out fooled

[bold]Your own model[/bold] (a Python function, TorchScript, ONNX, Hugging Face, a service)
  mondegreen audit my_model.py:build --data clips --labels yes no --sample-rate 16000

mondegreen COMMAND --help explains every option. Exit codes: 0 done, 1 something is broken (doctor),
2 wrong input, 130 interrupted,
143 terminated.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: Words after the program's name; ``sys.argv`` by default.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character shows a ?
            with suppress(OSError):  # on a full disk
                stream.reconfigure(errors="replace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    return end_with_code(lambda: _run(words), words or ["--help"])


def _run(words: list[str]) -> int | None:
    if not words or words[0] in ("-h", "--help", "help"):
        _print_usage()
        return 0
    if words[0] in ("-V", "--version"):
        print(f"mondegreen {__version__}", flush=True)
        return 0
    name, rest = _find_command(words)
    module = importlib.import_module("mondegreen.cli." + name.replace(" ", "_"))
    code: int | None = module.run(rest)
    return code


def _find_command(words: list[str]) -> tuple[str, list[str]]:
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS:
            return name, words[length:]
    group = [name for name in COMMANDS if name.startswith(words[0] + " ")]
    known = ", ".join(group or COMMANDS)
    raise MondegreenError(f"there is no command {' '.join(words[:2])!r}; choose from: {known}.")


def _print_usage() -> None:
    from rich.console import Console  # whose import takes a while

    width = max(map(len, COMMANDS))
    lines = [f"  [cyan]{name:<{width}}[/cyan]  {text}" for name, text in COMMANDS.items()]
    Console(highlight=False, soft_wrap=True).print(USAGE.format(commands="\n".join(lines)))


if __name__ == "__main__":
    sys.exit(main())
