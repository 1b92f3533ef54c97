"""How robust a classifier is while it learns: a short gradient attack on the validation clips."""

from __future__ import annotations

import torch
from torch import Tensor

from mondegreen.board import Board, heard_positions
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.hardening.ascent import ascend, noise_within
from mondegreen.hardening.config import Hardening
from mondegreen.hardening.method import per_clip_loss
from mondegreen.hardening.norms import under_attack

_START, _STEP = 0.3, 0.5


def robust_accuracy(
    classifier: Classifier,
    data: ClipDataset,
    snr_db: float,
    steps: int,
    seed: int,
    batch_size: int = 128,
) -> float:
    """Return the share of the clips that are still heard rightly under an untargeted attack.

    It only chooses among states: no restarts, and no rounding to 16 bits. The draws are the same at
    every call, so epochs can be compared.

    Args:
        classifier: The classifier.
        data: The clips.
        snr_db: Signal-to-noise ratio of the attack in dB.
        steps: Its gradient steps.
        seed: Of its random starts.
        batch_size: Clips at once.
    """
    random, hits, scale = torch.Generator().manual_seed(seed), 0, classifier.normalization
    with under_attack(classifier), torch.enable_grad():
        for x, label in data.batches(batch_size, normalization=scale):
            x, label = x.to(classifier.device), label.to(classifier.device)
            delta = _attack(classifier, x, label, snr_db, steps, random)
            with torch.no_grad():
                hits += int((classifier(x + delta).argmax(dim=1) == label).sum())
    return hits / len(data)


def listen(
    board: Board, step: int, classifier: Classifier, data: ClipDataset, options: Hardening
) -> None:
    """Write a few clips for TensorBoard, attacked as :func:`robust_accuracy` attacks them.

    The clips and the random starts are the same at every call.

    Args:
        board: Where to write; nothing happens where it writes nothing.
        step: Steps taken.
        classifier: What is attacked.
        data: The clips to choose from.
        options: Strength of the attack, and the seed.
    """
    if not board:
        return
    chosen = heard_positions(len(data))
    x = data.waveforms(chosen, classifier.normalization).to(classifier.device)
    label, random = data.labels[chosen], torch.Generator().manual_seed(options.seed)
    with under_attack(classifier), torch.enable_grad():
        strength = options.select_db, options.select_steps
        delta = _attack(classifier, x, label.to(x.device), *strength, random)
    names = [classifier.labels[said] for said in label.tolist()]
    board.sounds(step, x, delta, names, classifier.sample_rate)


def _attack(
    classifier: Classifier,
    x: Tensor,
    label: Tensor,
    snr_db: float,
    steps: int,
    random: torch.Generator,
) -> Tensor:
    budget = x.new_full((len(x),), snr_db)
    start = noise_within(x, budget, _START, random)
    objective = per_clip_loss(label)
    return ascend(classifier, objective, x, start, budget, steps=steps, step=_STEP)
