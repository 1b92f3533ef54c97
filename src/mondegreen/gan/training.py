"""Algorithm 1: a generator trained against a frozen classifier and a discriminator.

With the paper's settings this is the paper's training. The fast generator uses the same loop with
the perturbation projected onto a budget that tightens, a margin loss and an average of the weights.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier, require_gradients
from mondegreen.data.augment import Augment, uniform
from mondegreen.data.dataset import ClipDataset
from mondegreen.epochs import Epoch
from mondegreen.errors import MondegreenError
from mondegreen.gan.adversary import Adversary
from mondegreen.gan.audibility import Hearing, build_hearing
from mondegreen.gan.channel_mix import ChannelMix, Passage
from mondegreen.gan.config import GeneratorTraining
from mondegreen.gan.losses import (
    classifier_loss,
    generator_loss,
    hinge_loss,
    l2_loss,
    margin_loss,
)
from mondegreen.gan.state import State
from mondegreen.gan.validation import draw_targets, validate
from mondegreen.generators.generator import (
    Generator,
    GeneratorConfig,
    load_generator,
    save_generator,
)
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.interruption import StopRequest, stop_when_safe
from mondegreen.progress import progress_bar
from mondegreen.runs import Run

if TYPE_CHECKING:
    from lightning_fabric import Fabric  # slow to import, and only trainings need it

Losses = dict[str, float]


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
        fabric: Device and precision.
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
        self.classifier = classifier
        fabric.to_device(classifier)
        self.unlabelled = unlabelled if training.unlabelled_share > 0 else None
        self.augment, self.channels = augment, channels
        self.targets = torch.tensor([classifier.label_index(name) for name in config.targets])
        self.train_data = self._without_target(splits["train"])
        self.validation = self._without_target(splits["validation"])
        self.labelled_size = training.batch_size
        if self.unlabelled is not None:
            extra = round(training.batch_size * training.unlabelled_share)
            self.labelled_size = max(1, training.batch_size - extra)
        if len(self.train_data) < 2:
            raise MondegreenError("there are fewer than two clips to train a generator on.")
        self.steps_per_epoch = -(-len(self.train_data) // self.labelled_size)
        self.hearing = self._hearing()
        self.state = self._new_state()
        saved = run.load_state()
        if saved is not None:
            self.state.load_state_dict(saved, str(run.latest / "state.pt"))

    def _hearing(self) -> Hearing | None:
        """Return what judges audibility, if the network is to learn quietness."""
        network = self.config.network
        if self.training.weights.hearing == 0.0:
            return None
        if not isinstance(network, SpectralConfig) or not network.dial:
            raise MondegreenError(
                "training: weights.hearing needs a network with a dial: --architecture.dial, "
                "or --training.weights.hearing 0."
            )
        hearing = build_hearing(self.training.hearing_model, self.config.sample_rate)
        self.fabric.to_device(hearing)
        return hearing

    def _without_target(self, data: ClipDataset) -> ClipDataset:
        """Leave out the clips that are the only target already (paper, section V-B)."""
        if len(self.targets) > 1:
            return data
        keep = (data.labels != self.targets[0]).nonzero()[:, 0]
        return data.subset(keep)

    def _new_state(self) -> State:
        t = self.training
        torch.manual_seed(t.seed)
        generator = Generator(self.config)
        self.fabric.to_device(generator)
        kind = torch.optim.AdamW if t.optimizer == "adamw" else torch.optim.Adam
        optimizer = kind(
            generator.parameters(),
            t.learning_rate,
            betas=t.betas,
            weight_decay=0.01 if t.optimizer == "adamw" else 0.0,
            fused=True,
        )
        adversary = None
        if t.discriminator is not None and t.weights.alpha > 0:
            adversary = Adversary(
                t.discriminator,
                self.config.clip_samples,
                t.adversarial_form,
                t.discriminator_learning_rate,
                t.betas,
                self.fabric,
            )
        return State(generator, copy.deepcopy(generator), optimizer, adversary)

    def start_from(self, generator: Generator) -> None:
        """Take over the weights of a trained generator.

        Args:
            generator: One of the same architecture, with as many targets.

        Raises:
            MondegreenError: It is another architecture.
        """
        theirs, ours = generator.config, self.config
        if theirs.network != ours.network or len(theirs.targets) != len(ours.targets):
            raise MondegreenError(
                f"start-from: that generator is {theirs.network} with {len(theirs.targets)} "
                f"targets; this training needs {ours.network} with {len(ours.targets)}."
            )
        for network in (self.state.generator.network, self.state.average.network):
            network.load_state_dict(generator.network.state_dict())

    def fit(self) -> Generator:
        """Train to the end and return the best generator on the validation split, frozen.

        Before the budget is as tight as it will be, no generator counts as the best; where the
        training ends before, it is the one of the last epoch.

        Raises:
            MondegreenError: A loss became NaN; the last good state is kept.
            KeyboardInterrupt: It was asked to stop; all is saved.
        """
        total = self.training.epochs * self.steps_per_epoch
        with progress_bar() as bar, stop_when_safe() as stop:
            task = bar.add_task("training generator", total=total, completed=self.state.step)
            while not self._finished():
                stop.obey()
                epoch = Epoch(self.training.seed, self.state.epoch, self.state.within)
                for losses in self._epoch(epoch):
                    epoch.add(losses)
                    bar.update(task, advance=1)
                    self._keep(epoch, stop)
                self.state.epoch, self.state.within = self.state.epoch + 1, None
                success = self._end_epoch(epoch.means(), epoch.seconds)
                text = f"training generator (validation success {100 * success:.1f} %)"
                bar.update(task, description=text)
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
        if epoch.batch < self.steps_per_epoch and (stop or epoch.due()):
            self.state.within = epoch.state_dict()
            # Only what was logged before this epoch counts when it is continued.
            self.run.save_state(self.state.state_dict() | {"logged": self.state.step - epoch.steps})
            stop.obey()

    def _epoch(self, epoch: Epoch | None = None) -> Iterator[Losses]:
        """Train for what is left of a pass over the training split; yield each step's losses."""
        t, state = self.training, self.state
        state.generator.train()
        self._now = epoch or Epoch(t.seed, state.epoch)
        random, scale = self._now.random, self.classifier.normalization
        for x, label in self._now.batches(self.train_data, self.labelled_size, scale):
            label = label.clone()
            if self.unlabelled is not None:
                extra = t.batch_size - self.labelled_size
                more = self.unlabelled.sample(extra, random, normalization=scale)[0]
                x, label = torch.cat([x, more]), torch.cat([label, label.new_full((extra,), -1)])
            if len(x) < 2:
                continue  # batch normalisation needs two clips
            if self.augment is not None:
                x = self.augment(x, random)
            target = draw_targets(label, self.targets, random)
            snr_db = self._budget(len(x), random)
            quietness = self._quietness(len(x), random)
            passage = self.channels.draw(random) if self.channels else None
            yield self._step(x, target, snr_db, quietness, passage)

    def _budget(self, size: int, random: torch.Generator) -> Tensor | None:
        """Draw each clip's budget around the schedule's."""
        schedule = self.training.budget
        if schedule is None:
            return None
        progress = self.state.step / (self.training.epochs * self.steps_per_epoch)
        return schedule.at(progress) + uniform(size, *schedule.spread_db, random)

    def _quietness(self, size: int, random: torch.Generator) -> Tensor | None:
        """Draw how quiet each clip is asked to be."""
        if self.hearing is None:
            return None
        asked = torch.rand(size, generator=random) < self.training.quiet_share
        return asked * uniform(size, 0.0, 1.0, random)

    def _step(
        self,
        x: Tensor,
        target: Tensor,
        snr_db: Tensor | None,
        quietness: Tensor | None,
        passage: Passage | None = None,
    ) -> Losses:
        """Update the generator, then the discriminator (Algorithm 1, lines 4 to 10)."""
        t, state, fabric = self.training, self.state, self.fabric
        x, target = fabric.to_device(x), fabric.to_device(target)
        snr_db = None if snr_db is None else fabric.to_device(snr_db)
        quietness = None if quietness is None else fabric.to_device(quietness)

        def gradient(parts: list[slice]) -> tuple[Tensor, Losses]:
            state.optimizer.zero_grad(set_to_none=True)
            made, sums = [], dict[str, float]()
            for part in parts:
                x_adv = self._attack(
                    x[part], target[part], _cut(snr_db, part), _cut(quietness, part)
                )
                loss, losses = self._losses(
                    x[part], x_adv, target[part], _cut(quietness, part), passage
                )
                self._check(losses)
                share = len(x_adv) / len(x)
                fabric.backward(loss * share)
                made.append(x_adv.detach())
                for name, value in losses.items():
                    sums[name] = sums.get(name, 0.0) + share * value
            return torch.cat(made), sums

        x_adv, losses = state.parts.fit(len(x), gradient)
        self._set_learning_rate()
        limit = t.gradient_clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(state.generator.parameters(), limit)
        losses["generator/gradient_norm"] = float(norm)
        self._check(losses)
        state.optimizer.step()
        if state.adversary is not None:
            losses["discriminator/loss"] = float(state.adversary.update(x, x_adv, state.parts))
        state.step += 1
        self._update_average()
        return losses

    def _attack(
        self, x: Tensor, target: Tensor, snr_db: Tensor | None, quietness: Tensor | None
    ) -> Tensor:
        quiet = 0.0 if quietness is None else quietness
        with self.fabric.autocast():
            delta = self.state.generator(x, target, snr_db=snr_db, quietness=quiet)
        x_adv: Tensor = x + delta.float()
        return x_adv

    def _losses(
        self,
        x: Tensor,
        x_adv: Tensor,
        target: Tensor,
        quietness: Tensor | None,
        passage: Passage | None,
    ) -> tuple[Tensor, Losses]:
        """Return the weighted loss (eq. 5) and every term of it.

        Only the classifier hears the clips after the channel; size and audibility are those of the
        clips as they are made.
        """
        t, state = self.training, self.state
        warm_up = state.epoch < t.warm_up_epochs
        weights = t.weights.warm_up() if warm_up else t.weights
        delta = x_adv - x
        heard = passage(x_adv, self.config.sample_rate) if passage and not warm_up else x_adv
        with self.fabric.autocast():
            logits = self.classifier(heard).float() if not warm_up else None
        terms: dict[str, Tensor] = {
            "hinge": hinge_loss(delta, t.hinge_bound),
            "l2": l2_loss(x, x_adv, t.l2_reading),
        }
        if state.adversary is not None:
            terms["fool"] = state.adversary.fool(x_adv)
            if weights.matching > 0.0:
                terms["matching"] = state.adversary.match(x, x_adv)
        if self.hearing is not None and quietness is not None:
            asked = quietness > 0.0
            if bool(asked.any()):
                heard = self.hearing(x[asked], x_adv[asked])
                terms["hearing"] = (quietness[asked] * heard).sum() / len(x)
        losses = {}
        if logits is not None:
            terms["classifier"] = self._classifier_loss(logits, target)
            losses["train/success"] = float((logits.argmax(dim=1) == target).float().mean())
        loss = generator_loss(**terms, weights=weights)
        losses |= {f"generator/{name}": float(term.detach()) for name, term in terms.items()}
        losses["generator/total"] = float(loss.detach())
        energy = x.square().sum(dim=(1, 2)) + 1e-9
        noise = delta.detach().square().sum(dim=(1, 2)) + 1e-9
        losses["train/snr_db"] = float((10 * torch.log10(energy / noise)).mean())
        return loss, losses

    def _classifier_loss(self, logits: Tensor, target: Tensor) -> Tensor:
        if self.training.classifier_loss == "cross-entropy":
            return classifier_loss(logits, target)
        margin = margin_loss(logits, target, self.training.kappa)
        return margin + 0.2 * classifier_loss(logits, target)

    def _set_learning_rate(self) -> None:
        t, step = self.training, self.state.step
        rate = t.learning_rate
        if t.schedule == "cosine":
            progress = step / (t.epochs * self.steps_per_epoch)
            rate *= min(1.0, (step + 1) / 50) * 0.5 * (1.0 + math.cos(math.pi * progress))
        for group in self.state.optimizer.param_groups:
            group["lr"] = rate

    @torch.no_grad()
    def _update_average(self) -> None:
        # A young average forgets faster, or the random start would linger in it.
        step = self.state.step
        decay = min(self.training.ema, step / (step + 20)) if self.training.ema else 0.0
        pairs = zip(self.state.average.parameters(), self.state.generator.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight, 1.0 - decay)

    def _check(self, losses: Losses) -> None:
        for name, value in losses.items():
            if not math.isfinite(value):
                where = self._now.describe(self.train_data, self.labelled_size)
                raise MondegreenError(
                    f"{name} became {value} in {where}. Look at these clips, or train into another "
                    "--out with a lower --training.learning-rate; the last good state is in "
                    f"{self.run.latest}."
                )

    def _end_epoch(self, losses: Losses, seconds: float) -> float:
        """Measure, checkpoint and log; return the success on the validation split."""
        start = time.perf_counter()
        state, t = self.state, self.training
        state.average.eval()
        measured = validate(
            state.average, self.classifier, self.validation, self.targets, t.seed, self.channels
        )
        success = measured["validation/success"]
        state.successes.append(success)
        ramped = t.budget is None or state.epoch >= t.budget.ramp * t.epochs
        attacking = state.epoch >= min(t.warm_up_epochs + 1, t.epochs)
        if ramped and attacking and success > state.best_success:
            state.best_success = success
            save_generator(self.run.best, state.average)
        save_generator(self.run.latest, state.average)
        seconds += time.perf_counter() - start
        # Logged first: lines beyond the checkpoint are dropped on resuming, missing ones are lost.
        self.run.log(state.step, {"epoch": state.epoch, **losses, **measured, "seconds": seconds})
        self.run.save_state(state.state_dict())
        return success


def _cut(values: Tensor | None, part: slice) -> Tensor | None:
    """Return a part of a batch's numbers, where there are any."""
    return None if values is None else values[part]
