"""What a classifier hears of the same clips after a channel: does an attack survive the way?

The perturbations are made without knowing the channel. The untouched and the adversarial versions
of a clip meet the same draw of it, the same room and the same noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mondegreen.audio import Normalization, float_to_pcm16, pcm16_to_float
from mondegreen.channels import Channel, Streams
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.data.dataset import ClipDataset
from mondegreen.evaluation.pairs import Ints, Pairs
from mondegreen.metrics.success import bootstrap_interval
from mondegreen.processes.group import Processes
from mondegreen.progress import task

Bools = npt.NDArray[np.bool_]

_BATCH = 64


@dataclass
class Listening:
    """Channels that a measurement listens through, and what was heard after each of them."""

    channels: Mapping[str, Channel]
    """By the text that asks for them."""
    seed: int
    """Of what the channels draw, clip by clip."""
    before: Ints = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    """Heard in the untouched clips, ``(channels, clips)``."""
    after: Ints = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    """Heard in the adversarial clips, ``(channels, pairs)``."""

    def hear(
        self, classifier: Classifier, x: Tensor, clips: Ints, normalization: Normalization
    ) -> Ints:
        """Return what is heard after every channel, ``(channels, batch)``.

        Args:
            classifier: Who listens, to what a 16-bit file would hold.
            x: Clips, ``(batch, 1, time)``.
            clips: Which clip of the data each of them is or was made of.
            normalization: How the floats of ``x`` map to PCM.
        """
        heard = np.empty((len(self.channels), len(x)), dtype=np.int64)
        plain = pcm16_to_float(float_to_pcm16(x, normalization)) if len(x) else x
        for row, channel in enumerate(self.channels.values()):
            streams = Streams(clip_seeds(self.seed, clips) if channel.random else ())
            y = channel.through(plain, classifier.sample_rate, streams)
            received = pcm16_to_float(float_to_pcm16(y), normalization)
            heard[row] = predict(classifier, received, len(x)).argmax(1).numpy()
        return heard

    def hear_untouched(
        self, classifier: Classifier, data: ClipDataset, processes: Processes | None = None
    ) -> None:
        """Fill in :attr:`before` for all clips of the data, of which each process hears some."""
        scale, count = classifier.normalization, len(data)
        everyone = processes or Processes()
        self.before = np.zeros((len(self.channels), count), dtype=np.int64)
        if not self.channels:
            return
        with task("untouched clips through the channels", -(-count // _BATCH)) as done:
            for number, begin in enumerate(range(0, count, _BATCH)):
                if number % everyone.count != everyone.rank:
                    continue
                clips = np.arange(begin, min(begin + _BATCH, count))
                x = data.waveforms(torch.from_numpy(clips), scale)
                self.before[:, clips] = self.hear(classifier, x, clips, scale)
                done()
        everyone.sum([torch.from_numpy(self.before)])


def clip_seeds(seed: int, clips: Ints) -> list[int]:
    """Return the seed of each clip's draws: the same for all that is made of a clip.

    Example:
        >>> clip_seeds(7, np.array([3, 5, 3]))[0] == clip_seeds(7, np.array([3]))[0]
        True
    """
    found = [np.random.SeedSequence((seed, int(clip))).generate_state(1)[0] for clip in clips]
    return [int(one) for one in found]


def through_channels(
    listening: Listening, pairs: Pairs, data: ClipDataset, seed: int
) -> list[dict[str, Any]]:
    """Return what every channel left of an attack, as result files state it.

    Args:
        listening: What was heard.
        pairs: The pairs, with what was heard without a channel.
        data: The clips.
        seed: Of the intervals.
    """
    labels = data.labels.numpy()
    groups = np.array([clip.group for clip in data.clips])[pairs.clip]
    rows = zip(listening.channels.items(), listening.before, listening.after, strict=True)
    return [
        {
            **describe_channel(name, channel),
            "clean_accuracy": float((before == labels).mean()),
            "baseline_rate": float(hits(pairs, before[pairs.clip]).mean()),
            **survival(pairs, after, groups, seed),
        }
        for (name, channel), before, after in rows
    ]


def describe_channel(name: str, channel: Channel) -> dict[str, Any]:
    """Return what identifies a channel in a result file."""
    return {
        "channel": name,
        "settings": repr(channel),
        "random": channel.random,
        "straight_through": channel.straight_through,
    }


def survival(
    pairs: Pairs, after: Ints, groups: npt.ArrayLike, seed: int
) -> dict[str, float | list[float] | None]:
    """Return the rates of the pairs after a channel.

    Args:
        pairs: The pairs, with what was heard without a channel.
        after: What was heard with it.
        groups: The speaker or track of every pair.
        seed: Of the interval.
    """
    success = hits(pairs, after)
    interval = bootstrap_interval(success, groups, np.random.default_rng(seed))
    had = pairs.success
    return {
        "success_rate": float(success.mean()),
        "success_interval": list(interval),
        "survival_rate": float(success[had].mean()) if had.any() else None,
        "true_label_rate": float((after == pairs.source).mean()),
    }


def hits(pairs: Pairs, heard: Ints) -> Bools:
    """Return which pairs succeed, if ``heard`` is what is heard of them."""
    reached: Bools = (heard == pairs.target) != pairs.untargeted
    return reached
