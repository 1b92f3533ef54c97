"""A music corpus made on this machine: ten genres, each by its own idiom, in GTZAN's layout.

GTZAN (Tzanetakis and Cook 2002, doi 10.1109/TSA.2002.800560) may not be passed on. This corpus
stands in for it, so that anybody can run the paper's second experiment (section IV-A), without a
download and without anybody's recordings. It is easier than music.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np
import torch

from mondegreen.audio import write_wav
from mondegreen.configs import to_dict
from mondegreen.data.gtzan import GENRES
from mondegreen.data.music.band import track as play_track
from mondegreen.data.music.tones import RATE
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.progress import track

FORMAT: Final = "mondegreen-synthetic-music-1"
"""Changes whenever the same configuration gives other tracks."""

_HEADER_BYTES: Final = 44
_CONTENTS: Final = "corpus.json"
_MADE_HERE: Final = re.compile(
    rf"{re.escape(_CONTENTS)}|genres/([a-z]+)/(\1\.\d{{5}}\.wav|\.\1\.\d{{5}}\.[0-9a-f]+\.tmp\.wav)"
)


@dataclass(frozen=True, kw_only=True)
class SyntheticMusicConfig:
    """What the corpus holds. The same configuration gives the same tracks."""

    tracks: int = 150
    """How many tracks of each genre."""
    seconds: float = 4.0
    """Length of a track."""
    seed: int = 1024
    """Of everything random."""

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            MondegreenError: A number is out of range.
        """
        if not 1 <= self.tracks <= 99_999:
            raise MondegreenError(f"tracks must lie in 1 to 99999, not {self.tracks}.")
        if not 1.0 <= self.seconds <= 60.0:
            raise MondegreenError(f"seconds must lie in 1 to 60, not {self.seconds}.")
        if self.seed < 0:
            raise MondegreenError(f"seed must not be negative, but is {self.seed}.")


def synthesize_music(out: Path, config: SyntheticMusicConfig) -> Path:
    """Build the corpus, or go on where it was interrupted.

    Tracks are 22,050 Hz, 16-bit, mono: ``<out>/genres/<genre>/<genre>.00000.wav``. Beside them lies
    ``corpus.json`` with the configuration. Every track depends on nothing but the seed, its genre,
    its number and its length. A track appears whole or not at all.

    Args:
        out: The folder to make.
        config: What to put into it.

    Returns:
        ``out``.

    Raises:
        MondegreenError: ``out`` holds something else, or the corpus of another configuration, or
            cannot be written.
    """
    _refuse_others(out, config)
    missing = [
        (genre, number)
        for number in range(config.tracks)
        for genre in GENRES
        if not _is_whole(track_path(out, genre, number), config)
    ]
    if not missing:
        return out
    write_json(out / _CONTENTS, _contents(config))
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        waiting = [pool.submit(_write_track, out, *each, config) for each in missing]
        for future in track(as_completed(waiting), "Playing tracks", total=len(waiting)):
            future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return out


def is_complete(out: Path, config: SyntheticMusicConfig) -> bool:
    """Tell whether ``out`` holds the corpus of ``config`` with all of its tracks."""
    return _read_contents(out) == _contents(config) and all(
        _is_whole(track_path(out, genre, number), config)
        for genre in GENRES
        for number in range(config.tracks)
    )


def track_path(out: Path, genre: str, number: int) -> Path:
    """Return where a track lies.

    Example:
        >>> track_path(Path("music"), "jazz", 3).as_posix()
        'music/genres/jazz/jazz.00003.wav'
    """
    return out / "genres" / genre / f"{genre}.{number:05}.wav"


def track_stream(seed: int, genre: str, number: int) -> np.random.Generator:
    """Return the random numbers of one track, by the genre's name and not its place."""
    return np.random.default_rng([seed, crc32(genre.encode()), number])


def _write_track(out: Path, genre: str, number: int, config: SyntheticMusicConfig) -> None:
    x = play_track(genre, config.seconds, track_stream(config.seed, genre, number))
    write_wav(track_path(out, genre, number), torch.from_numpy(x.astype(np.float32)), RATE)


def _is_whole(path: Path, config: SyntheticMusicConfig) -> bool:
    wanted = _HEADER_BYTES + 2 * round(config.seconds * RATE)
    return path.is_file() and path.stat().st_size == wanted


def _contents(config: SyntheticMusicConfig) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "config": to_dict(config),
        "sample_rate": RATE,
        "counts": {"genres": len(GENRES), "tracks": len(GENRES) * config.tracks},
    }


def _read_contents(out: Path) -> Any:
    try:
        return read_json(out / _CONTENTS)
    except MondegreenError:
        return None


def _refuse_others(out: Path, config: SyntheticMusicConfig) -> None:
    """Refuse a folder that holds anything but a part of the corpus of ``config``."""
    if not out.exists():
        return
    files = [path for path in out.rglob("*") if not path.is_dir()] if out.is_dir() else [out]
    foreign = [path for path in files if not _MADE_HERE.fullmatch(path.relative_to(out).as_posix())]
    contents = _read_contents(out)
    if foreign or (files and not _is_ours(contents)):
        raise MondegreenError(
            f"{out} is not a synthetic music corpus: it holds {(foreign or files)[0]}. Choose "
            "another folder, or move that away."
        )
    if files and contents != _contents(config):
        raise MondegreenError(
            f"{out} holds the corpus of another configuration, {contents.get('config')} in "
            f"{contents.get('format')}. Choose another folder, or delete that one."
        )


def _is_ours(contents: Any) -> bool:
    return isinstance(contents, dict) and str(contents.get("format")).startswith(FORMAT[:-1])
