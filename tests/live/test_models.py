"""The models of a page."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from mondegreen.attacks.linear_filter import LinearFilter
from mondegreen.attacks.universal import (
    UniversalPerturbation,
    describe_universal,
    save_universal,
)
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.loading import save_classifier
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import Generator, describe_classifier, save_generator
from mondegreen.generators.unet import UNetConfig
from mondegreen.live.models import LiveModel, load_model
from mondegreen.zoo import resolve


def test_a_model_says_what_it_is(model: LiveModel) -> None:
    assert model.targets == model.classifier.labels
    assert model.has_dial
    assert model.clip_seconds == 1.024
    assert model.title == "zoo:speech-commands: tc-resnet8-x1.5, 10 labels, 16 kHz"
    far = dataclasses.replace(model, name="/home/somebody/secret/runs/mine")
    assert far.title.startswith("runs/mine: ")


def test_a_run_without_a_dial(tmp_path: Path) -> None:
    config = ClassifierConfig(labels=("no", "yes"))
    classifier = Classifier.from_config(config).freeze()
    save_classifier(tmp_path, classifier, config)
    network = UNetConfig(width=0.1)
    save_generator(tmp_path, Generator(describe_classifier(classifier, network, ("yes",), None)))
    found = load_model("mine", tmp_path, tmp_path)
    assert not found.has_dial and found.targets == ("yes",)
    with pytest.raises(MondegreenError, match="another classifier"):
        load_model("mixed", tmp_path, resolve(Path("zoo:speech-commands")))


def test_universal_attacks_find_their_classifier(model: LiveModel, tmp_path: Path) -> None:
    random = torch.Generator().manual_seed(0)
    config = describe_universal(model.classifier, "perturbation", 20.0)
    save_universal(tmp_path / "own", UniversalPerturbation(config).draw(random))
    filters = describe_universal(model.classifier, "filter", 20.0, taps=8)
    save_universal(tmp_path / "filter", LinearFilter(filters).draw(random))
    foreign = dataclasses.replace(config, classifier_fingerprint="0" * 16)
    save_universal(tmp_path / "foreign", UniversalPerturbation(foreign).draw(random))
    folder = resolve(Path("zoo:speech-commands"))
    runs = [tmp_path / name for name in ("own", "filter", "foreign")]
    assert sorted(load_model("x", folder, folder, runs).universal) == ["filter", "universal"]
    assert load_model("x", folder, folder, runs[2:]).universal == {}
    (tmp_path / "own" / "universal.json").write_text('{"kind": "nonsense"}')
    with pytest.raises(MondegreenError, match="describes no universal"):
        load_model("x", folder, folder, runs)
