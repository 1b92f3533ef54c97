"""Clips are divided as they were in training, also where ``--data`` names them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.cli.conftest import Trained

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.cli import compare, evaluate, train_generator, train_universal, transfer
from mondegreen.cli.clips import data_of, divided_otherwise, trained_on
from mondegreen.configs import to_dict
from mondegreen.data.options import DataOptions
from mondegreen.data.splits import SplitKind
from mondegreen.errors import MondegreenError
from mondegreen.zoo import models


def write_run(folder: Path, data: DataOptions, **more: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"data": to_dict(data), **more}))
    return folder


def write_folds(root: Path, labels: Sequence[str]) -> Path:
    """Write clips named as those of ESC-10, in five folds: ``<fold>-<recording>-A-<class>``."""
    rng = np.random.default_rng(3)
    for number, label in enumerate(labels):
        (root / label).mkdir(parents=True)
        for fold in range(1, 6):
            for take in range(2):
                x = 0.1 * rng.standard_normal(16_000)
                name = f"{fold}-{100 * fold + 10 * number + take}-A-{number}.wav"
                soundfile.write(root / label / name, x, 16_000)
    return root


@pytest.fixture
def folds(trained: Trained, tmp_path: Path) -> tuple[Path, Path, Path]:
    """Clips in folds, and a classifier and a generator whose runs say that fold 5 was tested."""
    root = write_folds(tmp_path / "folds", load_classifier(trained.classifier).labels)
    data = DataOptions(data=root, split="fold-5", cache=trained.cache)
    classifier, generator = tmp_path / "classifier", tmp_path / "generator"
    shutil.copytree(trained.classifier, classifier)
    shutil.copytree(trained.generator, generator)
    write_run(classifier, data)
    write_run(generator, data, classifier=str(classifier))
    return root, classifier, generator


def measured_on(path: Path) -> tuple[str, int]:
    """How a result file says that clips were divided, and how many it tests."""
    found = json.loads(path.read_text())["dataset"]
    return found["split_kind"], found["clips"]


# ------------------------------------------------------------------ every command


def test_evaluate_takes_over_the_split(
    folds: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, _, generator = folds
    words = ["--generator", str(generator), "--data", str(root), "--quality-pairs", "0"]
    words += ["--samples", "0", "--timing-repeats", "1", "--cache", str(tmp_path / "cache")]
    evaluate.run([*words, "--out", str(tmp_path / "e")])
    heard = capsys.readouterr().err
    assert f"divided as in the training of {generator}: --split fold-5" in heard
    assert "warning" not in heard
    assert measured_on(tmp_path / "e" / "results.json") == ("fold-5", 6)
    saved = json.loads((tmp_path / "e" / "config.json").read_text())["data"]
    assert saved["split"] == "fold-5"


def test_compare_takes_over_the_split(
    folds: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, classifier, generator = folds
    words = ["--data", str(root), "--pairs", "4", "--quality-pairs", "0", "--timing-rounds", "1"]
    words += ["--attacks", "pgd:steps=1@snr:20"]
    compare.run([*words, "--generator", str(generator), "--out", str(tmp_path / "a")])
    assert measured_on(tmp_path / "a" / "comparison.json") == ("fold-5", 6)
    # No generator takes part: the classifier's run counts, not the default generator's.
    compare.run([*words, "--classifier", str(classifier), "--out", str(tmp_path / "b")])
    assert measured_on(tmp_path / "b" / "comparison.json") == ("fold-5", 6)
    assert "warning" not in capsys.readouterr().err
    words += ["--classifier", str(classifier), "--split", "fold-2"]
    compare.run([*words, "--out", str(tmp_path / "c")])
    heard = capsys.readouterr().err
    assert f"{classifier} was trained with --split fold-5" in heard
    assert "divided by --split fold-2" in heard
    assert measured_on(tmp_path / "c" / "comparison.json") == ("fold-2", 6)


def test_transfer_takes_over_the_split_of_the_first_and_names_those_that_differ(
    folds: tuple[Path, Path, Path],
    trained: Trained,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root, classifier, generator = folds
    second = write_run(tmp_path / "second", DataOptions(data=root, split="fold-2"))
    config = ClassifierConfig(
        labels=load_classifier(classifier).labels, backbone=TCResNetConfig(width=0.25)
    )
    save_classifier(second, Classifier.from_config(config).freeze(), config)
    words = ["--data", str(root), "--classifiers", str(classifier), str(second), "--pairs", "4"]
    words += ["--names", "one", "two", "--generators", str(generator)]
    transfer.run([*words, "--out", str(tmp_path / "t")])
    assert measured_on(tmp_path / "t" / "transfer.json") == ("fold-5", 6)
    heard = capsys.readouterr().err
    assert heard.count("warning") == 1
    assert f"{second} was trained with --split fold-2" in heard


@pytest.mark.parametrize("command", [train_generator, train_universal], ids=["gan", "universal"])
def test_training_takes_over_the_split(
    command: Any, folds: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    root, classifier, _ = folds
    words = ["--preset", "smoke", "--classifier", str(classifier), "--data", str(root)]
    command.run([*words, "--training.epochs", "1", "--out", str(tmp_path / "out")])
    found = trained_on(tmp_path / "out")
    assert found is not None and found.split == "fold-5"


# ------------------------------------------------------------------ the rules


def test_what_is_given_counts_and_the_rest_is_taken_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = DataOptions(
        data=tmp_path / "then",
        labels=("a", "b"),
        split="lists",
        lists=tmp_path / "lists",
        group_pattern="(x+)",
        extra=(tmp_path / "words",),
        cache=tmp_path / "cache",
    )
    run = write_run(tmp_path / "run", earlier)
    assert data_of(run, DataOptions()) == earlier
    assert data_of(run, DataOptions(labels=("c",))) == replace(earlier, labels=("c",))
    assert capsys.readouterr().err == ""
    found = data_of(run, DataOptions(data=tmp_path / "now"))
    assert found == replace(earlier, data=tmp_path / "now", extra=(), cache=None)
    assert "--split lists, --lists" in capsys.readouterr().err
    found = data_of(run, DataOptions(data=tmp_path / "now", split="speaker"))
    assert (found.split, found.group_pattern) == ("speaker", "(x+)")
    assert "warning" in capsys.readouterr().err


def test_without_a_run_speakers_divide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = DataOptions(data=tmp_path)
    assert data_of(tmp_path / "none", given) == replace(given, split="speaker")
    assert capsys.readouterr().err == ""
    with pytest.raises(MondegreenError, match="--data is missing"):
        data_of(tmp_path / "none", DataOptions(split="official"))


def test_clips_come_from_the_classifier_where_the_generator_names_none(tmp_path: Path) -> None:
    """As in ``compare --classifier runs/graph`` with the generator that comes with the package."""
    adopted = write_run(tmp_path / "adopted", DataOptions(data=tmp_path / "clips"))
    unknown = write_run(tmp_path / "unknown", DataOptions())
    shipped = Path("zoo:speech-commands")
    found = data_of(shipped, DataOptions(limit=3), beside=(unknown, adopted))
    assert found == DataOptions(data=tmp_path / "clips", split="speaker", limit=3)
    with pytest.raises(MondegreenError, match="--data is missing, and zoo:speech-commands"):
        data_of(shipped, DataOptions(), beside=(unknown,))


@pytest.mark.parametrize("name", models())
def test_shipped_models_say_how_their_clips_were_divided(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Path(f"zoo:{name}")
    assert trained_on(place) == DataOptions(split="speaker")
    data_of(place, DataOptions(data=tmp_path, split="official"))
    assert f"{place} was trained with --split speaker" in capsys.readouterr().err
    with pytest.raises(MondegreenError, match="--data is missing"):
        data_of(place, DataOptions())


def test_of_a_model_that_was_adopted_without_clips_nobody_knows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted = write_run(tmp_path / "adopted", DataOptions())
    data_of(adopted, DataOptions(data=tmp_path, split="fold-5"))
    assert "warning" not in capsys.readouterr().err


def test_a_damaged_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"data": {"split": "by moon"}}')
    with pytest.raises(MondegreenError, match=r"config.json: data: split"):
        data_of(tmp_path, DataOptions(data=tmp_path))


def test_every_member_of_an_ensemble_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write_run(tmp_path / "one", DataOptions(data=tmp_path, split="official"))
    two = write_run(tmp_path / "two", DataOptions(data=tmp_path))
    members = [{"folder": str(f), "name": f.name, "fingerprint": "0"} for f in (one, two)]
    together = tmp_path / "together"
    together.mkdir()
    (together / "ensemble.json").write_text(json.dumps({"format": 1, "members": members}))
    assert data_of(together, DataOptions()).split == "official"
    heard = capsys.readouterr().err
    assert f"{two} was trained with --split speaker" in heard and str(one) not in heard


def options(split: SplitKind | None, data: str = "a", **more: Any) -> DataOptions:
    return DataOptions(data=Path(data), split=split, **more)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (options(None), options("speaker", "b"), False),
        (options("speaker"), options("speaker", group_pattern="(.)"), True),
        (options("official"), options("official", "b"), False),
        (options("fold-1"), options("fold-2"), True),
        (options("random"), options("random", "./a"), False),
        (options("random"), options("random", "b"), True),
        (options("random-chunk"), options("random"), True),
        (options("lists"), options("lists", lists=Path("a")), False),
        (options("lists"), options("lists", "b"), True),
    ],
    ids=lambda value: value.kind_of_split if isinstance(value, DataOptions) else str(value),
)
def test_which_divisions_differ(one: DataOptions, other: DataOptions, differ: bool) -> None:
    assert divided_otherwise(one, other) is divided_otherwise(other, one) is differ
