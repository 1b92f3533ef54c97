"""The clips of one split as tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mondegreen.audio import Normalization, pcm16_to_float
from mondegreen.data.cache import ClipCache
from mondegreen.data.corpus import Clip, Corpus
from mondegreen.data.splits import (
    SplitKind,
    SplitName,
    split_indices,
    warn_of_missing_labels,
)
from mondegreen.fitting import at_once

_FULL_SCALE = 32768.0

Positions = Sequence[int] | npt.NDArray[np.int64] | Tensor

_SILENCE_BLOCK = 256


class ClipDataset:
    """Waveforms and labels of some clips of a corpus.

    Args:
        corpus: The corpus.
        cache: Its decoded clips.
        indices: Which clips, as positions in ``corpus.clips``; all by default.
    """

    def __init__(
        self, corpus: Corpus, cache: ClipCache, indices: npt.NDArray[np.int64] | None = None
    ) -> None:
        if len(cache) != len(corpus):
            raise ValueError(f"the cache holds {len(cache)} clips, the corpus {len(corpus)}")
        self.corpus = corpus
        self.cache = cache
        self.indices = np.arange(len(corpus), dtype=np.int64) if indices is None else indices
        self.labels = torch.from_numpy(corpus.label_indices()[self.indices])

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.indices)

    def __repr__(self) -> str:
        """Show the corpus and the sizes."""
        return (
            f"ClipDataset({self.corpus.name!r}, clips={len(self)}, groups={len(self.groups)}, "
            f"samples={self.cache.samples})"
        )

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The clips, in order."""
        return tuple(self.corpus.clips[index] for index in self.indices.tolist())

    @property
    def groups(self) -> frozenset[str]:
        """The speakers or tracks heard here."""
        return frozenset(clip.group for clip in self.clips)

    def subset(self, positions: Positions) -> ClipDataset:
        """Return the data set of some of the clips, in the order given."""
        return ClipDataset(self.corpus, self.cache, self.indices[_as_array(positions)])

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with any clip, its label, and their order."""
        digest = hashlib.sha256()
        for name, label in zip(self.names(), self.labels.tolist(), strict=True):
            digest.update(f"{label} {name}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()[:16]

    def names(self, positions: Positions | None = None) -> list[str]:
        """Return ``label/file name`` of some clips, or of all."""
        indices = self.indices if positions is None else self.indices[_as_array(positions)]
        return [self.corpus.clips[index].name for index in indices.tolist()]

    def waveforms(
        self, positions: Positions | None = None, normalization: Normalization = "pcm"
    ) -> Tensor:
        """Return the waveforms of some clips, or of all.

        Args:
            positions: Positions in this data set.
            normalization: How PCM becomes floats.

        Shape:
            - Output: ``(n, 1, samples)``, float32 in [-1, 1]
        """
        indices = self.indices if positions is None else self.indices[_as_array(positions)]
        return pcm16_to_float(self.cache.read(indices), normalization).unsqueeze(1)

    def epoch(
        self,
        batch_size: int,
        generator: torch.Generator,
        drop_last: bool = False,
        *,
        normalization: Normalization = "pcm",
        skip: int = 0,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield every clip once, shuffled, as batches of waveforms and labels.

        Args:
            batch_size: Clips a batch.
            generator: The source of randomness, on the CPU.
            drop_last: Leave out a last batch that is smaller.
            normalization: How PCM becomes floats.
            skip: Leave out so many batches at the beginning.

        Shape:
            - Waveforms: ``(batch, 1, samples)``
            - Labels: ``(batch,)``, int64
        """
        order = torch.randperm(len(self), generator=generator)
        for positions in _chunks(order[skip * batch_size :], batch_size):
            if drop_last and len(positions) < batch_size:
                return
            yield self.waveforms(positions, normalization), self.labels[positions]

    def batches(
        self, batch_size: int, *, normalization: Normalization = "pcm"
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield every clip once, in order, as batches of waveforms and labels; fewer if long."""
        size = at_once(batch_size, self.cache.samples)
        for positions in _chunks(torch.arange(len(self)), size):
            yield self.waveforms(positions, normalization), self.labels[positions]

    def sample(
        self, n: int, generator: torch.Generator, *, normalization: Normalization = "pcm"
    ) -> tuple[Tensor, Tensor]:
        """Return ``n`` random clips and their labels; a clip repeats only if there are fewer.

        Args:
            n: How many.
            generator: The source of randomness, on the CPU.
            normalization: How PCM becomes floats.
        """
        if n <= len(self):
            positions = torch.randperm(len(self), generator=generator)[:n]
        else:
            positions = torch.randint(len(self), (n,), generator=generator)
        return self.waveforms(positions, normalization), self.labels[positions]

    def silent(self) -> list[str]:
        """Return the names of the clips whose samples are all equal: they hold no sound."""
        found: list[str] = []
        for positions in _chunks(torch.arange(len(self)), _SILENCE_BLOCK):
            pcm = self.cache.read(self.indices[positions.numpy()])
            constant = pcm.amin(dim=1) == pcm.amax(dim=1)
            found += self.names(positions[constant])
        return found


def open_splits(
    corpus: Corpus,
    kind: SplitKind = "speaker",
    *,
    sample_rate: int,
    clip_samples: int,
    seed: int = 0,
    lists: Path | None = None,
    cache_folder: Path | None = None,
    workers: int | None = None,
) -> dict[SplitName, ClipDataset]:
    """Divide a corpus and decode its clips, or reuse the cache.

    Clips below the corpus's floor are left out of the data sets and of their corpus.

    Args:
        corpus: The corpus.
        kind: How to divide it.
        sample_rate: In Hz.
        clip_samples: Samples of each clip.
        seed: For the random splits.
        lists: Folder of the lists of the ``lists`` split.
        cache_folder: Where decoded clips are kept; by default
            :func:`mondegreen.data.cache_folder.default_cache_folder`.
        workers: Decoding threads.

    Raises:
        MondegreenError: A part would be empty, clips cannot be read, or the cache folder cannot
            be written to.
    """
    parts = split_indices(corpus, kind, seed=seed, lists=lists)  # refused before long decoding
    cache = ClipCache.build(
        corpus,
        sample_rate=sample_rate,
        clip_samples=clip_samples,
        folder=cache_folder,
        workers=workers,
    )
    if corpus.floor_db is not None:
        audible = _audible(cache, corpus.floor_db)
        corpus, cache = corpus.subset(audible), cache.select(audible)
        parts = split_indices(corpus, kind, seed=seed, lists=lists)
    warn_of_missing_labels(corpus, kind, parts)
    return {name: ClipDataset(corpus, cache, indices) for name, indices in parts.items()}


def _audible(cache: ClipCache, floor_db: float) -> npt.NDArray[np.int64]:
    """Return the positions of the clips whose level is not below the floor."""
    power = [
        cache.read(positions).float().div_(_FULL_SCALE).square_().mean(dim=1)
        for positions in _chunks(torch.arange(len(cache)), _SILENCE_BLOCK)
    ]
    return torch.nonzero(torch.cat(power) >= 10.0 ** (floor_db / 10.0))[:, 0].numpy()


def _chunks(positions: Tensor, size: int) -> Iterator[Tensor]:
    if size < 1:
        raise ValueError(f"a batch needs at least one clip, not {size}")
    for start in range(0, len(positions), size):
        yield positions[start : start + size]


def _as_array(positions: Positions) -> npt.NDArray[np.int64]:
    return np.asarray(positions, dtype=np.int64).reshape(-1)
