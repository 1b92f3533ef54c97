"""Every clip decoded once, into one memory-mapped file of 16-bit samples."""

from __future__ import annotations

import errno
import hashlib
import itertools
import mmap
import os
import shutil
import uuid
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mondegreen.claims import claimed, remove_abandoned
from mondegreen.data.cache_folder import default_cache_folder
from mondegreen.data.corpus import Corpus
from mondegreen.data.decoding import WHOLE, Cut, Job, Source, decode_into
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, remove_leftovers, write_json

_FORMAT = 1
_PCM = np.dtype("<i2")
_RELEASE_BYTES = 32 * 2**20
_FAULT_BYTES = 64 * 2**10
"""The kernel maps so much around whatever is read, however short a clip is."""
_STALE_SECONDS = 60.0
_ATTEMPTS = 5
MOST_RATE = 768_000
"""Samples a second; no recording has more."""

Rows = npt.NDArray[np.int64]


class ClipCache:
    """16-bit samples of clips, ``(clips, samples)``, read from a raw file through a memory map.

    Mapped pages are handed back to the system as reading goes on, so that streaming a data set
    larger than the memory keeps the process small.

    Args:
        data: Raw little-endian int16, one clip after the other.
        samples: Samples of each clip.
        rows: For clip number i of the corpus, its row in the file; by default the i-th.

    Raises:
        MondegreenError: The file's size is no multiple of a clip's.
        OSError: The file cannot be opened.
    """

    def __init__(self, data: Path, samples: int, *, rows: Rows | None = None) -> None:
        with data.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0 or size % (samples * _PCM.itemsize):
                raise MondegreenError(
                    f"the cache file {data} is damaged ({size} bytes are no whole number of clips "
                    f"of {samples} samples). Delete it and start again."
                )
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.data = data
        self.samples = samples
        self._pcm = np.frombuffer(self._map, dtype=_PCM).reshape(-1, samples)
        self._rows = np.arange(len(self._pcm), dtype=np.int64) if rows is None else rows
        self._mapped_bytes = 0

    @classmethod
    def build(
        cls,
        corpus: Corpus,
        *,
        sample_rate: int,
        clip_samples: int,
        folder: Path | None = None,
        workers: int | None = None,
    ) -> ClipCache:
        """Decode the clips of a corpus, or reuse what an earlier call decoded.

        Recordings are averaged to mono and resampled; their clips are cut or zero-padded at the
        end, and rounded to 16-bit PCM (x 32768). Only files whose size or time of change differ are
        decoded again. Any number of processes may build the same cache at the same time.

        Args:
            corpus: The clips.
            sample_rate: In Hz.
            clip_samples: Samples of each clip.
            folder: Where to keep the cache; see :func:`default_cache_folder`.
            workers: Decoding threads; by default one a core, at most eight.

        Raises:
            MondegreenError: Clips cannot be read (up to five are named), there are none, or the
                folder cannot be written to.
        """
        if not len(corpus):
            raise MondegreenError(f"the corpus {corpus.name} ({corpus.root}) has no clips.")
        if sample_rate <= 0 or clip_samples <= 0:
            raise MondegreenError("the sample rate and the clip length must be positive.")
        if sample_rate > MOST_RATE:
            raise MondegreenError(f"--sample-rate is {sample_rate}; {MOST_RATE} is the most.")
        pieces = [(os.path.abspath(clip.path), clip.cut) for clip in corpus.clips]  # noqa: PTH100 (fast)
        unique = sorted(set(pieces))
        place = _Place(folder or default_cache_folder(), unique, sample_rate, clip_samples)
        row_of = {piece: row for row, piece in enumerate(unique)}
        rows = np.array([row_of[piece] for piece in pieces], dtype=np.int64)
        for _ in range(_ATTEMPTS):
            data = place.refresh(workers)
            with suppress(FileNotFoundError):  # another process put a newer file in its place
                return cls(data, clip_samples, rows=rows)
        raise MondegreenError(
            f"the clip cache in {place.folder} keeps changing. Let the other runs finish, or set "
            "MONDEGREEN_CACHE to another folder."
        )

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self._rows)

    def select(self, indices: Rows) -> ClipCache:
        """Return the cache of some of the clips, in the order given."""
        return ClipCache(self.data, self.samples, rows=self._rows[indices])

    def read(self, indices: Sequence[int] | npt.NDArray[np.int64] | Tensor) -> Tensor:
        """Return a copy of some clips' samples.

        Args:
            indices: Positions in the corpus.

        Shape:
            - Output: ``(len(indices), samples)``, int16

        Raises:
            IndexError: A position is out of range.
        """
        rows = self._rows[np.asarray(indices, dtype=np.int64).reshape(-1)]
        pcm = np.empty((len(rows), self.samples), dtype=np.int16)
        block = max(1, _RELEASE_BYTES // max(self.samples * _PCM.itemsize, _FAULT_BYTES))
        for start in range(0, len(rows), block):
            part = rows[start : start + block]
            self._announce(part)
            pcm[start : start + len(part)] = self._pcm[part]
            self._count(len(part) * max(self.samples * _PCM.itemsize, _FAULT_BYTES))
        return torch.from_numpy(pcm)

    def _announce(self, rows: Rows) -> None:
        """Ask for whole clips at once; page by page, shuffled reads of a cold file are slow."""
        if not hasattr(mmap, "MADV_WILLNEED"):
            return
        size = self.samples * _PCM.itemsize
        for row in rows.tolist():
            start = row * size // mmap.PAGESIZE * mmap.PAGESIZE
            self._map.madvise(mmap.MADV_WILLNEED, start, (row + 1) * size - start)

    def _count(self, size: int) -> None:
        """Give the mapped pages back once in a while; the file keeps their content."""
        self._mapped_bytes += size
        if self._mapped_bytes >= _RELEASE_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._mapped_bytes = 0


class _Place:
    """The files of one cache: an index that names a data file; renaming the index commits both."""

    def __init__(
        self, folder: Path, pieces: list[tuple[str, Cut]], sample_rate: int, samples: int
    ) -> None:
        self.cuts: dict[str, tuple[Cut, ...]] = {
            path: tuple(cut for _, cut in group)
            for path, group in itertools.groupby(pieces, key=lambda piece: piece[0])
        }
        self.paths, self.clips = list(self.cuts), len(pieces)
        files = [
            path if cuts == (WHOLE,) else f"{path}\t{cuts}" for path, cuts in self.cuts.items()
        ]
        text = "\n".join([str(_FORMAT), str(sample_rate), str(samples), *files])
        self.key = hashlib.sha1(os.fsencode(text), usedforsecurity=False).hexdigest()[:16]
        self.folder, self.sample_rate, self.samples = folder, sample_rate, samples
        self.index = folder / f"{self.key}.json"

    def refresh(self, workers: int | None) -> Path:
        """Return a data file that holds what the clips hold now."""
        sources = [Source.of(path) for path in self.paths]
        data, known = self._load()
        stale = self._stale(sources, known)
        if data is not None and not stale:
            self._tidy(data, None)
            return data
        fresh = self.folder / f"{self.key}-{uuid.uuid4().hex[:12]}.pcm"
        temporary = fresh.with_name(f".{fresh.name}.tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._refuse_too_many()
            with claimed(temporary):
                decode_into(
                    temporary,
                    stale,
                    clips=self.clips,
                    sample_rate=self.sample_rate,
                    samples=self.samples,
                    start_from=data,
                    workers=workers,
                )
                temporary.rename(fresh)
                self._commit(fresh, data, sources)
        except OSError as error:
            if data is not None and not data.exists():
                return self.refresh(workers)  # another process has just replaced what we copied
            raise MondegreenError(
                f"cannot write the clip cache in {self.folder}: {error.strerror or error}. Free "
                "some space, or set MONDEGREEN_CACHE to another folder."
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return fresh

    def _refuse_too_many(self) -> None:
        """Find out that the disk is too small before it is filled."""
        needed = self.clips * self.samples * _PCM.itemsize
        if needed > shutil.disk_usage(self.folder).free:
            raise OSError(
                errno.ENOSPC,
                f"No space left on device: {self.clips:,} clips of {self.samples:,} samples take "
                f"{needed / 1e9:,.1f} GB",
            )

    def _stale(self, sources: list[Source], known: dict[int, Source]) -> list[Job]:
        """Return the files that have changed, with the first row of each."""
        jobs: list[Job] = []
        row = 0
        for number, source in enumerate(sources):
            cuts = self.cuts[source.path]
            if known.get(number) != source:
                jobs.append(Job(row, source, cuts))
            row += len(cuts)
        return jobs

    def _load(self) -> tuple[Path | None, dict[int, Source]]:
        """Return the committed data file and its files; nothing where it is no use."""
        try:
            index = read_json(self.index)
            if index["format"] != _FORMAT or [c["path"] for c in index["clips"]] != self.paths:
                return None, {}
            data = self.folder / Path(index["data"]).name
            if data.stat().st_size != self.clips * self.samples * _PCM.itemsize:
                return None, {}
            known = [Source(c["path"], c["size"], c["mtime_ns"]) for c in index["clips"]]
        except (MondegreenError, OSError, LookupError, TypeError, ValueError):
            return None, {}
        return data, dict(enumerate(known))

    def _commit(self, fresh: Path, old: Path | None, sources: list[Source]) -> None:
        write_json(
            self.index,
            {
                "format": _FORMAT,
                "data": fresh.name,
                "sample_rate": self.sample_rate,
                "samples": self.samples,
                "clips": [
                    {"path": source.path, "size": source.size, "mtime_ns": source.mtime_ns}
                    for source in sources
                ],
            },
        )
        self._tidy(fresh, old)

    def _tidy(self, fresh: Path, old: Path | None) -> None:
        """Remove the data file just replaced, and what builds that were killed have left.

        Who has mapped a removed file can still read it; builds under way are claimed.
        """
        for pattern in (f"{self.key}-*.pcm", f".{self.key}*.pcm.tmp"):
            for path in self.folder.glob(pattern):
                if path == old:
                    with suppress(OSError):
                        path.unlink()
                elif path != fresh:
                    remove_abandoned(path, partial(self._uncommitted, path.name))
        remove_leftovers(self.folder, older_than=_STALE_SECONDS)

    def _uncommitted(self, name: str) -> bool:
        """Tell whether the index does not name this data file."""
        try:
            return bool(read_json(self.index)["data"] != name)
        except (MondegreenError, LookupError, TypeError):
            return True
