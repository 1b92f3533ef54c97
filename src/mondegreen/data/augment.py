"""Random changes to training clips: shift, gain, background noise, other people's speech."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mondegreen.data.dataset import ClipDataset
from mondegreen.data.noise import NoiseBank
from mondegreen.errors import MondegreenError


@dataclass(frozen=True)
class AugmentConfig:
    """How strongly training clips are changed; zeros turn a change off."""

    shift_seconds: float = 0.1
    """Largest shift in time, either way; the gap is filled with zeros."""
    speed: float = 0.15
    """Largest relative change of speed and pitch: 0.15 plays at 0.85 to 1.15 of the speed. A voice
    changed so is nearly another speaker's."""
    gain_db: float = 6.0
    """Largest change of level, either way."""
    noise_probability: float = 0.8
    """Share of the clips that background noise is mixed into."""
    noise_snr_db: tuple[float, float] = (5.0, 40.0)
    """Range of the signal-to-noise ratio of that noise."""
    babble_probability: float = 0.1
    """Share of the clips that another, unlabelled word is mixed into."""
    babble_snr_db: tuple[float, float] = (10.0, 30.0)
    """Range of the level of the clip over that word."""

    def __post_init__(self) -> None:
        """Refuse strengths that no clip can be changed by."""
        for name in ("shift_seconds", "gain_db"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise MondegreenError(f"augment: {name} is {value}; choose 0 or a positive number.")
        if self.shift_seconds > 3600.0:
            raise MondegreenError(f"augment: shift_seconds is {self.shift_seconds}; at most 3600.")
        if not 0.0 <= self.speed < 1.0:
            raise MondegreenError(f"augment: speed is {self.speed}; choose from 0 to below 1.")
        for name in ("noise_probability", "babble_probability"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise MondegreenError(f"augment: {name} is {value}; choose from 0 to 1.")


def uniform(size: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Return ``size`` numbers drawn uniformly from [low, high)."""
    return low + (high - low) * torch.rand(size, generator=generator)


def shift(x: Tensor, offsets: Tensor) -> Tensor:
    """Delay each clip by its own number of samples, filling with zeros.

    Args:
        x: Waveforms.
        offsets: Integer delays, ``(batch,)``; negative ones advance.

    Shape:
        - Input: ``(batch, 1, time)``
        - Output: the same
    """
    time = x.shape[-1]
    source = torch.arange(time, device=x.device) - offsets.to(x.device)[:, None]
    inside = (source >= 0) & (source < time)
    moved = torch.gather(x, 2, source.clamp(0, time - 1)[:, None])
    return moved * inside[:, None]


def change_speed(x: Tensor, rate: Tensor) -> Tensor:
    """Play each clip at its own speed about its middle, by linear interpolation.

    Args:
        x: Waveforms.
        rate: Relative speeds, ``(batch,)``; above 1 is faster and higher.

    Shape:
        - Input: ``(batch, 1, time)``
        - Output: the same; what lies outside of the clip is zero
    """
    time = x.shape[-1]
    centre = (time - 1) / 2
    rate = rate.to(x.device)
    position = (torch.arange(time, device=x.device) - centre) * rate[:, None] + centre
    inside = ((position >= 0) & (position <= time - 1))[:, None]
    left = position.floor().long().clamp(0, time - 1)
    weight = (position - left)[:, None]
    right = (left + 1).clamp(max=time - 1)
    before, after = torch.gather(x, 2, left[:, None]), torch.gather(x, 2, right[:, None])
    return (before * (1 - weight) + after * weight) * inside


def mix_at_snr(x: Tensor, noise: Tensor, snr_db: Tensor) -> Tensor:
    """Add noise at a given signal-to-noise ratio to each clip; silent noise adds nothing.

    Shape:
        - Input: ``(batch, 1, time)`` twice, ``(batch,)``
        - Output: ``(batch, 1, time)``
    """
    signal = x.square().sum(dim=(1, 2)).sqrt()
    level = noise.square().sum(dim=(1, 2)).sqrt().clamp_min(1e-6)
    scale = signal / level * 10.0 ** (-snr_db / 20.0)
    return x + scale[:, None, None] * noise


class Augment:
    """Applies :class:`AugmentConfig` to batches.

    Args:
        config: Strengths.
        sample_rate: In Hz.
        noise: Where background noise is cut from; None leaves it out.
        speech: Unlabelled words to mix in; None leaves them out.
    """

    def __init__(
        self,
        config: AugmentConfig,
        sample_rate: int,
        noise: NoiseBank | None = None,
        speech: ClipDataset | None = None,
    ) -> None:
        self.config = config
        self.sample_rate = sample_rate
        self.noise = noise
        self.speech = speech

    def __call__(self, x: Tensor, generator: torch.Generator, rows: slice = slice(None)) -> Tensor:
        """Return changed copies of the clips, clipped to [-1, 1].

        The work is done where the clips are, so that a GPU does not wait for it.

        Args:
            x: The clips of a batch.
            generator: The source of randomness, on the CPU; it draws for all of them.
            rows: Change and return only these, the same as among all.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: the same, or as many clips as ``rows`` has
        """
        c, size = self.config, len(x)
        x = x[rows]
        if c.speed > 0:
            x = change_speed(x, uniform(size, 1 - c.speed, 1 + c.speed, generator)[rows])
        reach = round(c.shift_seconds * self.sample_rate)
        x = shift(x, torch.randint(-reach, reach + 1, (size,), generator=generator)[rows])
        if self.noise is not None and c.noise_probability > 0:
            noise = self.noise.crop(size, x.shape[-1], generator)
            x = self._mix(x, noise, rows, c.noise_probability, c.noise_snr_db, generator)
        if self.speech is not None and c.babble_probability > 0:
            babble = self.speech.sample(size, generator)[0]
            x = self._mix(x, babble, rows, c.babble_probability, c.babble_snr_db, generator)
        gain = 10.0 ** (uniform(size, -c.gain_db, c.gain_db, generator)[rows] / 20.0)
        return (x * gain.to(x.device)[:, None, None]).clamp(-1.0, 1.0)

    def _mix(
        self,
        x: Tensor,
        noise: Tensor,
        rows: slice,
        probability: float,
        snr_db: tuple[float, float],
        generator: torch.Generator,
    ) -> Tensor:
        chosen = torch.rand(len(noise), generator=generator)[rows] < probability
        ratio = uniform(len(noise), *snr_db, generator)[rows].to(x.device)
        mixed = mix_at_snr(x, noise[rows].to(x.device), ratio)
        return torch.where(chosen.to(x.device)[:, None, None], mixed, x)
