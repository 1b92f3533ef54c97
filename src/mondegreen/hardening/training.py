"""Adversarial training of a classifier, resumable after every epoch."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig, save_classifier
from mondegreen.classifiers.training import accuracy
from mondegreen.data.augment import Augment, uniform
from mondegreen.data.dataset import ClipDataset
from mondegreen.epochs import epoch_generator
from mondegreen.errors import MondegreenError
from mondegreen.hardening.config import Hardening
from mondegreen.hardening.method import Method
from mondegreen.hardening.norms import answer_both, learn, under_attack
from mondegreen.hardening.selection import Selection
from mondegreen.hardening.state import begin
from mondegreen.hardening.validation import robust_accuracy
from mondegreen.progress import progress_bar
from mondegreen.runs import Run
from mondegreen.weights import load_weights, save_weights

Measured = dict[str, float | None]


class Hardener:
    """Trains a copy of a classifier against attacks on itself.

    It goes on from the classifier's own weights. Only the parameters of its module are trained, and
    whatever is differentiable can be.

    Args:
        classifier: The trained classifier; it is left as it is.
        config: Its description, where it is a built-in one; None writes its weights alone.
        method: Who attacks, from :func:`mondegreen.hardening.methods.build`.
        options: How the classifier learns.
        splits: Data sets named ``train`` and ``validation``.
        augment: Changes to the training clips; None for none.
        run: Where checkpoints and metrics go.
        reference: Whose clean accuracy the limit counts from; by default the classifier itself.

    Raises:
        MondegreenError: There are fewer than two clips, or the run holds another training.
    """

    def __init__(
        self,
        classifier: Classifier,
        config: ClassifierConfig | None,
        method: Method,
        options: Hardening,
        *,
        splits: dict[str, ClipDataset],
        augment: Augment | None,
        run: Run,
        reference: Classifier | None = None,
    ) -> None:
        if len(splits["train"]) < 2:
            raise MondegreenError("there are fewer than two clips to harden a classifier on.")
        self.config, self.options, self.run = config, options, run
        self.train, self.validation, self.augment = splits["train"], splits["validation"], augment
        self.started_from = classifier.fingerprint()
        self.device = classifier.device
        self.before = self._measure(reference or classifier)
        least = self.before["accuracy"] - options.max_loss / 100.0
        self.state = begin(classifier, method, Selection(least), options)
        saved = run.load_state()
        if saved is not None:
            self.state.load_state_dict(saved, self.started_from, str(run.latest / "state.pt"))

    def fit(self) -> Classifier:
        """Train to the end and return the best state, frozen.

        Raises:
            MondegreenError: The loss became NaN; the last good state is kept.
        """
        state = self.state
        with progress_bar() as bar:
            task = bar.add_task("hardening", total=state.epochs, completed=state.epoch)
            while not self._finished():
                begun, before = time.perf_counter(), state.cpu_seconds
                row = self._epoch()
                state.epoch += 1
                row["train/cpu_seconds"] = state.cpu_seconds - before
                row |= self._end_epoch(begun)
                # Logged first: resuming drops a line without its checkpoint, but writes none anew.
                self.run.log(state.epoch, row)
                self.run.save_state(state.state_dict(self.started_from))
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
        return sum(row.get("train/cpu_seconds") or 0.0 for row in rows)

    def _finished(self) -> bool:
        patience, state = self.options.patience, self.state
        waited = state.epoch - state.selection.epoch
        return state.epoch >= state.epochs or bool(patience and waited >= patience)

    def _measure(self, classifier: Classifier) -> dict[str, float]:
        o = self.options
        robust = robust_accuracy(classifier, self.validation, o.select_db, o.select_steps, o.seed)
        return {"accuracy": accuracy(classifier, self.validation), "robust": robust}

    def _epoch(self) -> Measured:
        """Train for one pass over the training split and return the means of its steps."""
        o, state = self.options, self.state
        random = epoch_generator(o.seed, state.epoch)
        sums: dict[str, float] = {}
        steps, per_epoch = 0, -(-len(self.train) // o.batch_size)
        scale = state.classifier.normalization
        for x, label in self.train.epoch(o.batch_size, random, normalization=scale):
            if len(x) < 2:
                continue  # batch normalisation needs two clips
            begun = time.process_time()
            if self.augment is not None:
                x = self.augment(x, random)
            self._set_learning_rate(steps, per_epoch)
            measured = self._step(x.to(self.device), label.to(self.device), random)
            state.cpu_seconds += time.process_time() - begun
            steps += 1
            for name, value in measured.items():
                sums[name] = sums.get(name, 0.0) + value
        return {name: value / steps for name, value in sums.items()}

    def _step(self, x: Tensor, label: Tensor, random: torch.Generator) -> dict[str, float]:
        """Attack one batch, and let the classifier learn from it."""
        o, state = self.options, self.state
        snr_db = uniform(len(x), *o.snr_db, random).to(self.device)
        with under_attack(state.classifier):
            delta = state.method.perturb(state.classifier, x, label, snr_db, random)
        learn(state.classifier, o.norms)
        clean, adversarial = answer_both(state.classifier, x, x + delta, o.norms)
        loss = state.method.loss(clean, adversarial, label)
        if not torch.isfinite(loss):
            raise MondegreenError(
                f"the loss became {loss.item()} in epoch {state.epoch + 1}. Train into another "
                f"--out with a lower --learning-rate; the last good state is in "
                f"{self.run.latest}."
            )
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

    def _set_learning_rate(self, done: int, per_epoch: int) -> None:
        """Rise over the first epoch, then fall: only the fall needs to know how many there are."""
        state = self.state
        share = (done + 1) / per_epoch
        if state.epoch > 0:
            progress = (state.epoch - 1 + share) / max(1, state.epochs - 1)
            share = 0.5 * (1.0 + math.cos(math.pi * progress))
        for group in state.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * share

    def _end_epoch(self, begun: float) -> Measured:
        """Measure, and keep the best."""
        state, options = self.state, self.options
        measured = self._measure(state.average)
        if state.selection.take(measured["accuracy"], measured["robust"], state.epoch):
            self._save(self.run.best)
        self._save(self.run.latest)
        seconds = time.perf_counter() - begun
        if state.epoch == 1 and options.minutes is not None:
            state.epochs = max(1, math.floor(60.0 * options.minutes / seconds))
        row: Measured = {f"validation/{name}": value for name, value in measured.items()}
        row["validation/kept"] = float(state.selection.epoch == state.epoch)
        return row | {"seconds": seconds}

    def _save(self, folder: Path) -> None:
        if self.config is None:
            save_weights(folder / "classifier.safetensors", self.state.average.module)
        else:
            save_classifier(folder, self.state.average, self.config)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
