"""Which targets a generator is asked for, and how often it reaches them."""

from __future__ import annotations

import torch
from torch import Tensor

from mondegreen.audio import quantize
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.generators.generator import Generator


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
    batch_size: int = 128,
) -> tuple[float, float]:
    """Return success rate and mean SNR in dB on one drawn target a clip, after 16-bit rounding.

    The draw is the same at every call, so epochs can be compared.
    """
    random = torch.Generator().manual_seed(seed)
    device = next(generator.parameters()).device
    hits, clips, snr = 0, 0, 0.0
    scale = classifier.normalization
    for x, label in data.batches(batch_size, normalization=scale):
        target = draw_targets(label, targets, random).to(device)
        x = x.to(device)
        x_adv = quantize(x + generator(x, target), scale)
        hits += int((classifier(x_adv).argmax(dim=1) == target).sum())
        energy = x.square().sum(dim=(1, 2)) + 1e-9
        noise = (x_adv - x).square().sum(dim=(1, 2)) + 1e-9
        snr += float((10.0 * torch.log10(energy / noise)).sum())
        clips += len(x)
    return hits / clips, snr / clips
