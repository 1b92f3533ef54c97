"""What each step of a generator's training is given: clips, targets, budgets, a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mondegreen.audio import Normalization
from mondegreen.data.augment import Augment, uniform
from mondegreen.data.dataset import ClipDataset
from mondegreen.epochs import Epoch
from mondegreen.errors import MondegreenError
from mondegreen.gan.channel_mix import ChannelMix, Passage
from mondegreen.gan.config import GeneratorTraining
from mondegreen.gan.validation import draw_targets
from mondegreen.processes.group import Processes

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class Batch:
    """Clips and what is asked of each."""

    x: Tensor
    """Waveforms, ``(batch, 1, time)``."""
    target: Tensor
    """Labels to reach, ``(batch,)``."""
    snr_db: Tensor | None = None
    """A budget for each clip, ``(batch,)``; None where there is none."""
    quietness: Tensor | None = None
    """How quiet each clip is asked to be, ``(batch,)``; None where that is not learned."""
    passage: Passage | None = None
    """What lies between the clips and the classifier."""
    whole: int = 0
    """Clips of the batch that these are a share of; 0 where they are all."""

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.x)

    @property
    def size(self) -> int:
        """Clips of the whole batch, of which other processes may hold the rest."""
        return self.whole or len(self)

    def to(self, fabric: Fabric) -> Batch:
        """Return the batch on the device of the training."""
        x, target = fabric.to_device(self.x), fabric.to_device(self.target)
        snr_db, quiet = (
            None if one is None else fabric.to_device(one) for one in (self.snr_db, self.quietness)
        )
        return replace(self, x=x, target=target, snr_db=snr_db, quietness=quiet)

    def of_share(self, rows: slice) -> Batch:
        """Return the batch with what is asked of the clips at ``rows``, which ``x`` holds alone."""
        snr_db, quiet = (
            None if one is None else one[rows] for one in (self.snr_db, self.quietness)
        )
        return replace(self, target=self.target[rows], snr_db=snr_db, quietness=quiet)

    def part(self, rows: slice) -> Batch:
        """Return some of the clips."""
        return replace(self.of_share(rows), x=self.x[rows])


class Batches:
    """Draws the batches of a training.

    Args:
        training: Sizes and the schedule of the budget.
        data: The labelled clips to attack.
        unlabelled: Clips without a label, as additional input.
        augment: Changes to the clips before they are attacked.
        channels: What lies between the generator and the classifier.
        targets: The labels to reach, as indices.
        quiet: Whether the network learns quietness.
        normalization: How the classifier's PCM becomes a float.
        processes: Who shares each batch; by default nobody.
        device: Where the clips are changed.

    Raises:
        MondegreenError: There are fewer than two clips.
    """

    def __init__(
        self,
        training: GeneratorTraining,
        data: ClipDataset,
        *,
        unlabelled: ClipDataset | None,
        augment: Augment | None,
        channels: ChannelMix | None,
        targets: Tensor,
        quiet: bool,
        normalization: Normalization,
        processes: Processes | None = None,
        device: torch.device | None = None,
    ) -> None:
        if len(data) < 2:
            raise MondegreenError("there are fewer than two clips to train a generator on.")
        self.training, self.data, self.quiet = training, data, quiet
        self.unlabelled = unlabelled if training.unlabelled_share > 0 else None
        self.augment, self.channels, self.targets = augment, channels, targets
        self.normalization: Normalization = normalization
        self.processes, self.device = processes or Processes(), device or torch.device("cpu")
        self.labelled_size = training.batch_size
        if self.unlabelled is not None:
            extra = round(training.batch_size * training.unlabelled_share)
            self.labelled_size = max(1, training.batch_size - extra)

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return -(-len(self.data) // self.labelled_size)

    def draw(self, epoch: Epoch, progress: Callable[[], float]) -> Iterator[Batch]:
        """Yield this process's share of the batches that are left of an epoch.

        All random numbers are drawn for the whole batch, so that they do not depend on how many
        processes share it.

        Args:
            epoch: Which, and where in it.
            progress: Tells which share of the training is done, from 0 to 1.
        """
        random, scale = epoch.random, self.normalization
        for x, label in epoch.batches(self.data, self.labelled_size, scale):
            label = label.clone()
            if self.unlabelled is not None:
                extra = self.training.batch_size - self.labelled_size
                more = self.unlabelled.sample(extra, random, normalization=scale)[0]
                x, label = torch.cat([x, more]), torch.cat([label, label.new_full((extra,), -1)])
            size = len(x)
            if size < max(2, self.processes.count):
                continue  # batch normalisation needs two clips, and every process one
            rows, x = self.processes.begin(size), x.to(self.device)
            x = x[rows] if self.augment is None else self.augment(x, random, rows)
            target = draw_targets(label, self.targets, random)
            snr_db = self._budget(size, progress(), random)
            quietness = self._quietness(size, random)
            passage = self.channels.draw(random) if self.channels else None
            if passage is not None:
                passage = replace(passage, before=rows.start)
            whole = Batch(x, target, snr_db, quietness, passage, whole=size)
            yield whole if len(x) == size else whole.of_share(rows)

    def describe(self, epoch: Epoch) -> str:
        """Name the batch at work, for an error message."""
        return epoch.describe(self.data, self.labelled_size)

    def _budget(self, size: int, progress: float, random: torch.Generator) -> Tensor | None:
        """Draw each clip's budget around the schedule's."""
        schedule = self.training.budget
        if schedule is None:
            return None
        return schedule.at(progress) + uniform(size, *schedule.spread_db, random)

    def _quietness(self, size: int, random: torch.Generator) -> Tensor | None:
        """Draw how quiet each clip is asked to be."""
        if not self.quiet:
            return None
        asked = torch.rand(size, generator=random) < self.training.quiet_share
        return asked * uniform(size, 0.0, 1.0, random)
