"""How audible a perturbation is, as a loss.

Two models of hearing: the loudness model of PESQ, made differentiable, and the masking threshold of
ISO 11172-3.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mondegreen.framing import framed_spectrum
from mondegreen.metrics.hearing import bark, threshold_in_quiet
from mondegreen.metrics.masking import MaskingModel, masking_loss

_WINDOW_SECONDS = 0.032
_SPEECH_LEVEL_DB = 79.0  # the level, in dB SPL, at which P.862 presents speech
_UNIT_DB = 5.0  # P.862's unit of power, in dB SPL: the best fit of PESQ, see benchmarks/hearing.py
_GAMMA = 0.23  # Zwicker's exponent of loudness
_DEAD_ZONE = 0.25  # share of the fainter loudness within which a difference is not heard
_LOUDNESS = 0.5  # sone for our bands and unit, likewise fitted
_LOUDEST_FRAME = 45.0
_SPLIT_SECOND = 20  # frames
_LOUD = 1e7


class Audibility(NamedTuple):
    """What :class:`LoudnessDisturbance` finds, ``(batch,)`` each."""

    symmetric: Tensor
    """Disturbance by anything that was added or taken away."""
    asymmetric: Tensor
    """Disturbance by what was added where there had been little."""

    @property
    def points(self) -> Tensor:
        """How many points of the raw PESQ scale both take from its best, 4.5."""
        return 0.1 * self.symmetric + 0.0309 * self.asymmetric


class LoudnessLoss(nn.Module):
    """Points of PESQ that a perturbation costs, by :class:`LoudnessDisturbance`.

    Shape:
        - Input: ``(batch, 1, time)`` each
        - Output: ``(batch,)``
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.disturbance = LoudnessDisturbance(sample_rate)

    def forward(self, x: Tensor, x_adv: Tensor) -> Tensor:
        """Return the points of each clip."""
        found: Audibility = self.disturbance(x, x_adv)
        return found.points


