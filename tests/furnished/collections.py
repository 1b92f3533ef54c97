"""Tiny folders in the layouts of Speech Commands, ESC-10 and a list of tags, of made-up sounds."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import soundfile

from mondegreen.data.speech_commands import BACKGROUND_NOISE, TEN_WORDS
from mondegreen.data.splits import hash_split

RATE = 16_000
SOUNDS = (
    *("baby_cry", "chainsaw", "clock_tick", "dog_bark", "fire_crackling"),
    *("helicopter", "person_sneeze", "rain", "rooster", "sea_waves"),
)
"""The classes of ESC-10."""


def tone(number: int, rng: np.random.Generator, seconds: float, rate: int) -> np.ndarray:
    """Return a tone of the label's own pitch, a little different each time, with some noise."""
    time = np.arange(round(seconds * rate)) / rate
    hertz = 200.0 * 1.3**number * rng.uniform(0.97, 1.03)
    sound: np.ndarray = 0.3 * np.sin(2 * np.pi * hertz * time)
    return sound + 0.02 * rng.standard_normal(len(time))


def speakers() -> list[str]:
    """Return six speakers of the training part, and three of each other part."""
    wanted = {"train": 6, "validation": 3, "test": 3}
    found: list[str] = []
    for number in range(400):
        name = hashlib.sha1(str(number).encode()).hexdigest()[:8]
        part = hash_split(name)
        if wanted[part]:
            wanted[part] -= 1
            found.append(name)
    return found


def speech_commands(root: Path) -> None:
    """Write the ten words, two others, background noise and the official lists."""
    rng = np.random.default_rng(1)
    for number, word in enumerate((*TEN_WORDS, "bed", "cat")):
        (root / word).mkdir(parents=True)
        for speaker in speakers():
            x = tone(number, rng, 1.0, RATE)
            soundfile.write(root / word / f"{speaker}_nohash_0.wav", x, RATE)
    (root / BACKGROUND_NOISE).mkdir()
    noise = 0.1 * rng.standard_normal(2 * RATE)
    soundfile.write(root / BACKGROUND_NOISE / "hiss.wav", noise, RATE)
    for name in ("validation", "test"):
        lines = [
            f"{word}/{speaker}_nohash_0.wav\n"
            for word in TEN_WORDS
            for speaker in speakers()
            if hash_split(speaker) == name
        ]
        list_name = "testing" if name == "test" else name
        (root / f"{list_name}_list.txt").write_text("".join(lines))


def other_words(root: Path) -> None:
    """Write words without labels, and background noise, as a folder beside the ten words."""
    rng = np.random.default_rng(2)
    (root / "bird").mkdir(parents=True)
    for speaker in speakers():
        soundfile.write(root / f"bird/{speaker}_nohash_0.wav", tone(11, rng, 1.0, RATE), RATE)
    (root / BACKGROUND_NOISE).mkdir()
    soundfile.write(root / BACKGROUND_NOISE / "hum.wav", tone(0, rng, 2.0, RATE), RATE)


def esc10(root: Path) -> None:
    """Write two recordings of three seconds for each class and fold."""
    rng = np.random.default_rng(3)
    for number, sound in enumerate(SOUNDS):
        (root / sound).mkdir(parents=True)
        for fold in range(1, 6):
            for source in (1, 2):
                x = tone(number, rng, 3.0, 44_100)
                soundfile.write(root / f"{sound}/{fold}-{fold}{number}{source}-A.ogg", x, 44_100)


def recordings(root: Path, tags: tuple[str, ...]) -> None:
    """Write clips of noise and a ``tags.csv`` that gives each of them some tags or none."""
    rng = np.random.default_rng(4)
    (root / "clips").mkdir(parents=True)
    rows = [["file", "tags", "group", "fold"]]
    for number in range(150):
        file = f"clips/{number}.wav"
        soundfile.write(root / file, rng.uniform(-0.5, 0.5, RATE), RATE)
        some = [tag for tag in tags if rng.random() < 0.3]
        rows.append([file, ";".join(some), f"place{number}", str(number % 5 + 1)])
    with (root / "tags.csv").open("w", newline="", encoding="utf-8") as listing:
        csv.writer(listing).writerows(rows)
