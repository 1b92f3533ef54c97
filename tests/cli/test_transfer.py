"""``mondegreen transfer``, and training against several classifiers, as a user calls them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.cli.conftest import Trained

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.ensemble import Ensemble
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.cli import evaluate, train_generator, transfer
from mondegreen.cli.clips import data_of
from mondegreen.data.options import DataOptions
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import load_generator


def untrained(folder: Path, seed: int, **changes: Any) -> Path:
    """Save a small classifier with random weights, of the same labels as the trained one."""
    torch.manual_seed(seed)
    config = ClassifierConfig(
        labels=("high", "low", "mid"),
        front_end=LogMelConfig(filters=20, coefficients=10),
        backbone=TCResNetConfig(width=0.25),
    )
    config = replace(config, **changes)
    save_classifier(folder, Classifier.from_config(config).freeze(), config)
    return folder


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two more classifiers; nobody trained them."""
    root = tmp_path_factory.mktemp("others")
    return [untrained(root / "second", 1), untrained(root / "third", 2)]


def training(trained: Trained, out: Path, others: list[Path]) -> list[str]:
    return [
        *["--preset", "smoke", "--device", "cpu", "--training.epochs", "1", "--out", str(out)],
        *["--classifier", str(trained.classifier), "--ensemble", *map(str, others)],
    ]


