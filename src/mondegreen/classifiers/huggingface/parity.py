"""How far a feature extractor in PyTorch is from the original, and where that is too far."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mondegreen.audio import float_to_pcm16, pcm16_to_float
from mondegreen.errors import MondegreenError

FEATURE_TOLERANCE = 1e-2
"""Largest deviation of a feature, in standard deviations of the original's features. Both round to
32 bits, which shows in bands that are nearly empty beside a loud one."""
LOGIT_TOLERANCE = 1e-2
"""Largest deviation of a logit, in standard deviations of the original's logits, 1 at the least."""

Original = Callable[[Tensor], dict[str, Tensor]]
"""The original extractor: clips ``(batch, time)`` to what the model is given, by name."""


@dataclass(frozen=True)
class Parity:
    """The largest deviations from the original extractor over the clips that were tried."""

    features: float
    """In standard deviations of the original's features."""
    logits: float
    """In standard deviations of the original's logits, 1 at the least; of the clip whose features
    differ most."""
    clips: int
    """How many clips were tried."""


@torch.no_grad()
def check_parity(extractor: nn.Module, original: Original, model: Any, clips: Tensor) -> Parity:
    """Compare an extractor with the original: features first, then the logits that follow.

    Args:
        extractor: The one in PyTorch.
        original: The original.
        model: What takes the features.
        clips: What to try, ``(clips, 1, time)``.

    Raises:
        MondegreenError: The features or the logits differ by more than the tolerance, or the
            model cannot take the features.
    """
    try:
        return _compared(extractor, original, model, clips)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise MondegreenError(
            f"clips of {clips.shape[2]} samples cannot pass its extractor and the model "
            f"({str(error).splitlines()[0]}). Give another clip_samples, or the extractor that "
            "belongs to the model."
        ) from error


def _compared(extractor: nn.Module, original: Original, model: Any, clips: Tensor) -> Parity:
    given = original(clips[:, 0])
    theirs, ours = _unmasked(given).float(), extractor(clips)
    if ours.shape != theirs.shape:
        raise MondegreenError(
            f"its extractor gives features of shape {tuple(theirs.shape)}, and the one in PyTorch "
            f"{tuple(ours.shape)}: an option of it is understood differently."
        )
    apart = (ours - theirs).abs().flatten(1).amax(dim=1)
    features = float(apart.max() / theirs.std().clamp_min(1e-6))
    _refuse("features", features, FEATURE_TOLERANCE)
    worst = int(apart.argmax())
    row = slice(worst, worst + 1)
    expected = model(**{name: value[row] for name, value in given.items()}).logits
    logits = float((model(ours[row]).logits - expected).abs().max() / expected.std().clamp_min(1.0))
    _refuse("logits", logits, LOGIT_TOLERANCE)
    return Parity(features, logits, len(clips))


def _unmasked(given: dict[str, Tensor]) -> Tensor:
    """Return the features without the frames at their end that a mask hides in every clip."""
    features, mask = next(iter(given.values())), given.get("attention_mask")
    if mask is None or mask.shape != features.shape[:2]:
        return features
    return features[:, : int(mask.sum(dim=1).max())]


def _refuse(what: str, apart: float, tolerance: float) -> None:
    if not apart <= tolerance:  # NaN is refused, too
        raise MondegreenError(
            f"its {what} differ from those of the original extractor by {apart:.2g} standard "
            f"deviations; up to {tolerance:g} is rounding. An attack on them would be one on "
            "another model, so it is not loaded."
        )


def trial_clips(samples: int, sample_rate: int) -> Tensor:
    """Return clips that are a little like sound: a voice, noise, a tone with silence, near silence.

    All are rounded to 16 bits, as recordings are.

    Shape:
        - Output: ``(4, 1, samples)``

    Example:
        >>> trial_clips(800, 16_000).shape
        torch.Size([4, 1, 800])
    """
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(samples) / sample_rate
    noise = torch.randn(3, samples, generator=generator)
    pitch = 2.0 * math.pi * 120.0 * time
    voice = sum((torch.sin(order * pitch) / order for order in range(1, 20)), torch.zeros(samples))
    syllables = 0.5 - 0.5 * torch.cos(2.0 * math.pi * 4.0 * time)
    tone = 0.3 * torch.sin(2.0 * math.pi * 440.0 * time) * (torch.arange(samples) < samples / 2)
    clips = [0.2 * voice * syllables + 0.002 * noise[0], 0.1 * noise[1], tone, 5e-5 * noise[2]]
    return pcm16_to_float(float_to_pcm16(torch.stack(clips)[:, None].clamp(-1.0, 1.0)))
