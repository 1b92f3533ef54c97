"""``mondegreen data synthesize``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mondegreen.cli.options import parse, say
from mondegreen.data.synthetic_speech import SyntheticSpeechConfig, synthesize_speech


@dataclass(frozen=True)
class Synthesize:
    """Options of ``data synthesize``."""

    out: Path
    """Folder to create, in Speech Commands' layout."""
    voices: Annotated[SyntheticSpeechConfig, tyro.conf.arg(name="")]


def run(words: Sequence[str]) -> None:
    """Parse the words and synthesise."""
    description = "Make a ten-word corpus of synthetic voices; the same seed makes the same files."
    default = Synthesize(out=Path("runs/synthetic-speech"), voices=SyntheticSpeechConfig())
    options = parse(Synthesize, words, "data synthesize", description, default)
    say(f"The corpus is in {synthesize_speech(options.out, options.voices)}.")
