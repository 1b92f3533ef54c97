"""What a speech synthesiser is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

ESPEAK_RATE: Final = 22_050
"""The sample rate of eSpeak's own voices in Hz."""

SAFE_VOLUME: Final = 40
"""eSpeak's default volume, 100, drives several voices into clipping; none clips at this one."""

INSTALL_HINT: Final = "run `pip install 'mondegreen[speech]'`, or install espeak-ng"


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """What to say and how.

    Attributes:
        text: The words; the mark at the end (``.``, ``,``, ``?`` or ``!``) sets the melody.
        voice: An accent's file, alone or with a variant, such as ``gmw/en-us+f2``.
        rate: Words a minute, 80 to 450.
        pitch: 0 to 99, 50 being the variant's own.
        pitch_range: 0 (monotone) to 99, 50 being the variant's own.
        seed: Of eSpeak's breath noise and jitter; not used by an installed program.
    """

    text: str
    voice: str
    rate: int = 175
    pitch: int = 50
    pitch_range: int = 50
    seed: int = 1


class SpeechEngine(Protocol):
    """Something that turns an utterance into samples, the same ones every time."""

    @property
    def name(self) -> str:
        """What it is, with its version."""

    @property
    def voices(self) -> frozenset[str]:
        """Its English accents, in lower case, and all variants."""

    def speak(self, utterance: Utterance) -> npt.NDArray[np.int16]:
        """Return the samples at 22,050 Hz.

        Raises:
            MondegreenError: The voice is unknown or the synthesiser failed.
        """
