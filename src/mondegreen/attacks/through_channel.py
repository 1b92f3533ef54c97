"""Gradient search through what lies between attacker and classifier."""

from __future__ import annotations

from torch import Tensor

from mondegreen.attacks.draws import Draws
from mondegreen.attacks.plan import Loss
from mondegreen.attacks.search import Search
from mondegreen.budgets import Budget
from mondegreen.channels import Channel, Streams
from mondegreen.classifiers.classifier import Classifier


class ChannelSearch(Search):
    """A search whose every answer is the mean over several draws of a channel.

    Expectation over transformation (Athalye et al. 2018, https://arxiv.org/abs/1707.07397, eq. 3):
    losses, margins and so gradients are averaged over draws, new ones at each step. A clip counts
    as finished when the mean margin over its draws is large enough.

    Args:
        classifier: The frozen classifier.
        x: Waveforms on the 16-bit grid, ``(batch, 1, time)``.
        target: Wanted labels, ``(batch,)``.
        budget: What every perturbation keeps.
        delta: Where to start, ``(batch, 1, time)``; projected first.
        kappa: Mean margin, in units of the logits, that ends the search of a clip.
        channel: What the clips pass before they are heard.
        draws: How often for each answer.
        seed: Of the draws, which are each clip's own.
        untargeted: Whether ``target`` holds labels to get away from.
    """

    def __init__(
        self,
        classifier: Classifier,
        x: Tensor,
        target: Tensor,
        budget: Budget,
        delta: Tensor,
        kappa: float,
        *,
        channel: Channel,
        draws: int,
        seed: int,
        untargeted: bool = False,
    ) -> None:
        self.channel, self.answers = channel, draws
        self._draws = Draws(seed, x, target, classifier.normalization)
        super().__init__(classifier, x, target, budget, delta, kappa, untargeted=untargeted)

    def _ask(self, rows: Tensor, x: Tensor) -> Tensor:
        """Return logits, ``(rows, draws, labels)``."""
        self.queries[rows] += self.answers
        seeds = self._draws.below(2**32, rows, self.answers).flatten().tolist()
        repeated = x.repeat_interleave(self.answers, dim=0)
        streams = Streams(seeds if self.channel.random else ())
        heard = self.channel.through(repeated, self.classifier.sample_rate, streams)
        logits: Tensor = self.classifier(heard)
        return logits.view(len(rows), self.answers, -1)

    def _margins(self, logits: Tensor, target: Tensor) -> Tensor:
        each = super()._margins(logits.flatten(0, 1), target.repeat_interleave(self.answers))
        return each.view(-1, self.answers).mean(dim=1)

    def _lack(self, logits: Tensor, target: Tensor, loss: Loss) -> Tensor:
        each = super()._lack(logits.flatten(0, 1), target.repeat_interleave(self.answers), loss)
        mean: Tensor = each.view(-1, self.answers).mean(dim=1)
        return mean
