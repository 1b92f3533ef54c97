"""The stages of an audit are commands that the command line understands."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from mondegreen.audit.plan import Audited, stages
from mondegreen.audit.sizes import Seconds, Sizes
from mondegreen.cli import options
from mondegreen.cli.audit import _network_words
from mondegreen.cli.clips import data_words
from mondegreen.data.options import DataOptions

SIZES = Sizes(epochs=3, pairs=90, blind_pairs=60, queries=500, seconds=Seconds(9, 8, 7, 6))
BLIND = Sizes(epochs=0, pairs=0, blind_pairs=60, queries=500, seconds=Seconds(blind=6))
DATA = DataOptions(data=Path("clips"), labels=("yes", "no"), split="speaker", limit=5)


def audited(targets: tuple[str, ...] = (), start: str | None = None) -> Audited:
    network = _network_words(start, "demo")
    return Audited(Path("out"), "model.py:build", data_words(DATA), targets, "cpu", network)


class ParsedError(Exception):
    """Raised in place of executing a command whose words were understood."""


@pytest.mark.parametrize("start", [None, "zoo:speech-commands"])
def test_every_command_parses(start: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def parse_and_stop(kind: type[Any], given: Sequence[str], *rest: Any, **named: Any) -> NoReturn:
        seen.append(options.parse(kind, given, *rest, **named))
        raise ParsedError

    commands = [
        words for stage in stages(audited(("yes",), start), SIZES) for words in stage.commands
    ]
    assert len(commands) == 7
    for words in commands:
        name = " ".join(words[:2]) if words[0] == "train" else words[0]
        module = importlib.import_module("mondegreen.cli." + name.replace(" ", "_"))
        monkeypatch.setattr(module, "parse", parse_and_stop)
        with pytest.raises(ParsedError):
            module.run(words[len(name.split()) :])
    assert all(one.data == DATA for one in seen)
    assert seen[0].training.epochs == 3 and seen[0].target == ("yes",)
    assert seen[0].architecture.dial is (start is not None)


def test_untargeted_stages_get_away_from_every_label() -> None:
    found = {stage.name: stage for stage in stages(audited(("yes",)), SIZES)}
    towards, away = found["gradient"].commands
    assert "--target" in towards and "--untargeted" not in towards
    assert "--target" not in away and "--untargeted" in away


def test_what_a_stage_needs_comes_before_it() -> None:
    before: set[str] = set()
    for stage in stages(audited(), SIZES):
        assert set(stage.needs) <= before
        before.add(stage.name)


def test_without_gradients_there_is_only_the_blind_search() -> None:
    assert [stage.name for stage in stages(audited(), BLIND)] == ["blind"]
