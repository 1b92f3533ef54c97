"""The speakers of the synthetic speech corpus: who they are, how they talk and where they sit."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from mondegreen.errors import MondegreenError

ACCENTS: Final = (
    "en",  # Great Britain
    "en-gb-scotland",
    "en-gb-x-rp",  # Received Pronunciation
    "en-gb-x-gbclan",  # Lancaster
    "en-gb-x-gbcwmd",  # West Midlands
    "en-us",
    "en-us-nyc",  # New York City
    "en-029",  # Caribbean
)
"""eSpeak's English accents."""

# Left out of eSpeak's hundred variants: those with a robot's echo, those that hardly differ from
# one that is here, those whose vowels a recogniser of human speech mistakes for others, and those
# whose noise comes from the C library's rand(), which cannot be repeated.
VARIANTS: Final = (
    *("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"),
    *("f1", "f2", "f3", "f4", "f5"),
    *("adam", "Alex", "boris", "Denis", "Diogo", "edward", "Gene", "grandpa", "john", "Mario"),
    *("max", "Mike", "miguel", "Nguyen", "pablo", "quincy", "robert", "sandro", "Storm", "victor"),
    *("Andrea", "Annie", "anika", "aunty", "belinda", "grandma", "linda", "shelby"),
    *("croak", "whisper", "klatt", "klatt3", "klatt5"),
)
"""The eSpeak variants that serve as voices: men, women, and a few hoarse or breathy ones."""

_PITCHES: Final = range(24, 77)


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """A synthetic speaker with a voice, a room and a microphone.

    Attributes:
        name: Eight hexadecimal digits, as in Speech Commands.
        accent: One of :data:`ACCENTS`.
        variant: One of :data:`VARIANTS`.
        pitch: eSpeak's pitch, 0 to 99.
        pitch_range: eSpeak's pitch range, 0 to 99.
        rate: Words a minute.
        warp: Factor on all frequencies, pitch and formants: above 1, a shorter vocal tract.
        level_db: Peak level in dB below full scale.
        snr_db: Speech over room tone in dB.
        noise_slope: Room tone falls by this exponent of the frequency: 0 white, 1 pink, 2 brown.
        hum_hz: Mains frequency heard in the room tone, 0 for none.
        reflections_db: Energy of the room's echo relative to the direct sound.
        decay_s: Time in which the echo falls by 60 dB.
        low_cut_hz: The microphone's lower limit, at -3 dB.
        high_cut_hz: Its upper limit, at -3 dB.
        tilt_db: Its slope in dB an octave.
        entropy: Seed of everything else about the speaker.
    """

    name: str
    accent: str
    variant: str
    pitch: int
    pitch_range: int
    rate: int
    warp: float
    level_db: float
    snr_db: float
    noise_slope: float
    hum_hz: int
    reflections_db: float
    decay_s: float
    low_cut_hz: float
    high_cut_hz: float
    tilt_db: float
    entropy: tuple[int, int]

    @property
    def voice(self) -> str:
        """The voice under eSpeak's name."""
        return voice_name(self.accent, self.variant)


def voice_name(accent: str, variant: str = "") -> str:
    """Return eSpeak's name of a voice: its file among the West Germanic languages, and a variant.

    Example:
        >>> voice_name("en-us", "f2")
        'gmw/en-us+f2'
    """
    return f"gmw/{accent}+{variant}" if variant else f"gmw/{accent}"


def speaker_names(count: int, seed: int) -> list[str]:
    """Return ``count`` different names of eight hexadecimal digits.

    They depend on nothing but ``seed``, and a longer list begins with the shorter one.

    Example:
        >>> speaker_names(2, seed=1024)
        ['95eb97b2', '503e1f5e']
    """
    names: dict[str, None] = {}
    index = 0
    while len(names) < count:
        names[hashlib.sha256(f"{seed}/{index}".encode()).hexdigest()[:8]] = None
        index += 1
    return list(names)


def sample_speakers(count: int, seed: int, voices: Collection[str]) -> list[Speaker]:
    """Draw speakers of whom no two share accent, variant and pitch.

    Every pair of accent and variant is used once before any is used again with another pitch, so a
    speaker who is left out of training is a voice that was left out too.

    Args:
        count: How many.
        seed: Of the whole corpus.
        voices: The names of the accents and variants that the synthesiser has.

    Raises:
        MondegreenError: The synthesiser has too few voices.
    """
    accents = [accent for accent in ACCENTS if accent in voices]
    variants = [variant for variant in VARIANTS if variant in voices]
    pairs = list(itertools.product(accents, variants))
    if count > len(pairs) * len(_PITCHES):
        raise MondegreenError(
            f"the synthesiser's {len(accents)} English accents and {len(variants)} variants make "
            f"{len(pairs) * len(_PITCHES)} different voices, fewer than the {count} speakers asked "
            "for. Ask for fewer, or install a complete espeak-ng."
        )
    rng = np.random.default_rng([seed, len(pairs)])
    order = rng.permutation(len(pairs))
    first_pitch = rng.integers(len(_PITCHES), size=len(pairs))
    speakers = []
    for index, name in enumerate(speaker_names(count, seed)):
        turn, place = divmod(index, len(pairs))
        pair = order[place]
        # 23 and the number of pitches have no common factor: no pitch returns before all are used.
        pitch = _PITCHES[(first_pitch[pair] + 23 * turn) % len(_PITCHES)]
        speakers.append(_speaker(name, pairs[pair], pitch, (seed, index)))
    return speakers


def _speaker(name: str, pair: tuple[str, str], pitch: int, entropy: tuple[int, int]) -> Speaker:
    rng = np.random.default_rng(entropy)
    return Speaker(
        name=name,
        accent=pair[0],
        variant=pair[1],
        pitch=pitch,
        pitch_range=int(rng.integers(20, 91)),
        rate=round(np.exp(rng.uniform(np.log(95), np.log(175)))),
        warp=rng.uniform(0.9, 1.12),
        # Most people record close to full scale, a few far below.
        level_db=-4.0 - 23.0 * rng.beta(1.0, 2.2),
        snr_db=rng.uniform(15.0, 45.0),
        noise_slope=rng.uniform(0.0, 2.0),
        hum_hz=int(rng.choice([0, 0, 50, 60])),
        reflections_db=rng.uniform(-30.0, -12.0),
        decay_s=rng.uniform(0.1, 0.4),
        low_cut_hz=np.exp(rng.uniform(np.log(50), np.log(250))),
        high_cut_hz=rng.uniform(4000.0, 7800.0),
        tilt_db=rng.uniform(-2.5, 2.5),
        entropy=entropy,
    )
