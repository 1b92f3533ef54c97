"""Training a classifier, resumable after every epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mondegreen.classifiers.accuracy import accuracy
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.compilation import compile_in_place
from mondegreen.data.augment import Augment, AugmentConfig
from mondegreen.data.dataset import ClipDataset
from mondegreen.epochs import Epoch
from mondegreen.errors import MondegreenError
from mondegreen.fitting import Parts
from mondegreen.interruption import StopRequest, stop_when_safe
from mondegreen.processes.group import Processes
from mondegreen.processes.layers import share_layers
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
    steps: int = 0
    best_accuracy: float = -1.0
    within: dict[str, Any] | None = None
    """The place within the epoch that was left unfinished."""
    parts: Parts = field(default_factory=Parts)
    processes: Processes = field(default_factory=Processes)


def train_classifier(
    config: ClassifierConfig,
    training: ClassifierTraining,
    splits: dict[str, ClipDataset],
    augment: Augment,
    run: Run,
    fabric: Fabric,
    *,
    compiled: bool = False,
) -> Classifier:
    """Train a classifier, or continue where ``run`` left off, and return the best one, frozen.

    After each epoch the state goes to ``checkpoints/latest``, in between when it is asked to stop
    and every five minutes; the weights with the best validation accuracy go to
    ``checkpoints/best``.

    Args:
        config: The network.
        training: Hyper-parameters.
        splits: Data sets named ``train`` and ``validation``.
        augment: Changes to training clips.
        run: Where checkpoints and metrics go.
        fabric: Device, precision and, where there are several, the processes.
        compiled: Whether the network is compiled by ``torch.compile``.

    Raises:
        MondegreenError: The loss became NaN, a batch does not fit into memory even in parts, or the
            run cannot be written.
        KeyboardInterrupt: It was asked to stop; all is saved.
    """
    train = splits["train"]
    torch.manual_seed(training.seed)
    classifier = Classifier.from_config(config)
    fabric.to_device(classifier)
    processes = Processes(fabric)
    share_layers(classifier, processes)
    steps = -(-len(train) // training.batch_size)
    state = _new_state(classifier, training, steps, processes)
    run.clips = train.fingerprint()
    _restore(state, run)
    if compiled:
        compile_in_place(classifier)
    with progress_bar() as bar, stop_when_safe() as asked:
        stop = asked if processes.alone else StopRequest()
        task = bar.add_task("training classifier", total=training.epochs, completed=state.epoch)
        while state.epoch < training.epochs:
            stop.obey()
            epoch = Epoch(training.seed, state.epoch, state.within)
            for losses, rate in _train_epoch(state, training, epoch, train, augment, fabric):
                run.board.step(state.steps, losses, state.optimizer, rate)
                processes.agree(asked, stop)
                _keep(state, run, epoch, stop, steps)
            state.epoch, state.within = state.epoch + 1, None
            measured = _end_epoch(state, config, splits["validation"], run, epoch)
            text = f"training classifier (validation {100 * measured:.1f} %)"
            bar.update(task, advance=1, description=text)
    return processes.from_first(lambda: load_classifier(run.folder))


def _end_epoch(
    state: _State, config: ClassifierConfig, validation: ClipDataset, run: Run, epoch: Epoch
) -> float:
    """Measure, save and log; return the accuracy on the validation split."""
    classifier, processes = state.classifier, state.processes
    processes.align([*classifier.parameters(), *classifier.buffers()])
    measured = accuracy(classifier, validation, processes=processes)
    if measured > state.best_accuracy:
        state.best_accuracy = measured
        if processes.first:
            save_classifier(run.best, classifier, config)
    if processes.first:
        save_classifier(run.latest, classifier, config)
    # Logged first: resuming drops a line without its checkpoint, but writes none anew.
    row: dict[str, float | None] = {
        **epoch.means(),
        "validation/accuracy": measured,
        "seconds": epoch.seconds,
    }
    run.log(state.epoch, row, steps=state.steps)
    _checkpoint(state, run)
    return measured


def _new_state(
    classifier: Classifier,
    training: ClassifierTraining,
    steps: int,
    processes: Processes | None = None,
) -> _State:
    optimizer = torch.optim.AdamW(
        classifier.parameters(), training.learning_rate, weight_decay=training.weight_decay
    )
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.learning_rate, total_steps=max(2, steps * training.epochs)
    )
    state = _State(classifier, optimizer, scheduler, processes=processes or Processes())
    state.parts.fixed = not state.processes.alone
    return state


def _restore(state: _State, run: Run) -> None:
    saved = state.processes.from_first(run.load_state)
    if saved is None:
        return
    try:
        state.classifier.module.load_state_dict(saved["classifier"])
        state.optimizer.load_state_dict(saved["optimizer"])
        state.scheduler.load_state_dict(saved["scheduler"])
        state.epoch, state.best_accuracy = saved["step"], saved["best_accuracy"]
        state.steps = saved.get("steps", state.scheduler.last_epoch)  # stepped once a batch
        state.within, state.parts.count = saved.get("within"), int(saved.get("parts", 1))
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise MondegreenError(
            f"{run.latest / 'state.pt'} does not fit this training. Delete {run.folder} to begin "
            "again."
        ) from error


def _checkpoint(state: _State, run: Run) -> None:
    run.save_state(
        {
            "step": state.epoch,
            "steps": state.steps,
            "classifier": state.classifier.module.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "scheduler": state.scheduler.state_dict(),
            "best_accuracy": state.best_accuracy,
            "within": state.within,
            "parts": state.parts.count,
        }
    )


def _keep(state: _State, run: Run, epoch: Epoch, stop: StopRequest, batches: int) -> None:
    """Save in the middle of an epoch, where it is time to or somebody wants to stop.

    At an epoch's end it is saved anyhow.
    """
    if epoch.batch < batches and (stop or epoch.due()):
        state.within = epoch.state_dict()
        _checkpoint(state, run)
        if stop:
            state.processes.wait()  # or who started them might end the one that is saving
        stop.obey()


def _train_epoch(
    state: _State,
    training: ClassifierTraining,
    epoch: Epoch,
    data: ClipDataset,
    augment: Augment,
    fabric: Fabric,
) -> Iterator[tuple[dict[str, float], float]]:
    """Train for what is left of a pass over ``data``; yield each step's losses and rate."""
    state.classifier.train()
    scale = state.classifier.normalization
    for x, label in epoch.batches(data, training.batch_size, scale):
        size = len(x)
        if size < max(state.processes.count, min(2, training.batch_size, len(data))):
            continue  # every process needs a clip, and batch norm two
        rows = state.processes.begin(size)
        x = augment(fabric.to_device(x), epoch.random, rows)
        rate = float(state.optimizer.param_groups[0]["lr"])
        loss = float(_step(state, x, fabric.to_device(label[rows]), training, fabric, size))
        if not math.isfinite(loss):
            raise MondegreenError(
                f"the classifier's loss became {loss} in "
                f"{epoch.describe(data, training.batch_size)}. Look at these clips, or train into "
                "another --out with a lower --training.learning-rate; the last good state is kept."
            )
        losses = {"classifier/loss": loss}
        epoch.add(losses)
        state.steps += 1
        yield losses, rate


def _step(
    state: _State,
    x: Tensor,
    label: Tensor,
    training: ClassifierTraining,
    fabric: Fabric,
    whole: int | None = None,
) -> Tensor:
    """Take a step with this process's share of a batch of ``whole`` clips; return its loss."""

    def gradient(parts: list[slice]) -> Tensor:
        state.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=x.device)
        for part in parts:
            with fabric.autocast():
                loss = nn.functional.cross_entropy(
                    state.classifier(x[part]), label[part], label_smoothing=training.label_smoothing
                )
            share = len(label[part]) / (whole or len(label))
            fabric.backward(loss * share)
            total += loss.detach() * share
        return total

    loss = state.parts.fit(len(x), gradient)
    state.processes.sum([loss])
    state.processes.sum_gradients(state.classifier.parameters())
    state.optimizer.step()
    state.scheduler.step()
    return loss