class MaskingLoss(nn.Module):
    """Mean excess of a perturbation over the masking threshold in dB (Qin et al. 2019).

    Shape:
        - Input: ``(batch, 1, time)`` each
        - Output: ``(batch,)``
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.model = MaskingModel(sample_rate)

    def forward(self, x: Tensor, x_adv: Tensor) -> Tensor:
        """Return the excess of each clip."""
        with torch.autocast(x.device.type, enabled=False):
            return masking_loss((x_adv - x).float(), self.model(x.float()))


Hearing = LoudnessLoss | MaskingLoss


def build_hearing(model: Literal["loudness", "masking"], sample_rate: int) -> Hearing:
    """Return the model of hearing of that name."""
    return MaskingLoss(sample_rate) if model == "masking" else LoudnessLoss(sample_rate)


class LoudnessDisturbance(nn.Module):
    r"""Loudness that a perturbation adds and takes away, after ITU-T P.862 (PESQ).

    Both clips become power in critical bands, half overlapping Hann frames of 32 ms, and then
    loudness by Zwicker's law,

    .. math:: L = (P_0 / 0.5)^\gamma ((0.5 + 0.5 P / P_0)^\gamma - 1)

    with the threshold of hearing P_0. Differences within a quarter of the fainter loudness are
    masked. What is left is summed over bands (in the square for the symmetric disturbance, weighted
    by how much more power there is for the asymmetric one), over 20 frames in the sixth power and
    over those in the square. As in P.862, changes of a band over all loud frames and of a frame's
    level are compensated before.

    Left out are time alignment and the telephone's filter; critical bands and threshold come from
    closed formulas (Zwicker and Terhardt 1980; Terhardt 1979) instead of P.862's tables, the scale
    of loudness was fitted, and the filter that smooths level changes is cut after three frames. The
    whole band counts, so that a perturbation cannot hide where narrow-band PESQ does not listen.
    ``benchmarks/hearing.py`` compares the result with PESQ.

    Args:
        sample_rate: In Hz.
        bands: Critical bands from 50 Hz to half of the sample rate.

    Shape:
        - Input: ``(batch, 1, time)`` each
        - Output: ``(batch,)`` each

    Example:
        >>> tone = 0.1 * torch.sin(0.3 * torch.arange(16000.0)).view(1, 1, -1)
        >>> LoudnessDisturbance(16_000)(tone, tone).points
        tensor([0.])
    """

    taper: Tensor
    filters: Tensor
    threshold: Tensor
    gain: Tensor
    exponent: Tensor
    width: Tensor

    def __init__(self, sample_rate: int, bands: int = 48) -> None:
        super().__init__()
        self.hop = round(_WINDOW_SECONDS * sample_rate / 2)
        self.register_buffer("taper", torch.hann_window(2 * self.hop), persistent=False)
        hertz = torch.linspace(0.0, sample_rate / 2, self.hop + 1, dtype=torch.float64)
        low, high = bark(torch.tensor([50.0, sample_rate / 2], dtype=torch.float64)).tolist()
        edges = torch.linspace(low, high, bands + 1, dtype=torch.float64)
        # A band narrower than a bin still takes the share of the bin that lies in it.
        step = hertz[1] / 2
        below, above = bark((hertz - step).clamp_min(0.0))[:, None], bark(hertz + step)[:, None]
        share = torch.minimum(above, edges[1:]) - torch.maximum(below, edges[:-1])
        filters = share.clamp_min(0.0) / (above - below)
        middle = (edges[1:] + edges[:-1]) / 2
        centre = torch.from_numpy(np.interp(middle.numpy(), bark(hertz).numpy(), hertz.numpy()))
        threshold = 10.0 ** ((threshold_in_quiet(centre) - _UNIT_DB) / 10.0)
        exponent = _GAMMA * (6.0 / (middle.clamp(2.0, 4.0) + 2.0)) ** 0.15  # steeper below 4 bark
        for name, value in {
            # Each bin's share twice: of the square of its real and of its imaginary part.
            "filters": filters.repeat_interleave(2, dim=0),
            "threshold": threshold,
            "gain": _LOUDNESS * (threshold / 0.5) ** exponent,
            "exponent": exponent,
            "width": edges.diff(),
        }.items():
            self.register_buffer(name, value.float(), persistent=False)

    def forward(self, x: Tensor, x_adv: Tensor) -> Audibility:
        """Return the two disturbances of each clip."""
        with torch.autocast(x.device.type, enabled=False):
            return self._disturbance(x[:, 0].float(), x_adv[:, 0].float())

    def _disturbance(self, x: Tensor, x_adv: Tensor) -> Audibility:
        # Where every clip sounds at the same level, the power sums up to that level.
        power = self._bands(x)
        level = 10.0 ** ((_SPEECH_LEVEL_DB - _UNIT_DB) / 10.0)
        scale = level / power.sum(dim=2).mean(dim=1).clamp_min(1e-12)
        power = power * scale[:, None, None]
        power_adv = self._bands(x_adv) * scale[:, None, None]
        power = power * self._transfer(power, power_adv)
        power_adv = power_adv * self._gain(power, power_adv)
        loudness, loudness_adv = self._loudness(power), self._loudness(power_adv)
        difference = loudness_adv - loudness
        masked = _DEAD_ZONE * torch.minimum(loudness, loudness_adv)
        heard = difference.sign() * (difference.abs() - masked).clamp_min(0.0)
        weighted = heard * self.width
        symmetric = torch.linalg.vector_norm(weighted, dim=2) * math.sqrt(float(self.width.sum()))
        factor = ((power_adv + 50.0) / (power + 50.0)) ** 1.2
        factor = torch.where(factor < 3.0, torch.zeros_like(factor), factor.clamp_max(12.0))
        asymmetric = (weighted.abs() * factor).sum(dim=2)
        emphasis = ((power.sum(dim=2) + 1e5) / level) ** 0.04
        return Audibility(_over_time(symmetric / emphasis), _over_time(asymmetric / emphasis))

    def _bands(self, x: Tensor) -> Tensor:
        """Return the power in each band, ``(batch, frames, bands)``."""
        tail = -x.shape[1] % self.hop + self.hop
        padded = nn.functional.pad(x, (self.hop, tail))
        spectrum = framed_spectrum(padded, self.taper, self.hop, 2 * self.hop)
        return spectrum.square() @ self.filters

    def _transfer(self, power: Tensor, power_adv: Tensor) -> Tensor:
        """Return each band's change over the loud frames, ``(batch, 1, bands)``."""
        heard = self._audible(power, 100.0)
        loud = (heard.sum(dim=2, keepdim=True) >= _LOUD).to(power.dtype)
        before = (heard * loud).sum(dim=1, keepdim=True)
        after = (self._audible(power_adv, 100.0) * loud).sum(dim=1, keepdim=True)
        frames = loud.sum(dim=1, keepdim=True).clamp_min(1.0)
        return ((after / frames + 1e3) / (before / frames + 1e3)).clamp(0.01, 100.0)

    def _gain(self, power: Tensor, power_adv: Tensor) -> Tensor:
        """Return each frame's change of level, smoothed, ``(batch, frames, 1)``."""
        before = self._audible(power, 1.0).sum(dim=2)
        after = self._audible(power_adv, 1.0).sum(dim=2)
        ratio = (before + 5e3) / (after + 5e3)
        ones = torch.ones_like(ratio[:, :1])
        last = torch.cat([ones, ratio[:, :-1]], dim=1)
        older = torch.cat([ones, last[:, :-1]], dim=1)
        smooth = 0.8 * ratio + 0.16 * last + 0.04 * older
        return smooth.clamp(3e-4, 5.0).unsqueeze(2)

    def _audible(self, power: Tensor, factor: float) -> Tensor:
        return torch.where(power > factor * self.threshold, power, torch.zeros_like(power))

    def _loudness(self, power: Tensor) -> Tensor:
        ratio: Tensor = 0.5 + 0.5 * power / self.threshold
        return self.gain * (ratio**self.exponent - 1.0).clamp_min(0.0)


def _over_time(frames: Tensor) -> Tensor:
    """Sum ``(batch, frames)`` up as P.862 does: the worst moments count most."""
    frames = frames.clamp_max(_LOUDEST_FRAME)
    size = min(_SPLIT_SECOND, frames.shape[1])
    parts = frames.unfold(1, size, max(1, size // 2))
    moments = torch.linalg.vector_norm(parts, 6.0, dim=2) / size ** (1.0 / 6.0)
    total: Tensor = torch.linalg.vector_norm(moments, dim=1) / math.sqrt(moments.shape[1])
    return total
