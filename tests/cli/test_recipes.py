"""The recipes for clusters: what they pass on, and the one for Ray where Ray is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Trained

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("recipe", "words", "wanted"),
    [
        ("slurm_share.sh", ["compare", "--out", "a b"], "mondegreen|compare|--out|a b|--share|"),
        ("slurm_share.sh", ["--gather", "compare", "--out", "x"], "mondegreen|compare|--out|x|"),
        (
            "slurm_train.sh",
            ["train", "generator"],
            "srun|--kill-on-bad-exit=1|mondegreen|train|generator|",
        ),
    ],
)
def test_slurm_recipes_pass_the_command_on(
    tmp_path: Path, recipe: str, words: list[str], wanted: str
) -> None:
    for name in ("mondegreen", "srun"):
        fake = tmp_path / name
        fake.write_text(f'#!/bin/sh\nprintf \'%s|\' {name} "$@" "$OMP_NUM_THREADS"\n')
        fake.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", str(ROOT / "recipes" / recipe), *words],
        env={"PATH": path, "SLURM_CPUS_PER_TASK": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{wanted}3|"


@pytest.mark.slow
def test_ray_shares_a_comparison(trained: Trained, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    words = ["compare", "--generator", str(trained.generator), "--out", str(tmp_path / "run")]
    words += ["--attacks", "generator", "fgsm", "--budgets", "snr:20", "snr:30"]
    words += ["--quality-pairs", "0", "--timing-rounds", "1"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "recipes" / "ray_share.py"), "--workers", "2", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("of 4 cells are finished") == 2  # said by both workers
    found = json.loads((tmp_path / "run" / "comparison.json").read_text())
    assert len(found["cells"]) == 4
