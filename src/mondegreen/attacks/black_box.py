"""What attacks that hear only probabilities have in common."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, get_args

import torch
from torch import Tensor

from mondegreen.attacks.attack import AttackResult, Found, SearchingAttack
from mondegreen.attacks.draws import Draws
from mondegreen.attacks.scores import Fitness, ScoreFunction, Scores
from mondegreen.audio import Normalization, quantize
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError

_AT_ONCE = 512  # candidates that exist at the same time


def check_at_least(least: int, attack: str, **settings: int) -> None:
    """Refuse counts that are too small.

    Raises:
        MondegreenError: One is below ``least``.
    """
    for name, value in settings.items():
        if value < least:
            raise MondegreenError(f"{attack}: {name} is {value}; choose {least} or more.")


def check_positive(attack: str, **settings: float) -> None:
    """Refuse numbers that are zero, negative, infinite or NaN.

    Raises:
        MondegreenError: One is.
    """
    for name, value in settings.items():
        if not (math.isfinite(value) and value > 0.0):
            raise MondegreenError(f"{attack}: {name} is {value}; choose a positive number.")


class BlackBoxAttack(SearchingAttack):
    """An attack that is given probabilities only, never the classifier.

    A clip costs one query to begin with, of the clip itself. One that is heard as wanted already is
    left as it is, and one whose budget leaves no step of 16 bits costs nothing. What is returned is
    the best candidate that was asked about.

    Args:
        queries: Upper limit of the queries of each clip; None leaves it to the other settings.
        fitness: What the search climbs.
        seed: Of what is drawn; each clip has a stream of its own, whatever is beside it.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: ``queries`` is below 1, or ``fitness`` unknown.
    """

    def __init__(
        self, *, queries: int | None, seed: int, fitness: Fitness, untargeted: bool
    ) -> None:
        if queries is not None:
            check_at_least(1, self.name, queries=queries)
        if fitness not in get_args(Fitness):
            known = " or ".join(get_args(Fitness))
            raise MondegreenError(f"{self.name}: fitness is {fitness!r}; choose {known}.")
        self.queries, self.seed, self.untargeted = queries, seed, untargeted
        self.fitness: Fitness = fitness

    @property
    @abstractmethod
    def width(self) -> int:
        """How many candidates of a clip exist at the same time."""

    @abstractmethod
    def explore(self, scores: Scores, draws: Draws, rows: Tensor) -> None:
        """Ask about candidates until every clip is heard as wanted, or the attack gives up.

        Args:
            scores: What is asked; it keeps the best candidates.
            draws: The clips' random numbers.
            rows: Which clips of ``scores`` to attack, ``(rows,)``.
        """

    def parameters(self) -> dict[str, Any]:
        """Return what all of these attacks have in common."""
        return {name: getattr(self, name) for name in ("fitness", "queries", "seed", "untargeted")}

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        """Return the best perturbations and the queries spent on each clip."""

        def probabilities(waveforms: Tensor) -> Tensor:
            logits: Tensor = classifier(waveforms)
            return logits.double().softmax(dim=1)

        parts = self._attack(probabilities, x, target, budget, classifier.normalization)
        x_adv = torch.cat([part.x_adv for part in parts])
        return Found(x_adv - x, None, torch.cat([part.queries for part in parts]))

    def against(
        self,
        function: ScoreFunction,
        x: Tensor,
        target: Tensor | Sequence[int],
        *,
        budget: Budget | None,
        normalization: Normalization = "pcm",
    ) -> AttackResult:
        """Attack whatever answers with probabilities.

        Args:
            function: Maps waveforms ``(batch, 1, time)``, on the 16-bit grid, to probabilities
                ``(batch, labels)``, as a tensor or an array.
            x: Waveforms in [-1, 1].
            target: Indices of the wanted labels; for an untargeted attack of those to get away
                from.
            budget: How large the perturbation may be; None leaves the eight least significant bits
                of each sample.
            normalization: How 16-bit PCM becomes a float for the function.

        Shape:
            - x: ``(batch, 1, time)``
            - target: ``(batch,)``

        Returns:
            The result, whose ``logits`` are the logarithms of the probabilities. The queries are
            all that the function was asked: also the one of a clip that cannot be perturbed.

        Raises:
            MondegreenError: ``x`` and ``target`` do not fit each other, or the function returns no
                probabilities.
        """
        target = torch.as_tensor(target, dtype=torch.int64, device=x.device)
        if x.ndim != 3 or x.shape[1] != 1 or target.shape != (len(x),) or bool((target < 0).any()):
            raise MondegreenError(
                f"{self.name}: waveforms of shape {tuple(x.shape)} and targets of shape "
                f"{tuple(target.shape)}; give (batch, 1, time) and a label's index for each."
            )
        x = quantize(x, normalization)
        parts = self._attack(function, x, target, budget, normalization)
        for part in parts:
            unheard = torch.nonzero(part.queries == 0).flatten()
            part(unheard, torch.zeros(len(unheard), 1, part.time, device=x.device))
        return AttackResult(
            x,
            torch.cat([part.x_adv for part in parts]),
            torch.cat([part.probabilities.clamp_min(1e-300).log().float() for part in parts]),
            torch.cat([part.heard for part in parts]),
            None,
            torch.cat([part.queries for part in parts]),
        )

    def _attack(
        self,
        function: ScoreFunction,
        x: Tensor,
        target: Tensor,
        budget: Budget | None,
        normalization: Normalization,
    ) -> list[Scores]:
        """Attack so many clips at a time that their candidates fit into memory."""
        parts = []
        clips = max(1, _AT_ONCE // self.width)
        for some, wanted in zip(torch.split(x, clips), torch.split(target, clips), strict=True):
            scores = Scores(
                function,
                some,
                wanted,
                budget,
                normalization=normalization,
                untargeted=self.untargeted,
                queries=self.queries,
            )
            rows = torch.nonzero(scores.room.possible).flatten()
            scores(rows, torch.zeros(len(rows), 1, scores.time, device=x.device))
            draws = Draws(self.seed, some, wanted, normalization)
            rows = rows[scores.going(rows)]
            if len(rows):
                self.explore(scores, draws, rows)
            parts.append(scores)
        return parts
