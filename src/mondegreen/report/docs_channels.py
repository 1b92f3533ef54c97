"""The generated parts of ``docs/channels.md``: what there is, and what survived which way.

``python -m mondegreen.report.docs_channels results docs/channels.md`` replaces what stands between
the page's markers, from the channels themselves and from every ``results/<name>/channels.json``,
and writes ``images/channels-<name>.svg`` beside it; ``--check`` tells whether all are in step.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mondegreen.channels import CHANNEL_EXAMPLES, CHANNELS, PRESETS, Channel
from mondegreen.report.channel_figures import channel_figure
from mondegreen.report.channel_results import ChannelResults, load_channels
from mondegreen.report.channel_tables import about, markdown
from mondegreen.report.channel_words import broken, sentences
from mondegreen.report.generated import insert, picture, result_files, run_for_page
from mondegreen.report.markdown import console_block, escape_text, table

CAPTION = (
    "Success through each channel, with 95 % intervals over speakers; a grey tick is what the "
    "untouched clips give."
)


def render_list() -> str:
    """Return the tables of all presets and channels, and the examples."""
    parts = []
    for title, makers in (("preset", PRESETS), ("channel", CHANNELS)):
        rows = [_entry(name, maker) for name, maker in makers.items()]
        parts.append(table([title, "options and their defaults", "what it does"], rows, "lll"))
    examples = [[f"`{text}`", sentence] for text, sentence in CHANNEL_EXAMPLES]
    parts.append(table(["to try", "what it does"], examples, "ll"))
    return "\n".join(parts).rstrip("\n")


def _entry(name: str, maker: Callable[..., Channel]) -> list[str]:
    options = [
        f"`{one.name}={shown(one.default)}`" for one in inspect.signature(maker).parameters.values()
    ]
    sentence = inspect.getdoc(maker) or ""
    return [f"`{name}`", ", ".join(options) or "none", sentence.split("\n\n")[0]]


def shown(value: object) -> str:
    """Return a default as it is written on the command line.

    Example:
        >>> shown((-6.0, 6.0)), shown(4000.0), shown("")
        ('-6..6', '4000', 'PATH')
    """
    if isinstance(value, tuple):
        return "..".join(f"{end:g}" for end in value)
    return f"{value:g}" if isinstance(value, float) else str(value) or "PATH"


def render_results(found: dict[str, ChannelResults]) -> str:
    """Return what stands between the markers of the results.

    Args:
        found: Measurements by name.
    """
    parts = []
    for name, one in found.items():
        parts += [
            f"### {escape_text(name)}\n",
            f"{escape_text(about(one))}\n",
            console_block(one.command),
            f"![{CAPTION}](images/{picture_name(name)})\n\n{CAPTION}\n",
            f"{broken(one)}\n",
        ]
        for budget in one.budgets:
            lines = "\n".join(f"* {escape_text(text)}" for text in sentences(one, budget))
            parts.append(f"In words, {budget}:\n\n{lines}\n")
        parts.append(markdown(one))
    return "\n".join(parts).rstrip("\n") if parts else "Nothing measured yet."


def picture_name(name: str) -> str:
    """Return the file name of a measurement's figure.

    Example:
        >>> picture_name("spotter")
        'channels-spotter.svg'
    """
    return f"channels-{name.removeprefix('channels-')}.svg"


def render(results_root: Path, page: Path, *, draw: bool = True) -> dict[Path, str]:
    """Return the page and its pictures, each with the text it has to hold.

    Args:
        results_root: Holds one folder a measurement, with ``channels.json``.
        page: The page; pictures lie in ``images/`` beside it.
        draw: Whether the pictures are drawn; otherwise only their last line is returned.

    Raises:
        MondegreenError: There is no such folder, a file in it is damaged, or the page lacks its
            markers.
        OSError: The page cannot be read.
    """
    files = result_files(results_root, "channels.json")
    found = {file.parent.name: load_channels(file) for file in files}
    text = insert(page.read_text(encoding="utf-8"), render_list(), "channel-list")
    text = insert(text, render_results(found), "channel-results")
    pictures = {
        page.parent / "images" / picture_name(file.parent.name): picture(
            channel_figure(one), file, draw=draw
        )
        for file, one in zip(files, found.values(), strict=True)
    }
    return {page: text, **pictures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and pictures, or with ``--check`` tell which are old; return the exit code."""
    return run_for_page("docs_channels", __doc__, render, arguments)


if __name__ == "__main__":
    sys.exit(main())
