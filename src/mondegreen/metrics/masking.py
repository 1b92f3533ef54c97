"""Which perturbations the clip itself hides: the psychoacoustic model 1 of ISO 11172-3 (MPEG-1).

The model is the one that Schoenherr et al. (*Adversarial Attacks Against Automatic Speech
Recognition Systems via Psychoacoustic Hiding*, NDSS 2019) and Qin et al. (*Imperceptible, Robust,
and Targeted Adversarial Examples for Automatic Speech Recognition*, ICML 2019) hide their attacks
with. It knows masking in frequency within a frame, not before or after it in time.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mondegreen.errors import MondegreenError
from mondegreen.metrics.hearing import bark, spread_of_masking, threshold_in_quiet
from mondegreen.metrics.maskers import (
    around_tones,
    critical_bands,
    find_tones,
    power_spectrum,
    strongest_tones,
)

_DB = math.log(10.0) / 10.0  # a decibel of power in nepers
_TINY = 1e-10  # dB have to be finite in silence; -100 dB SPL
_CHUNK = 512  # frames at once: more would fill the memory under long clips


def default_window(sample_rate: int) -> int:
    """Return the largest power of two of samples within 33 ms, so that bins are as ISO's.

    Example:
        >>> default_window(16000), default_window(48000)
        (512, 1024)
    """
    return 1 << max(4, int(0.033 * sample_rate).bit_length() - 1)


class MaskingModel(nn.Module):
    """The level below which a sound is inaudible beside a clip, in dB SPL, for every bin.

    As annex D.1 of ISO 11172-3:

    1. Hann spectrum, a tone of full scale at 96 dB SPL.
    2. Tonal maskers: local maxima 7 dB above their neighbourhood, with the power of three bins.
    3. Non-tonal maskers: in every critical band the power of the remaining bins, at the bin next to
       their geometric mean.
    4. Maskers below the threshold in quiet go, and of tonal ones closer than 0.5 Bark the weaker.
    5. A masker of level X at z Bark masks X - 6.025 - 0.275 z (tonal) or X - 2.025 - 0.175 z
       (non-tonal), less what :func:`mondegreen.metrics.hearing.spread_of_masking` says.
    6. The powers of all these and the threshold in quiet add up.

    What differs from the standard: its tables of the Bark scale and the threshold in quiet are
    formulas here, critical bands end at whole Barks, the sub-bands and scale factors of the coder
    play no part, every bin has its own threshold, and a tone that is dropped for a stronger
    neighbour still drops its own weaker neighbours. ISO is written for 32, 44.1 and 48 kHz; other
    rates use windows that give bins of about the same width. Levels are absolute, where Qin et al.
    put every clip's strongest bin at 96 dB.

    Args:
        sample_rate: In Hz.
        window: Samples in a frame, even; by default :func:`default_window`.
        hop: Samples between frames; by default half of the window.

    Shape:
        - Input: ``(batch, time)`` or ``(batch, 1, time)``, full scale 1
        - Output: ``(batch, frames, window // 2 + 1)``, no gradient

    Raises:
        MondegreenError: Window and hop do not fit together.

    Example:
        >>> model = MaskingModel(16000)
        >>> model(torch.zeros(1, 16000)).shape
        torch.Size([1, 64, 257])
    """

    quiet: Tensor
    position: Tensor
    bands: Tensor
    centres: Tensor
    tonal: Tensor
    noise: Tensor
    growth: Tensor

    def __init__(self, sample_rate: int, window: int | None = None, hop: int | None = None) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.window = default_window(sample_rate) if window is None else window
        self.hop = self.window // 2 if hop is None else hop
        if self.window < 16 or self.window % 2 or not 1 <= self.hop <= self.window:
            raise MondegreenError(
                f"masking: window {self.window} must be even and 16 or more, and hop {self.hop} "
                "from 1 to the window."
            )
        frequency = torch.arange(self.window // 2 + 1) * (sample_rate / self.window)
        position = bark(frequency)
        fall, lift = spread_of_masking(position[None, :] - position[:, None])
        # The exponential of minus infinity is slow on CPUs; that of -200 dB adds nothing either.
        fall = fall.clamp_min(-200.0)
        tonal, noise = 6.025 + 0.275 * position, 2.025 + 0.175 * position
        bands, centres = critical_bands(position)
        constants = {
            "quiet": (_DB * threshold_in_quiet(frequency).clamp_max(200.0)).exp(),  # or infinite
            "position": position,
            "bands": bands,
            "centres": centres,
            "tonal": _DB * (fall - tonal[:, None]),
            "noise": _DB * (fall - noise[:, None]),
            "growth": 1.0 + lift,
        }
        for name, value in constants.items():
            self.register_buffer(name, value, persistent=False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Return the masking threshold of each bin in dB SPL."""
        power = power_spectrum(x.to(self.quiet.dtype), self.window, self.hop)
        rows = power.flatten(0, 1)
        parts = [self._threshold(part) for part in torch.split(rows, _CHUNK)]
        return torch.cat(parts).view_as(power)

    def _threshold(self, power: Tensor) -> Tensor:
        """Return the threshold of frames ``(frames, bins)``."""
        total = self.quiet.expand_as(power).clone()
        tonal = find_tones(power)
        self._add_tonal(total, power, tonal)
        self._add_noise(total, power.masked_fill(around_tones(tonal), 0.0))
        return 10.0 * total.log10()

    def _add_tonal(self, total: Tensor, power: Tensor, tonal: Tensor) -> None:
        frame, line = tonal.nonzero(as_tuple=True)
        level = power[frame, line - 1] + power[frame, line] + power[frame, line + 1]
        audible = level > self.quiet[line]
        frame, line, level = frame[audible], line[audible], level[audible]
        keep = strongest_tones(frame, self.position[line], level)
        self._spread(total, frame[keep], line[keep], level[keep], self.tonal)

    def _add_noise(self, total: Tensor, rest: Tensor) -> None:
        level = rest @ self.bands
        frame, band = (level > self.quiet[self.centres]).nonzero(as_tuple=True)
        self._spread(total, frame, self.centres[band], level[frame, band], self.noise)

    def _spread(
        self, total: Tensor, frame: Tensor, line: Tensor, level: Tensor, fall: Tensor
    ) -> None:
        """Add what each masker masks to its frame; logarithms are natural ones of powers."""
        growth = self.growth.index_select(0, line)
        masked = fall.index_select(0, line).addcmul_(growth, level.log()[:, None])
        total.index_add_(0, frame, masked.exp_())


def masking_threshold(
    x: Tensor, sample_rate: int, window: int | None = None, hop: int | None = None
) -> Tensor:
    """Return the level in dB SPL below which each bin of a clip hides other sounds.

    See :class:`MaskingModel`, which is what a loop should build once and call.

    Args:
        x: Clips, full scale 1.
        sample_rate: In Hz.
        window: Samples in a frame; by default :func:`default_window`.
        hop: Samples between frames; by default half of the window.

    Shape:
        - Input: ``(batch, time)`` or ``(batch, 1, time)``
        - Output: ``(batch, frames, window // 2 + 1)``, no gradient

    Raises:
        MondegreenError: Window and hop do not fit together.

    Example:
        >>> masking_threshold(torch.zeros(1, 512), 16000)[0, 0, 32].round()  # 1 kHz, in silence
        tensor(3.)
    """
    threshold: Tensor = MaskingModel(sample_rate, window, hop).to(x.device, x.dtype)(x)
    return threshold


def masking_loss(delta: Tensor, threshold: Tensor, hop: int | None = None) -> Tensor:
    r"""Return by how many dB a perturbation exceeds the masking threshold (Qin et al. 2019).

    .. math:: \frac{1}{|F| |K|} \sum_{t \in F, k \in K} \max(0, P_\delta(t, k) - \theta(t, k))

    over all frames and bins, with the power of the perturbation in dB SPL. Zero once nothing is
    audible; the gradient is zero where a bin is below the threshold, and finite everywhere.

    Args:
        delta: Perturbations, full scale 1.
        threshold: Of the clips they are added to, from :class:`MaskingModel`.
        hop: Samples between the frames of ``threshold``; by default half of its window.

    Shape:
        - delta: ``(batch, time)`` or ``(batch, 1, time)``
        - threshold: ``(batch, frames, bins)``
        - Output: ``(batch,)``, in dB; take the mean, or weigh the clips

    Raises:
        ValueError: The threshold belongs to clips of another length.

    Example:
        >>> model, x = MaskingModel(16000), torch.zeros(1, 1, 16000)
        >>> masking_loss(1e-3 * torch.ones_like(x), model(x)).shape
        torch.Size([1])
    """
    return _over(delta, threshold, hop).clamp_min(0.0).mean(dim=(1, 2))


@torch.no_grad()
def masking_excess(x: Tensor, x_adv: Tensor, sample_rate: int) -> Tensor:
    """Return by how many dB, on average over all bins, a perturbation exceeds what the clip hides.

    The definition of :func:`masking_loss`: bins below the threshold count as 0. More is worse.

    Args:
        x: The clips.
        x_adv: The perturbed clips.
        sample_rate: In Hz.

    Shape:
        - x, x_adv: ``(batch, time)`` or ``(batch, 1, time)``
        - Output: ``(batch,)``, in dB

    Raises:
        ValueError: The shapes differ.
    """
    _require_alike(x, x_adv)
    return masking_loss(x_adv - x, masking_threshold(x, sample_rate))


@torch.no_grad()
def audible_share(x: Tensor, x_adv: Tensor, sample_rate: int) -> Tensor:
    """Return the share of time-frequency bins in which a perturbation exceeds what the clip hides.

    The companion of :func:`masking_excess`, with the same arguments. Frames that reach over the
    clip's ends count as well.

    Shape:
        - x, x_adv: ``(batch, time)`` or ``(batch, 1, time)``
        - Output: ``(batch,)``, 0 to 1

    Raises:
        ValueError: The shapes differ.
    """
    _require_alike(x, x_adv)
    over = _over(x_adv - x, masking_threshold(x, sample_rate), None)
    return (over > 0).to(x.dtype).mean(dim=(1, 2))


def _over(delta: Tensor, threshold: Tensor, hop: int | None) -> Tensor:
    """Return the level of each bin less its threshold, in dB."""
    window = 2 * (threshold.shape[2] - 1)
    power = power_spectrum(delta, window, hop or window // 2)
    if power.shape != threshold.shape:
        raise ValueError(
            f"the threshold has the shape {tuple(threshold.shape)}, the perturbation's spectrum "
            f"{tuple(power.shape)}; give the clips of the threshold and its hop"
        )
    return 10.0 * (power + _TINY).log10() - threshold


def _require_alike(x: Tensor, x_adv: Tensor) -> None:
    if x.shape != x_adv.shape:
        raise ValueError(
            f"expected two waveforms of one shape, got {tuple(x.shape)} and {tuple(x_adv.shape)}"
        )
