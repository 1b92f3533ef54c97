"""Runs that pages take for granted because another page, or a long night, made them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import torch
from tests.furnished.basics import LABELS

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.loading import save_classifier
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.cli.main import main
from mondegreen.data.speech_commands import TEN_WORDS
from mondegreen.zoo import resolve

SPOTTERS = ("runs/third", "runs/left-out")
WORD_SPOTTERS = tuple(
    f"runs/speech-commands/classifier-{name}"
    for name in ("tc-resnet14", "tc-resnet8", "wide-resnet")
)
GENERATORS = (
    *("runs/speech-commands/limit-2", "runs/speech-commands/unet-yes-code"),
    *("runs/speech-commands/ensemble", "runs/through-channels", "runs/through-defences"),
)
UNIVERSAL = "runs/speech-commands/universal-"


def untrained(place: Path, labels: tuple[str, ...], data: str) -> None:
    """Save a run of a small spotter with fresh weights."""
    config = replace(ClassifierConfig(labels=labels), backbone=TCResNetConfig())
    save_classifier(place, Classifier.from_config(config).freeze(), config)
    (place / "config.json").write_text(json.dumps({"data": {"data": data}}))


def shipped(place: Path, kind: str, classifier: str) -> None:
    """Copy a network of the package to where a page has a run of its own."""
    place.mkdir(parents=True)
    for suffix in ("json", "safetensors"):
        name = f"{kind}.{suffix}"
        shutil.copy(resolve(Path("zoo:speech-commands")) / name, place / name)
    run = {"classifier": classifier, "data": {"data": "speech_commands"}}
    (place / "config.json").write_text(json.dumps(run))


def furnish_runs() -> None:
    """Make all of the runs above in the folder that is worked in."""
    torch.manual_seed(21)
    for name in SPOTTERS:
        untrained(Path(name), LABELS, "clips")
    for name in WORD_SPOTTERS:
        untrained(Path(name), TEN_WORDS, "speech_commands")
    shipped(Path("runs/speech-commands/classifier"), "classifier", "")
    for name in GENERATORS:
        shipped(Path(name), "generator", "runs/speech-commands/classifier")
    retrained = Path("runs/through-defences/config.json")
    met = {"channel": ["smooth:samples=5"]}  # one that met none would be refused
    retrained.write_text(json.dumps(json.loads(retrained.read_text()) | met))
    words = ["train", "universal", "--classifier", "zoo:speech-commands", "--preset", "smoke"]
    words += ["--data", "speech_commands", "--epochs", "1"]
    for kind in ("perturbation", "filter"):
        assert main([*words, "--kind", kind, "--out", UNIVERSAL + kind]) == 0
    shutil.copytree(UNIVERSAL + "perturbation", "runs/universal")
