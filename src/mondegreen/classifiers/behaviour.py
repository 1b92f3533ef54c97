"""How an adopted model behaves: whether it repeats itself, passes gradients, keeps something."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mondegreen.classifiers.adopted import Adopted, Finding


def close(a: Tensor, b: Tensor) -> bool:
    """Tell whether two answers are the same but for rounding."""
    return a.shape == b.shape and torch.allclose(a.float(), b.float(), rtol=1e-3, atol=1e-4)


def behaviour(adopted: Adopted, sounds: Tensor) -> Iterator[Finding]:
    """Note how the model behaves, and switch gradients off where there are none."""
    batch = adopted.config.contract.batch
    yield Finding("clips at once", "any number" if batch is None else str(batch), "detected")
    with torch.no_grad():
        once, twice = adopted(sounds), adopted(sounds)
        quiet = adopted(torch.zeros_like(sounds[:1]))
    if not close(once, twice):
        yield Finding(
            "repeated", "the same clip is answered otherwise: results will vary", "warning"
        )
    if len(once) > 1 and bool((once == once[:1]).all()):
        yield Finding("different clips", "all are answered alike: is --scaling right?", "warning")
    if not bool(quiet.isfinite().all()):
        yield Finding("silence", "answered with NaN or infinity", "warning")
    reason = (
        "the source has none" if not adopted.differentiable else missing_gradient(adopted, sounds)
    )
    adopted.differentiable = reason is None
    yield Finding(
        "gradient", "reaches the waveform" if reason is None else f"none: {reason}", "detected"
    )
    if reason is None:
        flaw = missing_gradient(adopted, torch.zeros_like(sounds[:1]))
        if flaw not in (None, _ZERO):
            yield Finding("gradient of silence", str(flaw), "warning")


_ZERO = "it is zero everywhere"


def missing_gradient(adopted: Adopted, sounds: Tensor) -> str | None:
    """Return why no gradient reaches the waveform; None where one does."""
    x = sounds.detach().clone().requires_grad_()
    try:
        with torch.enable_grad():
            logits = adopted(x)
            if not logits.requires_grad:
                return "the model computes without gradients"
            weight = torch.linspace(-1.0, 1.0, logits.shape[1]).to(logits)
            (gradient,) = torch.autograd.grad((logits * weight).sum(), x, allow_unused=True)
    except Exception as error:  # such as a conversion to NumPy inside of the model
        return f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}"
    if gradient is None:
        return "the answer does not depend on the waveform by differentiable steps"
    if not bool(gradient.isfinite().all()):
        return "it is NaN or infinite"
    return None if bool((gradient != 0.0).any()) else _ZERO


def changed(adopted: Adopted, before: dict[str, Tensor]) -> Iterator[str]:
    """Yield the names of buffers that are others than before the model was asked."""
    for name, buffer in adopted.named_buffers():
        known = before.get(name.removeprefix("model."))
        if known is None or known.shape != buffer.shape or not torch.equal(known, buffer):
            yield name
