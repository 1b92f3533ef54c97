"""Attack pairs batch by batch, and keep each batch that is done, so that work can be continued."""

from __future__ import annotations

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
    attack: Attack, given: Conditions, pairs: Pairs, kept: Kept, partial: Partial | None = None
) -> Totals:
    """Fill in what became of the pairs, and keep the waveforms that were asked for.

    Args:
        attack: The attack.
        given: What it works on.
        pairs: Changed: the columns of :data:`OUTCOME`; and so is what ``given.listening`` heard.
        kept: Changed: the waveforms of its rows, and what is heard in the perturbed ones.
        partial: Where finished batches are, and where further ones are written; None keeps none.
    """
    counted = CountedAttack(attack)
    size = at_once(given.batch_size, given.classifier.clip_samples)
    place = {row: number for number, row in enumerate(kept.rows)}
    kept.x = [torch.empty(0)] * len(place)
    kept.x_adv = [torch.empty(0)] * len(place)
    given.listening.after = np.empty((len(given.listening.channels), len(pairs)), dtype=np.int64)
    kept.heard_after = [torch.empty(0)] * len(place)
    memory: list[float] = []
    own, before = True, 0.0
    with progress_bar() as bar:
        task = bar.add_task(f"attacking with {attack.name}", total=len(pairs))
        for number, begin in enumerate(range(0, len(pairs), size)):
            rows = np.arange(begin, min(begin + size, len(pairs)))
            found = partial.load(number) if partial is not None else None
            if found is None:
                # Twice: the first call also loads what later ones find loaded.
                counted.measures_memory = number < 2
                found = _attack(counted, given, pairs, rows, place)
                if partial is not None:
                    partial.save(number, found)
            else:
                before += float(found["seconds"].sum())
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
            if number < 2 and len(rows) == min(size, len(pairs)):
                memory.append(float(found["memory"]))
            bar.update(task, advance=len(rows))
    last = memory[-1] if memory else float("nan")
    return Totals(own, None if np.isnan(last) else int(last), before)


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
