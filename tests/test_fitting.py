from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mondegreen.errors import MondegreenError
from mondegreen.fitting import Parts


@given(size=st.integers(1, 200), count=st.sampled_from([1, 2, 4, 8, 16]), least=st.integers(1, 3))
def test_parts_cover_a_batch_evenly(size: int, count: int, least: int) -> None:
    parts = Parts(count, least=least).of(size)
    clips = [position for part in parts for position in range(size)[part]]
    lengths = [part.stop - part.start for part in parts]
    assert clips == list(range(size))
    assert max(lengths) - min(lengths) <= 1
    assert len(parts) <= count and (min(lengths) >= least or len(parts) == 1)


def test_parts_are_halved_until_they_fit(capsys: pytest.CaptureFixture[str]) -> None:
    parts, tried = Parts(), []

    def attempt(slices: list[slice]) -> int:
        tried.append(len(slices))
        if len(slices) < 4:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return 7

    assert parts.fit(16, attempt) == 7
    assert tried == [1, 2, 4]
    assert parts.fit(16, attempt) == 7
    assert tried[3:] == [4]  # what did not fit is not tried again
    assert capsys.readouterr().err.count("note: out of memory") == 2


def test_parts_of_a_clip_are_the_least(capsys: pytest.CaptureFixture[str]) -> None:
    def never(_: list[slice]) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(MondegreenError, match=r"a batch of 8 clips.*not even in 4 parts"):
        Parts(least=2).fit(8, never)


def test_other_errors_are_not_retried() -> None:
    def wrong(_: list[slice]) -> None:
        raise RuntimeError("shapes do not fit")

    parts = Parts()
    with pytest.raises(RuntimeError, match="shapes"):
        parts.fit(8, wrong)
    assert parts.count == 1
