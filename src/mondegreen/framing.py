"""The spectrum of overlapping frames, with a gradient that costs what the spectrum costs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def framed_spectrum(x: Tensor, window: Tensor, hop: int, fft: int) -> Tensor:
    """Return the real transform of every frame of ``x``, real and imaginary parts interleaved.

    As ``torch.fft.rfft(x.unfold(1, len(window), hop) * window, fft)``, number by number. PyTorch
    differentiates that by a complex transform of twice the size and adds the frames up one sample
    at a time; here the gradient is one real transform and a few shifted sums, in less than half of
    the time. It can be taken once: gradients of gradients are refused.

    Args:
        x: Waveforms.
        window: Weights of a frame's samples, ``(samples,)``.
        hop: Samples between frames.
        fft: Length of the transform, at least that of the window; frames are zero-padded to it.

    Shape:
        - x: ``(batch, time)``
        - Output: ``(batch, frames, 2 * (fft // 2 + 1))`` with
          ``frames = 1 + (time - len(window)) // hop``

    Example:
        >>> framed_spectrum(torch.ones(1, 4), torch.ones(2), 2, 2).tolist()
        [[[2.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]]]
    """
    found: Tensor = _FramedSpectrum.apply(x, window, hop, fft)  # type: ignore[no-untyped-call]
    return found


class _FramedSpectrum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, window: Tensor, hop: int, fft: int) -> Tensor:
        ctx.save_for_backward(window)
        ctx.time, ctx.hop, ctx.fft = x.shape[1], hop, fft
        frames = x.unfold(1, len(window), hop) * window
        return torch.view_as_real(torch.fft.rfft(frames, n=fft)).flatten(2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (window,) = ctx.saved_tensors
        planes = torch.view_as_complex(gradient.reshape(*gradient.shape[:2], -1, 2))
        # The inverse counts every bin but the first and, of an even transform, the last twice.
        share = torch.full((planes.shape[2], 1), 0.5, device=planes.device).to(gradient.dtype)
        share[0] = 1.0
        if ctx.fft % 2 == 0:
            share[-1] = 1.0
        planes = planes * share[:, 0]
        frames = torch.fft.irfft(planes, n=ctx.fft, norm="forward")[..., : len(window)] * window
        return _overlap_add(frames, ctx.hop, ctx.time), None, None, None


def _overlap_add(frames: Tensor, hop: int, time: int) -> Tensor:
    """Add frames up where they lie, ``(batch, frames, samples)`` to ``(batch, time)``."""
    batch, count, samples = frames.shape
    reach = -(-samples // hop)
    parts = F.pad(frames, (0, reach * hop - samples)).view(batch, count, reach, hop)
    total = frames.new_zeros(batch, count + reach - 1, hop)
    for number in range(reach):
        total[:, number : number + count] += parts[:, :, number]
    flat = total.flatten(1)
    return F.pad(flat, (0, max(0, time - flat.shape[1])))[:, :time]
