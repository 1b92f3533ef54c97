from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mondegreen.classifiers.classifier import ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig, PaperMFCCConfig
from mondegreen.classifiers.training import ClassifierTraining
from mondegreen.configs import from_dict, to_dict
from mondegreen.data.options import DataOptions
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.gan.config import GeneratorTraining
from mondegreen.generators.generator import GeneratorConfig
from mondegreen.presets import (
    ClassifierKind,
    NetworkKind,
    Preset,
    classifier_architecture,
    classifier_training,
    generator_network,
    generator_training,
)


@dataclass(frozen=True)
class Everything:
    """One field of each kind of type."""

    needed: str
    share: float = 0.5
    count: int = 3
    flag: bool = False
    folder: Path = Path("runs")
    limit: float | None = None
    choice: Literal[1, "one"] = 1
    pair: tuple[float, int] = (1.0, 2)
    words: tuple[str, ...] = ()
    front_end: LogMelConfig | PaperMFCCConfig = dataclasses.field(default_factory=LogMelConfig)
    either: int | str = 0
    anything: Any = None


def preset_configs() -> dict[str, Any]:
    found: dict[str, Any] = {
        "data": DataOptions(data=Path("a/b"), extra=(Path("c"),), labels=("d",))
    }
    for preset in get_args(Preset):
        found[f"{preset} classifier_training"] = classifier_training(preset)
        for kind in (None, *get_args(ClassifierKind)):
            front_end, backbone = classifier_architecture(preset, kind)
            found[f"{preset} {kind}"] = ClassifierConfig(
                labels=("yes", "no"), front_end=front_end, backbone=backbone
            )
        for network in (None, *get_args(NetworkKind)):
            found[f"{preset} {network} training"] = generator_training(preset, network)
            found[f"{preset} {network} generator"] = GeneratorConfig(
                network=generator_network(preset, network),
                labels=("yes", "no"),
                targets=("no",),
                classifier_name="tc-resnet8",
                classifier_fingerprint="0123",
                sample_rate=16_000,
                clip_samples=16_384,
                budget_db=None if preset == "paper" else 20.0,
            )
    return found


@pytest.mark.parametrize("name", preset_configs())
def test_every_presets_configuration_survives_its_file(name: str, tmp_path: Path) -> None:
    config = preset_configs()[name]
    write_json(tmp_path / "config.json", to_dict(config))
    again = from_dict(type(config), read_json(tmp_path / "config.json"), "config.json")
    assert again == config
    assert to_dict(again) == to_dict(config)


def test_every_type_becomes_json_and_returns() -> None:
    config = Everything(
        needed="x",
        folder=Path("a") / "b",
        limit=1.5,
        choice="one",
        pair=(2.5, 7),
        words=("a", "b"),
        front_end=PaperMFCCConfig(lifter=0),
        either="text",
        anything={"deep": [1, {"er": None}]},
    )
    plain = to_dict(config)
    assert plain["folder"] == "a/b" and plain["pair"] == [2.5, 7] and plain["words"] == ["a", "b"]
    assert plain["front_end"]["kind"] == "paper-mfcc"
    assert from_dict(Everything, json.loads(json.dumps(plain)), "file") == config


