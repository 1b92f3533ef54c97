"""The snippets of the page on one's own classifier run, with models that stand where it says."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import soundfile
import torch

import blocks
import mondegreen
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig, save_classifier
from mondegreen.cli import main
from mondegreen.errors import MissingExtraError
from mondegreen.generators.generator import Generator, describe_classifier, save_generator
from mondegreen.generators.spectral import SpectralConfig


def _without_extras(*_: object) -> NoReturn:
    raise MissingExtraError("pesq", "quality")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the snippets expect: two runs, clips and a recording."""
    monkeypatch.chdir(tmp_path)
    # Timing repeats every attack, and PESQ takes long over noise: both are tested elsewhere.
    monkeypatch.setattr("mondegreen.evaluation.evaluate.milliseconds", lambda *_, **__: 1.0)
    monkeypatch.setattr("mondegreen.evaluation.results.quality", _without_extras)
    monkeypatch.setenv("MONDEGREEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MONDEGREEN_ALLOWED", str(tmp_path / "allowed"))
    torch.manual_seed(20)
    config = ClassifierConfig(labels=("no", "yes"))
    classifier = Classifier.from_config(config).freeze()
    save_classifier(Path("runs/spotter"), classifier, config)
    network = SpectralConfig(width=8, blocks=1)
    generator = Generator(describe_classifier(classifier, network, (), 20.0))
    save_generator(Path("runs/generator"), generator)
    rng = np.random.default_rng(20)
    soundfile.write("hello.wav", rng.uniform(-0.5, 0.5, 12_000), 16_000)
    for label in classifier.labels:
        Path("clips", label).mkdir(parents=True)
        for speaker in range(30):
            noise = rng.uniform(-0.5, 0.5, 16_000)
            soundfile.write(f"clips/{label}/s{speaker}_nohash_0.wav", noise, 16_000)
    return tmp_path


def test_the_snippets_on_classifiers_run(workplace: Path) -> None:
    page = blocks.ROOT / "docs" / "classifiers.md"
    snippets = [one.code for one in blocks.blocks(page) if one.language == "python"]
    Path("my_model.py").write_text(snippets[0])
    for code in snippets:
        exec(code, {})
    words = ["adopt", "my_model.py:build", "--labels", "no", "yes", "--sample-rate", "16000"]
    assert main.main([*words, "--data", "clips", "--out", "runs/mine"]) == 0
    assert mondegreen.load_classifier("runs/mine").differentiable
