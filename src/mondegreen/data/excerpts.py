"""Long recordings cut into clips of equal length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import soundfile

from mondegreen.audio import refuse_undecodable
from mondegreen.data.corpus import Clip
from mondegreen.errors import MondegreenError


def cut(clips: Iterable[Clip], *, seconds: float = 1.0, at_most: int | None = None) -> list[Clip]:
    """Cut recordings into clips that follow each other without overlap.

    Only the files' headers are read. What is left over at a recording's end is dropped; a recording
    that is shorter than one clip is kept as one.

    Args:
        clips: The recordings; label, group and fold go over to their clips.
        seconds: Length of a clip.
        at_most: Clips of a recording, counted from its beginning; all by default.

    Raises:
        MondegreenError: A recording is missing or cannot be decoded.
    """
    pieces: list[Clip] = []
    for clip in clips:
        count = max(1, int(duration(clip.path) / seconds + 1e-6))
        if at_most is not None:
            count = min(count, at_most)
        pieces += [replace(clip, start=seconds * n, seconds=seconds) for n in range(count)]
    return pieces


def duration(path: Path) -> float:
    """Return the length of a sound file in seconds, told by its header.

    Raises:
        MondegreenError: It is missing or is no sound file.
    """
    refuse_undecodable(path)
    try:
        with soundfile.SoundFile(str(path)) as file:
            return float(file.frames / file.samplerate)
    except (soundfile.LibsndfileError, RuntimeError, ZeroDivisionError) as error:
        raise MondegreenError(
            f"{path} cannot be decoded as audio ({error}). Repair the file or move it out of the "
            "data folder."
        ) from error
