"""A stage of a longer job: commands that leave a result, and a record of what they cost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.runs import quote

_FRAME = re.compile("[\u2500-\u257f]")
DONE, FAILED, LEFT_OUT, WAITING = "done", "failed", "left out", "waiting"


def option(name: str, value: str | Path) -> tuple[str, ...]:
    """Return an option and its value as words, as one word where the value begins with a dash.

    Example:
        >>> option("out", "runs/mine"), option("out", "-mine")
        (('--out', 'runs/mine'), ('--out=-mine',))
    """
    text = str(value)
    return (f"--{name}={text}",) if text.startswith("-") else (f"--{name}", text)


@dataclass(frozen=True)
class Stage:
    """Commands that run one after the other in a process of their own, and what they leave."""

    name: str
    """A path, such as ``speech/classifier``."""
    title: str
    """What it is, for people."""
    commands: tuple[tuple[str, ...], ...]
    """The words of each, without the program's name."""
    produces: Path
    """The file that is there when the stage is finished."""
    needs: tuple[str, ...] = ()
    """Names of the stages that have to be finished before."""
    cost: float = 1.0
    """About how many processor seconds it takes, to tell how much is left."""
    alone: bool = False
    """Whether nothing else may run beside it, because it takes times."""

    @property
    def text(self) -> str:
        """The commands as they are typed, with data folders as ``$MONDEGREEN_DATA``."""
        return " && ".join(
            " ".join(["mondegreen", *(quote(word) for word in words)]) for words in self.commands
        )


@dataclass(frozen=True)
class Outcome:
    """What became of a stage."""

    state: str
    """done, failed, left out or waiting."""
    reason: str = ""
    """Why it failed or was left out."""
    seconds: float | None = None
    """On the clock; over all attempts that ended by themselves."""
    processor_seconds: float | None = None
    """Of all cores together."""


class Records:
    """The outcomes of a job's stages, a file each.

    Args:
        folder: Of the job.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "stages"

    def path(self, name: str) -> Path:
        """Return the file of a stage's outcome."""
        return self.folder / f"{name.replace('/', '--')}.json"

    def log(self, name: str) -> Path:
        """Return the file of what a stage printed."""
        return self.folder / f"{name.replace('/', '--')}.log"

    def read(self, stage: Stage) -> Outcome:
        """Return what became of a stage; one with other commands, or no result, is waiting.

        Raises:
            MondegreenError: The file is damaged.
        """
        path = self.path(stage.name)
        if not path.is_file():
            return Outcome(WAITING)
        saved = read_json(path)
        try:
            outcome = Outcome(**saved["outcome"])
            commands = tuple(tuple(words) for words in saved["commands"])
        except (TypeError, KeyError) as error:
            raise MondegreenError(
                f"{path} is damaged; delete it to run the stage again."
            ) from error
        same = commands == stage.commands and stage.produces.is_file()
        return outcome if same or outcome.state != DONE else Outcome(WAITING)

    def write(self, stage: Stage, outcome: Outcome) -> None:
        """Save what became of a stage.

        Raises:
            MondegreenError: The folder cannot be written.
        """
        content: dict[str, Any] = {
            "name": stage.name,
            "commands": [list(words) for words in stage.commands],
            "outcome": vars(outcome),
        }
        write_json(self.path(stage.name), content)


def last_error(log: str) -> str:
    r"""Return the last error that a command printed, in one line, without the frame around it.

    Example:
        >>> last_error("training\nerror: no clips in\nthe folder.\n")
        'no clips in the folder.'
    """
    _, found, message = log.rpartition("error: ")
    text = message if found else "\n".join(log.rpartition("╭")[2].strip().splitlines()[-8:])
    words = _FRAME.sub(" ", text).partition("For full helptext")[0].split()
    return " ".join(words)[:400] or "it printed nothing"
