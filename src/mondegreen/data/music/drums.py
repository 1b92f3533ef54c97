"""Drums: each sound by its own recipe, as one kit has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mondegreen.data.music.tones import RATE, Samples, filtered, phase_of


@dataclass(frozen=True, kw_only=True)
class Kit:
    """How the drums of a kit sound. Times are those of a fall by 60 dB, in seconds.

    Attributes:
        kick_hz: Frequency that the bass drum settles at.
        kick_sweep: How far above it begins, as a factor.
        kick_decay: Its decay.
        click: Level of the beater.
        snare_hz: Frequency of the snare drum's head.
        snare_decay: Decay of its wires.
        snare_noise: Level of its wires over the head.
        snare_low: Lower limit of the wires' noise in Hz.
        hat_low: Lower limit of the hi-hat in Hz.
        hat_decay: Decay of the closed hi-hat.
        metal: How far the cymbals are made of tones instead of noise, 0 to 1.
        brush: Softens the attacks, in seconds.
    """

    kick_hz: float = 55.0
    kick_sweep: float = 2.5
    kick_decay: float = 0.35
    click: float = 0.25
    snare_hz: float = 185.0
    snare_decay: float = 0.25
    snare_noise: float = 1.0
    snare_low: float = 900.0
    hat_low: float = 6000.0
    hat_decay: float = 0.09
    metal: float = 0.3
    brush: float = 0.0


KITS: Final[dict[str, Kit]] = {
    "acoustic": Kit(),
    "rock": Kit(kick_decay=0.4, snare_decay=0.4, snare_noise=1.2, hat_low=5000.0, click=0.4),
    "jazz": Kit(
        kick_hz=65.0, kick_sweep=1.6, kick_decay=0.3, click=0.05, snare_decay=0.2, hat_low=6500.0
    ),
    "brushes": Kit(
        kick_hz=62.0, kick_sweep=1.6, click=0.05, snare_noise=2.5, snare_decay=0.18, brush=0.012
    ),
    "disco": Kit(kick_hz=60.0, kick_decay=0.22, click=0.3, snare_decay=0.2, hat_low=6500.0),
    "machine": Kit(
        kick_hz=47.0,
        kick_sweep=3.0,
        kick_decay=0.9,
        click=0.1,
        snare_hz=200.0,
        snare_low=2000.0,
        hat_decay=0.05,
        metal=0.7,
    ),
    "sampled": Kit(kick_hz=58.0, kick_decay=0.3, snare_hz=210.0, snare_decay=0.18, click=0.35),
    "pop": Kit(kick_hz=52.0, kick_sweep=4.0, kick_decay=0.3, click=0.35, snare_low=1200.0),
    "metal": Kit(
        kick_hz=60.0,
        kick_sweep=3.0,
        kick_decay=0.2,
        click=0.9,
        snare_hz=210.0,
        snare_noise=1.4,
        snare_decay=0.3,
        hat_low=4500.0,
    ),
    "reggae": Kit(kick_hz=58.0, kick_sweep=1.8, snare_hz=260.0, snare_decay=0.14, click=0.1),
}
"""Kits by name."""


def varied_kit(kit: Kit, rng: np.random.Generator) -> Kit:
    """Return another kit of the same kind."""

    def near(value: float, spread: float) -> float:
        return float(value * np.exp(rng.normal(0.0, spread)))

    return replace(
        kit,
        kick_hz=near(kit.kick_hz, 0.07),
        kick_sweep=max(1.1, near(kit.kick_sweep, 0.14)),
        kick_decay=near(kit.kick_decay, 0.17),
        click=near(kit.click, 0.28),
        snare_hz=near(kit.snare_hz, 0.08),
        snare_decay=near(kit.snare_decay, 0.21),
        snare_noise=near(kit.snare_noise, 0.21),
        snare_low=near(kit.snare_low, 0.21),
        hat_low=min(8000.0, near(kit.hat_low, 0.14)),
        hat_decay=near(kit.hat_decay, 0.24),
        metal=float(np.clip(kit.metal + rng.normal(0.0, 0.15), 0.0, 1.0)),
    )


def strike(name: str, kit: Kit, rng: np.random.Generator) -> Samples:
    """Return one stroke.

    Args:
        name: One of :data:`DRUMS`.
        kit: The kit.
        rng: Of the noise.

    Returns:
        Its sound, with a peak of 1.
    """
    sound = DRUMS[name](kit, rng)
    if kit.brush:
        rise = round(kit.brush * RATE)
        sound[:rise] *= np.linspace(0.0, 1.0, rise)
    peak = float(np.abs(sound).max())
    return sound / peak


def _fall(samples: int, decay: float) -> Samples:
    return np.asarray(10 ** (-3.0 * np.arange(samples) / (decay * RATE)))


def _noise(decay: float, low: float, high: float, rng: np.random.Generator) -> Samples:
    samples = round(min(1.2, decay) * RATE)
    return filtered(rng.standard_normal(samples), low, high) * _fall(samples, decay)


def _head(frequency: float, sweep: float, decay: float) -> Samples:
    samples = round(min(1.2, decay) * RATE)
    bend = 1 + (sweep - 1) * np.exp(-np.arange(samples) / (0.02 * RATE))
    return np.sin(2 * np.pi * phase_of(frequency * bend, samples)) * _fall(samples, decay)


def _mixed(*layers: Samples) -> Samples:
    mix = np.zeros(max(map(len, layers)))
    for layer in layers:
        mix[: len(layer)] += layer
    return mix


def _kick(kit: Kit, rng: np.random.Generator) -> Samples:
    click = kit.click * _noise(0.02, 1500.0, 6000.0, rng)
    return _mixed(_head(kit.kick_hz, kit.kick_sweep, kit.kick_decay), click)


def _snare(kit: Kit, rng: np.random.Generator) -> Samples:
    wires = kit.snare_noise * _noise(kit.snare_decay, kit.snare_low, 9000.0, rng)
    second = 0.5 * _head(1.59 * kit.snare_hz, 1.1, 0.12)
    return _mixed(_head(kit.snare_hz, 1.3, 0.18), second, wires)


def _rim(kit: Kit, rng: np.random.Generator) -> Samples:
    tone = _head(4.4 * kit.snare_hz, 1.0, 0.06) + 0.6 * _head(2.5 * kit.snare_hz, 1.0, 0.06)
    return _mixed(tone, 0.3 * _noise(0.03, 1500.0, 7000.0, rng))


def _clap(kit: Kit, rng: np.random.Generator) -> Samples:
    hands = [_noise(0.015, 900.0, 4000.0, rng) for _ in range(3)]
    gaps = [np.zeros(round(t * RATE)) for t in (0.0, 0.011, 0.022)]
    bursts = [np.concatenate([gap, hand]) for gap, hand in zip(gaps, hands, strict=True)]
    tail = np.concatenate([np.zeros(round(0.03 * RATE)), _noise(0.25, 1000.0, 3500.0, rng)])
    return _mixed(*bursts, tail)


def _cymbal(kit: Kit, decay: float, low: float, rng: np.random.Generator) -> Samples:
    noise = _noise(decay, low, 10_000.0, rng)
    time = np.arange(len(noise)) / RATE
    ratios = (2.0, 3.0, 4.16, 5.43, 6.79, 8.21)  # six square waves that agree in no overtone
    base = low / 12.0
    squares = [np.sign(np.sin(2 * np.pi * base * r * time)) for r in ratios]
    tones = filtered(np.sum(squares, axis=0), low, 10_000.0) * _fall(len(noise), decay)
    tones *= np.std(noise) / max(float(np.std(tones)), 1e-9)
    return (1 - kit.metal) * noise + kit.metal * tones


def _hat(kit: Kit, rng: np.random.Generator) -> Samples:
    return _cymbal(kit, kit.hat_decay, kit.hat_low, rng)


def _open(kit: Kit, rng: np.random.Generator) -> Samples:
    return _cymbal(kit, 0.25 + 3.0 * kit.hat_decay, 0.9 * kit.hat_low, rng)


def _ride(kit: Kit, rng: np.random.Generator) -> Samples:
    ping = 0.5 * _head(0.55 * kit.hat_low, 1.0, 0.15)
    return _mixed(_cymbal(kit, 0.9, 0.7 * kit.hat_low, rng), ping)


def _crash(kit: Kit, rng: np.random.Generator) -> Samples:
    return _cymbal(kit, 2.2, 0.5 * kit.hat_low, rng)


def _tom(factor: float) -> Callable[[Kit, np.random.Generator], Samples]:
    def tom(kit: Kit, rng: np.random.Generator) -> Samples:
        return _mixed(
            _head(factor * kit.kick_hz, 1.4, 0.45), 0.15 * _noise(0.06, 500.0, 5000.0, rng)
        )

    return tom


def _shaker(kit: Kit, rng: np.random.Generator) -> Samples:
    sound = _noise(0.1, 5000.0, 9500.0, rng)
    sound[: RATE // 60] *= np.linspace(0.0, 1.0, RATE // 60)
    return sound


def _tambourine(kit: Kit, rng: np.random.Generator) -> Samples:
    return _cymbal(replace(kit, metal=0.7), 0.16, 5500.0, rng)


def _conga(kit: Kit, rng: np.random.Generator) -> Samples:
    return _mixed(_head(1.7 * kit.snare_hz, 1.1, 0.2), 0.3 * _noise(0.02, 800.0, 5000.0, rng))


def _swish(kit: Kit, rng: np.random.Generator) -> Samples:
    samples = round(0.22 * RATE)
    return filtered(rng.standard_normal(samples), 1500.0, 7000.0) * np.hanning(samples)


DRUMS: Final[dict[str, Callable[[Kit, np.random.Generator], Samples]]] = {
    "kick": _kick,
    "snare": _snare,
    "rim": _rim,
    "clap": _clap,
    "hat": _hat,
    "open": _open,
    "ride": _ride,
    "crash": _crash,
    "tom": _tom(2.0),
    "high-tom": _tom(3.0),
    "shaker": _shaker,
    "tambourine": _tambourine,
    "conga": _conga,
    "low-conga": lambda kit, rng: _conga(replace(kit, snare_hz=0.7 * kit.snare_hz), rng),
    "swish": _swish,
}
"""Recipes by name."""
