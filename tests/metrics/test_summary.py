"""Statistics of the finite values."""

from __future__ import annotations

import json
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mondegreen.metrics.summary import summarize


@given(st.lists(st.floats(-1e6, 1e6)), st.lists(st.sampled_from([math.nan, math.inf, -math.inf])))
def test_what_is_not_finite_is_counted_not_averaged(good: list[float], bad: list[float]) -> None:
    summary = summarize([*bad, *good])
    assert (summary["failed"], summary["pairs"]) == (len(bad), len(bad) + len(good))
    if good:
        assert summary["mean"] == pytest.approx(math.fsum(good) / len(good), abs=1e-6)
        assert summary["min"] == min(good)
        assert summary["median"] == pytest.approx(statistics.median(good), abs=1e-6)
    else:
        assert summary["mean"] is summary["median"] is summary["min"] is None
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_nothing_at_all() -> None:
    assert summarize(np.array([])) == {
        "mean": None, "median": None, "min": None, "failed": 0, "pairs": 0
    }  # fmt: skip
