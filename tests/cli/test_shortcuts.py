"""The whole job from Python in a few calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Trained

import mondegreen
from mondegreen.errors import MondegreenError


def test_a_generator_is_trained_measured_and_found_again(trained: Trained, tmp_path: Path) -> None:
    classifier = mondegreen.load_classifier(trained.classifier)
    clips = mondegreen.open_clips(trained.data, classifier, cache=trained.cache)
    assert set(clips) == {"train", "validation", "test"}
    assert not clips["train"].groups & clips["test"].groups
    out = tmp_path / "run"
    generator = mondegreen.train_generator(classifier, clips, out, epochs=1, preset="smoke")
    assert generator.config.targets == classifier.labels and generator.config.budget_db == 25.0
    attack = mondegreen.GeneratorAttack(generator=generator)
    found = mondegreen.evaluate(attack, classifier, clips["test"], budget=mondegreen.SNR(20))
    assert len(found.pairs) == 2 * len(clips["test"])
    assert found.success_rate == found.pairs.success.mean()
    assert found.mean_snr_db == pytest.approx(20.0, abs=0.01)
    again = mondegreen.load_generator(out, classifier)
    assert again.fingerprint() == generator.fingerprint()
    finished = mondegreen.train_generator(classifier, clips, out, epochs=1, preset="smoke")
    assert finished.fingerprint() == generator.fingerprint()


def test_it_goes_on_from_a_trained_one_and_takes_over_its_network(
    trained: Trained, tmp_path: Path
) -> None:
    classifier = mondegreen.load_classifier(trained.classifier)
    clips = mondegreen.open_clips(trained.data, classifier, cache=trained.cache)
    made = mondegreen.train_generator(
        classifier,
        clips,
        tmp_path / "more",
        epochs=1,
        preset="smoke",
        start_from=trained.generator,
        targets=("low", "mid", "high"),
    )
    start = mondegreen.load_generator(trained.generator)
    assert made.config.network == start.config.network


def test_what_is_missing_is_named(trained: Trained, tmp_path: Path) -> None:
    classifier = mondegreen.load_classifier(trained.classifier)
    clips = mondegreen.open_clips(trained.data, classifier, cache=trained.cache)
    with pytest.raises(MondegreenError, match="validation"):
        mondegreen.train_generator(classifier, {"train": clips["train"]}, tmp_path / "run")
    with pytest.raises(MondegreenError, match="unknown target"):
        mondegreen.train_generator(classifier, clips, tmp_path / "run", targets=("loud",))
    assert not (tmp_path / "run").exists()