def test_integers_become_floats_where_floats_are_wanted() -> None:
    config = from_dict(Everything, {"needed": "x", "share": 2, "pair": [3, 4]}, "file")
    assert type(config.share) is float and config.share == 2.0
    assert [type(value) for value in config.pair] == [float, int]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"unknown": 1}, "file: unknown field 'unknown'; known: ['anything', 'choice'"),
        ({"needed": None}, "file: needed: expected str, found None"),
        ({"share": "0.5"}, "file: share: expected float, found '0.5'"),
        ({"share": True}, "file: share: expected float, found True"),
        ({"share": math.nan}, "file: share: expected a finite number, found nan"),
        ({"share": -math.inf}, "file: share: expected a finite number, found -inf"),
        ({"share": 10**999}, "file: share: expected a finite number, found 1000"),
        ({"share": 10**9999}, "file: share: expected a finite number, found a huge number"),
        ({"count": 3.0}, "file: count: expected int, found 3.0"),
        ({"count": True}, "file: count: expected int, found True"),
        ({"flag": 1}, "file: flag: expected bool, found 1"),
        ({"folder": 1}, "file: folder: expected Path, found 1"),
        ({"limit": "low"}, "file: limit: expected float, found 'low'"),
        ({"choice": True}, "file: choice: True is not one of (1, 'one')"),
        ({"choice": 1.0}, "file: choice: 1.0 is not one of"),
        ({"choice": []}, "file: choice: a list is not one of"),
        ({"pair": [1.0]}, "file: pair: expected 2 items, found 1"),
        ({"pair": [1.0, "two"]}, "file: pair: expected int, found 'two'"),
        ({"pair": "12"}, "file: pair: expected a list, found str"),
        ({"words": {"a": 1}}, "file: words: expected a list, found dict"),
        ({"words": ["a", 1]}, "file: words: expected str, found 1"),
        ({"front_end": {}}, "file: front_end: kind None is not one of ['log-mel', 'paper-mfcc']"),
        ({"front_end": []}, "file: front_end: a list fits none of"),
        ({"front_end": {"kind": "log-mel", "hop": "x"}}, "file: front_end: hop: expected int"),
        ({"front_end": {"kind": "log-mel", "hop": -1}}, "file: front_end: log-mel: hop is -1"),
        ({"either": 1.5}, "file: either: 1.5 fits none of"),
        ({"needed": "x" * 10_000, "count": "y" * 10_000}, "file: count: expected int, found 'yyy"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_errors_name_the_field(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(MondegreenError) as error:
        from_dict(Everything, {"needed": "x", **changes}, "file")
    assert str(error.value).startswith(complaint)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("data", [None, [], "text", 3, [["needed", "x"]]], ids=repr)
def test_what_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(MondegreenError, match="file: expected an object"):
        from_dict(Everything, data, "file")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(MondegreenError, match=r"file: .*'needed'"):
        from_dict(Everything, {}, "file")


@pytest.mark.parametrize(
    "bomb",
    [
        lambda depth: '{"needed": ' + "[" * depth + "]" * depth + "}",
        lambda depth: '{"choice": ' + '{"a":' * depth + "1" + "}" * depth + "}",
        lambda depth: '{"either": ' + '{"kind":' * depth + "1" + "}" * depth + "}",
        lambda depth: '{"front_end": {"kind": ' + "[" * depth + "]" * depth + "}}",
    ],
)
def test_deep_nesting_is_an_error_at_every_depth(
    bomb: Callable[[int], str], tmp_path: Path
) -> None:
    """Depths just below what the JSON parser takes must not crash what comes after it."""
    for depth in (*range(500, 1001, 20), *range(900, 1000, 3), 100_000):
        (tmp_path / "config.json").write_text(bomb(depth))
        with pytest.raises(MondegreenError, match=r"config\.json"):
            from_dict(Everything, read_json(tmp_path / "config.json"), "config.json")


def test_deep_nesting_where_anything_goes_is_kept(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    config = from_dict(Everything, {"needed": "x", "anything": deep}, "file")
    assert config.anything is deep


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=70, deadline=None)
@given(
    st.sampled_from([Everything, ClassifierConfig, ClassifierTraining, GeneratorTraining]),
    st.data(),
)
def test_any_json_gives_a_configuration_or_an_error(cls: type[Any], data: st.DataObject) -> None:
    names = [field.name for field in dataclasses.fields(cls)]
    values = data.draw(st.dictionaries(st.sampled_from(names), json_values, max_size=4))
    base = to_dict(cls("x")) if cls is Everything else {}
    if cls is ClassifierConfig:
        base = to_dict(ClassifierConfig(labels=("a", "b")))
    try:
        config = from_dict(cls, {**base, **values}, "some/file.json")
    except MondegreenError as error:
        assert str(error).startswith("some/file.json: ")
    else:
        assert isinstance(config, cls)
        for name, value in values.items():
            if isinstance(value, str):
                assert str(getattr(config, name)) in (value, str(Path(value)))
