"""The plan of every preset: commands that parse, needs that come before, one folder a stage."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args

import pytest

from mondegreen.cli import main, options
from mondegreen.reproduction.plan import VARIANTS, stages
from mondegreen.reproduction.scale import ScaleName, rehearsal, scale
from mondegreen.reproduction.setting import ESC10, settings
from mondegreen.stages.stage import Stage

OUT = Path("runs/reproduction")
PRESETS: tuple[ScaleName, ...] = get_args(ScaleName)


def plan(name: ScaleName, *, given: bool, device: str = "auto") -> list[Stage]:
    """The stages with all recordings given, or with none."""
    size = scale(name)
    data = {
        key: ("--data", key, "--split", split) if given else ()
        for key, split in (("speech", "official"), ("sounds", "fold-5"), ("music", "lists"))
    }
    found = settings(OUT, size, speech=data["speech"], sounds=data["sounds"], music=data["music"])
    return stages(OUT, size, found, OUT / "cache", device)


class ParsedError(Exception):
    """Raised in place of executing a command whose words were understood."""


def parsed(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the options that a command line means."""
    found: list[Any] = []

    def parse_and_stop(kind: type[Any], given: Sequence[str], *rest: Any, **named: Any) -> NoReturn:
        found.append(options.parse(kind, given, *rest, **named))
        raise ParsedError

    name = " ".join(words[:2]) if " ".join(words[:2]) in main.COMMANDS else words[0]
    module = importlib.import_module("mondegreen.cli." + name.replace(" ", "_"))
    monkeypatch.setattr(module, "parse", parse_and_stop)
    with pytest.raises(ParsedError):
        module.run(words[len(name.split()) :])
    return found[0]


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("name", PRESETS)
def test_names_are_unique_and_needs_come_before(name: ScaleName, given: bool) -> None:
    every = plan(name, given=given)
    names = [stage.name for stage in every]
    assert len(set(names)) == len(names)
    for place, stage in enumerate(every):
        assert set(stage.needs) <= set(names[:place]), stage.name
    results = [stage.produces for stage in every]
    assert len(set(results)) == len(results)
    assert any("corpus" in text for text in names) is not given
    assert any(text.startswith("sounds/") for text in names) is given


@pytest.mark.parametrize("name", PRESETS)
def test_every_command_parses(name: ScaleName, monkeypatch: pytest.MonkeyPatch) -> None:
    every = [*plan(name, given=True), *plan(name, given=False, device="cpu")]
    kinds: dict[tuple[str, ...], tuple[str, ...]] = {}
    for stage in every:
        for words in stage.commands:  # one of each kind: the others differ in a label or a seed
            kinds.setdefault((words[0], words[1], stage.name.partition("-")[0]), words)
    assert len(kinds) > 20
    for words in kinds.values():
        parsed(words, monkeypatch)


def test_a_unified_generator_is_trained_as_long_as_all_single_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every = {stage.name: stage for stage in plan("paper", given=True)}
    one = parsed(every["speech/one-yes"].commands[0], monkeypatch)
    both = parsed(every["speech/all"].commands[0], monkeypatch)
    assert one.target == ("yes",) and both.target == ()
    assert both.training.epochs == 10 * one.training.epochs == 500
    assert one.training.batch_size == 64 and one.architecture.width == 1.0


def test_the_ablation_switches_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    every = {stage.name: stage for stage in plan("cpu", given=True)}
    for variant in VARIANTS:
        stage = every[f"ablation/{variant.name}-{variant.reading}"]
        trained = parsed(stage.commands[0], monkeypatch)
        weights = trained.training.weights
        assert (weights.beta == 0.0) is (variant.name == "l2")
        assert (weights.gamma == 0.0) is (variant.name == "hinge")
        assert (weights.alpha == 0.0) is (variant.name == "no-discriminator")
        assert trained.training.l2_reading == variant.reading
        assert trained.source == ("yes",) and trained.target == ("right",)
        seeds = [parsed(words, monkeypatch).training.seed for words in stage.commands[::2]]
        assert len(set(seeds)) == len(seeds) >= 3


def test_the_labels_of_sounds_are_those_of_esc_10(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, label in enumerate(ESC10):
        (tmp_path / label).mkdir()
        (tmp_path / label / f"1-{number}-A.ogg").touch()
    reader = importlib.import_module("mondegreen.data.esc10")
    monkeypatch.setattr(reader, "cut", lambda clips: clips)
    assert reader.esc10(tmp_path).labels == ESC10


@pytest.mark.parametrize("name", PRESETS)
def test_a_rehearsal_keeps_the_networks_and_cuts_the_steps(
    name: ScaleName, monkeypatch: pytest.MonkeyPatch
) -> None:
    voices, whole = rehearsal(scale(name)), scale(name)
    found = settings(OUT, voices, speech=(), sounds=("--data", "esc10"), music=())
    every = {stage.name: stage for stage in stages(OUT, voices, found, OUT / "cache")}
    full = {stage.name: stage for stage in stages(OUT, whole, found, OUT / "cache")}
    assert "music/classifier" in every and "speech/all" in every
    for stage in ("speech/classifier", "sounds/classifier-leak", "speech/all", "speech/spectral"):
        short = parsed(every[stage].commands[0], monkeypatch)
        usual = parsed(full[stage].commands[0], monkeypatch)
        assert short.training.epochs == 1
        assert short.architecture == usual.architecture
        assert short.training.batch_size == usual.training.batch_size
    assert parsed(every["speech/classifier"].commands[0], monkeypatch).data.limit == 1
