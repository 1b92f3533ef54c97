"""Readers of files that name other files: ensembles, defended classifiers, goals, lists of clips.

Beside them the results that owners hand around: of defences, hardening and audits, and the entries
of the leaderboard.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from benchmarks.fuzzing.mutations import damage_json
from benchmarks.fuzzing.readers import RATE, Reader, plain_readers, shortened, small_classifier

from mondegreen.attacks.universal import (
    UniversalPerturbation,
    describe_universal,
    load_universal,
    save_universal,
)
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.defended import parse_defence, save_defended
from mondegreen.classifiers.ensemble import Ensemble, save_ensemble
from mondegreen.classifiers.goals_file import read_goals
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.data.tags import read_tags
from mondegreen.report.audit.results import load_audit
from mondegreen.report.defence_results import load_defences
from mondegreen.report.hardening_results import load_hardening
from mondegreen.report.leaderboard.entry import load_entry


def every_reader(results: Path) -> list[Reader]:
    """Return all readers there are.

    Args:
        results: The folder of result files that come with the sources.
    """
    own = [*_classifiers(), *_universals(), *_lists(), *_results(results)]
    return [*plain_readers(results), *own]


def _classifiers() -> list[Reader]:
    def members(folder: Path) -> tuple[list[Classifier], list[Path]]:
        found, places = [], []
        for seed, name in enumerate(("one", "two")):
            config, classifier = small_classifier(seed)
            save_classifier(folder / name, classifier, config)
            found.append(classifier)
            places.append(folder / name)
        return found, places

    def ensemble(folder: Path) -> None:
        found, places = members(folder)
        save_ensemble(folder, Ensemble(found), places)

    def defended(folder: Path) -> None:
        members(folder)
        save_defended(folder, folder / "one", parse_defence("quantize:bits=7+median:samples=5"), 7)

    def load(folder: Path) -> object:
        return load_classifier(folder)

    return [
        Reader("ensemble.json", "ensemble.json", ensemble, load, damage_json),
        Reader("defended.json", "defended.json", defended, load, damage_json),
    ]


def _universals() -> list[Reader]:
    def prepare(folder: Path) -> None:
        _, classifier = small_classifier()
        config = describe_universal(classifier, "perturbation", 20.0)
        save_universal(folder, UniversalPerturbation(config).draw(torch.Generator()))

    def load(folder: Path) -> object:
        return load_universal(folder, small_classifier()[1])

    return [
        Reader("universal.json", "universal.json", prepare, load, damage_json),
        Reader("universal.safetensors", "universal.safetensors", prepare, load),
    ]


def _lists() -> list[Reader]:
    def goals(folder: Path) -> None:
        content = {
            "format": 1,
            "tagger": "runs/tagger",
            "name": "tagger",
            "fingerprint": "0123456789abcdef",
            "goals": ["+rain-dog", "hush=-dog"],
            "thresholds": [0.5, 0.5],
        }
        (folder / "goals.json").write_text(json.dumps(content))

    def tags(folder: Path) -> None:
        for name in ("a", "b"):
            soundfile.write(folder / f"{name}.wav", np.zeros(40), RATE)
        lines = ("file,tags,group,fold", "a.wav,rain;dog,x,1", "b.wav,,y,2")
        (folder / "tags.csv").write_text("\n".join(lines))

    return [
        Reader(
            "goals.json", "goals.json", goals, lambda f: read_goals(f / "goals.json"), damage_json
        ),
        Reader("tags.csv", "tags.csv", tags, read_tags),
    ]


def _results(results: Path) -> list[Reader]:
    def reader(source: str, load: Callable[[Path], Any]) -> Reader:
        name = Path(source).name

        def prepare(folder: Path) -> None:
            content = json.loads((results / source).read_text())
            (folder / name).write_text(json.dumps(shortened(content)))

        return Reader(name, name, prepare, lambda folder: load(folder / name), damage_json)

    return [
        reader("spotter-defences/defences.json", load_defences),
        reader("spotter-hardening/hardening.json", load_hardening),
        reader("audit-ast/audit.json", load_audit),
        reader("../leaderboard/entries/spotter-hardened.json", load_entry),
    ]
