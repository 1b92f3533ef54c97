"""A keyword spotter as somebody else would write it: its own log-mel, two dimensions, a softmax."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

RATE = 8000
WORDS = ("stop", "go", "yes")


def mel(hertz: float) -> float:
    return 2595.0 * math.log10(1.0 + hertz / 700.0)


def triangles(bands: int, fft: int, rate: int) -> Tensor:
    points = torch.linspace(mel(40.0), mel(rate / 2.0), bands + 2)
    edges = 700.0 * (10.0 ** (points / 2595.0) - 1.0)
    bins = torch.linspace(0.0, rate / 2.0, fft // 2 + 1)
    up = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(up, down).clamp_min(0.0)


class LogMel(nn.Module):
    mels: Tensor
    window: Tensor

    def __init__(self, bands: int = 16, fft: int = 256, hop: int = 128) -> None:
        super().__init__()
        self.fft, self.hop = fft, hop
        self.register_buffer("mels", triangles(bands, fft, RATE))
        self.register_buffer("window", torch.hann_window(fft))

    def forward(self, audio: Tensor) -> Tensor:
        frames = audio.unfold(1, self.fft, self.hop) * self.window
        power = torch.view_as_real(torch.fft.rfft(frames)).square().sum(dim=3)
        return (power @ self.mels.T + 1e-6).log().transpose(1, 2)


class Separable(nn.Module):
    """The block of a DS-CNN: each channel by itself, then across."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.across = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )

    def forward(self, image: Tensor) -> Tensor:
        answer: Tensor = self.across(image)
        return answer


class Spotter(nn.Module):
    def __init__(self, words: int = len(WORDS), channels: int = 8) -> None:
        super().__init__()
        self.features = LogMel()
        self.stem = nn.Conv2d(1, channels, (10, 4), stride=(2, 2), padding=(5, 1))
        self.blocks = nn.Sequential(Separable(channels), Separable(channels))
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(channels, words)

    def forward(self, audio: Tensor) -> Tensor:
        if audio.dim() != 2:
            raise ValueError(f"expected (batch, time), got {tuple(audio.shape)}")
        image = self.features(audio)[:, None]
        pooled = self.blocks(self.stem(image)).mean(dim=(2, 3))
        return torch.softmax(self.head(self.drop(pooled)), dim=1)


def build() -> nn.Module:
    torch.manual_seed(3)
    spotter = Spotter()
    for module in spotter.modules():  # as if it were trained: other statistics than the first
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            nn.init.uniform_(module.weight, 0.5, 2.0)
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
    nn.init.normal_(spotter.head.weight, std=4.0)
    return spotter


class Described(Spotter):
    """The same, saying of itself what Mondegreen needs to know."""

    labels = WORDS
    sample_rate = RATE
    clip_samples = 4000
