"""The whole job as `make demo` runs it; minutes long."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from mondegreen.cli.main import main


@pytest.mark.slow
def test_the_demo_fools_its_spotter_and_is_reused(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out)]) == 0
    content = json.loads((out / "evaluation" / "results.json").read_text())
    assert content["success_rate"] >= 0.85
    assert content["snr_db"]["min"] >= 20.0 - 1e-4
    assert content["clean_accuracy"] >= 0.9
    assert content["dataset"]["split_kind"] == "speaker"
    networks = [*out.glob("*/checkpoints/*/*.safetensors")]
    before = [path.stat().st_mtime_ns for path in networks]
    start = time.monotonic()
    assert main(["demo", "--out", str(out)]) == 0
    assert [path.stat().st_mtime_ns for path in networks] == before
    assert time.monotonic() - start < 120  # reused, not repeated
