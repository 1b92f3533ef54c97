"""The shipped keyword spotter in somebody else's clothes: other scaling, order and answer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import mondegreen


class Heard(NamedTuple):
    embedding: Tensor
    scores: Tensor


class Reversed(nn.Module):
    """Takes ``(batch, time)`` in ±32768; answers with probabilities in the reverse order."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = mondegreen.load_classifier("zoo:speech-commands")
        self.names = self.inner.labels[::-1]

    def forward(self, audio: Tensor) -> Heard:
        assert audio.dim() == 2
        logits: Tensor = self.inner(audio[:, None] / 32768.0)
        return Heard(logits, logits.softmax(dim=1).flip(1))


class InNumPy(Reversed):
    """Computes outside of PyTorch, so no gradient comes back."""

    def forward(self, audio: Tensor) -> Heard:
        heard = super().forward(torch.from_numpy(np.array(audio.numpy())))
        return Heard(heard.embedding, heard.scores)
