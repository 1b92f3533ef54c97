"""One clip attacked in every way, for the paper's Fig. 7."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack, AttackResult
from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.audio import write_wav
from mondegreen.budgets import Budget, parse_budget
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.classifiers.loading import load_classifier
from mondegreen.configs import from_dict
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MissingExtraError
from mondegreen.evaluation.specs import Sources, build_attack, parse_spec
from mondegreen.files import read_json, write_json
from mondegreen.generators.generator import load_generator
from mondegreen.metrics.quality import quality
from mondegreen.metrics.snr import snr_db
from mondegreen.reproduction.scale import Scale
from mondegreen.reproduction.setting import Setting

PAIRS = {"speech": ("on", "go"), "music": ("blues", "rock"), "sounds": ("dog_bark", "rain")}
"""A source and a target each; for speech those of Fig. 7."""


@dataclass(frozen=True)
class _Way:
    name: str
    title: str
    attack: Attack
    budget: Budget | None


def write_examples(out: Path, scale: Scale, setting: Setting) -> Path | None:
    """Attack the first test clip of a label in every way, and write the sounds.

    The clip is the first of its label that the classifier hears rightly. Whether an attack
    succeeded on it plays no part in the choice.

    Args:
        out: The reproduction's folder; the files go into its ``examples/``.
        scale: Names the rival attacks.
        setting: Which classifier and clips.

    Returns:
        ``examples.json``; None where the networks are missing.

    Raises:
        MondegreenError: A file cannot be read or written.
    """
    folder, done = out / setting.key, out / "examples" / "examples.json"
    if done.is_file():
        return done
    if not (folder / "spectral" / "evaluation" / "results.json").is_file():
        return None
    classifier = load_classifier(folder / "classifier")
    source, target = PAIRS[setting.key]
    x = _first_clip(folder / "classifier", classifier, source)
    if x is None:
        return None
    listed = []
    for way in _ways(folder, scale, classifier, target):
        found = way.attack(classifier, x, [target], budget=way.budget)
        files = _write(done.parent, way.name, classifier, x, found)
        about = {"setting": setting.key, "source": source, "target": target}
        measured = _measure(x, found, classifier.sample_rate)
        listed.append({**about, "attack": way.name, "title": way.title, **measured, **files})
    write_json(done, listed)
    return done


def _first_clip(run: Path, classifier: Classifier, source: str) -> Tensor | None:
    options = from_dict(DataOptions, read_json(run / "config.json")["data"], str(run))
    shape = (classifier.labels, classifier.sample_rate, classifier.clip_samples)
    data = open_test_split(options, *shape, "test")
    index = classifier.label_index(source)
    rows = (data.labels == index).nonzero()[:, 0]
    if not len(rows):
        return None
    x = data.waveforms(rows, classifier.normalization)
    right = (predict(classifier, x).argmax(1) == index).nonzero()[:, 0]
    return x[right[:1]] if len(right) else None


def _ways(folder: Path, scale: Scale, classifier: Classifier, target: str) -> Iterator[_Way]:
    """Yield the paper's generator, its rivals, gradient search and this project's generator."""
    gan = load_generator(folder / "all" / "generator", classifier)
    ours = load_generator(folder / "spectral" / "generator", classifier)
    one = folder / f"one-{target}" / "generator"
    if one.is_dir():
        single = GeneratorAttack(generator=load_generator(one, classifier))
        yield _Way("single", f"the paper's generator for “{target}”", single, None)
    yield _Way(
        "unified", "the paper's generator, all targets", GeneratorAttack(generator=gan), None
    )
    titles = {
        "genetic": "genetic attack (Alzantot et al.)",
        "pso": "swarm attack (SirenAttack)",
        "pgd": "gradient search",
    }
    seen = set()
    for text in scale.comparison:
        spec_text, _, limit = text.partition("@")
        kind = spec_text.partition(":")[0]
        if kind not in titles or kind in seen:
            continue
        seen.add(kind)
        attack = build_attack(parse_spec(spec_text), classifier, Sources(None, {}))
        budget = None if limit == "none" else parse_budget(limit)
        yield _Way(kind, titles[kind] + _within(budget), attack, budget)
    budget = ours.budget
    title = "this project's generator" + _within(budget)
    yield _Way("spectral", title, GeneratorAttack(generator=ours), budget)


def _within(budget: Budget | None) -> str:
    """Return a budget as the end of a title."""
    if budget is None:
        return ""
    return f" at {budget.value:g} dB" if budget.kind == "snr" else f", {budget}"


def _measure(x: Tensor, found: AttackResult, sample_rate: int) -> dict[str, Any]:
    ratio = float(snr_db(x, found.x_adv)[0])
    try:
        heard = float(quality(x, found.x_adv, sample_rate, workers=1, stoi=False).pesq_nb[0])
    except MissingExtraError:
        heard = float("nan")
    return {
        "success": bool(found.success[0]),
        "snr_db": ratio if torch.isfinite(torch.tensor(ratio)) else None,
        "pesq_nb": heard if heard == heard else None,
    }


def _write(
    folder: Path, name: str, classifier: Classifier, x: Tensor, found: AttackResult
) -> dict[str, str]:
    files = {}
    for kind, sound in (("original", x), ("adversarial", found.x_adv)):
        path = folder / f"{name}.{kind}.wav"
        write_wav(path, sound[0, 0], classifier.sample_rate, classifier.normalization)
        files[kind] = f"{folder.name}/{path.name}"
    return files
