"""What a model made elsewhere is given and how it answers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from torch import Tensor

from mondegreen.audio import resample
from mondegreen.errors import MondegreenError

Layout = Literal["batch-1-time", "batch-time", "batch-time-1", "batch-channels-time"]
"""The axes of the model's input, in order."""
Scaling = Literal["unit", "int16", "standard"]
"""``unit``: floats in [-1, 1]; ``int16``: floats in ±32768; ``standard``: zero mean and unit
variance of each clip."""
Output = Literal["logits", "probabilities", "log-probabilities", "sigmoid"]
"""``probabilities`` are those after a softmax; ``sigmoid`` those of labels that do not exclude each
other, or of the second of two labels alone."""
Precision = Literal["float32", "float64", "float16", "bfloat16"]

_VARIANCE_FLOOR = 1e-7
"""Added to the variance of a clip, as feature extractors of speech models do: silence stays so."""


@dataclass(frozen=True)
class ModelOptions:
    """What a model's file does not say about it. What is left out is found out, or asked for."""

    sample_rate: int | None = None
    """Sample rate of the clips, in Hz."""
    clip_samples: int | None = None
    """Samples in a clip; by default what the model says, or one second."""
    layout: Layout | None = None
    """Axes of the model's input; by default found by trying."""
    channels: int = 2
    """How many equal channels a model of batch-channels-time is given."""
    scaling: Scaling | None = None
    """unit: floats in [-1, 1]; int16: floats in ±32768; standard: zero mean and unit variance of
    each clip. By default the one that hears clips best or, without clips, unit."""
    output: Output | None = None
    """What the model answers: logits, probabilities (of a softmax), log-probabilities, or sigmoid
    (a probability for each label on its own); by default told from the numbers."""
    field: str | None = None
    """Key, attribute or number of the answer, where the model returns several things."""
    model_rate: int | None = None
    """Sample rate that the model itself is given, in Hz, where it is not that of the clips: they
    are resampled for it, and gradients pass."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name in ("sample_rate", "clip_samples", "channels", "model_rate"):
            value = getattr(self, name)
            if value is not None and value < 1:
                option = name.replace("_", "-")
                raise MondegreenError(f"--{option} is {value}; choose 1 or more.")

    def completed_by(self, told: ModelOptions) -> ModelOptions:
        """Return these options, and others' where nothing is said here.

        Example:
            >>> ModelOptions(scaling="int16").completed_by(ModelOptions(8000)).sample_rate
            8000
        """
        blank = ModelOptions()
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(told, **{k: v for k, v in said.items() if v != getattr(blank, k)})


@dataclass(frozen=True)
class Contract:
    """How a model is given waveforms, and how it answers: nothing is left open."""

    layout: Layout = "batch-1-time"
    channels: int = 2
    scaling: Scaling = "unit"
    output: Output = "logits"
    field: str | None = None
    model_rate: int | None = None
    batch: int | None = None
    """The number of clips that the model takes at once; None for any."""
    precision: Precision = "float32"

    def prepare(self, x: Tensor, sample_rate: int) -> Tensor:
        """Turn waveforms into the model's input, which it may overwrite; gradients pass.

        Args:
            x: Waveforms in [-1, 1].
            sample_rate: Theirs, in Hz.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: of the layout

        Example:
            >>> contract = Contract(layout="batch-time", scaling="int16")
            >>> contract.prepare(torch.full((1, 1, 2), 0.5), 16_000)
            tensor([[16384., 16384.]])
        """
        if self.model_rate is not None:
            x = resample(x, sample_rate, self.model_rate)
        if self.scaling == "int16":
            x = x * 32768.0
        elif self.scaling == "standard":
            variance = x.var(dim=2, keepdim=True, correction=0)
            x = (x - x.mean(dim=2, keepdim=True)) / (variance + _VARIANCE_FLOOR).sqrt()
        x = x.to(getattr(torch, self.precision))
        if self.layout == "batch-time":
            x = x[:, 0]
        elif self.layout == "batch-time-1":
            x = x.transpose(1, 2)
        elif self.layout == "batch-channels-time":
            x = x.expand(-1, self.channels, -1)
        return x.clone()
