"""Hyper-parameters of a generator's training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mondegreen.data.augment import AugmentConfig
from mondegreen.errors import MondegreenError
from mondegreen.gan.adversary import AnyDiscriminatorConfig
from mondegreen.gan.discriminator import DiscriminatorConfig
from mondegreen.gan.losses import AdversarialForm, L2Reading, LossWeights


@dataclass(frozen=True)
class BudgetSchedule:
    """The signal-to-noise ratio that training projects onto, tightened step by step."""

    final_db: float = 20.0
    """The budget that the generator is trained for, in dB."""
    start_db: float = 5.0
    """The budget of the first step, looser than the final one."""
    ramp: float = 0.5
    """Share of the training over which the budget tightens linearly."""
    spread_db: tuple[float, float] = (-2.0, 2.0)
    """Each clip's budget differs from the schedule by a random number from this range."""

    def __post_init__(self) -> None:
        """Refuse schedules that go nowhere."""
        if not 0.0 <= self.ramp <= 1.0 or self.spread_db[0] > self.spread_db[1]:
            raise MondegreenError("budget: ramp must lie in 0..1 and spread-db be (low, high).")

    def at(self, progress: float) -> float:
        """Return the budget in dB after a share ``progress`` of the training."""
        share = min(1.0, progress / self.ramp) if self.ramp else 1.0
        return self.start_db + (self.final_db - self.start_db) * share


@dataclass(frozen=True)
class GeneratorTraining:
    """Algorithm 1, its losses (eq. 5 to 10) and its optimiser; the defaults are the paper's."""

    epochs: int = 50
    """Passes over the training split at most (M)."""
    warm_up_epochs: int = 3
    """Passes in which the classifier takes no part (N)."""
    batch_size: int = 64
    """Clips a step (m)."""
    weights: LossWeights = LossWeights()
    """Weights of the generator's losses, eq. 5."""
    classifier_loss: Literal["cross-entropy", "margin"] = "cross-entropy"
    """Eq. 6, or the margin max(0, best other logit - target logit + kappa) + 0.2 cross-entropy."""
    kappa: float = 1.0
    """Margin by which the target should win, in units of the logits."""
    adversarial_form: AdversarialForm = "least-squares"
    """Form of eq. 7 and 10."""
    hinge_bound: float = 0.0
    """c of eq. 8."""
    l2_reading: L2Reading = "paper"
    """Eq. 9 as printed (a norm), or as in the authors' code (a mean absolute value)."""
    discriminator: AnyDiscriminatorConfig | None = DiscriminatorConfig()
    """The discriminator; None trains without (alpha has no effect then)."""
    budget: BudgetSchedule | None = None
    """Project onto a budget inside of the training; None: the losses alone limit the size."""
    hearing_model: Literal["loudness", "masking"] = "loudness"
    """What weights.hearing counts: points of PESQ lost, by PESQ's model of loudness, or the mean
    excess over the masking threshold of ISO 11172-3 in dB."""
    distill_steps: int = 3
    """Gradients of the search that weights.distill learns from."""
    quiet_share: float = 0.5
    """Share of the clips that are asked to be quiet, by a random number from 0 to 1; the others by
    0. Only for networks with a dial."""
    optimizer: Literal["adam", "adamw"] = "adam"
    """Adam, or AdamW with weight decay 0.01."""
    learning_rate: float = 2e-4
    """Of the generator."""
    discriminator_learning_rate: float = 2e-4
    """Of the discriminator, whose optimiser is always Adam."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's moments."""
    schedule: Literal["constant", "cosine"] = "constant"
    """The learning rate over the whole training; cosine begins with 50 steps of warm-up."""
    gradient_clip: float = 0.0
    """Largest norm of the generator's gradient; 0 leaves it."""
    ema: float = 0.0
    """Decay of a moving average of the weights, which is what is kept; 0 turns it off."""
    patience: int = 5
    """Stop when the success rate has not changed within so many epochs; 0 never stops early."""
    tolerance: float = 0.005
    """What counts as a change of the success rate."""
    unlabelled_share: float = 0.0
    """Share of each batch drawn from unlabelled clips, where there are any."""
    augment: AugmentConfig | None = None
    """Changes to the clips before they are attacked; None leaves them as they are."""
    seed: int = 1024
    """Seeds weights, order, targets and budgets."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be trained with."""
        if self.epochs < 1 or self.batch_size < 2 or self.learning_rate <= 0:
            raise MondegreenError(
                "training: epochs must be 1 or more, batch-size 2 or more, learning-rate positive."
            )
        if not 0.0 <= self.ema < 1.0 or not 0.0 <= self.unlabelled_share < 1.0:
            raise MondegreenError("training: ema and unlabelled-share must lie in 0 <= v < 1.")
        if self.distill_steps < 1:
            raise MondegreenError(
                f"training: distill-steps is {self.distill_steps}; choose 1 or more."
            )
        if self.weights.distill > 0.0 and self.budget is None:
            raise MondegreenError(
                "training: weights.distill needs a budget to search within; set training.budget, "
                "or weights.distill to 0."
            )
        if not 0.0 <= self.quiet_share <= 1.0:
            raise MondegreenError("training: quiet-share must lie in 0..1.")
        if not all(0.0 <= beta < 1.0 for beta in self.betas) or not 0 <= self.seed < 2**32:
            raise MondegreenError("training: betas must lie in 0 <= v < 1, seed in 0 <= v < 2^32.")
        counts = (self.gradient_clip, self.patience, self.tolerance, self.warm_up_epochs)
        if self.discriminator_learning_rate <= 0 or min(counts) < 0:
            raise MondegreenError(
                "training: discriminator-learning-rate must be positive, and gradient-clip, "
                "patience, tolerance and warm-up-epochs 0 or more."
            )
