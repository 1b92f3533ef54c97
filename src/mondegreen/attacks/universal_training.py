"""Training a universal perturbation or filter by gradient, resumable after every epoch."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mondegreen.attacks.linear_filter import LinearFilter
from mondegreen.attacks.universal import (
    Universal,
    UniversalAttack,
    UniversalConfig,
    UniversalPerturbation,
    save_universal,
)
from mondegreen.classifiers.classifier import Classifier, require_gradients
from mondegreen.data.augment import Augment, AugmentConfig, uniform
from mondegreen.data.dataset import ClipDataset
from mondegreen.epochs import Epoch
from mondegreen.errors import MondegreenError
from mondegreen.fitting import Parts
from mondegreen.gan.config import BudgetSchedule
from mondegreen.gan.losses import margin_loss
from mondegreen.gan.validation import draw_targets, listen
from mondegreen.interruption import StopRequest, stop_when_safe
from mondegreen.metrics.snr import snr_db
from mondegreen.progress import progress_bar
from mondegreen.runs import Run
from mondegreen.weights import load_weights


@dataclass(frozen=True)
class UniversalTraining:
    """Hyper-parameters of a universal perturbation's training."""

    epochs: int = 12
    """Passes over the training split."""
    batch_size: int = 64
    """Clips a step."""
    learning_rate: float = 0.05
    """Of Adam, against numbers that begin at 0.1; falls to zero as a cosine."""
    kappa: float = 1.0
    """Margin by which the target should win, in units of the logits."""
    budget: BudgetSchedule = BudgetSchedule()
    """The signal-to-noise ratio that the perturbations are scaled to, tightened step by step."""
    augment: AugmentConfig | None = AugmentConfig(
        speed=0.0, noise_probability=0.0, babble_probability=0.0
    )
    """Changes to the clips; None leaves them as they are."""
    seed: int = 1024
    """Seeds the beginning, the order of the clips, targets and budgets."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be trained with."""
        rate = self.learning_rate
        if self.epochs < 1 or self.batch_size < 1 or not (math.isfinite(rate) and rate > 0.0):
            raise MondegreenError(
                "training: epochs and batch-size must be 1 or more, learning-rate positive."
            )


