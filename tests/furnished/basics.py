"""A folder with what most pages take for granted: a recording, clips, and a run of each kind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile
import torch

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.loading import save_classifier
from mondegreen.generators.generator import Generator, describe_classifier, save_generator
from mondegreen.generators.spectral import SpectralConfig

AT_HAND = {"clips", "hello.wav", "lecture.wav", "runs/spotter", "runs/second", "runs/generator"}
LABELS = ("no", "yes")


SMALL = SpectralConfig(width=8, blocks=1, dial=True)


def furnish(root: Path, network: SpectralConfig = SMALL) -> None:
    """Make all of ``AT_HAND`` in a folder, with untrained networks; the generator's is given."""
    torch.manual_seed(20)
    config = ClassifierConfig(labels=LABELS)
    classifier = Classifier.from_config(config).freeze()
    generator = Generator(describe_classifier(classifier, network, (), 20.0))
    rng = np.random.default_rng(20)
    for name, samples in (("hello", 12_000), ("lecture", 48_000)):
        soundfile.write(root / f"{name}.wav", rng.uniform(-0.5, 0.5, samples), 16_000)
    for label in LABELS:
        (root / "clips" / label).mkdir(parents=True)
        for speaker in range(30):
            noise = rng.uniform(-0.5, 0.5, 16_000)
            soundfile.write(root / f"clips/{label}/s{speaker}_nohash_0.wav", noise, 16_000)
    save_classifier(root / "runs/spotter", classifier, config)
    save_classifier(root / "runs/second", Classifier.from_config(config).freeze(), config)
    save_generator(root / "runs/generator", generator)
    for name in ("spotter", "second", "generator"):
        run = {"classifier": "runs/spotter", "data": {"data": "clips"}}
        (root / "runs" / name / "config.json").write_text(json.dumps(run))
