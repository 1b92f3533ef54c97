"""Clips that are ready to be attacked, so that nobody needs a microphone or a file."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mondegreen.audio import write_wav
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.data.espeak import find_engine
from mondegreen.data.speech_engine import SpeechEngine
from mondegreen.data.synthetic_rooms import SAMPLE_RATE, channel_gain, record
from mondegreen.data.synthetic_speakers import Speaker, sample_speakers
from mondegreen.data.synthetic_speech import say
from mondegreen.errors import MondegreenError
from mondegreen.live.clips import read_clip

MOST = 10
"""Examples on the page."""

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".au")

_TRIES = 6  # speakers that a word is tried with until the classifier hears it
_SURE = 0.9


@dataclass(frozen=True)
class Example:
    """A ready clip."""

    label: str
    path: Path


def synthetic_examples(classifier: Classifier, folder: Path, seed: int = 7) -> list[Example]:
    """Let synthetic voices say labels of a classifier, each as it is heard rightly.

    Args:
        classifier: Labels that are one word of the letters a to z are said.
        folder: Where the clips are written.
        seed: Of the voices.

    Returns:
        The examples; none where no synthesiser is installed.
    """
    words = [label for label in classifier.labels if label.isascii() and label.isalpha()][:MOST]
    try:
        engine = find_engine()
        speakers = sample_speakers(_TRIES * max(1, len(words)), seed, engine.voices)
    except MondegreenError:
        return []
    found = []
    for number, word in enumerate(words):
        turn = speakers[number * _TRIES : (number + 1) * _TRIES]
        path = folder / f"{word.lower()}.wav"
        if any(_heard(word.lower(), one, engine, classifier, path) for one in turn):
            found.append(Example(word, path))
        else:
            path.unlink(missing_ok=True)
    return found


def _heard(
    word: str, speaker: Speaker, engine: SpeechEngine, classifier: Classifier, path: Path
) -> bool:
    """Write the word as the speaker says it and tell whether the classifier hears it."""
    rng = np.random.default_rng(speaker.entropy)
    try:
        spoken = say(word, speaker, engine, rng)
    except MondegreenError:  # too long a word for this voice
        return False
    clip = record(spoken, speaker, channel_gain(speaker), rng)
    write_wav(path, torch.from_numpy(np.asarray(clip, dtype=np.float32)), SAMPLE_RATE)
    heard = predict(classifier, read_clip(path, classifier).x)[0]
    labels = [label.lower() for label in classifier.labels]
    return float(heard[labels.index(word)]) >= _SURE


def folder_examples(source: Path, classifier: Classifier, folder: Path) -> list[Example]:
    """Copy clips from a folder: its own sound files, or else the first of each folder in it.

    Args:
        source: The folder that was named.
        classifier: Only clips that can be read for it are taken.
        folder: Where they are copied to.

    Raises:
        MondegreenError: There is no such folder, or no sound in it that can be read.
    """
    if not source.is_dir():
        raise MondegreenError(f"--examples {source} is no folder.")
    own = [(path.stem, path) for path in _sounds(source)]
    below = [
        (place.name, _sounds(place)[0])
        for place in sorted(source.iterdir())
        if place.is_dir() and _sounds(place)
    ]
    found, reason = [], "it holds no sound files"
    for number, (label, path) in enumerate(own or below):
        try:
            read_clip(path, classifier)
        except MondegreenError as error:
            reason = str(error)
            continue
        copy = folder / f"{number}{path.suffix.lower()}"
        shutil.copyfile(path, copy)
        found.append(Example(label, copy))
        if len(found) == MOST:
            break
    if not found:
        raise MondegreenError(f"--examples {source}: no clip in it can be used; {reason}")
    return found


def _sounds(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
