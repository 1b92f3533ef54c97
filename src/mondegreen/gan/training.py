"""Algorithm 1: a generator trained against a frozen classifier and a discriminator.

With the paper's settings this is the paper's training. The fast generator uses the same loop with
the perturbation projected onto a budget that tightens, a margin loss and an average of the weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier, require_gradients
from mondegreen.data.augment import Augment
from mondegreen.data.dataset import ClipDataset
from mondegreen.epochs import Epoch
from mondegreen.errors import MondegreenError
from mondegreen.gan.batches import Batch, Batches
from mondegreen.gan.channel_mix import ChannelMix
from mondegreen.gan.config import GeneratorTraining
from mondegreen.gan.objective import NAMES, Losses, Objective
from mondegreen.gan.state import new_state
from mondegreen.gan.validation import listen, validate
from mondegreen.generators.conditioning import reorder_targets
from mondegreen.generators.generator import (
    Generator,
    GeneratorConfig,
    load_generator,
    save_generator,
)
from mondegreen.interruption import StopRequest, stop_when_safe
from mondegreen.processes.group import Processes
from mondegreen.progress import progress_bar
from mondegreen.runs import Run

if TYPE_CHECKING:
    from lightning_fabric import Fabric  # slow to import, and only trainings need it


class GeneratorTrainer:
    """Trains one generator, resumable after every epoch, and after every step where asked to stop.

    Args:
        config: The generator.
        training: Losses, budget and optimiser.
        classifier: The frozen classifier under attack.
        splits: Data sets named ``train`` and ``validation``.
        unlabelled: Clips without a label, as additional input.
        augment: Changes to the clips before they are attacked.
        channels: What lies between the generator and the classifier.
        run: Where checkpoints and metrics go.
        fabric: Device, precision and, where there are several, the processes.
    """

    def __init__(
        self,
        config: GeneratorConfig,
        training: GeneratorTraining,
        *,
        classifier: Classifier,
        splits: dict[str, ClipDataset],
        unlabelled: ClipDataset | None,
        augment: Augment | None,
        channels: ChannelMix | None = None,
        run: Run,
        fabric: Fabric,
    ) -> None:
        require_gradients(classifier, "training a generator")
        self.config, self.training, self.run, self.fabric = config, training, run, fabric
        self.processes = Processes(fabric)
        self.classifier = classifier
        fabric.to_device(classifier)
        self.targets = torch.tensor([classifier.label_index(name) for name in config.targets])
        self.train_data = self._without_target(splits["train"])
        self.validation = splits["validation"]
        self.channels = channels
        self.objective = Objective(training, classifier, config.network, fabric)
        self.batches = Batches(
            training,
            self.train_data,
            unlabelled=unlabelled,
            augment=augment,
            channels=channels,
            targets=self.targets,
            quiet=self.objective.hearing is not None,
            normalization=classifier.normalization,
            processes=self.processes,
            device=fabric.device,
        )
        self.total_steps = training.epochs * len(self.batches)
        self.state = new_state(config, training, fabric, self.processes)
        run.clips = self.train_data.fingerprint()
        saved = self.processes.from_first(run.load_state)
        if saved is not None:
            self.state.load_state_dict(saved, str(run.latest / "state.pt"))

    def _without_target(self, data: ClipDataset) -> ClipDataset:
        """Leave out the clips that are the only target already (paper, section V-B)."""
        if len(self.targets) > 1:
            return data
        keep = (data.labels != self.targets[0]).nonzero()[:, 0]
        return data.subset(keep)

    def start_from(self, generator: Generator) -> None:
        """Take over the weights of a trained generator: targets of one name keep what they learned.

        Args:
            generator: One of the same architecture, with as many targets.

        Raises:
            MondegreenError: It is another architecture, or one of somebody else's whose targets
                have another order.
        """
        theirs, ours = generator.config, self.config
        if theirs.network != ours.network or len(theirs.targets) != len(ours.targets):
            raise MondegreenError(
                f"start-from: that generator is {theirs.network} with {len(theirs.targets)} "
                f"targets; this training needs {ours.network} with {len(ours.targets)}."
            )
        if getattr(ours.network, "template", False) and theirs.clip_samples != ours.clip_samples:
            raise MondegreenError(
                f"start-from: that generator's templates are {theirs.clip_samples} samples long; "
                f"this training needs {ours.clip_samples}."
            )
        shared = {one: theirs.targets.index(one) for one in ours.targets if one in theirs.targets}
        spare = iter([row for row in range(len(theirs.targets)) if row not in shared.values()])
        rows = [shared[one] if one in shared else next(spare) for one in ours.targets]
        for network in (self.state.generator.network, self.state.average.network):
            network.load_state_dict(generator.network.state_dict())
            if shared and rows != list(range(len(rows))):
                reorder_targets(network, rows)

    def fit(self) -> Generator:
        """Train to the end and return the best generator on the validation split, frozen.

        Before the budget is as tight as it will be, no generator counts as the best; where the
        training ends before, it is the one of the last epoch.

        Raises:
            MondegreenError: A loss became NaN; the last good state is kept.
            KeyboardInterrupt: It was asked to stop; all is saved.
        """
        alone, done = self.processes.alone, self.state.step
        with progress_bar() as bar, stop_when_safe() as asked:
            stop = asked if alone else StopRequest()
            task = bar.add_task("training generator", total=self.total_steps, completed=done)
            while not self._finished():
                stop.obey()
                epoch = Epoch(self.training.seed, self.state.epoch, self.state.within)
                for losses in self._epoch(epoch):
                    epoch.add(losses)
                    self.run.board.step(self.state.step, losses, self.state.optimizer)
                    bar.update(task, advance=1)
                    self.processes.agree(asked, stop)
                    self._keep(epoch, stop)
                self.state.epoch, self.state.within = self.state.epoch + 1, None
                success = self._end_epoch(epoch.means(), epoch.seconds)
                text = f"training generator (validation success {100 * success:.1f} %)"
                bar.update(task, description=text)
        return self.processes.from_first(self._best)

    def _best(self) -> Generator:
        best = self.run.best if (self.run.best / "generator.json").is_file() else self.run.latest
        return load_generator(best)

    def _finished(self) -> bool:
        """The paper's stopping criterion (section V-A): enough epochs, or no change in some."""
        t, successes = self.training, self.state.successes
        if self.state.epoch >= t.epochs:
            return True
        ramp = round(t.budget.ramp * t.epochs) if t.budget else 0
        if not t.patience or self.state.epoch <= max(t.warm_up_epochs, ramp) + t.patience:
            return False
        recent = successes[-(t.patience + 1) :]
        return max(recent) - min(recent) <= t.tolerance and recent[-1] > 0.0

    def _keep(self, epoch: Epoch, stop: StopRequest) -> None:
        """Save in the middle of an epoch, where it is time to or somebody wants to stop.

        At an epoch's end it is saved anyhow.
        """
        if epoch.batch < len(self.batches) and (stop or epoch.due()):
            self.state.within = epoch.state_dict()
            # Only what was logged before this epoch counts when it is continued.
            self.run.save_state(self.state.state_dict() | {"logged": self.state.step - epoch.steps})
            if stop:
                self.processes.wait()  # or who started them might end the one that is saving
            stop.obey()

    def _epoch(self, epoch: Epoch | None = None) -> Iterator[Losses]:
        """Train for what is left of a pass over the training split; yield each step's losses."""
        self.state.generator.train()
        self._now = epoch or Epoch(self.training.seed, self.state.epoch)
        for batch in self.batches.draw(self._now, self._progress):
            yield self._step(batch)

    def _progress(self) -> float:
        """Return the share of all steps that are taken."""
        return self.state.step / self.total_steps

    def _step(self, batch: Batch) -> Losses:
        """Update the generator, then the discriminator (Algorithm 1, lines 4 to 10)."""
        t, state, fabric = self.training, self.state, self.fabric
        batch = batch.to(fabric)
        warm_up = state.epoch < t.warm_up_epochs

        def gradient(parts: list[slice]) -> tuple[Tensor, Losses]:
            state.optimizer.zero_grad(set_to_none=True)
            made, sums = [], dict[str, float]()
            for rows in parts:
                part = batch.part(rows)
                x_adv = self._attack(part)
                loss, losses = self.objective(part, x_adv, state.adversary, warm_up=warm_up)
                share = len(part) / batch.size
                fabric.backward(loss * share)
                made.append(x_adv.detach())
                for name, value in losses.items():
                    sums[name] = sums.get(name, 0.0) + share * value
            return torch.cat(made), sums

        x_adv, losses = state.parts.fit(len(batch), gradient)
        losses = self.processes.total(losses, NAMES)
        self._check(losses)
        self.processes.sum_gradients(state.generator.parameters())
        self._set_learning_rate()
        limit = t.gradient_clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(state.generator.parameters(), limit)
        losses["generator/gradient_norm"] = float(norm)
        self._check(losses)
        state.optimizer.step()
        if state.adversary is not None:
            told = state.adversary.update(batch.x, x_adv, state.parts, batch.size)
            losses["discriminator/loss"] = float(told)
        state.step += 1
        state.update_average(t.ema)
        return losses

    def _attack(self, batch: Batch) -> Tensor:
        quiet = 0.0 if batch.quietness is None else batch.quietness
        with self.fabric.autocast():
            delta = self.state.generator(
                batch.x, batch.target, snr_db=batch.snr_db, quietness=quiet
            )
        x_adv: Tensor = batch.x + delta.float()
        return x_adv

    def _set_learning_rate(self) -> None:
        rate = self.training.learning_rate
        if self.training.schedule == "cosine":
            rise = min(1.0, (self.state.step + 1) / 50)
            rate *= rise * 0.5 * (1.0 + math.cos(math.pi * self._progress()))
        for group in self.state.optimizer.param_groups:
            group["lr"] = rate

    def _check(self, losses: Losses) -> None:
        for name, value in losses.items():
            if not math.isfinite(value):
                where = self.batches.describe(self._now)
                raise MondegreenError(
                    f"{name} became {value} in {where}. Look at these clips, or train into another "
                    f"--out with a lower --training.learning-rate; {self.run.last_good}."
                )

    def _end_epoch(self, losses: Losses, seconds: float) -> float:
        """Measure, checkpoint and log; return the success on the validation split."""
        start = time.perf_counter()
        state, t = self.state, self.training
        state.average.eval()
        self.processes.align(state.tensors())
        measured = validate(
            state.average,
            self.classifier,
            self.validation,
            self.targets,
            t.seed,
            self.channels,
            processes=self.processes,
        )
        success = measured["validation/success"]
        state.successes.append(success)
        ramped = t.budget is None or state.epoch >= t.budget.ramp * t.epochs
        attacking = state.epoch >= min(t.warm_up_epochs + 1, t.epochs)
        if ramped and attacking and success > state.best_success:
            state.best_success = success
            self._save(self.run.best)
        self._save(self.run.latest)
        seconds += time.perf_counter() - start
        # Logged first: lines beyond the checkpoint are dropped on resuming, missing ones are lost.
        self.run.log(state.step, {"epoch": state.epoch, **losses, **measured, "seconds": seconds})
        heard = self.classifier, self.validation, self.targets, t.seed
        listen(self.run.board, state.step, state.average, *heard)
        self.run.save_state(state.state_dict())
        return success

    def _save(self, folder: Path) -> None:
        if self.processes.first:
            save_generator(folder, self.state.average)
