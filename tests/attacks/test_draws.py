"""The random streams: independent of the batch, spread evenly, the same whatever else is drawn."""

from __future__ import annotations

import torch

from mondegreen.attacks.draws import Draws


def draws(count: int = 4, seed: int = 1) -> Draws:
    x = torch.randn(count, 1, 50, generator=torch.Generator().manual_seed(2)) / 10
    return Draws(seed, x, torch.arange(count) % 3)


def test_words_are_those_of_splitmix64() -> None:
    some = draws()
    some._keys = torch.tensor([1234567 - (0xD1B54A32D192ED03 - 2**64)])
    mixed_start = some.words(torch.tensor([0]), 3)[0]
    z, expected = 1234567, []  # the start is mixed once, then it is the seed of the reference
    z = reference(z)
    for step in range(1, 4):
        expected.append(reference((z + step * 0x9E3779B97F4A7C15) % 2**64))
    assert [int(word) % 2**64 for word in mixed_start] == expected


def reference(z: int) -> int:
    """Return the finalizer of SplitMix64, in integers without a limit."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def test_a_clips_stream_depends_on_itself_its_target_and_the_seed_only() -> None:
    rows = torch.arange(4)
    together = draws().words(rows, 5)
    x = torch.randn(4, 1, 50, generator=torch.Generator().manual_seed(2)) / 10
    alone = Draws(1, x[2:3], torch.tensor([2])).words(torch.tensor([0]), 5)
    assert torch.equal(alone[0], together[2])
    assert torch.equal(draws().words(rows[1:3], 5), together[1:3])
    assert not bool((draws(seed=2).words(rows, 5) == together).any())
    other = Draws(1, x, torch.tensor([1, 1, 2, 0])).words(rows, 5)
    assert (other == together).all(dim=1).tolist() == [False, True, True, True]
    assert len(torch.unique(together)) == together.numel()


def test_calls_differ_and_longer_ones_begin_alike() -> None:
    rows = torch.arange(2)
    one, other = draws(), draws()
    first, second = one.words(rows, 3, 4), one.words(rows, 3, 4)
    assert not bool((first == second).any())
    assert torch.equal(other.words(rows, 7, 4)[:, :3], first)
    assert torch.equal(other.words(rows, 3, 4), second)


def test_numbers_are_spread_evenly() -> None:
    rows = torch.arange(4)
    u = draws().uniform(rows, 20_000)
    assert 0.0 < float(u.min()) < 1e-3
    assert 1.0 - 1e-3 < float(u.max()) < 1.0
    torch.testing.assert_close(u.mean(dim=1), torch.full((4,), 0.5).double(), atol=0.01, rtol=0)
    torch.testing.assert_close(u.var(dim=1), torch.full((4,), 1 / 12).double(), atol=0.002, rtol=0)
    off = torch.corrcoef(torch.cat([u, u.roll(1, dims=1)])) - torch.eye(8)
    assert float(off.abs().max()) < 0.04
    counts = torch.bincount(draws().below(7, rows, 7_000).flatten(), minlength=7)
    assert float((counts / 4_000 - 1.0).abs().max()) < 0.06
    halves = draws().halves(rows, 2, 20_000)
    assert halves.dtype == torch.int16
    assert halves.shape == (4, 2, 20_000)
    bits = torch.stack([(halves >> bit & 1).double().mean() for bit in range(16)])
    torch.testing.assert_close(bits, torch.full((16,), 0.5).double(), atol=0.01, rtol=0)
