"""Adversarial training of a classifier, resumable after every epoch, and at any step if asked."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from mondegreen.classifiers.accuracy import accuracy
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig, require_gradients
from mondegreen.classifiers.loading import save_classifier
from mondegreen.classifiers.sheet import Sheet, save_trained
from mondegreen.data.augment import Augment, uniform
from mondegreen.data.dataset import ClipDataset
from mondegreen.epochs import Epoch
from mondegreen.errors import MondegreenError
from mondegreen.hardening.config import Hardening
from mondegreen.hardening.method import Method
from mondegreen.hardening.norms import answer_both, learn, under_attack
from mondegreen.hardening.selection import Selection
from mondegreen.hardening.state import begin, refuse_untrainable
from mondegreen.hardening.validation import listen, robust_accuracy
from mondegreen.interruption import StopRequest, stop_when_safe
from mondegreen.progress import progress_bar
from mondegreen.runs import Run
from mondegreen.weights import load_weights, save_weights

Measured = dict[str, float | None]

_CPU = "train/cpu_seconds"


class Hardener:
    """Trains a copy of a classifier against attacks on itself.

    It goes on from the classifier's own weights. Only the parameters of its module are trained, and
    whatever is differentiable can be.

    Args:
        classifier: The trained classifier; it is left as it is.
        config: Its description, or the sheet of an adopted one; None writes its weights alone.
        method: Who attacks, from :func:`mondegreen.hardening.methods.build`.
        options: How the classifier learns.
        splits: Data sets named ``train`` and ``validation``.
        augment: Changes to the training clips; None for none.
        run: Where checkpoints and metrics go.
        reference: Whose clean accuracy the limit counts from; by default the classifier itself.

    Raises:
        MondegreenError: There are fewer than two clips, the classifier has no weights that a
            gradient reaches, or the run holds another training.
    """

    def __init__(
        self,
        classifier: Classifier,
        config: ClassifierConfig | Sheet | None,
        method: Method,
        options: Hardening,
        *,
        splits: dict[str, ClipDataset],
        augment: Augment | None,
        run: Run,
        reference: Classifier | None = None,
    ) -> None:
        require_gradients(classifier, "hardening")
        if len(splits["train"]) < 2:
            raise MondegreenError("there are fewer than two clips to harden a classifier on.")
        self.config, self.options, self.run = config, options, run
        self.train, self.validation, self.augment = splits["train"], splits["validation"], augment
        self.steps_per_epoch = -(-len(self.train) // options.batch_size)
        self.started_from = classifier.fingerprint()
        self.device = classifier.device
        self.before = self._measure(reference or classifier)
        least = self.before["accuracy"] - options.max_loss / 100.0
        self.state = begin(classifier, method, Selection(least), options)
        refuse_untrainable(self.state.classifier)
        run.clips = splits["train"].fingerprint()
        saved = run.load_state()
        if saved is not None:
            self.state.load_state_dict(saved, self.started_from, str(run.latest / "state.pt"))

    def fit(self) -> Classifier:
        """Train to the end and return the best state, frozen.

        Raises:
            MondegreenError: The loss became NaN; the last good state is kept.
            KeyboardInterrupt: It was asked to stop; all is saved.
        """
        state = self.state
        with progress_bar() as bar, stop_when_safe() as stop:
            task = bar.add_task("hardening", total=state.epochs, completed=state.epoch)
            while not self._finished():
                stop.obey()
                epoch = Epoch(self.options.seed, state.epoch, state.within)
                for measured in self._steps(epoch):
                    epoch.add(measured)
                    self.run.board.step(state.step, measured, state.optimizer)
                    self._keep(epoch, stop)
                state.epoch, state.within = state.epoch + 1, None
                row = self._end_epoch(epoch)
                text = f"hardening (validation {_percent(row['validation/accuracy'])} clean, "
                text += f"{_percent(row['validation/robust'])} attacked)"
                bar.update(task, advance=1, total=state.epochs, description=text)
        best = state.average
        load_weights(self.run.best / "classifier.safetensors", best.module)
        return best.freeze()

    def seconds_to_kept(self) -> float:
        """Return the processor time of all steps up to the state that is kept."""
        epoch = self.state.selection.epoch
        rows = [row for row in self.run.metrics() if (row["step"] or 0) <= epoch]
        return sum(row.get(_CPU) or 0.0 for row in rows)

    def _finished(self) -> bool:
        patience, state = self.options.patience, self.state
        waited = state.epoch - state.selection.epoch
        return state.epoch >= state.epochs or bool(patience and waited >= patience)

    def _measure(self, classifier: Classifier) -> dict[str, float]:
        o = self.options
        robust = robust_accuracy(classifier, self.validation, o.select_db, o.select_steps, o.seed)
        return {"accuracy": accuracy(classifier, self.validation), "robust": robust}

    def _keep(self, epoch: Epoch, stop: StopRequest) -> None:
        """Save in the middle of an epoch, where it is time to or somebody wants to stop."""
        if epoch.batch < self.steps_per_epoch and (stop or epoch.due()):
            self.state.within = epoch.state_dict()
            self.run.save_state(self.state.state_dict(self.started_from))
            stop.obey()

    def _steps(self, epoch: Epoch) -> Iterator[dict[str, float]]:
        """Train for what is left of a pass over the training split; yield what each step says."""
        o, random = self.options, epoch.random
        scale = self.state.classifier.normalization
        for x, label in epoch.batches(self.train, o.batch_size, scale):
            if len(x) < 2:
                continue  # batch normalisation needs two clips
            begun = time.process_time()
            x = x.to(self.device)
            if self.augment is not None:
                x = self.augment(x, random)
            self._set_learning_rate(epoch.batch + 1)
            measured = self._step(x, label.to(self.device), random)
            if not math.isfinite(measured["classifier/loss"]):
                raise MondegreenError(
                    f"the loss became {measured['classifier/loss']} in "
                    f"{epoch.describe(self.train, o.batch_size)}. Look at these clips, or train "
                    f"into another --out with a lower --learning-rate; {self.run.last_good}."
                )
            yield measured | {_CPU: time.process_time() - begun}

    def _step(self, x: Tensor, label: Tensor, random: torch.Generator) -> dict[str, float]:
        """Attack one batch, and let the classifier learn from it."""
        o, state = self.options, self.state
        snr_db = uniform(len(x), *o.snr_db, random).to(self.device)
        with under_attack(state.classifier):
            delta = state.method.perturb(state.classifier, x, label, snr_db, random)
        learn(state.classifier, o.norms)
        clean, adversarial = answer_both(state.classifier, x, x + delta, o.norms)
        loss = state.method.loss(clean, adversarial, label)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        state.step += 1
        state.update_average(o.average)
        return {
            "classifier/loss": float(loss.detach()),
            "train/accuracy": float((clean.argmax(dim=1) == label).float().mean()),
            "train/robust": float((adversarial.argmax(dim=1) == label).float().mean()),
            **state.method.measured(),
        }

    def _set_learning_rate(self, step: int) -> None:
        """Rise over the first epoch, then fall: only the fall needs to know how many there are."""
        state = self.state
        share = step / self.steps_per_epoch
        if state.epoch > 0:
            progress = (state.epoch - 1 + share) / max(1, state.epochs - 1)
            share = 0.5 * (1.0 + math.cos(math.pi * progress))
        for group in state.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * share

    def _end_epoch(self, epoch: Epoch) -> Measured:
        """Measure, keep the best, and write the checkpoint and the log."""
        state, minutes = self.state, self.options.minutes
        measured = self._measure(state.average)
        if state.selection.take(measured["accuracy"], measured["robust"], state.epoch):
            self._save(self.run.best)
        self._save(self.run.latest)
        if state.epoch == 1 and minutes is not None:
            state.epochs = max(1, math.floor(60.0 * minutes / epoch.seconds))
        state.cpu_seconds += epoch.sums[_CPU]
        row: Measured = {
            **epoch.means(),
            _CPU: epoch.sums[_CPU],
            **{f"validation/{name}": value for name, value in measured.items()},
            "validation/kept": float(state.selection.epoch == state.epoch),
            "seconds": epoch.seconds,
        }
        # Logged first: resuming drops a line without its checkpoint, but writes none anew.
        self.run.log(state.epoch, row, steps=state.step)
        listen(self.run.board, state.step, state.average, self.validation, self.options)
        self.run.save_state(state.state_dict(self.started_from))
        return row

    def _save(self, folder: Path) -> None:
        average, config = self.state.average, self.config
        if config is None:
            save_weights(folder / "classifier.safetensors", average.module, computed=False)
        elif isinstance(config, Sheet):
            save_trained(folder, average, config)
        else:
            save_classifier(folder, average, config)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
