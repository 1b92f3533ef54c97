"""The instruments by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from mondegreen.data.music.timbres import Timbre

# Formants of five vowels of men and of women, after the means of Peterson and Barney (1952).
_MAN: Final = (
    ((730.0, 0.0), (1090.0, -5.0), (2440.0, -18.0)),
    ((530.0, 0.0), (1840.0, -11.0), (2480.0, -15.0)),
    ((270.0, 0.0), (2290.0, -16.0), (3010.0, -20.0)),
    ((570.0, 0.0), (840.0, -5.0), (2410.0, -26.0)),
    ((300.0, 0.0), (870.0, -12.0), (2240.0, -30.0)),
)
_WOMAN: Final = (
    ((850.0, 0.0), (1220.0, -5.0), (2810.0, -18.0)),
    ((610.0, 0.0), (2330.0, -12.0), (2990.0, -16.0)),
    ((310.0, 0.0), (2790.0, -16.0), (3310.0, -20.0)),
    ((590.0, 0.0), (920.0, -5.0), (2710.0, -26.0)),
    ((370.0, 0.0), (950.0, -12.0), (2670.0, -30.0)),
)
_VOICE: Final = Timbre(rolloff=0.7, attack=0.03, release=0.09, breath=0.02, low_hz=120.0)

INSTRUMENTS: Final[dict[str, Timbre]] = {
    # Plucked and struck strings.
    "acoustic-guitar": Timbre(
        rolloff=0.6, pick=0.17, decay=2.2, damping=0.22, low_hz=90.0, high_hz=7000.0
    ),
    "nylon-guitar": Timbre(
        rolloff=1.0, pick=0.25, decay=1.8, damping=0.3, low_hz=80.0, high_hz=5000.0
    ),
    "clean-guitar": Timbre(
        rolloff=0.5, pick=0.12, decay=2.6, damping=0.2, low_hz=110.0, high_hz=5500.0, drive_db=4.0
    ),
    "jazz-guitar": Timbre(
        rolloff=1.3, pick=0.3, decay=2.0, damping=0.25, low_hz=90.0, high_hz=2600.0
    ),
    "crunch-guitar": Timbre(
        rolloff=0.5, pick=0.14, decay=4.0, damping=0.1, low_hz=110.0, high_hz=4800.0, drive_db=22.0
    ),
    "distorted-guitar": Timbre(
        rolloff=0.5, pick=0.12, decay=6.0, damping=0.08, low_hz=85.0, high_hz=5200.0, drive_db=38.0
    ),
    "banjo": Timbre(
        rolloff=0.3,
        pick=0.08,
        decay=0.6,
        damping=0.1,
        low_hz=220.0,
        formants=((700.0, 4.0), (2800.0, 6.0)),
    ),
    "mandolin": Timbre(rolloff=0.5, pick=0.1, decay=0.7, damping=0.15, voices=2, detune=0.04),
    "harpsichord": Timbre(rolloff=0.25, pick=0.08, decay=1.6, damping=0.05, low_hz=120.0),
    "harp": Timbre(rolloff=1.2, pick=0.35, decay=2.4, damping=0.3),
    "piano": Timbre(
        rolloff=0.9, pick=0.125, decay=3.2, damping=0.35, voices=2, detune=0.015, high_hz=8000.0
    ),
    "electric-piano": Timbre(
        rolloff=1.6,
        partials=(1.0, 0.9, 0.6, 0.5, 0.4, 1.5, 2.0),
        decay=2.6,
        damping=0.5,
        tremolo=0.25,
        drive_db=6.0,
        high_hz=6000.0,
    ),
    "vibraphone": Timbre(
        rolloff=3.0, partials=(1.0, 0.1, 0.2, 5.0), decay=3.0, damping=0.8, tremolo=0.3
    ),
    # Basses.
    "upright-bass": Timbre(
        rolloff=1.3, pick=0.3, decay=1.1, damping=0.35, attack=0.01, high_hz=2200.0
    ),
    "finger-bass": Timbre(rolloff=0.9, pick=0.22, decay=2.4, damping=0.25, high_hz=3200.0),
    "picked-bass": Timbre(
        rolloff=0.6, pick=0.12, decay=3.0, damping=0.12, high_hz=4500.0, drive_db=10.0
    ),
    "dub-bass": Timbre(rolloff=2.0, pick=0.35, decay=2.0, damping=0.6, high_hz=900.0, attack=0.01),
    "synth-bass": Timbre(rolloff=1.0, decay=0.9, damping=0.25, release=0.03, high_hz=4500.0),
    "sub-bass": Timbre(
        rolloff=3.0, decay=1.8, drive_db=9.0, high_hz=900.0, slide_seconds=0.12, release=0.1
    ),
    # Keys and synthesisers that last.
    "organ": Timbre(
        rolloff=0.0,
        partials=(1.0, 0.8, 0.6, 0.35, 0.05, 0.25, 0.02, 0.2) + (0.0,) * 82,
        attack=0.006,
        vibrato=0.08,
        vibrato_hz=6.3,
        tremolo=0.2,
        drive_db=5.0,
    ),
    "pad": Timbre(
        rolloff=1.4, attack=0.25, release=0.4, voices=3, detune=0.09, high_hz=4000.0, low_hz=150.0
    ),
    "saw-lead": Timbre(rolloff=0.95, attack=0.008, voices=2, detune=0.1, vibrato=0.1),
    "square-lead": Timbre(rolloff=1.0, even=0.05, attack=0.008, vibrato=0.15),
    "synth-pluck": Timbre(rolloff=0.9, decay=0.5, damping=0.3, voices=2, detune=0.07),
    "synth-brass": Timbre(rolloff=0.9, bloom=0.05, attack=0.02, voices=2, detune=0.08),
    # Bowed and blown.
    "strings": Timbre(
        rolloff=1.0,
        attack=0.09,
        release=0.2,
        bloom=0.06,
        voices=3,
        detune=0.11,
        vibrato=0.14,
        formants=((500.0, 4.0), (2800.0, 5.0)),
        low_hz=150.0,
    ),
    "violin": Timbre(
        rolloff=0.9,
        attack=0.05,
        release=0.1,
        vibrato=0.25,
        breath=0.015,
        formants=((480.0, 6.0), (950.0, 2.0), (2900.0, 7.0)),
        low_hz=180.0,
    ),
    "cello": Timbre(
        rolloff=1.1,
        attack=0.06,
        release=0.12,
        vibrato=0.2,
        breath=0.01,
        formants=((250.0, 5.0), (600.0, 3.0), (1600.0, 4.0)),
    ),
    "fiddle": Timbre(
        rolloff=0.75,
        attack=0.025,
        release=0.06,
        vibrato=0.1,
        breath=0.03,
        formants=((480.0, 5.0), (2900.0, 8.0)),
        low_hz=180.0,
    ),
    "flute": Timbre(rolloff=2.2, attack=0.05, vibrato=0.15, breath=0.06, low_hz=240.0),
    "oboe": Timbre(rolloff=0.9, attack=0.03, vibrato=0.12, formants=((1100.0, 8.0), (2900.0, 4.0))),
    "clarinet": Timbre(rolloff=1.0, even=0.1, attack=0.03, breath=0.015, high_hz=5000.0),
    "horn": Timbre(rolloff=1.5, attack=0.06, bloom=0.08, formants=((340.0, 4.0),)),
    "saxophone": Timbre(
        rolloff=0.9,
        attack=0.025,
        bloom=0.03,
        vibrato=0.2,
        breath=0.05,
        formants=((600.0, 5.0), (1500.0, 4.0)),
        high_hz=6500.0,
    ),
    "trumpet": Timbre(
        rolloff=0.6, attack=0.02, bloom=0.05, vibrato=0.12, formants=((1200.0, 5.0), (2300.0, 3.0))
    ),
    "brass": Timbre(
        rolloff=0.7, attack=0.02, bloom=0.04, voices=3, detune=0.08, formants=((1200.0, 4.0),)
    ),
    "harmonica": Timbre(
        rolloff=0.5,
        attack=0.03,
        vibrato=0.2,
        breath=0.03,
        drive_db=8.0,
        formants=((900.0, 5.0), (2600.0, 5.0)),
        low_hz=250.0,
        high_hz=4500.0,
    ),
    "pedal-steel": Timbre(
        rolloff=0.9,
        pick=0.1,
        decay=5.0,
        damping=0.12,
        attack=0.04,
        vibrato=0.16,
        slide_seconds=0.25,
        high_hz=5500.0,
    ),
    # Voices.
    "man": replace(_VOICE, vowels=_MAN, vibrato=0.25),
    "woman": replace(_VOICE, vowels=_WOMAN, vibrato=0.3),
    "rapper": Timbre(
        rolloff=0.5, attack=0.012, release=0.04, breath=0.06, low_hz=100.0, vowels=_MAN
    ),
    "growler": Timbre(
        rolloff=0.3,
        attack=0.03,
        release=0.08,
        breath=0.35,
        vowels=_MAN,
        drive_db=20.0,
        low_hz=110.0,
    ),
    "choir": Timbre(
        rolloff=0.9, attack=0.12, release=0.3, voices=3, detune=0.18, vibrato=0.15, vowels=_WOMAN
    ),
}
"""Timbres by name."""
