"""What the commands' options have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Literal, TypeVar

import torch
import tyro
from lightning_fabric import Fabric

from mondegreen.allocator import keep_memory
from mondegreen.errors import MondegreenError

C = TypeVar("C")

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


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


def peek(words: Sequence[str], option: str, choices: Sequence[str]) -> str | None:
    """Read one option before the others, because it chooses their defaults.

    Raises:
        MondegreenError: Its value is not one of ``choices``.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(option)
    value = getattr(parser.parse_known_args(list(words))[0], option.strip("-").replace("-", "_"))
    if value is not None and value not in choices:
        raise MondegreenError(f"{option} is {value!r}; choose from: {', '.join(choices)}.")
    found: str | None = value
    return found


def start_fabric(device: Device = "auto", precision: Precision = "32-true") -> Fabric:
    """Choose the device and the precision, and set the allocator for long CPU work.

    Raises:
        MondegreenError: CUDA was asked for and is not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise MondegreenError("--device cuda: no CUDA device is available; use --device cpu.")
    keep_memory()
    fabric = Fabric(
        accelerator="cuda" if device == "cuda" else "auto" if device == "auto" else "cpu",
        devices=1,
        precision=precision,
    )
    fabric.launch()
    return fabric


def say(text: str) -> None:
    """Print a line of information to standard error, where progress goes too."""
    print(text, file=sys.stderr)
