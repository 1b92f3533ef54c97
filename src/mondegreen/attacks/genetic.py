"""Genetic search (Alzantot et al. 2018, https://arxiv.org/abs/1801.00554), many clips at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.black_box import BlackBoxAttack, check_at_least, check_positive
from mondegreen.attacks.draws import Draws
from mondegreen.attacks.scores import Fitness, Scores
from mondegreen.attacks.step_budget import PUBLISHED_STEPS
from mondegreen.errors import MondegreenError
from mondegreen.progress import task

_LARGEST = 16_383  # steps; the sum of two is an int16
_LANES = 64  # samples that one word of random bits serves four times over
_INERTIA, _RATE = 0.9, 1e-3  # of the mutation momentum, as published
_MOST = 10.0  # times the mutation probability that momentum leads to at most


@dataclass
class _Population:
    """Individuals of the clips that are still attacked.

    Shape:
        - rows, chance, best: ``(clips,)``
        - people: ``(clips, population, padded time)``, int16
        - fitness: ``(clips, population)``
    """

    rows: Tensor
    people: Tensor
    fitness: Tensor
    chance: Tensor
    """Probability that a sample mutates."""

    def keep(self, going: Tensor) -> None:
        """Let the clips go that are done."""
        if not bool(going.all()):
            self.rows, self.people = self.rows[going], self.people[going]
            self.fitness, self.chance = self.fitness[going], self.chance[going]


class GeneticAttack(BlackBoxAttack):
    """Breed perturbations by the classifier's probabilities (Alzantot et al. 2018).

    An individual is a perturbation in whole steps of 16 bits. The fittest of a generation live on;
    the others are children. Both parents of a child are drawn by a softmax of the fitness, each
    sample comes from one of them, and then a few samples have noise added, uniform over the bound.

    Bounds: without a budget, the eight least significant bits of each sample as published, read as
    ``|delta| <= 255 / 32768``; the published code bounds nothing. :class:`~mondegreen.budgets.Linf`
    takes the place of these. Under a Euclidean budget the individuals are those eight bits, and
    each is scaled to the bound, up or down: so the few samples that differ in the first generations
    are as loud as the budget lets them be.

    Args:
        population: Individuals of a clip.
        elite: How many live on unchanged; they are not asked about again.
        iterations: Generations at most, the first one included.
        temperature: Of the softmax that draws the parents; smaller prefers the fittest more.
        mutation: Probability that a sample of a child mutates.
        noise: How far a mutation moves a sample at most, as a share of the bound.
        start: Probability that a sample differs from the clip in the first generation; None takes
            ``mutation``, as published.
        fitness: ``probability`` of the target, as published, or the ``margin`` of the logarithms,
            which still tells two individuals apart where both probabilities are next to zero.
        momentum: Adapt the probability of mutations to the progress (Taori et al. 2019,
            https://arxiv.org/abs/1805.07820): after each generation whose best individual changed
            it becomes 0.9 of itself plus 0.001 over the change of the logarithm of the fitness, at
            most ten times ``mutation``.
        queries: Upper limit of the queries of each clip.
        seed: Of everything that is drawn; each clip has a stream of its own.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: A setting is out of range.
    """

    def __init__(
        self,
        *,
        population: int = 20,
        elite: int = 2,
        iterations: int = 500,
        temperature: float = 0.01,
        mutation: float = 5e-4,
        noise: float = 1.0,
        start: float | None = None,
        fitness: Fitness = "probability",
        momentum: bool = False,
        queries: int | None = None,
        seed: int = 1024,
        untargeted: bool = False,
    ) -> None:
        super().__init__(queries=queries, seed=seed, fitness=fitness, untargeted=untargeted)
        check_at_least(1, self.name, population=population, iterations=iterations)
        if not 0 <= elite < population:
            raise MondegreenError(
                f"genetic: elite is {elite}; choose 0 to {population - 1}, fewer than population."
            )
        check_positive(self.name, temperature=temperature, noise=noise)
        for name, chance in (("mutation", mutation), ("start", start)):
            if chance is not None and not 0.0 < chance <= 1.0:
                raise MondegreenError(
                    f"genetic: {name} is {chance}; choose a probability above 0, up to 1."
                )
        self.population, self.elite, self.iterations = population, elite, iterations
        self.temperature, self.mutation, self.noise = temperature, mutation, noise
        self.start, self.momentum = start, momentum

    @property
    def name(self) -> str:
        """``genetic``."""
        return "genetic"

    @property
    def width(self) -> int:
        """The population."""
        return self.population

    def parameters(self) -> dict[str, Any]:
        """Return the settings of the search."""
        names = ("population", "elite", "iterations", "temperature", "mutation", "noise", "start")
        own = {name: getattr(self, name) for name in (*names, "momentum")}
        return own | super().parameters()

    def explore(self, scores: Scores, draws: Draws, rows: Tensor) -> None:
        """Let generation follow generation."""
        padded = -(-scores.time // _LANES) * _LANES
        people = torch.zeros(
            len(rows), self.population, padded, dtype=torch.int16, device=rows.device
        )
        chance = torch.full((len(rows),), self.mutation, dtype=torch.float64, device=rows.device)
        first = chance if self.start is None else torch.full_like(chance, self.start)
        self._mutate(people, first, scores, draws, rows)
        now = _Population(rows, people, self._ask(scores, rows, people), chance)
        with task(self.name, self.iterations - 1) as step:
            for _ in range(self.iterations - 1):
                now.keep(scores.going(now.rows))
                if not len(now.rows):
                    break
                self._next(now, scores, draws)
                step()

    def _ask(self, scores: Scores, rows: Tensor, people: Tensor) -> Tensor:
        found = scores(rows, people[:, :, : scores.time], fill=True)
        return scores.fitness(rows, found, self.fitness)

    def _next(self, now: _Population, scores: Scores, draws: Draws) -> None:
        """Replace a generation by its elite and its children."""
        order = now.fitness.argsort(dim=1, descending=True, stable=True)[:, : self.elite]
        lucky = now.fitness.gather(1, order)
        before = now.fitness.amax(dim=1)
        children = self._children(now, draws)
        self._mutate(children, now.chance, scores, draws, now.rows)
        fitness = self._ask(scores, now.rows, children)
        elite = now.people[torch.arange(len(order), device=order.device)[:, None], order]
        # The limit of the queries may cut the last generation short; nothing follows it.
        now.fitness = torch.cat([lucky, fitness], dim=1)
        now.people = torch.cat([elite, children[:, : fitness.shape[1]]], dim=1)
        if self.momentum:
            self._adapt(now, before)

    def _children(self, now: _Population, draws: Draws) -> Tensor:
        """Return children of parents that are drawn by their fitness, as yet without mutations."""
        clips, size, time = now.people.shape
        count = size - self.elite
        # Relative to the fittest, so that nothing overflows and the fittest never underflows.
        share = (now.fitness / self.temperature).softmax(dim=1).cumsum(dim=1)
        drawn = draws.uniform(now.rows, 2 * count) * share[:, -1:]
        parents = torch.searchsorted(share, drawn).clamp_(max=size - 1)
        parents += torch.arange(clips, device=parents.device)[:, None] * size
        people = now.people.view(-1, time)
        child = people.index_select(0, parents[:, :count].flatten())
        other = people.index_select(0, parents[:, count:].flatten())
        # Each bit of 16 becomes the sign of one sample, and a sign spread over 16 bits a mask.
        bits = draws.halves(now.rows, count, time // 16).view(-1, 1, time // 16)
        mask = bits << torch.arange(16, dtype=torch.int16, device=bits.device)[:, None]
        mask >>= 15
        child ^= other
        child &= mask.view(-1, time)
        child ^= other
        return child.view(clips, count, time)

    def _mutate(
        self, people: Tensor, chance: Tensor, scores: Scores, draws: Draws, rows: Tensor
    ) -> None:
        """Add noise to a few samples of each individual, in place, within the bound."""
        if scores.room.euclidean:
            bound = torch.full_like(scores.room.bound[rows], PUBLISHED_STEPS)
        else:
            bound = scores.room.bound[rows].clamp_max(_LARGEST)
        places = _places(draws, rows, chance, people.shape[1], scores.time)
        reach = (self.noise * bound.double()).round_().clamp_(1.0, _LARGEST)[:, None, None]
        noise = (draws.uniform(rows, *places.shape[1:]) * (2 * reach + 1)).floor_() - reach
        noise.masked_fill_(places >= scores.time, 0.0)
        places = places.clamp_(max=scores.time - 1).transpose(1, 2)
        people.scatter_add_(2, places, noise.to(torch.int16).transpose(1, 2))
        limit = bound.to(torch.int16)[:, None, None]
        torch.minimum(people, limit, out=people)
        torch.maximum(people, -limit, out=people)

    def _adapt(self, now: _Population, before: Tensor) -> None:
        """Change the probability of mutations where the best individual changed."""
        after = now.fitness.amax(dim=1)
        if self.fitness == "probability":
            before, after = before.clamp_min(1e-30).log(), after.clamp_min(1e-30).log()
        change = (after - before).abs()
        chance = _INERTIA * now.chance + _RATE / change.clamp_min(1e-12)
        most = min(1.0, _MOST * self.mutation)
        now.chance = torch.where(change > 0.0, chance.clamp_max(most), now.chance)


def _places(draws: Draws, rows: Tensor, chance: Tensor, count: int, time: int) -> Tensor:
    """Draw which samples mutate, each with the probability ``chance`` and on its own.

    From one to the next it is a geometric number of samples, so only those that mutate are drawn.

    Shape:
        - rows, chance: ``(clips,)``
        - Output: ``(clips, enough, count)``; places from ``time`` on stand for none
    """
    mean = float(chance.max()) * time
    enough = min(time, math.ceil(mean + 8.0 * math.sqrt(mean) + 8.0))
    spread = torch.log1p(-chance.clamp_max(1.0 - 1e-12))[:, None, None]
    gaps = (draws.uniform(rows, enough, count).log_() / spread).floor_() + 1.0
    return gaps.cumsum_(dim=1).clamp_(max=time + 1.0).long() - 1
