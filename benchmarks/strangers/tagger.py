"""A tagger of sounds as a stranger would have it: made without Mondegreen, in habits of its own.

A small convolutional network on its own log-mel spectrogram hears two seconds at 16 kHz and answers
with a probability for each of ten tags, several of which may be on. Its owner trains it on clips
with two sounds each: those of the folds 2 to 4. Fold 1 is left for choices, fold 5 for tests:

    python benchmarks/strangers/mixtures.py --data $MONDEGREEN_DATA/esc10 --out runs/mixtures
    python benchmarks/strangers/tagger.py --data runs/mixtures --out runs/tagger.pt
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import nn
from torch.nn import functional as F

TAGS = (
    "baby_cry",
    "chainsaw",
    "clock_tick",
    "dog_bark",
    "fire_crackling",
    "helicopter",
    "person_sneeze",
    "rain",
    "rooster",
    "sea_waves",
)
RATE = 16_000
LENGTH = 2 * RATE
BINS, SIZE, HOP = 64, 1024, 400


def block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


class Tagger(nn.Module):
    """``(batch, time)`` at 16 kHz to probabilities ``(batch, 10)``, each tag on its own."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.window: torch.Tensor
        self.bank: torch.Tensor
        self.register_buffer("window", torch.hann_window(SIZE))
        self.register_buffer("bank", mel_bank())
        self.norm = nn.BatchNorm1d(BINS)
        self.convs = nn.Sequential(
            nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            block(width, 2 * width),
            block(2 * width, 4 * width),
        )
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(8 * width, len(TAGS))

    def scores(self, wave: torch.Tensor) -> torch.Tensor:
        spectrum = torch.stft(wave, SIZE, HOP, window=self.window, return_complex=True)
        mel = torch.log(self.bank @ (spectrum.real.square() + spectrum.imag.square()) + 1e-4)
        x = self.convs(self.norm(mel)[:, None]).mean(dim=2)  # over frequency
        x = torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)  # over time
        found: torch.Tensor = self.head(self.drop(x))
        return found

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.scores(wave))


def mel_bank() -> torch.Tensor:
    """Triangles, evenly spaced on the mel scale."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (50.0, 7600.0))
    edges = 700 * (10 ** (np.linspace(low, high, BINS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(SIZE, 1 / RATE)
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return torch.from_numpy(np.clip(np.minimum(rise, fall), 0, None)).float()


def build() -> Tagger:
    """The trained model; the environment variable TAGGER names its weights."""
    model = Tagger()
    state = torch.load(os.environ.get("TAGGER", "runs/tagger.pt"), weights_only=True)
    model.load_state_dict(state)
    return model.eval()


def load(folder: Path, folds: set[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The clips of some folds, and which tags each has."""
    waves, tags = [], []
    with (folder / "tags.csv").open(newline="", encoding="utf-8") as listing:
        for line in csv.DictReader(listing):
            if int(line["fold"]) in folds:
                waves.append(soundfile.read(folder / line["file"], dtype="float32")[0])
                tags.append([float(tag in line["tags"].split(";")) for tag in TAGS])
    return torch.from_numpy(np.stack(waves)), torch.tensor(tags)


def varied(wave: torch.Tensor) -> torch.Tensor:
    """Other beginnings, levels and a little noise."""
    shifts = torch.randint(LENGTH, (len(wave),)).tolist()
    wave = torch.stack([w.roll(s) for w, s in zip(wave, shifts, strict=True)])
    wave = wave * 10 ** torch.empty(len(wave), 1).uniform_(-0.4, 0.3)
    return (wave + 0.003 * torch.rand(len(wave), 1) * torch.randn_like(wave)).clamp(-1, 1)


def train(folder: Path, out: Path, epochs: int) -> None:
    torch.manual_seed(0)
    x, y = load(folder, {2, 3, 4})
    x_valid, y_valid = load(folder, {1})
    model = Tagger()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=1e-2)
    steps = epochs * -(-len(x) // 32)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for epoch in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(32):
            loss = F.binary_cross_entropy_with_logits(model.scores(varied(x[rows])), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            found = torch.cat([model(part) for part in x_valid.split(100)]) > 0.5
        print(f"epoch {epoch + 1}: {100 * (found == y_valid).float().mean():.1f} % of the tags")
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/tagger.pt"))
    parser.add_argument("--epochs", type=int, default=8)
    given = parser.parse_args()
    train(given.data, given.out, given.epochs)
