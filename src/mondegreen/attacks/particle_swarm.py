"""Particle swarm search: SirenAttack (Du et al. 2019, https://arxiv.org/abs/1901.07846)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.black_box import BlackBoxAttack, check_at_least, check_positive
from mondegreen.attacks.draws import Draws
from mondegreen.attacks.scores import Fitness, Scores
from mondegreen.errors import MondegreenError
from mondegreen.progress import task

_LANES = 8  # samples that one word of random bits serves
_PEAK = 4.0  # times the root mean square of a Euclidean bound: how far one sample may lie


@dataclass
class _Swarm:
    """Particles of the clips that are still attacked, in steps of 16 bits.

    Shape:
        - rows: ``(clips,)``
        - position, velocity, own: ``(clips, particles, padded time)``
        - fitness: ``(clips, particles)``
    """

    rows: Tensor
    position: Tensor
    velocity: Tensor
    own: Tensor
    """The best position of each particle."""
    fitness: Tensor
    """Of these."""

    def keep(self, going: Tensor) -> None:
        """Let the clips go that are done."""
        if not bool(going.all()):
            for field in fields(self):
                setattr(self, field.name, getattr(self, field.name)[going])

    def best(self) -> tuple[Tensor, Tensor]:
        """Return each clip's best position, ``(clips, 1, padded time)``, and its fitness."""
        fitness, which = self.fitness.max(dim=1, keepdim=True)
        index = which[:, :, None].expand(-1, -1, self.own.shape[2])
        return self.own.gather(1, index), fitness


