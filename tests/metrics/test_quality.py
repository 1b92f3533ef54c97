"""All measures of sound in one pass, in this process and in others."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.errors import MondegreenError
from mondegreen.metrics import pool, worker
from mondegreen.metrics.pesq import pesq_scores
from mondegreen.metrics.pool import WorkerProcess, score_pairs
from mondegreen.metrics.quality import quality
from mondegreen.metrics.stoi import stoi_scores

pytest.importorskip("pesq")
pytest.importorskip("pystoi")


@pytest.fixture
def clips(rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Three clips, the second silent, and the same with noise."""
    time = torch.arange(16000) / 16000
    x = torch.randn(3, 1, 16000, generator=rng) * torch.sin(2 * math.pi * 3 * time) * 0.1
    x[1] = 0
    return x, x + 0.01 * torch.randn(x.shape, generator=rng)


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    """A process to score with."""
    with WorkerProcess() as started:
        yield started


def test_one_pass_gives_what_each_measure_gives(clips: tuple[Tensor, Tensor]) -> None:
    together = quality(*clips, 16000)
    np.testing.assert_array_equal(together.pesq_nb, pesq_scores(*clips, 16000, "nb"))
    np.testing.assert_array_equal(together.pesq_wb, pesq_scores(*clips, 16000, "wb"))
    np.testing.assert_array_equal(together.stoi, stoi_scores(*clips, 16000))
    assert np.isnan(together.stoi).tolist() == [False, True, False]


def test_measures_get_the_rate_they_need(clips: tuple[Tensor, Tensor]) -> None:
    x, x_adv = clips
    at_22k = quality(x, x_adv, 22050)
    np.testing.assert_array_equal(at_22k.stoi, stoi_scores(x, x_adv, 22050))
    assert np.isfinite(at_22k.pesq_wb[[0, 2]]).all()
    with pytest.raises(ValueError, match="expected two waveforms"):
        quality(x, x_adv[:2], 16000)


def test_no_pairs() -> None:
    empty = torch.zeros(0, 1, 16000)
    assert quality(empty, empty, 16000).pesq_nb.shape == (0,)


def test_many_processes_agree_with_one(
    clips: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, x_adv = (clip.repeat(2, 1, 1) for clip in clips)
    here = score_pairs(x, x_adv, 16000, ["pesq_nb_lqo"], workers=1, description="")
    monkeypatch.setattr(pool, "SECONDS_PER_WORKER", 3.0)  # 6 s of sound: two processes
    monkeypatch.setattr(worker, "score", None)  # not in this one
    there = score_pairs(x, x_adv, 16000, ["pesq_nb_lqo"], workers=2, description="")
    np.testing.assert_array_equal(here, there)


def test_a_process_that_dies_costs_one_pair(
    clips: tuple[Tensor, Tensor], process: WorkerProcess
) -> None:
    x, x_adv = (clip[0, 0].numpy() for clip in clips)
    before = process.score(x, x_adv, 16000, ["pesq_wb"])
    assert process._process is not None
    process._process.kill()
    process._process.wait()
    assert np.isnan(process.score(x, x_adv, 16000, ["pesq_wb"])).all()
    assert process.score(x, x_adv, 16000, ["pesq_wb"]) == before


def test_a_measure_that_breaks_down_is_reported(
    clips: tuple[Tensor, Tensor], process: WorkerProcess
) -> None:
    x, x_adv = (clip[0, 0].numpy() for clip in clips)
    with pytest.raises(MondegreenError, match="pesq_wb could not be computed: TypeError"):
        process.score(x, x_adv, "fast", ["pesq_wb"])  # type: ignore[arg-type]


def test_a_process_that_cannot_start_is_reported(
    clips: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, x_adv = (clip[0, 0].numpy() for clip in clips)
    for executable, message in (("/nowhere/python", "cannot start"), ("/bin/false", "not start")):
        monkeypatch.setattr(sys, "executable", executable)
        with WorkerProcess() as process, pytest.raises(MondegreenError, match=message):
            process.score(x, x_adv, 16000, ["stoi"])


def test_processes_end_with_the_pool(
    clips: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = pool._start

    def remembered() -> subprocess.Popen[bytes]:
        started.append(start())
        return started[-1]

    monkeypatch.setattr(pool, "SECONDS_PER_WORKER", 1.0)
    monkeypatch.setattr(pool, "_start", remembered)
    score_pairs(*clips, 16000, ["pesq_wb"], workers=2, description="")
    assert len(started) >= 1 and all(process.poll() is not None for process in started)


def test_a_process_loads_neither_torch_nor_the_project() -> None:
    script = (
        f"import runpy, sys; runpy.run_path({worker.__file__!r});"
        "sys.exit('torch' in sys.modules or 'mondegreen' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-P", "-c", script], check=False).returncode == 0


def test_stoi_can_be_left_out() -> None:
    x = 0.1 * torch.randn(2, 16_000, generator=torch.Generator().manual_seed(0))
    x_adv = x + 0.01 * torch.randn(2, 16_000, generator=torch.Generator().manual_seed(1))
    whole, part = quality(x, x_adv, 16_000, 1), quality(x, x_adv, 16_000, 1, stoi=False)
    np.testing.assert_array_equal(part.pesq_nb, whole.pesq_nb)
    np.testing.assert_array_equal(part.pesq_wb, whole.pesq_wb)
    assert np.isnan(part.stoi).all() and not np.isnan(whole.stoi).any()
