"""Measure an attack over a data set: every clip with every target that is not its label.

An untargeted attack meets every clip once, and has to make it anything else. What is measured, and
how, is fixed here for every attack: success is scored on the waveform that a 16-bit WAV file holds
after it was written and read back.
"""

from __future__ import annotations

import datetime
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.batches import Conditions, Totals, attack_pairs
from mondegreen.evaluation.channels import Listening
from mondegreen.evaluation.pairs import Kept, Pairs, draw_kept, draw_pairs, every_clip, every_pair
from mondegreen.evaluation.partial import Partial
from mondegreen.evaluation.timing import TimingPlan, time_searches
from mondegreen.generators.generator import Generator
from mondegreen.metrics.macs import count_macs
from mondegreen.metrics.summary import summarize
from mondegreen.processes.group import Processes

MOST_PAIRS = 100_000
"""Pairs that are attacked where nothing is said about their number."""


@dataclass(frozen=True)
class EvaluationOptions:
    """How much is measured."""

    pairs: int | None = None
    """Pairs of a clip and a target, drawn evenly over source and target; -1 all. By default all up
    to 100,000, and so many of more: hundreds of labels make millions."""
    batch_size: int = 64
    """Clips attacked at once; also the N of the batch timing. Fewer where clips are long."""
    quality_pairs: int = 1000
    """Pairs that PESQ and STOI are computed for, drawn at random, those that are kept as samples
    among them; 0 none, -1 all."""
    samples: int = 2
    """Pairs kept as WAV files for each source and target, the first ones that were drawn."""
    timing_repeats: int = 20
    """Repetitions of which the median time is taken; 0 measures no time."""
    seed: int = 1024
    """Seeds the draw of the pairs that are listened to."""

    def __post_init__(self) -> None:
        """Refuse numbers that nothing can be measured with."""
        pairs = 1 if self.pairs is None else self.pairs
        if pairs == 0 or min(pairs, self.quality_pairs) < -1:
            raise MondegreenError(
                f"--pairs is {self.pairs} and --quality-pairs {self.quality_pairs}; name how many, "
                "or -1 for all."
            )
        if self.batch_size < 1 or min(self.timing_repeats, self.samples, self.seed) < 0:
            raise MondegreenError(
                "batch-size must be 1 or more, timing-repeats, samples and seed 0 or more."
            )


@dataclass(frozen=True)
class Evaluation:
    """What an attack achieved on a data set."""

    pairs: Pairs
    kept: Kept
    totals: Totals
    clean_accuracy: float
    timing: dict[str, float]
    listening: Listening
    """What was heard after channels, where there are any."""
    duration_seconds: float
    created: str

    @property
    def success_rate(self) -> float:
        """The share of pairs that succeed (paper, eq. 14)."""
        return float(self.pairs.success.mean())

    @property
    def mean_snr_db(self) -> float:
        """The mean signal-to-noise ratio (paper, eq. 15), in dB, of the clips that were changed.

        Silent clips have none either; NaN where no clip is left.
        """
        mean = summarize(self.pairs.snr_db)["mean"]
        return math.nan if mean is None else mean


