"""``mondegreen data synthesize``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import tyro

from mondegreen.cli.options import parse, peek, say
from mondegreen.data.synthetic_music import SyntheticMusicConfig, synthesize_music
from mondegreen.data.synthetic_speech import SyntheticSpeechConfig, synthesize_speech

Kind = Literal["speech", "music"]


@dataclass(frozen=True)
class SynthesizeSpeech:
    """Options of ``data synthesize``."""

    out: Path
    """Folder to create, in Speech Commands' layout."""
    voices: Annotated[SyntheticSpeechConfig, tyro.conf.arg(name="")]
    kind: Kind = "speech"
    """speech: ten words by synthetic voices; music: ten genres in GTZAN's layout. The other options
    depend on it; --kind music --help explains those of music."""


@dataclass(frozen=True)
class SynthesizeMusic:
    """Options of ``data synthesize --kind music``."""

    out: Path
    """Folder to create, in GTZAN's layout."""
    band: Annotated[SyntheticMusicConfig, tyro.conf.arg(name="")]
    kind: Kind = "music"
    """speech: ten words by synthetic voices; music: ten genres."""


def run(words: Sequence[str]) -> None:
    """Parse the words and synthesise."""
    if peek(words, "--kind", get_args(Kind)) == "music":
        _music(words)
        return
    description = (
        "Make a ten-word corpus of synthetic voices, or with --kind music one of ten musical "
        "genres; the same seed makes the same files."
    )
    default = SynthesizeSpeech(out=Path("runs/synthetic-speech"), voices=SyntheticSpeechConfig())
    options = parse(SynthesizeSpeech, words, "data synthesize", description, default)
    say(f"The corpus is in {synthesize_speech(options.out, options.voices)}.")


def _music(words: Sequence[str]) -> None:
    description = "Make a corpus of ten musical genres; the same seed makes the same files."
    default = SynthesizeMusic(out=Path("runs/synthetic-music"), band=SyntheticMusicConfig())
    options = parse(SynthesizeMusic, words, "data synthesize", description, default)
    say(f"The corpus is in {synthesize_music(options.out, options.band)}.")
