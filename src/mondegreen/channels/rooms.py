"""Rooms by the image-source method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.responses import align, convolve
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import Range, check_count, check_range
from mondegreen.errors import MondegreenError
from mondegreen.metrics.extras import require

SMALLEST, LARGEST = (3.0, 3.0, 2.4), (7.0, 6.0, 3.0)
"""Rooms are drawn between these sizes, in metres."""

_MARGIN = 0.4  # metres that talker and microphone keep from the walls
_ORDER = 25  # reflections beyond so many are some 30 dB down
_TRIES = 10_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Room(Channel):
    """Sound from one place of a room to another, by the image-source method (pyroomacoustics).

    Allen and Berkley, J. Acoust. Soc. Am. 65(4), 1979; Scheibler et al., ICASSP 2018
    (https://arxiv.org/abs/1710.04196). Shoebox rooms of random size, all walls alike; absorption
    follows from the reverberation time by Sabine's formula. The direct sound keeps its place in
    the clip, and each response has unit energy, so that the level stays about what it was.

    Rooms are computed when they are first needed, some seconds for eight; clips draw among them.

    Raises:
        MondegreenError: A setting is out of range, or pyroomacoustics is not installed (its extra
            is ``rooms``).
    """

    rt60: Range = (0.15, 0.4)
    """Seconds in which the sound decays by 60 dB, or a range of them."""
    distance: Range = (0.5, 2.0)
    """From loudspeaker to microphone in metres, or a range of it."""
    rooms: int = 8
    """How many to draw from."""
    seed: int = 1024
    """Of the rooms: another one gives other rooms."""
    _stacks: dict[int, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        check_range("room", "rt60", self.rt60, 0.15, 2.0)
        check_range("room", "distance", self.distance, 0.05, 2.2)
        check_count("room", "rooms", self.rooms, 1, 1_000)
        check_count("room", "seed", self.seed, 0, 2**32 - 1)
        require("pyroomacoustics", "rooms")

    @property
    def random(self) -> bool:
        """Whether there are several rooms to draw from."""
        return self.rooms > 1

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips as they sound in their rooms."""
        responses = self.responses(sample_rate)
        drawn = streams.below(self.rooms) if self.random else torch.zeros(len(x)).long()
        return convolve(x, responses[drawn], _before(sample_rate))

    def responses(self, sample_rate: int) -> Tensor:
        """Return the impulse responses of all rooms, ``(rooms, taps)``, of unit energy."""
        if sample_rate not in self._stacks:
            random = np.random.default_rng(self.seed)
            found = [self._response(sample_rate, random) for _ in range(self.rooms)]
            waves, onsets = [torch.from_numpy(one) for one, _ in found], [at for _, at in found]
            self._stacks[sample_rate] = align(waves, onsets, _before(sample_rate))
        return self._stacks[sample_rate]

    def _response(self, sample_rate: int, random: np.random.Generator) -> tuple[Floats, int]:
        """Return a room's impulse response and the sample of its direct sound."""
        import pyroomacoustics as pra  # takes seconds

        size = random.uniform(SMALLEST, LARGEST)
        rt60, distance = _between(self.rt60, random), _between(self.distance, random)
        source, microphone = _places(size, distance, random)
        absorption, order = pra.inverse_sabine(rt60, size)
        room = pra.ShoeBox(
            size, fs=sample_rate, materials=pra.Material(absorption), max_order=min(order, _ORDER)
        )
        room.add_source(source)
        room.add_microphone(microphone)
        _compute(room)
        travelled = distance / room.c * sample_rate + pra.constants.get("frac_delay_length") // 2
        return np.asarray(room.rir[0][0], dtype=np.float64), round(travelled)


def _compute(room: Any) -> None:
    """Compute the response on one thread: on several, sums have another order on each machine."""
    import pyroomacoustics as pra

    threads = pra.constants.get("num_threads")
    pra.constants.set("num_threads", 1)
    try:
        room.compute_rir()
    finally:
        pra.constants.set("num_threads", threads)


def _before(sample_rate: int) -> int:
    """Return how many samples to keep before the direct sound, which its interpolation fills."""
    return min(40, sample_rate // 200)


def _between(value: Range, random: np.random.Generator) -> float:
    low, high = value if isinstance(value, tuple) else (value, value)
    return float(random.uniform(low, high))


def _places(size: Floats, distance: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return two places at a distance from each other, both away from the walls."""
    for _ in range(_TRIES):
        first = random.uniform(_MARGIN, size - _MARGIN)
        way = random.standard_normal(3)
        second = first + way / np.linalg.norm(way) * distance
        if bool(((second > _MARGIN) & (second < size - _MARGIN)).all()):
            return first, second
    raise MondegreenError(f"channel room: a distance of {distance:g} m does not fit; choose less.")
