"""``mondegreen data download``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mondegreen.cli.options import parse, say
from mondegreen.data.download import download_speech_commands


@dataclass(frozen=True)
class Download:
    """Options of ``data download``."""

    out: Path
    """Folder to create, with one folder a word."""
    version: Literal["0.01", "0.02"] = "0.02"
    """Version of Speech Commands: 0.01 has about 65,000 clips, 0.02 about 106,000."""
    url: str | None = None
    """Fetch the archive from a mirror instead; its checksum must be the official one."""
    keep_archive: bool = False
    """Keep the archive after it was unpacked."""


def run(words: Sequence[str]) -> None:
    """Parse the words and download."""
    options = parse(Download, words, "data download", "Fetch Speech Commands, checked by SHA-256.")
    folder = download_speech_commands(
        options.version, options.out, url=options.url, keep_archive=options.keep_archive
    )
    say(f"Speech Commands {options.version} is in {folder}.")
