"""Timbres: what the spectrum of a note is and how it changes, and how a note is rendered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from mondegreen.data.music.tones import (
    HIGHEST_HZ,
    RATE,
    Samples,
    envelope,
    hertz,
    period_tables,
    phase_of,
    read_tables,
)

HARMONICS: Final = 90
_TABLES: Final = 7


class Note(NamedTuple):
    """A note to be played.

    Attributes:
        start: Seconds from the excerpt's beginning; may lie before it.
        seconds: For how long it is held.
        pitch: MIDI pitch.
        velocity: 0 to 1; a softer note is darker too.
        slide: Semitones below (or, negative, above) the pitch at which it begins.
        muted: Whether a string is damped by the palm.
    """

    start: float
    seconds: float
    pitch: float
    velocity: float = 0.8
    slide: float = 0.0
    muted: bool = False


@dataclass(frozen=True, kw_only=True)
class Timbre:
    """Sound of an instrument, as a spectrum over time.

    Attributes:
        rolloff: Harmonic ``h`` has the amplitude ``h ** -rolloff``.
        partials: Factors on the first harmonics, such as an organ's drawbars.
        even: Factor on the even harmonics.
        pick: Where a string is plucked, as a share of its length; 0 for no string.
        formants: Resonances, each as frequency in Hz and gain in dB.
        vowels: Several sets of formants, of which each note takes one; for voices.
        attack: Seconds of the rise.
        decay: Seconds in which a plucked or struck note falls by 60 dB; 0 for notes that last.
        damping: How much faster each further harmonic falls.
        release: Seconds of the fall after the note.
        bloom: Seconds in which a note that lasts becomes as bright as it is.
        vibrato: Depth in semitones.
        vibrato_hz: Its speed.
        voices: How many play in unison.
        detune: By how many semitones they differ.
        breath: Level of the noise in a note.
        slide_seconds: How long a slide into a note takes.
        drive_db: Gain into the amplifier's saturation; 0 for none.
        low_hz: The instrument's (or its loudspeaker's) lower limit.
        high_hz: Its upper limit.
        tremolo: Depth of a slow change of level, 0 to 1.
    """

    rolloff: float = 1.0
    partials: tuple[float, ...] = ()
    even: float = 1.0
    pick: float = 0.0
    formants: tuple[tuple[float, float], ...] = ()
    vowels: tuple[tuple[tuple[float, float], ...], ...] = ()
    attack: float = 0.004
    decay: float = 0.0
    damping: float = 0.0
    release: float = 0.06
    bloom: float = 0.0
    vibrato: float = 0.0
    vibrato_hz: float = 5.5
    voices: int = 1
    detune: float = 0.0
    breath: float = 0.0
    slide_seconds: float = 0.09
    drive_db: float = 0.0
    low_hz: float = 30.0
    high_hz: float = 10_000.0
    tremolo: float = 0.0


def varied(timbre: Timbre, rng: np.random.Generator) -> Timbre:
    """Return another instrument of the same kind."""
    bend = np.exp(rng.normal(0.0, 0.07))
    return replace(
        timbre,
        rolloff=timbre.rolloff + rng.normal(0.0, 0.1),
        even=timbre.even * rng.uniform(0.75, 1.25),
        pick=timbre.pick * rng.uniform(0.6, 1.5),
        formants=tuple((f * bend, g + rng.normal(0.0, 2.0)) for f, g in timbre.formants),
        vowels=tuple(tuple((f * bend, g) for f, g in vowel) for vowel in timbre.vowels),
        attack=timbre.attack * rng.uniform(0.6, 1.7),
        decay=timbre.decay * np.exp(rng.normal(0.0, 0.2)),
        damping=timbre.damping * np.exp(rng.normal(0.0, 0.2)),
        vibrato=timbre.vibrato * rng.uniform(0.4, 1.5),
        vibrato_hz=timbre.vibrato_hz * rng.uniform(0.85, 1.15),
        detune=timbre.detune * rng.uniform(0.6, 1.6),
        breath=timbre.breath * rng.uniform(0.4, 1.8),
        drive_db=timbre.drive_db * rng.uniform(0.7, 1.2),
        high_hz=timbre.high_hz * np.exp(rng.normal(0.0, 0.12)),
        tremolo=timbre.tremolo * rng.uniform(0.0, 1.5),
    )


def amplitudes(timbre: Timbre, pitch: float, vowel: int = 0) -> Samples:
    """Return the amplitudes of a note's harmonics over its course.

    Returns:
        Shape ``(tables, harmonics)``: one row where the spectrum does not change, else seven, for
        the times that :func:`_course` gives.
    """
    base = hertz(pitch)
    count = max(1, min(HARMONICS, int(HIGHEST_HZ / base)))
    number = np.arange(1, count + 1)
    level = number**-timbre.rolloff
    level[: len(timbre.partials)] *= timbre.partials[:count]
    level[1::2] *= timbre.even
    if timbre.pick:
        level *= np.abs(np.sin(np.pi * number * timbre.pick))
    formants = timbre.vowels[vowel % len(timbre.vowels)] if timbre.vowels else timbre.formants
    if formants:
        resonance = np.full(count, 0.06 if timbre.vowels else 1.0)
        for centre, gain in formants:
            width = 50.0 + 0.08 * centre
            resonance += 10 ** (gain / 20) / (1 + ((number * base - centre) / width) ** 2)
        level *= resonance
    level = level / np.sqrt(np.sum(level**2))
    if not timbre.decay and not timbre.bloom:
        return np.asarray(level[None])
    course = _course(timbre)[:, None]
    if timbre.decay:
        fall = 10 ** (-3.0 * course / timbre.decay * (1 + timbre.damping * (number - 1)))
        return np.asarray(level * fall)
    return np.asarray(level * np.exp(-0.4 * (number - 1) * np.exp(-course / timbre.bloom)))


def _course(timbre: Timbre) -> Samples:
    """Return the seconds that the tables of a changing spectrum stand for: dense at first."""
    return (timbre.decay or 5.0 * timbre.bloom) * np.linspace(0.0, 1.0, _TABLES) ** 2


def _place(timbre: Timbre, samples: int) -> Samples:
    """Return which table stands for each sample."""
    whole = timbre.decay or 5.0 * timbre.bloom
    share = np.minimum(np.arange(samples) / (RATE * whole), 1.0)
    return np.asarray((_TABLES - 1) * np.sqrt(share))


class Instrument:
    """One instrument in one track; it keeps the tables of notes that it has played.

    Args:
        timbre: Its sound.
        rng: For the phases of its harmonics, and for its vibrato, vowels and breath.
    """

    def __init__(self, timbre: Timbre, rng: np.random.Generator) -> None:
        self.timbre, self._rng = timbre, rng
        self._phases = rng.uniform(0.0, 2 * np.pi, HARMONICS)
        self._damped = replace(timbre, decay=0.3, damping=0.3, release=0.03)
        self._tables: dict[tuple[float, int, bool], Samples] = {}

    def play(self, note: Note) -> Samples:
        """Return the note's sound from its start on.

        Its root mean square is about its velocity times 0.7 where it is loudest.
        """
        timbre = self._damped if note.muted else self.timbre
        samples = max(8, round((note.seconds + timbre.release) * RATE))
        vowel = int(self._rng.integers(len(timbre.vowels))) if timbre.vowels else 0
        tables = self._table(note.pitch, vowel, note.muted)
        place = _place(timbre, samples) if len(tables) > 1 else None
        sound = np.zeros(samples)
        for voice in range(timbre.voices):
            spread = 0.0
            if timbre.voices > 1:
                spread = timbre.detune * (2.0 * voice / (timbre.voices - 1) - 1.0)
            frequency = self._frequency(note, samples, spread)
            start = self._rng.uniform() if timbre.voices > 1 else 0.0
            sound += read_tables(tables, place, phase_of(frequency, samples) + start)
        sound /= np.sqrt(timbre.voices)
        if timbre.breath:
            hiss = np.diff(self._rng.standard_normal(samples + 1))
            sound += timbre.breath * hiss
        gain = note.velocity * envelope(samples, timbre.attack, note.seconds, timbre.release)
        return sound * gain

    def _table(self, pitch: float, vowel: int, muted: bool) -> Samples:
        key = (pitch, vowel, muted)
        if key not in self._tables:
            timbre = self._damped if muted else self.timbre
            self._tables[key] = period_tables(amplitudes(timbre, pitch, vowel), self._phases)
        return self._tables[key]

    def _frequency(self, note: Note, samples: int, spread: float) -> Samples | float:
        timbre, base = self.timbre, hertz(note.pitch + spread)
        if not timbre.vibrato and not note.slide:
            return base
        time = np.arange(samples) / RATE
        off = -note.slide * np.exp(-3.0 * time / timbre.slide_seconds)
        if timbre.vibrato:
            start = self._rng.uniform(0.0, 2 * np.pi)
            depth = timbre.vibrato * np.clip(time / 0.25, 0.0, 1.0)
            off += depth * np.sin(2 * np.pi * timbre.vibrato_hz * time + start)
        return np.asarray(base * 2.0 ** (off / 12.0))
