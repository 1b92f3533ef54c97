"""The pages on the command line, from the commands themselves: what ``--help`` knows, as a page."""

from __future__ import annotations

import argparse
import importlib
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import tyro

from mondegreen.cli import main

VARIANTS = {
    "data synthesize": ("--kind music",),
    "train classifier": ("--model wide-resnet", "--model sample-cnn"),
    "train generator": ("--network unet",),
}
"""Options that change which others there are."""


class _Known(Exception):  # noqa: N818
    """Ends a command as soon as it has said what its options are."""


def pages() -> dict[str, str]:
    """Return every page by its address, the page of all commands among them."""
    found = {address(name): "".join(_page(name)) for name in main.COMMANDS}
    return {"cli/index.md": "".join(_index()), **found}


def address(name: str) -> str:
    """Return the address of a command's page.

    Example:
        >>> address("train generator")
        'cli/train-generator.md'
    """
    return f"cli/{name.replace(' ', '-')}.md"


def _index() -> Iterator[str]:
    yield "# Command line\n\n"
    yield "Written from the commands themselves; `mondegreen COMMAND --help` says the same in a "
    yield "terminal.\n\n| command | what it does |\n|---|---|\n"
    for name, text in sorted(main.COMMANDS.items()):
        yield f"| [`{name}`]({address(name).removeprefix('cli/')}) | {text} |\n"
    yield (
        "\nExit codes: 0 done, 1 something is broken (doctor), 2 wrong input, 130 interrupted, "
        "143 terminated.\n"
    )


def _page(name: str) -> Iterator[str]:
    parser = parser_of(name, [])
    yield f"# mondegreen {name}\n\n{plain(parser.description or '')}\n\n"
    yield from _groups(parser, set())
    known = {flag for action in _actions(parser) for flag in action.option_strings}
    for words in VARIANTS.get(name, ()):
        yield f"## With `{words}`\n\nThese options replace those of the same group above.\n\n"
        yield from _groups(parser_of(name, words.split()), known, level=3)


def parser_of(name: str, words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser that a command makes for itself, given the words that change it."""
    module = importlib.import_module("mondegreen.cli." + name.replace(" ", "_"))
    made: list[Any] = []  # Tyro's own copy of argparse

    def parse(kind: Any, _: Any, command: str, description: str, default: Any = None) -> None:
        given = {} if default is None else {"default": default}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            made.append(
                tyro.extras.get_parser(
                    kind,
                    prog=f"mondegreen {command}",
                    description=description,
                    config=(tyro.conf.AvoidSubcommands,),
                    **given,
                )
            )
        raise _Known

    with mock.patch.object(module, "parse", parse):
        try:
            module.run(list(words))
        except _Known:
            parser: argparse.ArgumentParser = made[0]
            return parser
    raise RuntimeError(f"mondegreen {name} read no options")


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    every = [one for group in parser._action_groups for one in group._group_actions]
    return [one for one in every if one.dest != "help"]


def _groups(parser: argparse.ArgumentParser, known: set[str], level: int = 2) -> Iterator[str]:
    for group in parser._action_groups:
        actions = [
            one
            for one in group._group_actions
            if one.dest != "help" and (not known or not known & set(one.option_strings))
        ]
        if not actions:
            continue
        yield f"{'#' * level} {_title(group.title or 'options')}\n\n"
        yield f"{plain(group.description)}\n\n" if group.description else ""
        yield from map(_entry, actions)


def _title(group: str) -> str:
    """Return a heading for a group of options.

    Example:
        >>> _title("training.budget options"), _title("positional arguments")
        ('Options of `--training.budget`', 'Arguments')
    """
    words = group.split()
    if words[-1] == "options" and len(words) > 1:
        return f"Options of `--{words[0]}`"
    return words[-1].capitalize()


def _entry(action: argparse.Action) -> str:
    names = " ".join(f"`{flag}`" for flag in action.option_strings) or f"`{action.dest.upper()}`"
    value = action.metavar if isinstance(action.metavar, str) and action.option_strings else ""
    text, note = _split(plain(action.help or ""))
    head = " ".join(filter(None, [names, value and f"`{value}`", note and f"· {note}"]))
    return f"{head}\n:   {text or '–'}\n\n"


def _split(text: str) -> tuple[str, str]:
    """Return what an option does, and the note on its default that stands in brackets at the end.

    Example:
        >>> _split("Passes. (default: 80)")
        ('Passes.', 'default `80`')
    """
    found = re.search(r"\s*\((required|default: (.*)|[^()]*)\)$", text)
    if found is None:
        return text, ""
    value = found[2]
    note = found[1] if value is None else f"default `{value}`" if value else ""
    return text[: found.start()], note


def plain(text: str) -> str:
    r"""Return a docstring's text on one line, its double backticks single.

    Example:
        >>> plain("Length of\n``x``.")
        'Length of `x`.'
    """
    text = " ".join(text.split()).replace("``", "`").replace("<", "&lt;")
    return re.sub(r"(?<![\w`-])(--[a-z][\w.-]*\w)", r"`\1`", text)
