"""Random search by bursts of tones: the Square attack for waveforms, many clips at a time.

Andriushchenko et al. 2020, https://arxiv.org/abs/1912.00049.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.black_box import BlackBoxAttack, check_positive
from mondegreen.attacks.draws import Draws
from mondegreen.attacks.scores import Fitness, Scores
from mondegreen.errors import MondegreenError
from mondegreen.progress import task

_LOWEST, _HIGHEST = 1 / 256, 1 / 2  # frequencies of the tones, in cycles a sample


class SquareAttack(BlackBoxAttack):
    """Add tones to random stretches of a clip, and keep what helps (Andriushchenko et al. 2020).

    One query a step: a burst of a tone is added to the perturbation at a random place, the sum is
    brought back onto the bound, and it is kept if the target gained on the best other label. In
    images the attack recolours random squares. The like of it in a waveform, a stretch of samples
    moved by the same amount, is a pressure that no mel filter hears; a tone of random frequency
    (62 Hz to 8 kHz at 16 kHz, evenly in octaves) and phase takes its place.

    Chosen on validation speakers of Speech Commands against the keyword spotter
    ``zoo:speech-commands``: the tones, the length of the stretches and ``size``.

    Args:
        share: Length of a stretch, as a share of the clip.
        size: How large a burst is. Under a Euclidean budget, its norm as a share of the bound;
            otherwise its amplitude in units of the bound, where the sum is then clipped. None
            takes 0.2 and 2.
        fitness: What has to rise: the ``margin`` between the logarithms of the probabilities, or
            the target's ``probability``.
        queries: Upper limit of the queries of each clip.
        seed: Of everything that is drawn; each clip has a stream of its own.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: A setting is out of range.
    """

    def __init__(
        self,
        *,
        share: float = 0.1,
        size: float | None = None,
        fitness: Fitness = "margin",
        queries: int = 5000,
        seed: int = 1024,
        untargeted: bool = False,
    ) -> None:
        super().__init__(queries=queries, seed=seed, fitness=fitness, untargeted=untargeted)
        if not 0.0 < share <= 1.0:
            raise MondegreenError(f"square: share is {share}; choose above 0, up to 1.")
        if size is not None:
            check_positive(self.name, size=size)
        self.share, self.size, self.limit = share, size, queries

    @property
    def name(self) -> str:
        """``square``."""
        return "square"

    @property
    def width(self) -> int:
        """The perturbation, and what may follow it."""
        return 2

    def parameters(self) -> dict[str, Any]:
        """Return the settings of the search."""
        return {"share": self.share, "size": self.size} | super().parameters()

    def explore(self, scores: Scores, draws: Draws, rows: Tensor) -> None:
        """Try one burst after the other."""
        delta = torch.zeros(len(rows), scores.time, device=rows.device)
        best = scores.fitness(rows, scores.probabilities[rows, None], self.fitness)[:, 0]
        with task(self.name, self.limit) as step:
            for _ in range(self.limit):
                going = scores.going(rows)
                if not bool(going.all()):
                    rows, delta, best = rows[going], delta[going], best[going]
                if not len(rows):
                    break
                tried = self._burst(scores, draws, rows, delta)
                found = scores(rows, tried[:, None], fill=True)
                fitness = scores.fitness(rows, found, self.fitness)[:, 0]
                better = torch.nonzero(fitness > best).flatten()
                delta[better] = _onto_bound(scores, rows[better], tried[better])
                best[better] = fitness[better]
                step()

    def _burst(self, scores: Scores, draws: Draws, rows: Tensor, delta: Tensor) -> Tensor:
        """Return perturbations with a burst added to each, not yet within the bound."""
        room = scores.room
        length = max(1, round(self.share * scores.time))
        place, pitch, phase = draws.uniform(rows, 3).unbind(dim=1)
        begin = (place * (scores.time - length + 1)).long()
        cycles = _LOWEST * (_HIGHEST / _LOWEST) ** pitch
        count = torch.arange(length, device=rows.device)
        angle = 2.0 * math.pi * (cycles[:, None] * count + phase[:, None]).remainder(1.0)
        burst = angle.float().sin()
        bound = room.bound[rows, None]
        if room.euclidean:
            burst *= (math.pi * (count + 0.5) / length).sin()
            norm = torch.linalg.vector_norm(burst, dim=1, keepdim=True).clamp_min(1e-9)
            burst *= (self.size or 0.2) * bound / norm
        else:
            burst *= (self.size or 2.0) * bound
        return delta.scatter_add(1, begin[:, None] + count, burst)


def _onto_bound(scores: Scores, rows: Tensor, delta: Tensor) -> Tensor:
    """Scale perturbations onto a Euclidean bound, or clip them to a maximum."""
    bound = scores.room.bound[rows, None]
    if scores.room.euclidean:
        norm = torch.linalg.vector_norm(delta, dim=1, keepdim=True).clamp_min(1e-9)
        scaled: Tensor = delta * (bound / norm)
        return scaled
    return torch.minimum(torch.maximum(delta, -bound), bound)