def evaluate(
    attack: Attack,
    classifier: Classifier,
    data: ClipDataset,
    *,
    budget: Budget | None,
    targets: tuple[str, ...] = (),
    options: EvaluationOptions | None = None,
    pairs: Pairs | None = None,
    partial: Partial | None = None,
    listening: Listening | None = None,
    processes: Processes | None = None,
) -> Evaluation:
    """Attack every clip of ``data`` towards every target that is not its label.

    Args:
        attack: The attack; an untargeted one attacks every clip once.
        classifier: The frozen classifier.
        data: The clips.
        budget: The budget that every perturbation has to keep; None for none.
        targets: Labels to reach or, untargeted, to get away from; by default all.
        options: How much is measured.
        pairs: Attack only these, say from :func:`~mondegreen.evaluation.pairs.draw_pairs`, in place
            of every clip with every one of ``targets``; they are not changed.
        partial: Batches that are finished already, and where further ones are kept.
        listening: Channels that the adversarial and the untouched clips pass, too. It is filled in,
            but for what it knows of the untouched clips already.
        processes: Who shares the batches; by default nobody. The first one learns what came out;
            what the others return says nothing of the pairs.

    Raises:
        MondegreenError: There is no pair to attack, a target is unknown, or the pairs are not for
            an attack of this kind.
    """
    options = options or EvaluationOptions()
    start = time.perf_counter()
    if pairs is None:
        every = all_pairs(classifier, data, targets, untargeted=attack.untargeted)
        pairs = pairs_of(options, every)
    _refuse_other_goal(attack, pairs)
    pairs = pairs.take(np.arange(len(pairs)))
    before = _clean(classifier, data)
    pairs.before[:] = before.argmax(1).numpy()[pairs.clip]
    pairs.before_probability[:] = before.numpy()[pairs.clip, pairs.target]
    random = np.random.default_rng(options.seed)
    kept = Kept(rows=draw_kept(pairs, options.quality_pairs, options.samples, random))
    kept.heard_before = [before[pairs.clip[row]] for row in kept.rows]
    listening = listening or Listening({}, options.seed)
    if listening.before.shape != (len(listening.channels), len(data)):
        listening.hear_untouched(classifier, data, processes)
    given = Conditions(classifier, data, budget, options.batch_size, listening)
    totals = attack_pairs(attack, given, pairs, kept, partial, processes)
    accuracy = float((before.argmax(1) == data.labels).double().mean())
    measures = processes is None or processes.first
    timing = _time(attack, given, pairs, options) if measures else {}
    return Evaluation(
        pairs=pairs,
        kept=kept,
        totals=totals,
        clean_accuracy=accuracy,
        timing=timing,
        listening=listening,
        duration_seconds=time.perf_counter() - start + totals.seconds_before,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def _refuse_other_goal(attack: Attack, pairs: Pairs) -> None:
    kinds = {True: "untargeted", False: "targeted"}
    if pairs.untargeted != attack.untargeted:
        raise MondegreenError(
            f"{attack.name} is {kinds[attack.untargeted]}, the pairs are for attacks that are "
            f"{kinds[pairs.untargeted]}."
        )


def pairs_of(options: EvaluationOptions, every: Pairs) -> Pairs:
    """Return the pairs that are measured: so many as are asked for, the same at each call."""
    wanted = MOST_PAIRS if options.pairs is None else options.pairs
    return draw_pairs(every, wanted, np.random.default_rng(options.seed))


def all_pairs(
    classifier: Classifier,
    data: ClipDataset,
    targets: tuple[str, ...] = (),
    *,
    untargeted: bool = False,
) -> Pairs:
    """Return every clip of ``data`` with every target that is not its label.

    Args:
        classifier: Knows the labels.
        data: The clips.
        targets: Labels to reach; by default all.
        untargeted: Return every clip once, with its own label; ``targets`` are those labels.

    Raises:
        MondegreenError: There is none, or a target is unknown or named twice.
    """
    if len(set(targets)) < len(targets):
        raise MondegreenError(f"--target {' '.join(targets)}: name each label once.")
    indices = np.array([classifier.label_index(name) for name in targets or classifier.labels])
    labels = data.labels.numpy()
    pairs = every_clip(labels, indices) if untargeted else every_pair(labels, indices)
    if not len(pairs) and untargeted:
        raise MondegreenError("there is nothing to attack: no clip carries one of these labels.")
    if not len(pairs):
        raise MondegreenError("there is nothing to attack: every clip carries the target already.")
    return pairs


def _clean(classifier: Classifier, data: ClipDataset) -> Tensor:
    scale = classifier.normalization
    batches = data.batches(128, normalization=scale)
    return torch.cat([predict(classifier, x) for x, _ in batches])


def _time(
    attack: Attack, given: Conditions, pairs: Pairs, options: EvaluationOptions
) -> dict[str, float]:
    """Time the perturbation alone, warm: of one drawn pair after the other, and of a full batch."""
    if not options.timing_repeats:
        return {}
    plan = TimingPlan(options.timing_repeats)
    (found,) = time_searches(
        [(attack, given.budget)],
        [0.0],
        given.classifier,
        given.data,
        pairs,
        plan,
        options.batch_size,
        options.seed,
    )
    assert found is not None, "a clip that took no time is timed"
    return {name: found[name] for name in ("batch1", "batchN", "N")}


def network_cost(attack: Attack, clip_samples: int) -> dict[str, int] | None:
    """Return parameters and multiply-accumulates a clip of a generator; None for other attacks."""
    generator = attack.generator if isinstance(attack, GeneratorAttack) else None
    if not isinstance(generator, Generator):
        return None
    device = next(generator.parameters()).device
    x = torch.zeros(1, 1, clip_samples, device=device)
    label = generator.config.labels.index(generator.config.targets[0])
    target = torch.tensor([label], device=device)
    return {
        "parameters": generator.parameter_count(),
        "macs": count_macs(generator, x, target),
    }


def describe(attack: Attack) -> dict[str, Any]:
    """Return an attack's name and hyper-parameters for a result file."""
    return {"name": attack.name, **attack.parameters()}
