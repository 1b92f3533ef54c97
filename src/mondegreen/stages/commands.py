"""Run commands one after the other in this process: ``python -m mondegreen.stages.commands``.

Takes one argument, a JSON list of commands, each a list of words. It ends with the exit code of
the first command that fails. Loading PyTorch takes seconds, so several commands load it once.
"""

from __future__ import annotations

import json
import sys

from mondegreen.cli.main import main


def run(commands: list[list[str]]) -> int:
    """Run commands until one fails; return its exit code, or 0.

    Args:
        commands: The words of each, without the program's name.
    """
    for words in commands:
        sys.argv = ["mondegreen", *words]  # which result files quote
        code = main(words)
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(run(json.loads(sys.argv[1])))
