"""Training a classifier, resumable after every epoch."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mondegreen.classifiers.classifier import (
    Classifier,
    ClassifierConfig,
    load_classifier,
    save_classifier,
)
from mondegreen.data.augment import Augment, AugmentConfig
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.progress import progress_bar
from mondegreen.runs import Run

if TYPE_CHECKING:
    from lightning_fabric import Fabric  # slow to import, and only trainings need it


@dataclass(frozen=True)
class ClassifierTraining:
    """Hyper-parameters of a classifier's training."""

    epochs: int = 40
    """Passes over the training split."""
    batch_size: int = 64
    """Clips a step."""
    learning_rate: float = 4e-3
    """Peak of the one-cycle schedule of AdamW."""
    weight_decay: float = 1e-2
    """Decoupled weight decay."""
    label_smoothing: float = 0.05
    """Probability mass spread over the other labels."""
    augment: AugmentConfig = AugmentConfig()
    """Changes to the training clips."""
    seed: int = 1024
    """Seeds the weights, the order of the clips and the augmentation."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be trained with."""
        if self.epochs < 1 or self.batch_size < 1:
            raise MondegreenError("training: epochs and batch-size must be 1 or more.")
        if not (self.learning_rate > 0.0 and math.isfinite(self.learning_rate)):
            raise MondegreenError("training: learning-rate must be a positive number.")
        if not (self.weight_decay >= 0.0 and 0.0 <= self.label_smoothing < 1.0):
            raise MondegreenError(
                "training: weight-decay must be 0 or more and label-smoothing in 0 <= v < 1."
            )
        if not 0 <= self.seed < 2**32:
            raise MondegreenError("training: seed must lie in 0 .. 4294967295.")


@dataclass
class _State:
    """What changes while a classifier trains."""

    classifier: Classifier
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    epoch: int = 0
    best_accuracy: float = -1.0


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Return the random generator of one epoch, so that a resumed run repeats it exactly.

    The global generator, which dropout draws from, is seeded alike.
    """
    torch.manual_seed(seed * 100_003 + epoch)
    return torch.Generator().manual_seed(seed * 100_003 + epoch)


@torch.no_grad()
def accuracy(classifier: Classifier, data: ClipDataset, batch_size: int = 256) -> float:
    """Return the share of the clips that the classifier labels correctly, in evaluation mode.

    Raises:
        MondegreenError: Logits are NaN or infinite.
    """
    training = classifier.training
    classifier.eval()
    hits = 0
    for x, label in data.batches(batch_size, normalization=classifier.normalization):
        logits = classifier(x.to(classifier.device)).cpu()
        if not torch.isfinite(logits).all():
            raise MondegreenError(
                f"{classifier.name}: the logits of some clips are NaN or infinite, so its training "
                "went astray. Lower --training.learning-rate."
            )
        hits += int((logits.argmax(dim=1) == label).sum())
    classifier.train(training)
    return hits / len(data)


def train_classifier(
    config: ClassifierConfig,
    training: ClassifierTraining,
    splits: dict[str, ClipDataset],
    augment: Augment,
    run: Run,
    fabric: Fabric,
) -> Classifier:
    """Train a classifier, or continue where ``run`` left off, and return the best one, frozen.

    After each epoch the state goes to ``checkpoints/latest``; the weights with the best validation
    accuracy go to ``checkpoints/best``.

    Args:
        config: The network.
        training: Hyper-parameters.
        splits: Data sets named ``train`` and ``validation``.
        augment: Changes to training clips.
        run: Where checkpoints and metrics go.
        fabric: Device and precision.

    Raises:
        MondegreenError: The loss became NaN, or the run cannot be written.
    """
    train = splits["train"]
    torch.manual_seed(training.seed)
    classifier = Classifier.from_config(config)
    fabric.to_device(classifier)
    state = _new_state(classifier, training, steps=-(-len(train) // training.batch_size))
    _restore(state, run)
    with progress_bar() as bar:
        task = bar.add_task("training classifier", total=training.epochs, completed=state.epoch)
        while state.epoch < training.epochs:
            start = time.perf_counter()
            loss = _train_epoch(state, training, train, augment, fabric)
            state.epoch += 1
            measured = accuracy(classifier, splits["validation"])
            if measured > state.best_accuracy:
                state.best_accuracy = measured
                save_classifier(run.best, classifier, config)
            save_classifier(run.latest, classifier, config)
            # Logged first: resuming drops a line without its checkpoint, but writes none anew.
            seconds = time.perf_counter() - start
            row: dict[str, float | None] = {
                "classifier/loss": loss,
                "validation/accuracy": measured,
                "seconds": seconds,
            }
            run.log(state.epoch, row)
            _checkpoint(state, run)
            text = f"training classifier (validation {100 * measured:.1f} %)"
            bar.update(task, advance=1, description=text)
    return load_classifier(run.folder)


def _new_state(classifier: Classifier, training: ClassifierTraining, steps: int) -> _State:
    optimizer = torch.optim.AdamW(
        classifier.parameters(), training.learning_rate, weight_decay=training.weight_decay
    )
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.learning_rate, total_steps=max(2, steps * training.epochs)
    )
    return _State(classifier, optimizer, scheduler)


def _restore(state: _State, run: Run) -> None:
    saved = run.load_state()
    if saved is None:
        return
    try:
        state.classifier.module.load_state_dict(saved["classifier"])
        state.optimizer.load_state_dict(saved["optimizer"])
        state.scheduler.load_state_dict(saved["scheduler"])
        state.epoch, state.best_accuracy = saved["step"], saved["best_accuracy"]
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise MondegreenError(
            f"{run.latest / 'state.pt'} does not fit this training. Delete {run.folder} to begin "
            "again."
        ) from error


def _checkpoint(state: _State, run: Run) -> None:
    run.save_state(
        {
            "step": state.epoch,
            "classifier": state.classifier.module.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "scheduler": state.scheduler.state_dict(),
            "best_accuracy": state.best_accuracy,
        }
    )


def _train_epoch(
    state: _State,
    training: ClassifierTraining,
    data: ClipDataset,
    augment: Augment,
    fabric: Fabric,
) -> float:
    """Train for one pass over ``data`` and return the mean loss."""
    generator = epoch_generator(training.seed, state.epoch)
    state.classifier.train()
    total, steps = 0.0, 0
    scale = state.classifier.normalization
    for x, label in data.epoch(training.batch_size, generator, normalization=scale):
        x, label = fabric.to_device(augment(x, generator)), fabric.to_device(label)
        loss = _step(state, x, label, training, fabric)
        if not torch.isfinite(loss):
            raise MondegreenError(
                f"the classifier's loss became {loss.item()} in epoch {state.epoch + 1}, step "
                f"{steps + 1}. Train into another --out with a lower --training.learning-rate; the "
                "last good state is kept."
            )
        total, steps = total + float(loss), steps + 1
    return total / steps


def _step(
    state: _State, x: Tensor, label: Tensor, training: ClassifierTraining, fabric: Fabric
) -> Tensor:
    with fabric.autocast():
        loss = nn.functional.cross_entropy(
            state.classifier(x), label, label_smoothing=training.label_smoothing
        )
    state.optimizer.zero_grad(set_to_none=True)
    fabric.backward(loss)
    state.optimizer.step()
    state.scheduler.step()
    return loss.detach()
