"""Does the model that comes with the package hear and fool as it did where it was made?

``python -m mondegreen.doctor.selftest`` writes the expected answers anew.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.classifiers.classifier import predict
from mondegreen.classifiers.loading import load_classifier
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.generators.generator import load_generator
from mondegreen.zoo import resolve

MODEL = "zoo:speech-commands"
TOLERANCE = 0.01
"""Probabilities may differ by so much between processors; wrong weights differ by far more."""

_RATE = 16_000
_CLIPS = 4


def chirps(samples: int) -> Tensor:
    """Return sweeps whose samples a formula tells, so that every machine hears the same.

    Shape:
        - Output: ``(4, 1, samples)``
    """
    time = torch.arange(samples, dtype=torch.float64) / _RATE
    clips = []
    for number in range(_CLIPS):
        low, rise = 150.0 * (number + 1), 400.0 * (number + 1)
        phase = 2.0 * math.pi * (low * time + 0.5 * rise * time.square())
        envelope = torch.exp(-4.0 * (time - 0.4).square() * (number + 1))
        clips.append(0.5 * envelope * torch.sin(phase))
    return torch.stack(clips)[:, None].float()


def answer() -> dict[str, Any]:
    """Return what the model says of the sweeps, and of the clips that its generator makes of them.

    Raises:
        MondegreenError: The model's files are missing or damaged.
    """
    classifier = load_classifier(MODEL)
    generator = load_generator(MODEL, classifier)
    x = chirps(classifier.clip_samples)
    target = torch.arange(_CLIPS) % len(classifier.labels)
    result = GeneratorAttack(generator=generator)(classifier, x, target, budget=generator.budget)
    return {
        "untouched": _rounded(predict(classifier, x)),
        "adversarial": _rounded(predict(classifier, result.x_adv)),
    }


def _rounded(probabilities: Tensor) -> list[list[float]]:
    return [[round(value, 5) for value in row] for row in probabilities.tolist()]


def expected() -> Path:
    """Return the file of the answers that are expected."""
    return resolve(Path(MODEL)) / "selftest.json"


def check_model() -> str | None:
    """Return what is wrong with the model of the package; None where it answers as expected."""
    try:
        wanted, found = read_json(expected()), answer()
        pairs = [(torch.tensor(wanted[name]), torch.tensor(found[name])) for name in found]
    except MondegreenError as error:
        return str(error)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        return f"{expected()} is damaged ({error}); install the package again."
    if any(one.shape != other.shape for one, other in pairs):
        return f"{expected()} is damaged; install the package again."
    worst = max(float((one - other).abs().max()) for one, other in pairs)
    if worst <= TOLERANCE:
        return None
    return (
        f"the probabilities of {MODEL} are off by {worst:.3f}; the weights or PyTorch are not as "
        "they should be. Install the package again."
    )


if __name__ == "__main__":
    write_json(expected(), answer())
