"""Attack pairs batch by batch, and keep each batch that is done, so that work can be continued."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mondegreen.attacks.attack import Attack
from mondegreen.audio import float_to_pcm16, pcm16_to_float, wav_round_trip
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.channels import Listening
from mondegreen.evaluation.counting import CountedAttack, Spent
from mondegreen.evaluation.pairs import Ints, Kept, Pairs
from mondegreen.evaluation.partial import Arrays, Partial
from mondegreen.fitting import at_once
from mondegreen.metrics.snr import snr_db
from mondegreen.processes.group import Processes
from mondegreen.progress import progress_bar

OUTCOME = ("after", "after_probability", "snr_db", "queries", "gradients", "seconds")
"""Columns of the pairs that are filled in here."""


@dataclass(frozen=True)
class Conditions:
    """What every batch of a measurement has in common."""

    classifier: Classifier
    data: ClipDataset
    budget: Budget | None
    batch_size: int
    listening: Listening
    """Channels that the adversarial clips pass, too."""

    @property
    def size(self) -> int:
        """Clips of a batch: as many as are wished, fewer where they are long."""
        return at_once(self.batch_size, self.classifier.clip_samples)


@dataclass(frozen=True)
class Totals:
    """What the batches say together."""

    clip_by_clip: bool
    """Whether the queries of all pairs are their own."""
    peak_memory_bytes: int | None
    """Of a full batch; None where it could not be measured."""
    seconds_before: float
    """Spent on batches that an earlier run had finished."""


def attack_pairs(
    attack: Attack,
    given: Conditions,
    pairs: Pairs,
    kept: Kept,
    partial: Partial | None = None,
    processes: Processes | None = None,
) -> Totals:
    """Fill in what became of the pairs, and keep the waveforms that were asked for.

    Args:
        attack: The attack.
        given: What it works on.
        pairs: Changed: the columns of :data:`OUTCOME`; and so is what ``given.listening`` heard.
        kept: Changed: the waveforms of its rows, and what is heard in the perturbed ones.
        partial: Where finished batches are, and where further ones are written; None keeps none.
        processes: Who shares the batches, each of which one process attacks alone. Only the first
            one reads, writes and fills in.
    """
    counted = CountedAttack(attack)
    place = {row: number for number, row in enumerate(kept.rows)}
    kept.x = [torch.empty(0)] * len(place)
    kept.x_adv = [torch.empty(0)] * len(place)
    given.listening.after = np.empty((len(given.listening.channels), len(pairs)), dtype=np.int64)
    kept.heard_after = [torch.empty(0)] * len(place)
    memory: list[float] = []
    own, before = True, 0.0
    with progress_bar() as bar:
        task = bar.add_task(f"attacking with {attack.name}", total=len(pairs))
        work = _Work(counted, given, pairs, place, partial)
        for number, rows, found, earlier in _batches(work, processes or Processes()):
            before += float(found["seconds"].sum()) if earlier else 0.0
            try:
                _fill(found, rows, pairs, kept, given)
            except (LookupError, ValueError, TypeError) as error:
                if partial is None:
                    raise
                raise MondegreenError(
                    f"batch {number} in {partial.folder} is damaged ({error}). Delete that folder "
                    "to begin again."
                ) from error
            own = own and bool(found["clip_by_clip"])
            if number < 2 and len(rows) == min(given.size, len(pairs)):
                memory.append(float(found["memory"]))
            bar.update(task, advance=len(rows))
    last = memory[-1] if memory else float("nan")
    return Totals(own, None if np.isnan(last) else int(last), before)


@dataclass(frozen=True)
class _Work:
    """What has to be known to make any of the batches."""

    counted: CountedAttack
    given: Conditions
    pairs: Pairs
    place: dict[int, int]
    partial: Partial | None

    def __len__(self) -> int:
        return -(-len(self.pairs) // self.given.size)

    def rows(self, number: int) -> Ints:
        size = self.given.size
        return np.arange(number * size, min((number + 1) * size, len(self.pairs)))

    def load(self, number: int) -> Arrays | None:
        return self.partial.load(number) if self.partial is not None else None

    def make(self, number: int) -> Arrays:
        # Twice: the first call also loads what later ones find loaded.
        self.counted.measures_memory = number < 2
        return _attack(self.counted, self.given, self.pairs, self.rows(number), self.place)

    def save(self, number: int, found: Arrays) -> None:
        if self.partial is not None:
            self.partial.save(number, found)


def _batches(work: _Work, processes: Processes) -> Iterator[tuple[int, Ints, Arrays, bool]]:
    """Make the batches that are missing; yield all, and which are of earlier, in the first process.

    Those of a round are made at the same time, one in each process.
    """
    missing = list[int]()
    for number in range(len(work)):
        found = work.load(number) if processes.first else None
        if found is not None:
            yield number, work.rows(number), found, True
        elif processes.alone:
            found = work.make(number)
            work.save(number, found)
            yield number, work.rows(number), found, False
        else:
            missing.append(number)
    missing = processes.from_first(lambda: missing)
    for begin in range(0, len(missing), processes.count):
        round_ = missing[begin : begin + processes.count]
        mine = work.make(round_[processes.rank]) if processes.rank < len(round_) else None
        made = processes.gather(mine) or []
        for number, found in zip(round_, made, strict=False):
            assert found is not None, "there is a process for each of a round"
            work.save(number, found)
            yield number, work.rows(number), found, False


def _attack(
    counted: CountedAttack, given: Conditions, pairs: Pairs, rows: Ints, place: dict[int, int]
) -> Arrays:
    """Attack one batch; return what is known of it afterwards."""
    classifier, device = given.classifier, given.classifier.device
    scale = classifier.normalization
    x = given.data.waveforms(torch.from_numpy(pairs.clip[rows]), scale).to(device)
    target = torch.from_numpy(pairs.target[rows]).to(device)
    result = counted(classifier, x, target, budget=given.budget)
    x_adv = wav_round_trip(result.x_adv.cpu(), classifier.sample_rate, scale)
    x = result.x.cpu()
    probabilities = predict(classifier, x_adv, len(x_adv))
    wanted = [offset for offset, row in enumerate(rows.tolist()) if row in place]
    return {
        "after": probabilities.argmax(1).numpy(),
        "after_probability": probabilities[range(len(rows)), target.cpu()].double().numpy(),
        "snr_db": snr_db(x, x_adv).double().numpy(),
        "heard": given.listening.hear(classifier, x_adv, pairs.clip[rows], scale),
        **_spent(counted.spent, len(rows)),
        "kept": np.array([place[row] for row in rows[wanted].tolist()], dtype=np.int64),
        "x": float_to_pcm16(x[wanted], scale).numpy(),
        "x_adv": float_to_pcm16(x_adv[wanted], scale).numpy(),
        "probabilities": probabilities[wanted].cpu().numpy(),
    }


def _spent(spent: Spent | None, clips: int) -> Arrays:
    assert spent is not None, "the attack was called"
    memory = np.nan if spent.memory is None else float(spent.memory)
    values: dict[str, npt.NDArray[Any]] = {
        "queries": spent.queries.numpy(),
        "gradients": spent.gradients.numpy(),
        "seconds": np.full(clips, spent.seconds / clips),
        "clip_by_clip": np.array(spent.clip_by_clip),
        "memory": np.array(memory),
    }
    return values


def _fill(found: Arrays, rows: Ints, pairs: Pairs, kept: Kept, given: Conditions) -> None:
    """Write a batch's numbers into the pairs, and its waveforms into those that are kept."""
    for name in OUTCOME:
        getattr(pairs, name)[rows] = found[name]
    if given.listening.channels:
        given.listening.after[:, rows] = found["heard"]
    scale = given.classifier.normalization
    x, x_adv = (pcm16_to_float(torch.from_numpy(found[name]), scale) for name in ("x", "x_adv"))
    for offset, number in enumerate(found["kept"].tolist()):
        kept.x[number], kept.x_adv[number] = x[offset], x_adv[offset]
        if "probabilities" in found:  # batches of earlier versions do not tell
            kept.heard_after[number] = torch.from_numpy(found["probabilities"][offset])
