"""Train two small Hugging Face models on the ten words, as a stranger would hand them over.

One has wav2vec2's architecture and hears the waveform, the other is an audio spectrogram
transformer (AST) on Kaldi's filter bank; both are far smaller than the published ones and start
from random weights. Each is saved with ``save_pretrained`` beside its feature extractor and a
README.txt with the command and its accuracies, clips divided by speaker.

    .venv/bin/python benchmarks/strangers_models.py --data speech_commands --out runs/strangers
    .venv/bin/mondegreen audit runs/strangers/ast --data speech_commands
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTForAudioClassification,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
)

from mondegreen.allocator import keep_memory
from mondegreen.classifiers.huggingface.kaldi_fbank import KaldiFbank, KaldiFbankConfig
from mondegreen.classifiers.huggingface.normalized_waveform import (
    NormalizedWaveform,
    NormalizedWaveformConfig,
)
from mondegreen.data.augment import Augment, AugmentConfig
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.options import DataOptions, Material, open_material

SAMPLE_RATE = 16_000
CLIP = 16_000
FRAMES = 98  # of 25 ms every 10 ms in one second
BANDS = 32


class Model(nn.Module):
    """A front end and the transformer on top of it."""

    def __init__(self, front_end: nn.Module, network: Any, extractor: Any) -> None:
        super().__init__()
        self.front_end = front_end
        self.network = network
        self.extractor = extractor

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.network(self.front_end(x)).logits
        return logits


def label_maps(labels: tuple[str, ...]) -> dict[str, Any]:
    """Return the entries of a configuration that name the labels."""
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
    }


def gabor_filters(count: int, width: int, rate: int) -> Tensor:
    """Return sines and cosines under a Hann window, spaced on the mel scale, ``(count, width)``."""
    mel = torch.linspace(2595 * math.log10(1 + 60 / 700), 2595 * math.log10(1 + 7000 / 700), count)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    time_axis = torch.arange(width) / rate
    phase = (torch.arange(count) % 2)[:, None] * (math.pi / 2)
    waves = torch.cos(2 * math.pi * hertz[:, None] * time_axis + phase)
    bank: Tensor = waves * torch.hann_window(width) * (2 / width**0.5)
    return bank


def wav2vec2(labels: tuple[str, ...], material: Material) -> Model:
    """Build a narrow wav2vec2 whose first layer starts as a bank of band-pass filters."""
    del material
    config = Wav2Vec2Config(
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        conv_dim=(96, 96, 128),
        conv_kernel=(256, 4, 4),
        conv_stride=(80, 2, 2),
        num_feat_extract_layers=3,
        feat_extract_norm="group",
        do_stable_layer_norm=True,
        num_conv_pos_embeddings=15,
        num_conv_pos_embedding_groups=8,
        classifier_proj_size=128,
        hidden_act="gelu",
        hidden_dropout=0.0,
        attention_dropout=0.0,
        feat_proj_dropout=0.1,
        activation_dropout=0.1,
        layerdrop=0.0,
        apply_spec_augment=False,
        **label_maps(labels),
    )
    network = Wav2Vec2ForSequenceClassification(config)
    first = network.wav2vec2.feature_extractor.conv_layers[0].conv
    with torch.no_grad():
        bank = gabor_filters(config.conv_dim[0], config.conv_kernel[0], SAMPLE_RATE)
        first.weight.copy_(bank[:, None])
    extractor = Wav2Vec2FeatureExtractor(sampling_rate=SAMPLE_RATE, return_attention_mask=False)
    return Model(NormalizedWaveform(NormalizedWaveformConfig()), network, extractor)


def ast(labels: tuple[str, ...], material: Material) -> Model:
    """Build a small AST; the features' mean and deviation are those of the training clips.

    A patch spans all bands and 320 ms, so there are few of them: transformers on square patches
    need more clips than there are here.
    """
    raw = KaldiFbank(KaldiFbankConfig(num_mel_bins=BANDS, max_length=FRAMES, do_normalize=False))
    clips = material.splits["train"]
    features = raw(clips.waveforms(torch.arange(0, len(clips), 4)))
    mean, std = float(features.mean()), float(features.std())
    config = ASTConfig(
        hidden_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=256,
        patch_size=BANDS,
        frequency_stride=BANDS,
        time_stride=4,
        num_mel_bins=BANDS,
        max_length=FRAMES,
        hidden_dropout_prob=0.1,
        **label_maps(labels),
    )
    extractor = ASTFeatureExtractor(
        sampling_rate=SAMPLE_RATE, num_mel_bins=BANDS, max_length=FRAMES, mean=mean, std=std
    )
    front_end = KaldiFbank(
        KaldiFbankConfig(num_mel_bins=BANDS, max_length=FRAMES, mean=mean, std=std)
    )
    return Model(front_end, ASTForAudioClassification(config), extractor)


MODELS = {"wav2vec2": wav2vec2, "ast": ast}


def train(
    model: Model, material: Material, epochs: int, rate: float, batch: int, seed: int
) -> None:
    """Train with AdamW: a warm-up over the first tenth, then a cosine down to nothing."""
    clips = material.splits["train"]
    augment = Augment(AugmentConfig(), SAMPLE_RATE, material.noise, material.unlabelled)
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.02)
    total = epochs * (len(clips) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=total, pct_start=0.1
    )
    generator = torch.Generator().manual_seed(seed)
    start = time.process_time()
    for epoch in range(epochs):
        model.train()
        mean = 0.0
        for x, label in clips.epoch(batch, generator, drop_last=True):
            logits = model(augment(x, generator))
            loss = nn.functional.cross_entropy(logits, label, label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            mean += loss.item() / (len(clips) // batch)
        measured = accuracy(model, material.splits["validation"])
        spent = time.process_time() - start
        print(
            f"epoch {epoch + 1}: loss {mean:.3f}, validation {100 * measured:.1f} %, {spent:.0f} s",
            flush=True,
        )


@torch.no_grad()
def accuracy(model: Model, clips: ClipDataset) -> float:
    """Return the share of the clips that are labelled rightly."""
    model.eval()
    hits = sum(int((model(x).argmax(dim=1) == label).sum()) for x, label in clips.batches(128))
    return hits / len(clips)


def save(model: Model, folder: Path, material: Material, seconds: float) -> None:
    """Write the model, its extractor and a README.txt with what was measured."""
    model.network.save_pretrained(folder)
    model.extractor.save_pretrained(folder)
    lines = [
        f"A small {type(model.network).__name__} on the ten words of Speech Commands.",
        f"command: python {shlex.join(sys.argv)}",
        f"training: {seconds:.0f} s of processor time",
        f"weights: {sum(weight.numel() for weight in model.network.parameters())}",
    ]
    for name, clips in material.splits.items():
        share = 100 * accuracy(model, clips)
        lines.append(f"{name}: {share:.2f} % of {len(clips)} clips, {len(clips.groups)} speakers")
    text = "\n".join(lines) + "\n"
    (folder / "README.txt").write_text(text, encoding="utf-8")
    print(text, flush=True)


def main() -> None:
    """Train the models that were asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the ten words")
    parser.add_argument("--noise", type=Path, help="folder of long noise recordings")
    parser.add_argument("--out", type=Path, default=Path("runs/strangers"))
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--limit", type=int, help="for a trial: clips of each label")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    keep_memory()
    data = DataOptions(data=options.data, noise=options.noise, limit=options.limit)
    material = open_material(data, None, SAMPLE_RATE, CLIP)
    for name in options.models:
        torch.manual_seed(options.seed)
        model = MODELS[name](material.corpus.labels, material)
        start = time.process_time()
        train(model, material, options.epochs, options.rate, options.batch, options.seed)
        save(model, options.out / name, material, time.process_time() - start)


if __name__ == "__main__":
    main()
