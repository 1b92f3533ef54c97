"""Damaged and hostile files are errors that name the file."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import (
    Generator,
    GeneratorConfig,
    load_generator,
    save_generator,
)
from mondegreen.generators.spectral import SpectralConfig

CONFIG = GeneratorConfig(
    network=SpectralConfig(window=32, hop=16, width=8, blocks=1, kernel=3),
    labels=("yes", "no", "up"),
    targets=("yes", "no", "up"),
    classifier_name="tiny",
    classifier_fingerprint="0123456789abcdef",
    sample_rate=16_000,
    clip_samples=400,
    budget_db=20.0,
)
JSON, WEIGHTS = "generator.json", "generator.safetensors"


def edit(**changes: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        description = json.loads((folder / JSON).read_text())
        network = changes.pop("network", {})
        description["network"] |= network
        (folder / JSON).write_text(json.dumps(description | changes))

    return change


def spoil(folder: Path) -> None:
    state = load_file(str(folder / WEIGHTS))
    state["encode.weight"][0, 0] = math.nan
    save_file(state, str(folder / WEIGHTS))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda folder: (folder / JSON).write_text("[" * 100_000), "not valid JSON"),
        (lambda folder: (folder / JSON).write_text("[]"), "expected an object"),
        (lambda folder: (folder / JSON).write_text("{}"), "'network'"),
        (edit(labels=["yes", "no"]), "unknown target 'up'"),
        (edit(targets=[]), "distinct targets"),
        (edit(targets=["yes"]), "does not fit its configuration"),
        (edit(budget_db=9999), "budget_db|out of range"),
        (edit(surprise=1), "unknown field 'surprise'"),
        (edit(network={"kind": "diffusion"}), "network: kind 'diffusion'"),
        (edit(network={"width": 10**7}), "weights alone need"),
        (edit(network={"blocks": 10**10}), "blocks is 10000000000"),
        (edit(network={"window": 2**40, "hop": 2**39}), "weights alone need|no network"),
        (edit(network={"kernel": 4}), "kernel odd"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b"\x00" * 99_999), "not a readable"),
        (
            lambda folder: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-9]),
            "not a readable|truncated",
        ),
        (lambda folder: (folder / WEIGHTS).unlink(), "missing"),
        (spoil, "'encode.weight' hold NaN"),
    ],
)
def test_damaged_files_are_named(
    damage: Callable[[Path], object],
    complaint: str,
    tmp_path: Path,
) -> None:
    save_generator(tmp_path, Generator(CONFIG))
    damage(tmp_path)
    with pytest.raises(MondegreenError, match=complaint) as error:
        load_generator(tmp_path)
    assert str(tmp_path / "generator.") in str(error.value)
