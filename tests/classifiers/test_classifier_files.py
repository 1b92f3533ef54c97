"""Damaged and hostile files are errors that name the file."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import PaperMFCCConfig
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.classifiers.wide_resnet import WideResNetConfig
from mondegreen.errors import MondegreenError

TEN = tuple("abcdefghij")
JSON, WEIGHTS = "classifier.json", "classifier.safetensors"


@pytest.fixture
def folder(small: Classifier, small_config: ClassifierConfig, tmp_path: Path) -> Path:
    """A folder with a saved classifier, to be damaged."""
    save_classifier(tmp_path / "saved", small, small_config)
    return tmp_path / "saved"


def edit(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        description = json.loads((folder / JSON).read_text())
        for name, value in changes.items():
            *parents, last = name.split("__")
            place = description
            for parent in parents:
                place = place[parent]
            place[last] = value
        (folder / JSON).write_text(json.dumps(description))

    return change


def write(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / JSON).write_text(text)


def forget(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        description = json.loads((folder / JSON).read_text())
        del description[name]
        (folder / JSON).write_text(json.dumps(description))

    return change


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (write(""), "not valid JSON"),
        (write("{'labels': 1}"), "not valid JSON"),
        (lambda folder: (folder / JSON).write_bytes(b"{\xff}"), "not valid JSON"),
        (write("[1, 2]"), "expected an object"),
        (write("null"), "expected an object"),
        (write("[" * 100_000), "not valid JSON"),
        (write('{"labels":' * 100_000), "not valid JSON"),
        (write('{"labels":' + "[" * 900 + "]" * 900 + "}"), "labels: expected str, found a list"),
        (forget("labels"), "'labels'"),
        (edit(labels="yes"), "labels: expected a list, found str"),
        (edit(labels=["one"]), "two or more distinct labels"),
        (edit(labels=["one", 2]), "labels: expected str, found 2"),
        (edit(labels=["a", "b"]), "does not fit its configuration"),
        (edit(surprise=1), "unknown field 'surprise'"),
        (edit(backbone__surprise=1), "backbone: unknown field 'surprise'"),
        (edit(backbone__kind="transformer"), "backbone: kind 'transformer'"),
        (edit(backbone__kind=[[]]), "backbone: kind a list"),
        (edit(backbone={"kind": "wide-resnet"}), "paper-mfcc front end"),
        (edit(backbone__depth=9), "depth: 9 is not one of"),
        (edit(backbone__depth=8.0), "depth: 8.0 is not one of"),
        (edit(backbone__width="wide"), "width: expected float, found 'wide'"),
        (edit(backbone__width=math.nan), "it holds NaN"),
        (edit(backbone__width=10**400), "an integer of 401 digits"),
        (edit(backbone__width=1e6), "weights alone need"),
        (edit(backbone__width=1e300), "no network can be built"),
        (edit(backbone__width=-1), "width is -1"),
        (edit(backbone=None), "backbone: None fits none"),
        (edit(front_end__kind="paper-mfcc"), "front_end: unknown field 'coefficients'"),
        (edit(front_end__hop=0), "hop is 0"),
        (edit(front_end__window=10**15), "window 1000000000000000"),
        (edit(front_end__filters=-3), "filters is -3"),
        (edit(front_end__filters=True), "filters: expected int, found True"),
        (edit(sample_rate=0), "sample_rate 0"),
        (edit(clip_samples=-5), "clip_samples -5"),
        (edit(clip_samples=1024.0), "clip_samples: expected int"),
        (edit(normalization="loud"), "normalization: 'loud'"),
    ],
)
def test_a_damaged_description_is_named(
    damage: Callable[[Path], object], complaint: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(MondegreenError) as error:
        load_classifier(folder)
    assert complaint in str(error.value)
    assert str(folder / "classifier.") in str(error.value)
    assert len(str(error.value)) < 2000


def test_enormous_networks_are_refused_before_they_take_memory(tmp_path: Path) -> None:
    config = ClassifierConfig(
        labels=TEN, front_end=PaperMFCCConfig(), backbone=WideResNetConfig(depth=10, width=1)
    )
    save_classifier(tmp_path, Classifier.from_config(config), config)
    for width, depth in ((4_000, 16), (1, 6 * 10**12 + 4)):
        edit(backbone__width=width, backbone__depth=depth)(tmp_path)
        with pytest.raises(MondegreenError, match=r"classifier\.json"):
            load_classifier(tmp_path)


def with_weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        state = load_file(str(folder / WEIGHTS))
        change(state)
        save_file(state, str(folder / WEIGHTS))

    return damage


HEAD = "1.head.weight"


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda folder: (folder / WEIGHTS).unlink(), "does not exist"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b""), "truncated"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b"\xff" * 99_999), "not a readable"),
        (lambda folder: (folder / WEIGHTS).write_bytes(bytes(99_999)), "not a readable"),
        (with_weights(lambda state: state[HEAD][0, 0].fill_(math.nan)), "hold NaN"),
        (with_weights(lambda state: state[HEAD][1, 1].fill_(math.inf)), "hold NaN"),
        (with_weights(lambda state: state.update({HEAD: torch.zeros(4, 12)})), "does not fit"),
        (with_weights(lambda state: state.update({HEAD: torch.zeros(3, 13)})), "does not fit"),
        (with_weights(lambda state: state.update({HEAD: state[HEAD].double()})), "torch.float64"),
        (with_weights(lambda state: state.update(more=torch.zeros(1))), "does not fit"),
        (
            with_weights(lambda state: state.update(more=torch.zeros(1).to(torch.float8_e5m2))),
            "does not fit",
        ),
        (
            with_weights(lambda state: state.update(more=state.pop(HEAD))),
            "does not fit",
        ),
    ],
)
def test_damaged_weights_are_named(
    damage: Callable[[Path], object], complaint: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(MondegreenError) as error:
        load_classifier(folder)
    assert complaint in str(error.value)
    assert str(folder / WEIGHTS) in str(error.value)


def test_weights_cut_off_anywhere_are_refused(folder: Path) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    for size in (1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        (folder / WEIGHTS).write_bytes(whole[:size])
        with pytest.raises(MondegreenError, match=r"classifier\.safetensors"):
            load_classifier(folder)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), name=st.sampled_from([JSON, WEIGHTS]))
def test_damage_anywhere_is_an_error_or_harmless(
    data: st.DataObject, name: str, folder: Path
) -> None:
    whole = (folder / name).read_bytes()
    start = data.draw(st.integers(0, min(len(whole), 2000) - 1))
    length = data.draw(st.integers(0, 8))
    middle = data.draw(st.binary(max_size=8))
    (folder / name).write_bytes(whole[:start] + middle + whole[start + length :])
    try:
        loaded = load_classifier(folder)
        if loaded.clip_samples < 100_000:
            x = torch.zeros(1, 1, loaded.clip_samples)
            assert loaded(x).shape == (1, len(loaded.labels))
    except MondegreenError as error:
        assert str(folder) in str(error)
    finally:
        (folder / name).write_bytes(whole)
