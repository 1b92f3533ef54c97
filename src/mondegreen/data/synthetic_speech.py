"""A speech corpus made on this machine: short English words by many synthetic speakers.

It has the layout of Speech Commands (Warden 2018, arXiv 1804.03209), so whatever reads the one
reads the other, and it needs neither a download nor anybody's voice.
"""

from __future__ import annotations

import io
import re
import shutil
import uuid
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from mondegreen.configs import to_dict
from mondegreen.data.espeak import find_engine
from mondegreen.data.speech_commands import BACKGROUND_NOISE, TEN_WORDS
from mondegreen.data.speech_engine import ESPEAK_RATE, SpeechEngine, Utterance
from mondegreen.data.synthetic_noise import background_noises
from mondegreen.data.synthetic_rooms import (
    CLIP_SAMPLES,
    SAMPLE_RATE,
    Samples,
    channel_gain,
    record,
    resample_fourier,
    trim_silence,
)
from mondegreen.data.synthetic_speakers import Speaker, sample_speakers, speaker_names
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.progress import track

FORMAT: Final = "mondegreen-synthetic-speech-1"
"""Changes whenever the same configuration gives other clips."""

SHORTEST_S, LONGEST_S = 0.25, 0.88
"""Bounds of a word's duration in seconds; a speaker slows down or hurries to keep them."""

SLOWEST, FASTEST = 80, 270
"""Bounds of the speed in words a minute: eSpeak's own, and where it stops sounding human."""

_WAV_BYTES: Final = 44 + 2 * CLIP_SAMPLES
_CONTENTS: Final = "corpus.json"
_MADE_HERE: Final = re.compile(
    rf"{re.escape(_CONTENTS)}|[a-z]+/[0-9a-f]{{8}}_nohash_\d+\.wav|{BACKGROUND_NOISE}/[a-z_]+\.wav"
)


