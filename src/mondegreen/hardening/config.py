"""Hyper-parameters of adversarial training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from mondegreen.data.augment import AugmentConfig
from mondegreen.errors import MondegreenError

MethodKind = Literal["generator", "refined", "pgd", "trades", "fast"]
"""Who attacks the classifier while it learns; see :func:`mondegreen.hardening.methods.build`."""

Norms = Literal["mixed", "frozen", "separate"]
"""What batch norms count while the classifier learns; see :mod:`mondegreen.hardening.norms`."""

TargetRule = Literal["random", "confusing"]
"""Which wrong label the generator aims at."""

DEFAULT_STEPS = {"generator": 0, "refined": 1, "pgd": 3, "trades": 3, "fast": 1}

_LEAST = (
    ("epochs", 1),
    ("batch_size", 2),
    ("generator_every", 1),
    ("select_steps", 1),
    ("weight_decay", 0),
    ("max_loss", 0),
    ("patience", 0),
    ("seed", 0),
)


@dataclass(frozen=True)
class Hardening:
    """Who attacks, how strongly, and how the classifier learns from it."""

    method: MethodKind = "pgd"
    """pgd: gradient steps from a random start (Madry et al. 2018); fast: a single long one (Wong et
    al. 2020); trades: as pgd, and the answers shall agree (Zhang et al. 2019); generator: one that
    is trained in turns with the classifier; refined: its proposal and one gradient step."""
    epochs: int = 20
    """Passes over the training split."""
    minutes: float | None = None
    """Choose the number of epochs, after the first one, so that the training takes about so long on
    this machine; in place of --epochs."""
    batch_size: int = 64
    """Clips a step; each is heard untouched and attacked."""
    snr_db: tuple[float, float] = (25.0, 33.0)
    """Range of the signal-to-noise ratio of the attacks, drawn for each clip."""
    share: float = 0.5
    """Weight w of the attacked clips in the loss: (1 - w) clean + w attacked. trades has beta."""
    beta: float = 4.0
    """Weight of the divergence between the answers before and after the attack (trades)."""
    steps: int | None = None
    """Gradient steps of the inner attack; by default 1 (refined, fast) or 3 (pgd, trades)."""
    step: float | None = None
    """Length of the first gradient step as a share of the budget; they become shorter. By default
    1 for fast, otherwise 0.5."""
    targets: TargetRule = "random"
    """What the generator aims at: a random wrong label, or the one that the classifier confuses the
    clip with most."""
    generator_every: int = 2
    """The generator learns in every so many steps; in the others it only attacks."""
    generator_learning_rate: float = 5e-4
    """Of the generator's AdamW."""
    norms: Norms = "mixed"
    """Batch norm: mixed (clean and attacked clips in one batch), frozen (the statistics stay those
    of the ordinary training), or separate (one batch each)."""
    learning_rate: float = 2e-3
    """Peak of AdamW's; it rises in the first epoch and falls as a cosine."""
    weight_decay: float = 1e-2
    """Decoupled weight decay."""
    label_smoothing: float = 0.05
    """Probability mass spread over the other labels."""
    average: float = 0.99
    """Decay of a moving average of the weights, which is what is measured and kept; 0 turns it
    off."""
    max_loss: float = 3.0
    """How many points of clean accuracy on validation clips may be lost; the most robust state
    within that is kept."""
    select_db: float = 30.0
    """Signal-to-noise ratio of the attack on the validation clips that decides which state is the
    most robust."""
    select_steps: int = 10
    """Gradient steps of that attack."""
    patience: int = 0
    """Stop when no state was kept for so many epochs; 0 never stops early."""
    augment: AugmentConfig = AugmentConfig()
    """Changes to the training clips."""
    seed: int = 1024
    """Seeds the order of the clips, the augmentation and the attacks."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be trained with."""
        for name, known in (("method", MethodKind), ("norms", Norms), ("targets", TargetRule)):
            if getattr(self, name) not in get_args(known):
                words = ", ".join(get_args(known))
                raise _wrong(f"{name} is {getattr(self, name)!r}; choose one of {words}.")
        for name in ("learning_rate", "generator_learning_rate", "beta", "step", "minutes"):
            value = getattr(self, name)
            if value is not None and not (value > 0.0 and math.isfinite(value)):
                raise _wrong(f"{name.replace('_', '-')} is {value}; choose a positive number.")
        for name, least in _LEAST:
            if getattr(self, name) < least:
                option = name.replace("_", "-")
                raise _wrong(f"{option} is {getattr(self, name):g}; choose {least} or more.")
        for name in ("average", "label_smoothing"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise _wrong(f"{name.replace('_', '-')} must lie in 0 <= v < 1.")
        self._check_attack()

    def _check_attack(self) -> None:
        low, high = self.snr_db
        if not (-100.0 <= low <= high <= 100.0):
            raise _wrong(f"snr-db is {low:g} {high:g}; give the lower end first, within ±100 dB.")
        if not 0.0 <= self.share <= 1.0:
            raise _wrong(f"share is {self.share:g}; choose from 0 to 1.")
        if self.inner_steps < (self.method != "generator"):
            raise _wrong(f"steps is {self.steps}; {self.method} takes 1 or more.")
        if self.seed >= 2**32:
            raise _wrong("seed must lie in 0 .. 4294967295.")

    @property
    def inner_steps(self) -> int:
        """Gradient steps of the inner attack."""
        return DEFAULT_STEPS[self.method] if self.steps is None else self.steps

    @property
    def inner_step(self) -> float:
        """Length of the first of them, as a share of the budget."""
        if self.step is not None:
            return self.step
        return 1.0 if self.method == "fast" else 0.5

    @property
    def needs_generator(self) -> bool:
        """Whether the method attacks by a generator."""
        return self.method in ("generator", "refined")


def _wrong(text: str) -> MondegreenError:
    return MondegreenError(f"hardening: {text}")