@pytest.fixture(scope="module")
def against_all(
    trained: Trained, others: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A generator trained against the trained classifier and another one."""
    out = tmp_path_factory.mktemp("ensemble") / "generator"
    train_generator.run(training(trained, out, others[:1]))
    return out


@pytest.fixture
def words(trained: Trained, others: list[Path], tmp_path: Path) -> list[str]:
    """A small matrix of three classifiers."""
    return [
        *["--classifiers", str(trained.classifier), *map(str, others)],
        *["--out", str(tmp_path / "run"), "--pairs", "6", "--device", "cpu"],
    ]


# ------------------------------------------------------------------ training against several


def test_the_run_names_all_and_other_commands_find_them(
    against_all: Path, trained: Trained, others: list[Path], tmp_path: Path
) -> None:
    config = json.loads((against_all / "config.json").read_text())
    assert config["ensemble"] == [str(trained.classifier), str(others[0])]
    assert config["classifier"] == str(against_all / "ensemble")
    classifier = load_classifier(config["classifier"])
    assert isinstance(classifier, Ensemble) and classifier.name == "ensemble-of-2"
    wanted = [load_classifier(place).fingerprint() for place in (trained.classifier, others[0])]
    assert [member.fingerprint() for member in classifier.members] == wanted
    generator = load_generator(against_all, classifier)
    assert generator.config.classifier_name == "ensemble-of-2"
    evaluate.run(
        [
            *["--generator", str(against_all), "--out", str(tmp_path / "measured")],
            *["--quality-pairs", "0", "--samples", "0", "--timing-repeats", "0"],
            *["--target", "low"],
        ]
    )
    found = json.loads((tmp_path / "measured" / "results.json").read_text())
    assert found["classifier"]["name"] == "ensemble-of-2"


def test_the_same_command_continues_and_another_does_not(
    against_all: Path, trained: Trained, others: list[Path]
) -> None:
    weights = against_all / "checkpoints" / "latest" / "generator.safetensors"
    before = weights.stat().st_mtime_ns
    train_generator.run(training(trained, against_all, others[:1]))
    assert weights.stat().st_mtime_ns == before
    for words in (
        training(trained, against_all, others),
        [*training(trained, against_all, others[:1]), "--combine", "logits"],
    ):
        with pytest.raises(MondegreenError, match="another configuration"):
            train_generator.run(words)


def test_a_generator_against_one_is_where_one_against_all_may_start(
    against_all: Path, trained: Trained, others: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "more"
    words = training(trained, out, others[:1])
    train_generator.run([*words, "--start-from", str(trained.generator)])
    assert load_generator(out).config.classifier_name == "ensemble-of-2"
    # An ensemble is a classifier like any other, with the clips of its first member.
    options = data_of(out / "ensemble", DataOptions())
    assert (options.data, options.cache) == (trained.data, trained.cache)


def test_classifiers_that_differ_cannot_be_attacked_together(
    trained: Trained, tmp_path: Path
) -> None:
    other = untrained(tmp_path / "other", 3, labels=("low", "mid", "high"))
    with pytest.raises(MondegreenError, match="differ in labels: high, low, mid and low, mid"):
        train_generator.run(training(trained, tmp_path / "run", [other]))
    with pytest.raises(MondegreenError, match="is there twice"):
        train_generator.run(training(trained, tmp_path / "run", [trained.classifier]))
    assert not (tmp_path / "run").exists()


# ------------------------------------------------------------------ the matrix


def test_it_writes_everything_and_prints_json(
    words: list[str],
    against_all: Path,
    trained: Trained,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = ["--attacks", "pgd:steps=1", "--leave-one-out"]
    made = ["--generators", str(trained.generator), str(against_all)]
    names = ["--generator-names", "single", "ensemble", "--names", "one", "two", "three"]
    transfer.run([*words, *rows, *made, *names, "--json"])
    found = json.loads(capsys.readouterr().out)
    out = tmp_path / "run"
    assert found == json.loads((out / "transfer.json").read_text())
    assert [one["name"] for one in found["classifiers"]] == ["one", "two", "three"]
    told = [(row["label"], row["against"]) for row in found["rows"]]
    assert told == [
        *[("pgd:steps=1", name) for name in ("one", "two", "three")],
        *[("pgd:steps=1", pair) for pair in ("two + three", "one + three", "one + two")],
        ("single", "one"),
        ("ensemble", "one + two"),
    ]
    seen = [[cell["seen"] for cell in row["cells"]] for row in found["rows"]]
    assert seen[0] == [True, False, False] and seen[3] == [False, True, True]
    assert seen[6:] == [[True, False, False], [True, True, False]]
    assert all(row["snr_db"]["min"] >= 20 - 1e-4 for row in found["rows"])
    for name in ("table.md", "table.tex", "pairs.csv", "figures/transfer_matrix.svg"):
        assert (out / name).is_file()
    assert "| ensemble | one + two |" in (out / "table.md").read_text()


def test_more_may_join_and_the_rules_stay(
    words: list[str], trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transfer.run([*words, "--attacks", "pgd:steps=1"])
    out, told = capsys.readouterr()
    assert "pgd:steps=1" in out and told.count(" of 3: ") == 3
    # Two of three networks are alike, so they are called by their folders.
    found = json.loads((tmp_path / "run" / "transfer.json").read_text())
    names = [one["name"] for one in found["classifiers"]]
    assert names == ["classifier", "second", "third"]
    more = ["--generators", str(trained.generator)]
    transfer.run([*words, "--attacks", "pgd:steps=1", "generator+1", *more])
    assert capsys.readouterr().err.count(" of 4: ") == 1
    found = json.loads((tmp_path / "run" / "transfer.json").read_text())
    assert found["rows"][3]["label"] == "generator+1"  # the generator's folder, and its option
    with pytest.raises(MondegreenError, match="another configuration"):
        transfer.run([*words, "--attacks", "pgd:steps=1", "--budget", "snr:25"])


def test_what_a_training_started_from_counts_as_seen(
    words: list[str],
    trained: Trained,
    against_all: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "moved-on"
    shutil.copytree(trained.generator, out)
    config = json.loads((out / "config.json").read_text())
    for start, seen, note in (
        (against_all, [True, True, False], ""),
        (out, [True, False, False], ""),  # a file may say anything
        (tmp_path / "gone", [True, False, False], "does not count as seen"),
    ):
        (out / "config.json").write_text(json.dumps(config | {"start_from": str(start)}))
        place = ["--out", str(tmp_path / f"from-{start.name}"), "--pairs", "2"]
        transfer.run([*words, *place, "--generators", str(out)])
        found = json.loads((tmp_path / f"from-{start.name}" / "transfer.json").read_text())
        assert [cell["seen"] for cell in found["rows"][0]["cells"]] == seen
        assert note in capsys.readouterr().err


def test_what_is_missing_or_wrong_is_named(
    words: list[str], trained: Trained, others: list[Path], tmp_path: Path
) -> None:
    attack = ["--attacks", "pgd:steps=1"]
    generator = ["--generators", str(trained.generator)]
    odd = untrained(tmp_path / "odd", 3, labels=("low", "mid", "high"))
    for given, reason in (
        ([], "nothing to transfer"),
        (["--attacks", "nonsense"], "nonsense"),
        (["--attacks", "universal"], "trained beforehand"),
        (["--attacks", "generator"], "give --generators"),
        ([*attack, "--names", "a"], "--names gives 1 names to 3"),
        ([*attack, "--budget", "none"], "budget 'none'"),
        ([*attack, "--target", "loud"], "loud"),
        ([*generator, *generator[1:]], "--generator-names"),
        ([*attack, "--classifiers", str(others[0])], "two or more"),
        ([*attack, "--classifiers", *map(str, others), "--leave-one-out"], "three or more"),
        ([*attack, "--classifiers", str(others[0]), str(odd)], "differ in labels"),
        (["--classifiers", str(others[0]), str(others[1]), *attack], "--data is missing"),
    ):
        with pytest.raises(MondegreenError, match=reason):
            transfer.run([*words, *given])
    assert not (tmp_path / "run").exists()
