"""A keyword spotter as a stranger would have it: made without Mondegreen, in habits of its own.

A small convolutional network with separable layers (after Zhang et al., "Hello Edge", 2017) on its
own log-mel spectrogram. It hears 8 kHz, takes ``(batch, time)``, has its labels in alphabetical
order and answers with probabilities. Its owner trains it and audits it:

    python benchmarks/strangers/ds_cnn.py --data $MONDEGREEN_DATA/speech_commands
    DS_CNN=runs/ds_cnn.pt mondegreen audit benchmarks/strangers/ds_cnn.py:build \
        --data $MONDEGREEN_DATA/speech_commands --labels down go left no off on right stop up yes \
        --sample-rate 8000 --clip-samples 8000

Only to keep the test speakers out of its training does it ask Mondegreen how speakers are divided.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import nn
from torch.nn import functional as F

WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
RATE = 8_000
BINS, SIZE, HOP = 40, 256, 128


class Separable(nn.Sequential):
    def __init__(self, width: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(width, width, 3, stride, padding=1, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )


class DSCNN(nn.Module):
    """``(batch, time)`` at 8 kHz to probabilities ``(batch, 10)``."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(SIZE))
        self.register_buffer("bank", mel_bank())
        self.net = nn.Sequential(
            nn.Conv2d(1, width, (5, 5), (2, 2), padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            Separable(width),
            Separable(width, stride=2),
            Separable(width),
            Separable(width),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(width, len(WORDS)),
        )

    def features(self, wave: torch.Tensor) -> torch.Tensor:
        spectrum = torch.stft(wave, SIZE, HOP, window=self.window, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        mel = torch.log(self.bank @ power + 1e-5)
        return (mel - mel.mean(dim=(1, 2), keepdim=True))[:, None] / 4.0

    def logits(self, wave: torch.Tensor) -> torch.Tensor:
        return self.net(self.features(wave))

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        return self.logits(wave).softmax(dim=1)


def mel_bank() -> torch.Tensor:
    """Triangles, evenly spaced on the mel scale."""

    def to_mel(hz: np.ndarray) -> np.ndarray:
        return 2595 * np.log10(1 + hz / 700)

    edges = 700 * (
        10 ** (np.linspace(to_mel(np.array(60.0)), to_mel(np.array(3800.0)), BINS + 2) / 2595) - 1
    )
    bins = np.fft.rfftfreq(SIZE, 1 / RATE)
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return torch.from_numpy(np.clip(np.minimum(rise, fall), 0, None)).float()


def build() -> DSCNN:
    """What an audit asks for: the trained model."""
    model = DSCNN()
    state = torch.load(os.environ.get("DS_CNN", "runs/ds_cnn.pt"), weights_only=True)
    model.load_state_dict(state)
    return model.eval()


def load(folder: Path, parts: set[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Every word of the speakers of some parts, at 8 kHz."""
    from mondegreen.data.splits import hash_split

    waves, labels = [], []
    for label, word in enumerate(WORDS):
        for path in sorted((folder / word).iterdir()):
            if hash_split(path.stem.partition("_nohash")[0]) not in parts:
                continue
            x, rate = soundfile.read(path, dtype="float32")
            assert rate == 2 * RATE
            spectrum = np.fft.rfft(np.pad(x, (0, max(0, rate - len(x))))[:rate])
            waves.append(np.fft.irfft(spectrum[: RATE // 2 + 1], RATE).astype(np.float32) / 2)
            labels.append(label)
    return torch.from_numpy(np.stack(waves)), torch.tensor(labels)


def train(folder: Path, out: Path, epochs: int) -> None:
    torch.manual_seed(0)
    x, y = load(folder, {"train"})
    x_valid, y_valid = load(folder, {"validation"})
    model = DSCNN()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=1e-2)
    steps = epochs * -(-len(x) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for epoch in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(64):
            wave = torch.stack(
                [
                    torch.roll(w, int(s))
                    for w, s in zip(x[rows], torch.randint(-800, 801, (len(rows),)), strict=True)
                ]
            )
            wave = wave + 0.01 * torch.rand(len(rows), 1) * torch.randn_like(wave)
            loss = F.cross_entropy(model.logits(wave), y[rows], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            hit = (model(x_valid).argmax(1) == y_valid).float().mean()
        print(f"epoch {epoch + 1}: {100 * float(hit):.1f} % of the validation clips")
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/ds_cnn.pt"))
    parser.add_argument("--epochs", type=int, default=40)
    given = parser.parse_args()
    train(given.data, given.out, given.epochs)
