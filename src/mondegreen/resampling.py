"""Resampling block by block: the same samples as resampling the whole, in memory for one block."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_ZEROS = 24  # zero crossings of the sinc on each side, julius's default
_ROLLOFF = 0.945  # cutoff as a share of the lower Nyquist frequency, julius's default
_MAX_PHASES = 2_000
_TABLE_PHASES = 1_024  # between which filters are interpolated, to 1e-6, where phases are many
_TAPS_AT_ONCE = 1 << 20


class Resampler:
    """Windowed-sinc interpolation between two rates, with its filters worked out once.

    Output ``j`` is the sum of input ``i`` times ``sinc(r (i - t)) cos²(pi r (i - t) / 48)``, with
    ``t = j old / new`` and ``r`` the cutoff (Smith, *Digital Audio Resampling*, as in julius); the
    taps are normalised to a sum of one. Beyond its ends, the input keeps its first and last value.

    Args:
        old_rate: Sample rate of the input in Hz.
        new_rate: Sample rate of the output in Hz.

    Example:
        >>> Resampler(44_100, 16_000)(torch.ones(1, 441)).shape
        torch.Size([1, 160])
    """

    def __init__(self, old_rate: int, new_rate: int) -> None:
        divisor = math.gcd(old_rate, new_rate)
        self.old, self.new = old_rate // divisor, new_rate // divisor
        self.cutoff = min(self.old, self.new) * _ROLLOFF / self.old
        self.reach = 0 if self.old == self.new else math.ceil(_ZEROS / self.cutoff)
        self._few = max(self.old, self.new) <= _MAX_PHASES
        self._filters = self._bank() if self._few else self._table()

    def length(self, samples: int) -> int:
        """Return how many samples come out for ``samples`` that go in."""
        return -(-samples * self.new // self.old)

    def __call__(self, x: Tensor) -> Tensor:
        """Resample a whole waveform.

        Shape:
            - Input: ``(..., time)``
            - Output: ``(..., ceil(time * new_rate / old_rate))``
        """
        if self.old == self.new or x.shape[-1] == 0:
            return x
        total, step = self.length(x.shape[-1]), max(1, _TAPS_AT_ONCE // (2 * self.reach + 2))
        if self._few:
            flat = x.reshape(-1, 1, x.shape[-1])
            padded = F.pad(flat, (self.reach, self.reach + self.old), mode="replicate")
            phases = F.conv1d(padded, self._filters.to(x), stride=self.old)
            return phases.transpose(1, 2).reshape(*x.shape[:-1], -1)[..., :total]
        spans = [(start, min(start + step, total)) for start in range(0, total, step)]
        return torch.cat([self._interpolate(x, *span) for span in spans], dim=-1)

    def _interpolate(self, x: Tensor, start: int, stop: int) -> Tensor:
        """Return outputs ``start`` to ``stop``, with a filter of its own for each of them."""
        positions = torch.arange(start, stop) * self.old
        base = torch.div(positions, self.new, rounding_mode="floor")
        phase = (positions - base * self.new).to(torch.float64) * (_TABLE_PHASES / self.new)
        row = phase.long()
        share = (phase - row).to(torch.float32)[:, None]
        taps = torch.lerp(self._filters[row], self._filters[row + 1], share).to(x)
        offsets = torch.arange(-self.reach, self.reach + 2)
        indices = (base[:, None] + offsets).clamp(0, x.shape[-1] - 1)
        return torch.einsum("...tk,tk->...t", x[..., indices], taps)

    def _table(self) -> Tensor:
        """Return filters for positions between two samples, ``(phases + 1, taps)``."""
        offsets = torch.arange(-self.reach, self.reach + 2)
        positions = torch.arange(_TABLE_PHASES + 1, dtype=torch.float64) / _TABLE_PHASES
        return self._taps(offsets - positions[:, None]).to(torch.float32)

    def _bank(self) -> Tensor:
        """Return a filter for each position of an output sample in a period of the two rates."""
        offsets = torch.arange(-self.reach, self.reach + self.old)
        positions = torch.arange(self.new, dtype=torch.float64) * self.old / self.new
        return self._taps(offsets - positions[:, None])[:, None].to(torch.float32)

    def _taps(self, distance: Tensor) -> Tensor:
        """Return the weights of inputs at ``distance`` samples; those of a row add up to one."""
        at = (distance * self.cutoff).clamp(-_ZEROS, _ZEROS)
        taps = torch.sinc(at) * torch.cos(math.pi * at / (2 * _ZEROS)).square()
        return taps / taps.sum(dim=-1, keepdim=True)


class BlockResampler:
    """Resamples a stream: the pieces that come out, joined, are the whole waveform resampled.

    It holds back the input that the next output samples need: the filter's reach and at most one
    period of the two rates (a second, for rates without a common divisor).

    Args:
        resampler: The filters; one may serve several streams.
        channels: Channels of the stream.
    """

    def __init__(self, resampler: Resampler, channels: int = 1) -> None:
        self._resampler = resampler
        self._held = torch.zeros(channels, 0)
        self._start = 0  # position of the first held sample, in periods of the two rates
        self._done = 0  # periods that have come out
        self._context = -(-resampler.reach // resampler.old)

    def push(self, x: Tensor) -> Tensor:
        """Take the next input samples and return the output samples that they complete.

        Shape:
            - Input, Output: ``(channels, time)``
        """
        old, reach = self._resampler.old, self._resampler.reach
        self._held = torch.cat([self._held, x], dim=1)
        ready = (self._start * old + self._held.shape[1] - reach) // old
        if ready <= self._done:
            return x[:, :0]
        stop = ready * old + reach - self._start * old
        y = self._take(self._held[:, :stop], (ready - self._done) * self._resampler.new)
        keep = max(0, ready - self._context)
        self._held = self._held[:, (keep - self._start) * old :].clone()
        self._start, self._done = keep, ready
        return y

    def flush(self) -> Tensor:
        """Return what is left, once the input has ended.

        Shape:
            - Output: ``(channels, time)``
        """
        total = self._resampler.length(self._start * self._resampler.old + self._held.shape[1])
        return self._take(self._held, total - self._done * self._resampler.new)

    def _take(self, x: Tensor, count: int) -> Tensor:
        skipped = (self._done - self._start) * self._resampler.new
        return self._resampler(x)[:, skipped : skipped + count]