class UniversalTrainer:
    """Trains one universal perturbation or filter, every target in every batch.

    Margin loss and 0.2 cross-entropy, as for a generator, by Adam.

    Args:
        config: What is trained.
        training: Hyper-parameters.
        classifier: The frozen classifier under attack, on the device to train on.
        splits: Data sets named ``train`` and ``validation``.
        run: Where checkpoints and metrics go.

    Raises:
        MondegreenError: The run's checkpoint belongs to another training.
    """

    def __init__(
        self,
        config: UniversalConfig,
        training: UniversalTraining,
        *,
        classifier: Classifier,
        splits: dict[str, ClipDataset],
        run: Run,
    ) -> None:
        require_gradients(classifier, "training a universal perturbation")
        self.training, self.classifier, self.run = training, classifier, run
        self.train, self.validation = splits["train"], splits["validation"]
        self.universal = build_universal(config).draw(torch.Generator().manual_seed(training.seed))
        self.universal.to(classifier.device)
        self.optimizer = torch.optim.Adam(self.universal.parameters(), training.learning_rate)
        self.augment: Augment | None = None
        if training.augment is not None:
            self.augment = Augment(training.augment, config.sample_rate)
        self.total = training.epochs * -(-len(self.train) // training.batch_size)
        self.epoch, self.step, self.success, self.best_success = 0, 0, 0.0, -1.0
        self._within: dict[str, Any] | None = None
        self._parts = Parts(least=1)
        run.clips = self.train.fingerprint()
        saved = run.load_state()
        if saved is not None:
            self._restore(saved)

    def fit(self) -> float:
        """Train to the end; return the kept checkpoint's success rate on the validation split.

        The best one since the budget is as tight as it will be goes to ``checkpoints/best``.

        Raises:
            MondegreenError: The loss became NaN; the last good state is kept.
        """
        size, scale = self.training.batch_size, self.classifier.normalization
        with progress_bar() as bar, stop_when_safe() as stop:
            task = bar.add_task("training", total=self.total, completed=self.step)
            while self.epoch < self.training.epochs:
                stop.obey()
                epoch = Epoch(self.training.seed, self.epoch, self._within)
                for x, label in epoch.batches(self.train, size, scale):
                    losses = self._step(x, label, epoch)
                    epoch.add(losses)
                    self.run.board.step(self.step, losses, self.optimizer)
                    bar.update(task, advance=1)
                    self._keep(epoch, stop)
                self.epoch, self._within = self.epoch + 1, None
                self._end_epoch(epoch.means(), epoch.seconds)
        load_weights(self.run.best / "universal.safetensors", self.universal)
        return max(self.best_success, 0.0)

    def _keep(self, epoch: Epoch, stop: StopRequest) -> None:
        """Save in the middle of an epoch, where it is time to or somebody wants to stop.

        At an epoch's end it is saved anyhow.
        """
        if epoch.batch < self.total // self.training.epochs and (stop or epoch.due()):
            self._within = epoch.state_dict()
            # Only what was logged before this epoch counts when it is continued.
            self.run.save_state(self._state() | {"logged": self.step - epoch.steps})
            stop.obey()

    def _step(self, x: Tensor, label: Tensor, epoch: Epoch) -> dict[str, float]:
        """Draw targets and budgets, and update what is trained."""
        random = epoch.random
        t, device = self.training, self.classifier.device
        progress = self.step / self.total
        x = x.to(device)
        if self.augment is not None:
            x = self.augment(x, random)
        targets = torch.arange(len(self.classifier.labels))
        target = draw_targets(label, targets, random).to(device)
        wanted = t.budget.at(progress) + uniform(len(x), *t.budget.spread_db, random)
        wanted = wanted.to(device)

        def gradient(parts: list[slice]) -> tuple[float, float]:
            self.optimizer.zero_grad(set_to_none=True)
            value = hits = 0.0
            for part in parts:
                delta = self.universal(x[part], target[part], snr_db=wanted[part])
                logits, aim = self.classifier(x[part] + delta), target[part]
                loss = margin_loss(logits, aim, t.kappa) + 0.2 * F.cross_entropy(logits, aim)
                share = len(aim) / len(target)
                (loss * share).backward()  # type: ignore[no-untyped-call]
                value += share * float(loss.detach())
                hits += share * float((logits.argmax(dim=1) == aim).double().mean())
            return value, hits

        value, hits = self._parts.fit(len(x), gradient)
        if not math.isfinite(value):
            raise MondegreenError(
                f"the loss became {value} in {epoch.describe(self.train, t.batch_size)}. Look at "
                "these clips, or train into another --out with a lower --training.learning-rate; "
                "the last good state is kept."
            )
        for group in self.optimizer.param_groups:
            group["lr"] = t.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))
        self.optimizer.step()
        self.step += 1
        return {"universal/loss": value, "train/success": hits}

    def _end_epoch(self, means: dict[str, float], seconds: float) -> None:
        """Measure, checkpoint and log."""
        start = time.perf_counter()
        success, ratio = validate_universal(
            self.universal, self.classifier, self.validation, self.training.seed
        )
        last = self.epoch == self.training.epochs
        ramped = self.epoch >= self.training.budget.ramp * self.training.epochs
        if (ramped or last) and success > self.best_success:
            self.best_success = success
            save_universal(self.run.best, self.universal)
        save_universal(self.run.latest, self.universal)
        measured = {"validation/success": success, "validation/snr_db": ratio}
        seconds += time.perf_counter() - start
        self.run.log(self.step, {"epoch": self.epoch, **means, **measured, "seconds": seconds})
        targets = torch.arange(len(self.classifier.labels))
        heard = self.classifier, self.validation, targets, self.training.seed
        listen(self.run.board, self.step, self.universal, *heard)
        self.run.save_state(self._state())

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "epoch": self.epoch,
            "classifier": self.universal.config.classifier_fingerprint,
            "universal": self.universal.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best_success": self.best_success,
            "within": self._within,
            "parts": self._parts.count,
        }

    def _restore(self, saved: dict[str, Any]) -> None:
        where = self.run.latest / "state.pt"
        if saved.get("classifier") != self.universal.config.classifier_fingerprint:
            raise MondegreenError(
                f"{where} belongs to a training against another classifier. Choose another --out."
            )
        try:
            self.universal.load_state_dict(saved["universal"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step, self.epoch = saved["step"], saved["epoch"]
            self.best_success = saved["best_success"]
            self._within, self._parts.count = saved.get("within"), int(saved.get("parts", 1))
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise MondegreenError(
                f"{where} does not fit this training. Delete {self.run.folder} to begin again."
            ) from error


def build_universal(config: UniversalConfig) -> Universal:
    """Build what a configuration describes, all numbers zero."""
    if config.kind == "filter":
        return LinearFilter(config)
    return UniversalPerturbation(config)


def validate_universal(
    universal: Universal,
    classifier: Classifier,
    data: ClipDataset,
    seed: int,
    batch_size: int = 128,
) -> tuple[float, float]:
    """Return success rate and mean SNR in dB on one drawn target a clip, within its budget.

    The draw is the same at every call, so epochs can be compared. Clips without a finite ratio
    (silent ones) count in the rate and not in the mean.
    """
    random = torch.Generator().manual_seed(seed)
    attack = UniversalAttack(perturbations=universal)
    targets = torch.arange(len(classifier.labels))
    hits, ratios = 0, []
    for x, label in data.batches(batch_size, normalization=classifier.normalization):
        target = draw_targets(label, targets, random).to(classifier.device)
        result = attack(classifier, x.to(classifier.device), target, budget=universal.budget)
        hits += int(result.success.sum())
        ratios.append(snr_db(result.x, result.x_adv))
    ratio = torch.cat(ratios)
    finite = ratio[torch.isfinite(ratio)].double()
    return hits / len(data), float(finite.mean()) if len(finite) else 0.0
