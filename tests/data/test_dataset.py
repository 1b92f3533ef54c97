from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mondegreen.data.cache import ClipCache
from mondegreen.data.corpus import Corpus
from mondegreen.data.dataset import ClipDataset, open_splits
from mondegreen.data.folder import folder_corpus


@pytest.fixture
def data(pair_folder: Path, tmp_path: Path) -> ClipDataset:
    corpus = folder_corpus(pair_folder)
    cache = ClipCache.build(corpus, sample_rate=16000, clip_samples=100, folder=tmp_path / "cache")
    return ClipDataset(corpus, cache)


def test_labels_names_and_waveforms_belong_together(data: ClipDataset) -> None:
    part = data.subset([8, 2])
    assert part.names() == ["dog/2.wav", "cat/2.wav"]
    assert part.names([1]) == ["cat/2.wav"]
    assert part.labels.tolist() == [1, 0]
    assert part.labels.dtype == torch.int64
    assert len(part) == 2
    assert part.groups == {"2"}
    for row, clip in zip(part.waveforms(), part.clips, strict=True):
        wanted, _ = soundfile.read(str(clip.path), dtype="float32")
        assert np.array_equal(row[0].numpy(), wanted[:100])


def test_normalizations(data: ClipDataset) -> None:
    pcm = data.cache.read([3]).double()
    x, paper = data.waveforms([3]), data.waveforms([3], "paper")
    assert x.shape == (1, 1, 100)
    assert x.dtype == torch.float32
    assert torch.equal(x[0].double(), pcm / 32768)
    torch.testing.assert_close(paper[0].double(), 2 / 65535 * (pcm - 32767) + 1, atol=1e-7, rtol=0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(batch_size=st.integers(1, 14), seed=st.integers(0, 99), drop_last=st.booleans())
def test_an_epoch_holds_every_clip_once(
    data: ClipDataset, batch_size: int, seed: int, drop_last: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    batches = list(data.epoch(batch_size, generator, drop_last))
    sizes = [len(labels) for _, labels in batches]
    whole = 12 // batch_size
    assert sizes == [batch_size] * whole + (
        [12 % batch_size] if 12 % batch_size and not drop_last else []
    )
    all_rows = {
        row.numpy().tobytes(): label
        for row, label in zip(data.waveforms(), data.labels.tolist(), strict=True)
    }
    seen = [
        (row.numpy().tobytes(), int(label))
        for x, y in batches
        for row, label in zip(x, y, strict=True)
    ]
    assert len(set(seen)) == sum(sizes)
    assert all(all_rows[row] == label for row, label in seen)


def test_epochs_are_shuffled_by_the_generator(data: ClipDataset, rng: torch.Generator) -> None:
    state = rng.get_state()
    (first, _), (second, _) = (next(data.epoch(12, rng)) for _ in range(2))
    rng.set_state(state)
    again, _ = next(data.epoch(12, rng))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


def test_batches_come_in_order(data: ClipDataset) -> None:
    x, labels = zip(*data.batches(5), strict=True)
    assert [len(part) for part in x] == [5, 5, 2]
    assert torch.equal(torch.cat(x), data.waveforms())
    assert torch.equal(torch.cat(labels), data.labels)
    with pytest.raises(ValueError, match="at least one"):
        next(data.batches(0))


def test_samples_repeat_only_when_they_must(data: ClipDataset, rng: torch.Generator) -> None:
    x, labels = data.sample(12, rng)
    assert len({row.numpy().tobytes() for row in x}) == 12
    assert sorted(labels.tolist()) == [0] * 6 + [1] * 6
    x, labels = data.sample(50, rng)
    assert (x.shape, labels.shape) == ((50, 1, 100), (50,))


def test_silent_clips_are_named(pair_folder: Path, tmp_path: Path) -> None:
    soundfile.write(str(pair_folder / "cat" / "1.wav"), np.zeros(30, dtype=np.int16), 16000)
    soundfile.write(str(pair_folder / "dog" / "4.wav"), np.full(200, 9, dtype=np.int16), 16000)
    corpus = folder_corpus(pair_folder)
    cache = ClipCache.build(corpus, sample_rate=16000, clip_samples=100, folder=tmp_path / "cache")
    data = ClipDataset(corpus, cache)
    assert data.silent() == ["cat/1.wav", "dog/4.wav"]
    assert data.subset([0, 10]).silent() == ["dog/4.wav"]


def test_open_splits_divides_by_speaker(words: Corpus, tmp_path: Path) -> None:
    parts = open_splits(words, sample_rate=16000, clip_samples=200, cache_folder=tmp_path)
    assert list(parts) == ["train", "validation", "test"]
    assert sum(map(len, parts.values())) == len(words)
    groups = [part.groups for part in parts.values()]
    assert len(frozenset.union(*groups)) == sum(map(len, groups))
    test = parts["test"]
    wanted, _ = soundfile.read(str(test.clips[-1].path), dtype="float32")
    assert np.array_equal(test.waveforms([len(test) - 1])[0, 0].numpy(), wanted[:200])
    assert "clips=" in repr(test)


def test_a_cache_of_another_corpus_is_refused(data: ClipDataset) -> None:
    with pytest.raises(ValueError, match="holds 12 clips, the corpus 1"):
        ClipDataset(data.corpus.subset([0]), data.cache)