class ParticleSwarm(BlackBoxAttack):
    """Let a swarm of perturbations fly towards the best ones (SirenAttack, Du et al. 2019).

    A particle is a perturbation. At each iteration its velocity becomes a share of what it was (the
    inertia, falling over an epoch), plus pulls towards the particle's own best position and towards
    the best of the swarm, each sample with random weights of its own. After an epoch the best
    position is carried over, and the other particles are drawn anew.

    Positions stay within the bound: within ``±limit`` under a maximum norm (without a budget, the
    eight least significant bits of each sample, ``|delta| <= 255 / 32768``), within the ball under
    a Euclidean one. They are rounded only where the classifier hears them.

    Args:
        particles: Perturbations of a clip.
        epochs: How often the swarm starts anew, the first time included.
        iterations: Queries of each particle in an epoch.
        own: Weight of the pull towards a particle's own best position, c1.
        swarm: Weight of the pull towards the best one of the swarm, c2.
        inertia: Share of the velocity that is kept at the start of an epoch.
        final_inertia: And at its end.
        velocity: Largest velocity, as a share of the distance between the bounds of a sample.
        fitness: The target's ``probability``, or the ``margin`` of the logarithms.
        queries: Upper limit of the queries of each clip; the published limits are 225,000.
        seed: Of everything that is drawn; each clip has a stream of its own.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: A setting is out of range.
    """

    def __init__(
        self,
        *,
        particles: int = 25,
        epochs: int = 300,
        iterations: int = 30,
        own: float = 1.4961,
        swarm: float = 1.4961,
        inertia: float = 0.9,
        final_inertia: float = 0.1,
        velocity: float = 1.0,
        fitness: Fitness = "probability",
        queries: int | None = None,
        seed: int = 1024,
        untargeted: bool = False,
    ) -> None:
        super().__init__(queries=queries, seed=seed, fitness=fitness, untargeted=untargeted)
        check_at_least(1, self.name, epochs=epochs, iterations=iterations)
        check_at_least(2, self.name, particles=particles)
        check_positive(self.name, own=own, swarm=swarm, velocity=velocity)
        for name, value in (("inertia", inertia), ("final_inertia", final_inertia)):
            if not 0.0 <= value <= 1.0:
                raise MondegreenError(f"particle-swarm: {name} is {value}; choose from 0 to 1.")
        self.particles, self.epochs, self.iterations = particles, epochs, iterations
        self.own, self.swarm, self.velocity = own, swarm, velocity
        self.inertia, self.final_inertia = inertia, final_inertia

    @property
    def name(self) -> str:
        """``particle-swarm``."""
        return "particle-swarm"

    @property
    def width(self) -> int:
        """Positions, velocities and best positions."""
        return 3 * self.particles

    def parameters(self) -> dict[str, Any]:
        """Return the settings of the search."""
        names = ("particles", "epochs", "iterations", "own", "swarm", "inertia", "final_inertia")
        own = {name: getattr(self, name) for name in (*names, "velocity")}
        return own | super().parameters()

    def explore(self, scores: Scores, draws: Draws, rows: Tensor) -> None:
        """Let epoch follow epoch."""
        swarm = self._drawn(scores, draws, rows)
        swarm.fitness = self._ask(scores, rows, swarm.position)
        with task(self.name, self.epochs) as step:
            for epoch in range(self.epochs):
                if epoch:
                    swarm = self._renewed(swarm, scores, draws)
                for number in range(1, self.iterations):
                    swarm.keep(scores.going(swarm.rows))
                    if not len(swarm.rows):
                        return
                    self._move(swarm, number, scores, draws)
                swarm.keep(scores.going(swarm.rows))
                if not len(swarm.rows):
                    return
                step()

    def _ask(self, scores: Scores, rows: Tensor, position: Tensor) -> Tensor:
        """Return the fitness of positions, -inf of those that the limit of the queries cut off."""
        found = scores(rows, position[:, :, : scores.time])
        fitness = scores.fitness(rows, found, self.fitness)
        missing = position.shape[1] - fitness.shape[1]
        return torch.nn.functional.pad(fitness, (0, missing), value=-torch.inf)

    def _drawn(self, scores: Scores, draws: Draws, rows: Tensor) -> _Swarm:
        """Return particles at rest, spread evenly within the bounds of each sample."""
        padded = -(-scores.time // _LANES) * _LANES
        position = draws.halves(rows, self.particles, padded).float()
        position *= _reach(scores, rows) / 32_768.0
        position[:, :, scores.time :] = 0.0
        _bound(scores, rows, position)
        unknown = torch.full(position.shape[:2], -torch.inf, dtype=torch.float64)
        return _Swarm(
            rows,
            position,
            torch.zeros_like(position),
            position.clone(),
            unknown.to(position.device),
        )

    def _renewed(self, swarm: _Swarm, scores: Scores, draws: Draws) -> _Swarm:
        """Return a new swarm whose first particle is the best one of the last."""
        best, fitness = swarm.best()
        renewed = self._drawn(scores, draws, swarm.rows)
        renewed.position[:, :1], renewed.own[:, :1] = best, best
        asked = self._ask(scores, swarm.rows, renewed.position[:, 1:])
        renewed.fitness = torch.cat([fitness, asked], dim=1)
        return renewed

    def _move(self, swarm: _Swarm, number: int, scores: Scores, draws: Draws) -> None:
        """Move every particle once and remember its best position."""
        gone = (number - 1) / max(1, self.iterations - 2)
        inertia = self.inertia + (self.final_inertia - self.inertia) * gone
        rows, position, velocity = swarm.rows, swarm.position, swarm.velocity
        velocity *= inertia
        for weight, goal in ((self.own, swarm.own), (self.swarm, swarm.best()[0])):
            # The weights are (byte + 128.5) / 256, spread evenly over 0 to 1.
            pull = goal - position
            velocity.addcmul_(draws.bytes(rows, *pull.shape[1:]), pull, value=weight / 256.0)
            velocity.add_(pull, alpha=weight * 128.5 / 256.0)
        fastest = 2.0 * self.velocity * _reach(scores, rows)
        torch.minimum(torch.maximum(velocity, -fastest, out=velocity), fastest, out=velocity)
        position += velocity
        _bound(scores, rows, position)
        fitness = self._ask(scores, rows, position)
        better = fitness > swarm.fitness
        swarm.own[better] = position[better]
        swarm.fitness[better] = fitness[better]


def _reach(scores: Scores, rows: Tensor) -> Tensor:
    """Return how far a sample may lie from the clip, ``(rows, 1, 1)``."""
    bound = scores.room.bound[rows, None, None]
    return bound * (_PEAK / scores.time**0.5) if scores.room.euclidean else bound


def _bound(scores: Scores, rows: Tensor, position: Tensor) -> None:
    """Bring positions back within the bound, in place."""
    bound = scores.room.bound[rows, None, None]
    if scores.room.euclidean:
        norm = torch.linalg.vector_norm(position, dim=2, keepdim=True)
        position *= (bound / norm.clamp_min(1e-9)).clamp_max(1.0)
    else:
        torch.minimum(torch.maximum(position, -bound, out=position), bound, out=position)
