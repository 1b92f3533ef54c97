"""The settings of the paper's experiments (section V-A): a classifier, and clips for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mondegreen.data.gtzan import GENRES
from mondegreen.data.speech_commands import TEN_WORDS
from mondegreen.reproduction.scale import Scale, Words

SettingKey = Literal["speech", "sounds", "music"]
ESC10 = (
    "baby_cry",
    "chainsaw",
    "clock_tick",
    "dog_bark",
    "fire_crackling",
    "helicopter",
    "person_sneeze",
    "rain",
    "rooster",
    "sea_waves",
)


@dataclass(frozen=True)
class Setting:
    """One classifier and one corpus of the experiments."""

    key: SettingKey
    labels: tuple[str, ...]
    model: str
    """The classifier's ``--model``."""
    data: Words
    """Options of ``train classifier`` that say which clips, and how they are divided."""
    corpus: Words = ()
    """Of the command that makes the corpus; nothing where it is there."""
    leak: str | None = None
    """The leaky split that the honest one is compared with."""


def settings(
    out: Path,
    scale: Scale,
    *,
    speech: Words,
    sounds: Words,
    music: Words,
) -> list[Setting]:
    """Return the settings of a reproduction.

    Args:
        out: Its folder, where embedded corpora are made.
        scale: Its sizes.
        speech: Data options of a Speech Commands folder; none for synthetic voices.
        sounds: Data options of an ESC-10 folder; none leaves this setting out.
        music: Data options of a GTZAN folder; none for synthetic music.
    """
    voices, tracks = out / "speech" / "corpus", out / "music" / "corpus"
    made = ("data", "synthesize", "--out", str(voices), *scale.speech_corpus)
    played = ("data", "synthesize", "--kind", "music", "--out", str(tracks), *scale.music_corpus)
    found = [
        Setting(
            "speech",
            TEN_WORDS,
            "wide-resnet",
            speech or ("--data", str(voices)),
            () if speech else made,
        )
    ]
    if sounds:
        found.append(Setting("sounds", ESC10, "sample-cnn", sounds, leak="random-chunk"))
    found.append(
        Setting(
            "music",
            GENRES,
            "sample-cnn",
            music or ("--data", str(tracks)),
            () if music else played,
            leak="random-chunk",
        )
    )
    return found
