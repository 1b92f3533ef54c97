"""Which targets a generator is asked for, and how often it reaches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from mondegreen.audio import quantize
from mondegreen.board import Board, heard_positions
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.gan.channel_mix import ChannelMix
from mondegreen.generators.generator import Generator
from mondegreen.processes.group import Processes

Measured = dict[str, float]


def draw_targets(label: Tensor, targets: Tensor, random: torch.Generator) -> Tensor:
    """Draw a target for each clip, uniformly from ``targets`` but never the clip's own label.

    Args:
        label: Labels, -1 for a clip without one.
        targets: The targets to choose from, as label indices.
        random: The source of randomness.

    Shape:
        - Input: ``(batch,)``, ``(n,)``
        - Output: ``(batch,)``

    Example:
        >>> draw_targets(torch.tensor([1, 1]), torch.tensor([0, 1]), torch.Generator())
        tensor([0, 0])
    """
    if len(targets) == 1:
        return targets.expand(len(label)).clone()
    index = torch.randint(len(targets), label.shape, generator=random)
    jump = torch.randint(1, len(targets), label.shape, generator=random)
    drawn = targets[index]
    return torch.where(drawn == label, targets[(index + jump) % len(targets)], drawn)


@torch.no_grad()
def validate(
    generator: Generator,
    classifier: Classifier,
    data: ClipDataset,
    targets: Tensor,
    seed: int,
    channels: ChannelMix | None = None,
    batch_size: int = 128,
    processes: Processes | None = None,
) -> Measured:
    """Measure success and SNR on one drawn target a clip, after 16-bit rounding.

    Where there is one target only, its own clips do not count: they are heard as it anyhow.

    The draws are the same at every call, so epochs can be compared.

    Args:
        generator: What is measured.
        classifier: What is attacked.
        data: The clips.
        targets: The targets to draw from, as label indices.
        seed: Of the draws.
        channels: What the generator is trained through.
        batch_size: Clips at once.
        processes: Who shares each batch; by default nobody.

    Returns:
        ``validation/success`` and the mean ``validation/snr_db``. Where there are channels,
        ``validation/direct`` is the success without any, ``validation/channels`` the mean over
        them, and ``validation/success`` weighs both as the training does.
    """
    random = torch.Generator().manual_seed(seed)
    device = next(generator.parameters()).device
    passages = channels.passages(seed) if channels else []
    everyone = processes or Processes()
    hits, clips, snr = [0] * (1 + len(passages)), 0, 0.0
    scale = classifier.normalization
    for x, label in data.batches(batch_size, normalization=scale):
        rows = everyone.share(len(x))
        drawn = draw_targets(label, targets, random)
        counted = (drawn != label)[rows].to(device)
        target = drawn[rows].to(device)
        x = x[rows].to(device)
        if not len(x):
            continue
        x_adv = quantize(x + generator(x, target), scale)
        passed = [replace(passage, before=rows.start) for passage in passages]
        heard = [x_adv, *(passage(x_adv, classifier.sample_rate) for passage in passed)]
        for number, one in enumerate(heard):
            hits[number] += int(((classifier(one).argmax(dim=1) == target) & counted).sum())
        energy = x.square().sum(dim=(1, 2)) + 1e-9
        noise = (x_adv - x).square().sum(dim=(1, 2)) + 1e-9
        snr += float((10.0 * torch.log10(energy / noise))[counted].sum())
        clips += int(counted.sum())
    sums = torch.tensor([*hits, clips, snr], dtype=torch.float64, device=device)
    everyone.sum([sums])
    *counts, total, snr = sums.tolist()
    total = max(total, 1.0)
    rates = [count / total for count in counts]
    measured = {"validation/success": rates[0], "validation/snr_db": snr / total}
    if channels is not None:
        through = sum(rates[1:]) / len(passages)
        measured["validation/success"] += channels.share * (through - rates[0])
        measured |= {"validation/direct": rates[0], "validation/channels": through}
    return measured


@torch.no_grad()
def listen(
    board: Board,
    step: int,
    attack: Callable[[Tensor, Tensor], Tensor],
    classifier: Classifier,
    data: ClipDataset,
    targets: Tensor,
    seed: int,
) -> None:
    """Write a few clips for TensorBoard as a generator perturbs them now, rounded to 16 bits.

    The clips and their targets are the same at every call; nothing else is drawn.

    Args:
        board: Where to write; nothing happens where it writes nothing.
        step: Steps taken.
        attack: Maps waveforms and targets to perturbations.
        classifier: What is attacked.
        data: The clips to choose from.
        targets: The targets to draw from, as label indices.
        seed: Of the draw.
    """
    if not board:
        return
    chosen, scale = heard_positions(len(data)), classifier.normalization
    x, label = data.waveforms(chosen, scale).to(classifier.device), data.labels[chosen]
    target = draw_targets(label, targets, torch.Generator().manual_seed(seed))
    x_adv = quantize(x + attack(x, target.to(x.device)), scale)
    words = classifier.labels
    pairs = zip(label.tolist(), target.tolist(), strict=True)
    names = [f"{words[said]} as {words[wanted]}" for said, wanted in pairs]
    board.sounds(step, x, x_adv - x, names, classifier.sample_rate)
