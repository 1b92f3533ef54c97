"""Noise on top of the clip: generated, or cut from recordings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.folders import sounds_in
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import Range, check_range, check_word, pick
from mondegreen.data.noise import NoiseBank, pink_noise, white_noise
from mondegreen.errors import MondegreenError

Kind = Literal["white", "pink", "folder"]


@dataclass(frozen=True, kw_only=True)
class Noise(Channel):
    """Add noise at a signal-to-noise ratio over the whole clip, as energies; none to silence.

    The level of the noise counts as given: no gradient passes through it.

    Raises:
        MondegreenError: A setting is out of range, or the folder is missing or has no sounds.
    """

    kind: Kind = "white"
    """``white``, ``pink`` (3 dB less an octave), or ``folder``."""
    snr_db: Range = 20.0
    """Signal-to-noise ratio in dB, or a range of it."""
    folder: str = ""
    """Recordings to cut the noise from, for the kind ``folder``."""
    _banks: dict[int, NoiseBank] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Check the settings."""
        check_word("noise", "kind", self.kind, get_args(Kind))
        check_range("noise", "snr_db", self.snr_db, -40.0, 120.0)
        if (self.kind == "folder") != bool(self.folder):
            raise MondegreenError(
                "channel noise: kind=folder and folder=PATH belong together; give both or neither."
            )
        if self.folder:
            sounds_in("noise", self.folder)

    @property
    def random(self) -> bool:
        """Noise is."""
        return True

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips with noise."""
        wanted = pick(self.snr_db, len(x), streams).to(x)
        noise = self._draw(x, sample_rate, streams)
        signal = x.detach().square().sum(dim=(1, 2)).sqrt()
        level = noise.square().sum(dim=(1, 2)).sqrt().clamp_min(1e-6)
        factor = signal / level * 10.0 ** (-wanted / 20.0)
        return x + factor[:, None, None] * noise

    def _draw(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        samples = x.shape[2]
        if self.kind == "folder":
            bank = self._bank(sample_rate)
            drawn = [bank.crop(1, samples, one) for one in streams.generators]
        else:
            make = white_noise if self.kind == "white" else pink_noise
            drawn = [make(1, samples, one) for one in streams.generators]
        return torch.cat(drawn).to(x)

    def _bank(self, sample_rate: int) -> NoiseBank:
        if sample_rate not in self._banks:
            self._banks[sample_rate] = NoiseBank(sounds_in("noise", self.folder), sample_rate)
        return self._banks[sample_rate]
