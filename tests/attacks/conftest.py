"""A toy classifier whose behaviour can be worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mondegreen.classifiers.classifier import Classifier

RATE = 8000
SAMPLES = 4000
TONES = (300.0, 900.0, 2100.0)


class ToneSpotter(nn.Module):
    """Logits are the levels of three tones in dB."""

    basis: Tensor

    def __init__(self) -> None:
        super().__init__()
        time = torch.arange(SAMPLES) / RATE
        angles = 2 * torch.pi * torch.tensor(TONES)[:, None] * time
        self.register_buffer("basis", torch.stack([angles.sin(), angles.cos()]))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        parts = torch.einsum("bt,clt->bcl", x[:, 0], self.basis) / SAMPLES
        return 10 * torch.log10(parts.square().sum(dim=1) + 1e-12)


@pytest.fixture
def tone_spotter() -> Classifier:
    """Hears which of three tones is the loudest."""
    return Classifier(
        ToneSpotter(),
        labels=("low", "middle", "high"),
        sample_rate=RATE,
        clip_samples=SAMPLES,
        name="tone-spotter",
    ).freeze()
