"""Targeted adversarial audio: make a classifier mishear on demand, and measure it honestly."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mondegreen.attacks.attack import Attack, AttackResult
    from mondegreen.attacks.generator import GeneratorAttack
    from mondegreen.attacks.recording import attack_recording
    from mondegreen.audio import read_audio, write_wav
    from mondegreen.budgets import L2, SNR, Budget, Linf, parse_budget
    from mondegreen.channels import Channel, parse_channel
    from mondegreen.classifiers.classifier import Classifier
    from mondegreen.classifiers.huggingface import from_huggingface
    from mondegreen.classifiers.loading import load_classifier
    from mondegreen.errors import MondegreenError
    from mondegreen.evaluation.evaluate import Evaluation, evaluate
    from mondegreen.generators.generator import Generator, load_generator
    from mondegreen.shortcuts import open_clips, train_generator

__version__ = "0.1.0"

__all__ = [
    "L2",
    "SNR",
    "Attack",
    "AttackResult",
    "Budget",
    "Channel",
    "Classifier",
    "Evaluation",
    "Generator",
    "GeneratorAttack",
    "Linf",
    "MondegreenError",
    "attack_recording",
    "evaluate",
    "from_huggingface",
    "load_classifier",
    "load_generator",
    "open_clips",
    "parse_budget",
    "parse_channel",
    "read_audio",
    "train_generator",
    "write_wav",
]

_HOMES = {
    "attacks.attack": ("Attack", "AttackResult"),
    "attacks.generator": ("GeneratorAttack",),
    "attacks.recording": ("attack_recording",),
    "audio": ("read_audio", "write_wav"),
    "budgets": ("SNR", "Budget", "L2", "Linf", "parse_budget"),
    "channels": ("Channel", "parse_channel"),
    "classifiers.classifier": ("Classifier",),
    "classifiers.huggingface": ("from_huggingface",),
    "classifiers.loading": ("load_classifier",),
    "errors": ("MondegreenError",),
    "evaluation.evaluate": ("Evaluation", "evaluate"),
    "generators.generator": ("Generator", "load_generator"),
    "shortcuts": ("open_clips", "train_generator"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: torch takes seconds, ``--help`` should not."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"mondegreen.{home}"), name)
    raise AttributeError(f"module 'mondegreen' has no attribute {name!r}")
