"""What the commands' options have in common."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import torch
import tyro

from mondegreen.allocator import keep_memory
from mondegreen.errors import MondegreenError
from mondegreen.processes.place import Place, ProcessOptions, find_place
from mondegreen.processes.starting import only_first_speaks

if TYPE_CHECKING:
    from mondegreen.data.corpus import Corpus

C = TypeVar("C")

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["32-true", "bf16-mixed"]


def parse(
    kind: type[C], words: Sequence[str], command: str, description: str, default: C | None = None
) -> C:
    """Parse command-line words into a configuration dataclass.

    Args:
        kind: The dataclass; its field docstrings are the help.
        words: The words after the command's name.
        command: The command's name, for the usage line.
        description: What the command does, for ``--help``.
        default: Values that the words override.
    """
    config = (tyro.conf.AvoidSubcommands, tyro.conf.FlagConversionOff)[:1]
    if default is None:
        return tyro.cli(
            kind, args=words, prog=f"mondegreen {command}", description=description, config=config
        )
    return tyro.cli(
        kind,
        args=words,
        prog=f"mondegreen {command}",
        description=description,
        default=default,
        config=config,
    )


def peek(words: Sequence[str], option: str, choices: Sequence[str] = ()) -> str | None:
    """Read one option before the others, because it chooses their defaults.

    Raises:
        MondegreenError: There are ``choices``, and its value is none of them.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(option)
    value = getattr(parser.parse_known_args(list(words))[0], option.strip("-").replace("-", "_"))
    if value is not None and choices and value not in choices:
        raise MondegreenError(f"{option} is {value!r}; choose from: {', '.join(choices)}.")
    found: str | None = value
    return found


def join_repeated(words: Sequence[str], option: str) -> list[str]:
    """Return the words with an option that was given several times given once, with all values.

    Example:
        >>> join_repeated(["--channel", "a", "--out", "x", "--channel=b", "c"], "--channel")
        ['--out', 'x', '--channel', 'a', 'b', 'c']
    """
    values: list[str] = []
    others: list[str] = []
    inside = False
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            inside = name == option
            values += [value] if inside and equals else []
            others += [] if inside else [word]
        else:
            (values if inside else others).append(word)
    return [*others, option, *values] if values else list(words)


def choose_device(device: Device = "auto") -> torch.device:
    """Return the device to work on, and set the allocator for long work on the CPU.

    Raises:
        MondegreenError: CUDA was asked for and is not there.
    """
    keep_memory()
    if device == "cuda" and not torch.cuda.is_available():
        raise MondegreenError("--device cuda: no CUDA device is available; use --device cpu.")
    wanted = "cpu" if device == "cpu" or not torch.cuda.is_available() else "cuda"
    return torch.device(wanted)


@contextmanager
def shared_work(options: ProcessOptions) -> Iterator[Place]:
    """Tell which of the command's processes this is; only the first one prints in the block.

    Raises:
        MondegreenError: The options contradict who has started the processes.
    """
    place = find_place(options, os.environ)
    with only_first_speaks(place):
        yield place


class Speed(Protocol):
    """The options of a training that say how it computes."""

    @property
    def device(self) -> Device: ...  # noqa: D102
    @property
    def precision(self) -> Precision: ...  # noqa: D102
    @property
    def compile(self) -> bool: ...  # noqa: D102
    @property
    def fast(self) -> bool: ...  # noqa: D102


def choose_speed(options: Speed) -> tuple[torch.device, Precision, bool]:
    """Return the device and the precision of a training, and whether its networks are compiled.

    Raises:
        MondegreenError: CUDA was asked for and is not there.
    """
    device = choose_device(options.device)
    if options.fast and device.type == "cuda":
        return device, "bf16-mixed", True
    return device, options.precision, options.compile


def warn_of_unknown_speakers(corpus: Corpus) -> None:
    """Say so when nothing tells which clips share a speaker, and splits may share voices."""
    if len(corpus.groups) == len(corpus):
        say(
            "note: every clip counts as a speaker of its own, so a voice may be in training and in "
            "test. --group-pattern finds the speaker in a file's name."
        )


def say(text: str) -> None:
    """Print a line of information to standard error, where progress goes too."""
    print(text, file=sys.stderr)