@dataclass(frozen=True, kw_only=True)
class SyntheticSpeechConfig:
    """What the corpus holds. The same configuration gives the same bytes with the same eSpeak."""

    speakers: int = 180
    """How many speakers; each says every word."""
    takes: int = 1
    """How often each speaker says each word, each time a little differently."""
    seed: int = 1024
    """Of everything random."""
    words: tuple[str, ...] = TEN_WORDS
    """The words to tell apart."""
    other_words: tuple[str, ...] = ("bed", "cat", "dog", "happy", "house", "three")
    """Words of no label, for unlabelled speech and for the babble in the background."""
    noise_seconds: int = 30
    """Length of each background noise in seconds."""

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            MondegreenError: A number is out of range or a word is unusable or repeated.
        """
        limits = {"speakers": (2, 10_000), "takes": (1, 100), "noise_seconds": (1, 3600)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise MondegreenError(f"{name} must lie in {low} to {high}, not {value}.")
        if self.seed < 0:
            raise MondegreenError(f"seed must not be negative, but is {self.seed}.")
        every = (*self.words, *self.other_words)
        wrong = [word for word in every if not re.fullmatch("[a-z]+", word)]
        if wrong or not self.words or len(set(every)) < len(every):
            raise MondegreenError(
                "words and other_words must be different words of the letters a to z, and words "
                f"must not be empty; found {' '.join(map(repr, wrong or every)) or 'none'}."
            )

    @property
    def every_word(self) -> tuple[str, ...]:
        """Labels first, then the other words."""
        return (*self.words, *self.other_words)


def synthesize_speech(out: Path, config: SyntheticSpeechConfig) -> Path:
    """Build the corpus, or return at once where it stands already.

    Clips are 16 kHz, 16-bit, one second: ``<out>/<word>/<speaker>_nohash_<take>.wav``. Beside them
    lie ``_background_noise_`` and ``corpus.json`` with the configuration and each speaker's
    settings. ``out`` appears complete or not at all.

    Args:
        out: The folder to make. Another synthetic corpus in its place is replaced.
        config: What to put into it.

    Returns:
        ``out``.

    Raises:
        MondegreenError: There is no synthesiser, ``out`` holds something else, or it cannot be
            written.
    """
    if is_complete(out, config):
        return out
    refuse_foreign(out)
    engine = find_engine()
    speakers = sample_speakers(config.speakers, config.seed, engine.voices)
    with _replacing(out, config) as folder:
        for name in (*config.every_word, BACKGROUND_NOISE):
            (folder / name).mkdir()
        for speaker in track(speakers, "Synthesising speakers"):
            _write_speaker(folder, speaker, config, engine)
        noises = background_noises(
            config.other_words, config.noise_seconds, seed=config.seed, engine=engine
        )
        for name, noise in noises.items():
            _write(folder / BACKGROUND_NOISE / f"{name}.wav", noise)
        write_json(folder / _CONTENTS, _contents(config, speakers, sorted(noises), engine.name))
    return out


def is_complete(out: Path, config: SyntheticSpeechConfig) -> bool:
    """Tell whether ``out`` holds the corpus of ``config`` with all of its files."""
    try:
        contents = read_json(out / _CONTENTS)
    except MondegreenError:
        return False
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        return False
    if contents.get("config") != to_dict(config):
        return False
    names = contents.get("background_noises")
    if not isinstance(names, list):
        return False
    noises = [out / BACKGROUND_NOISE / f"{name}.wav" for name in names]
    return all(path.is_file() for path in noises) and all(
        path.is_file() and path.stat().st_size == _WAV_BYTES for path in clip_paths(out, config)
    )


def clip_paths(out: Path, config: SyntheticSpeechConfig) -> list[Path]:
    """Return where every clip of the corpus lies, noises apart."""
    names = speaker_names(config.speakers, config.seed)
    return [
        out / word / f"{name}_nohash_{take}.wav"
        for word in config.every_word
        for name in names
        for take in range(config.takes)
    ]


def _write_speaker(
    folder: Path, speaker: Speaker, config: SyntheticSpeechConfig, engine: SpeechEngine
) -> None:
    gain = channel_gain(speaker)
    for word in config.every_word:
        for take in range(config.takes):
            # By the word's name, not its number: a longer list leaves the other clips as they are.
            rng = np.random.default_rng([*speaker.entropy, crc32(word.encode()), take])
            clip = record(say(word, speaker, engine, rng), speaker, gain, rng)
            _write(folder / word / f"{speaker.name}_nohash_{take}.wav", clip)


def _write(path: Path, x: npt.NDArray[np.float32]) -> None:
    # The folder as a whole is renamed into place, so no file needs a temporary name; and writing it
    # in one go takes a fifth of the time.
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.clip(np.rint(x * 32768.0), -32768, 32767).astype("<i2").tobytes())
    path.write_bytes(buffer.getvalue())


def say(word: str, speaker: Speaker, engine: SpeechEngine, rng: np.random.Generator) -> Samples:
    """Let a speaker say a word once: dry, trimmed, at 16 kHz, 0.25 to 0.88 s long.

    Takes differ in speed (6 %), pitch, melody and breath noise.

    Raises:
        MondegreenError: The synthesiser failed, or the word is too long for a second.
    """
    rate = speaker.rate * rng.uniform(0.94, 1.06)
    pitch = int(np.clip(speaker.pitch + rng.integers(-3, 4), 0, 99))
    text = word + str(rng.choice(["", "", ",", "?", "!"]))
    seed = int(rng.integers(1, 2**31 - 1))
    for _ in range(4):
        utterance = Utterance(
            text=text,
            voice=speaker.voice,
            rate=int(np.clip(round(rate), SLOWEST, FASTEST)),
            pitch=pitch,
            pitch_range=speaker.pitch_range,
            seed=seed,
        )
        spoken = trim_silence(engine.speak(utterance) / 32768.0, margin=ESPEAK_RATE // 100)
        dry = resample_fourier(spoken, SAMPLE_RATE / (ESPEAK_RATE * speaker.warp))
        seconds = len(dry) / SAMPLE_RATE
        if SHORTEST_S <= seconds <= LONGEST_S:
            return dry
        rate *= seconds / np.clip(seconds, SHORTEST_S * 1.08, LONGEST_S * 0.95)
    raise MondegreenError(
        f"{speaker.voice} needs {seconds:.2f} s for {word!r}; only words of {SHORTEST_S} to "
        f"{LONGEST_S} s fit. Leave the word out."
    )


def _contents(
    config: SyntheticSpeechConfig, speakers: list[Speaker], noises: list[str], engine: str
) -> dict[str, Any]:
    clips = config.speakers * config.takes
    return {
        "format": FORMAT,
        "config": to_dict(config),
        "engine": engine,
        "sample_rate": SAMPLE_RATE,
        "counts": {
            "speakers": len(speakers),
            "accents": len({speaker.accent for speaker in speakers}),
            "variants": len({speaker.variant for speaker in speakers}),
            "clips": clips * len(config.every_word),
            "labelled_clips": clips * len(config.words),
        },
        "background_noises": noises,
        "speakers": [asdict(speaker) for speaker in speakers],
    }


def refuse_foreign(out: Path) -> None:
    """Refuse to replace what is neither an empty folder nor a synthetic corpus and no more.

    Raises:
        MondegreenError: Something else lies there.
    """
    if not out.exists():
        return
    files = [path for path in out.rglob("*") if not path.is_dir()] if out.is_dir() else [out]
    foreign = [path for path in files if not _MADE_HERE.fullmatch(path.relative_to(out).as_posix())]
    if foreign or (files and not _is_ours(out)):
        raise MondegreenError(
            f"{out} is not a synthetic speech corpus: it holds {(foreign or files)[0]}. Choose "
            "another folder, or move that away."
        )


def _is_ours(out: Path) -> bool:
    try:
        return str(read_json(out / _CONTENTS)["format"]).startswith(FORMAT[:-1])
    except (MondegreenError, LookupError, TypeError):
        return False


@contextmanager
def _replacing(out: Path, config: SyntheticSpeechConfig) -> Iterator[Path]:
    """Yield an empty folder beside ``out`` that takes its place when the block succeeds."""
    out = out.resolve()
    token = uuid.uuid4().hex[:8]
    fresh, old = (out.with_name(f".{out.name}.{token}.{kind}") for kind in ("tmp", "old"))
    try:
        fresh.mkdir(parents=True)
        yield fresh
        if is_complete(out, config):  # somebody else was faster
            return
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    except OSError as error:
        raise MondegreenError(
            f"cannot write {out}: {error.strerror or error}. Free some space or choose another "
            "output folder."
        ) from error
    finally:
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
