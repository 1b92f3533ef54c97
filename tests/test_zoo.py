"""The models that come with the package: they load, they work, and their card tells the truth."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.budgets import SNR
from mondegreen.classifiers.classifier import predict
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.main import main
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate
from mondegreen.generators.generator import load_generator
from mondegreen.report.card import main as write_card
from mondegreen.report.hardened_card import main as write_hardened
from mondegreen.zoo import models, resolve

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", models())
def test_every_model_is_complete(name: str) -> None:
    folder = resolve(Path(f"zoo:{name}"))
    classifier = load_classifier(folder)
    assert predict(classifier, torch.zeros(1, 1, classifier.clip_samples)).sum() == pytest.approx(1)
    assert (folder / "CARD.md").is_file()
    assert json.loads((folder / "measured.json").read_text())
    division = json.loads((folder / "about.json").read_text())["division"]
    assert division == {"split": "speaker"}


@pytest.mark.parametrize("name", models(generators=True))
def test_every_generator_attacks_its_classifier(name: str) -> None:
    folder = resolve(Path(f"zoo:{name}"))
    classifier = load_classifier(folder)
    generator = load_generator(folder, classifier)
    x = 0.1 * torch.randn(2, 1, classifier.clip_samples, generator=torch.Generator().manual_seed(0))
    attack = GeneratorAttack(generator=generator)
    result = attack(classifier, x, list(classifier.labels[:2]), budget=SNR(15.0))
    assert bool(SNR(15.0).satisfied(result.x, result.x_adv - result.x).all())


def test_there_is_a_model_and_others_are_refused() -> None:
    assert "speech-commands" in models()
    with pytest.raises(MondegreenError, match="zoo:speech-commands"):
        resolve(Path("zoo:nonsense"))


def test_attack_works_without_training_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile = pytest.importorskip("soundfile")
    clip = tmp_path / "hello.wav"
    noise = torch.randn(12_000, generator=torch.Generator().manual_seed(1))
    soundfile.write(clip, (0.05 * noise).numpy(), 16_000)
    words = ["attack", str(clip), "--target", "yes", "--out", str(tmp_path / "out"), "--json"]
    assert main(words) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert row["target"] == "yes"
    assert row["snr_db"] >= 20.0 - 1e-4


def test_the_card_states_what_the_result_files_hold(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(resolve(Path("zoo:speech-commands")), folder)
    names = ("20db", "25db", "30db", "20db-quiet")
    results = [str(ROOT / "results" / f"spotter-spectral-{name}") for name in names]
    assert write_card([str(folder), *results, "--check"]) == 0
    card = (folder / "CARD.md").read_text()
    (folder / "CARD.md").write_text(card.replace("SNR", "snr", 1))
    assert write_card([str(folder), *results, "--check"]) == 1


def test_the_hardened_card_states_what_the_result_file_holds(tmp_path: Path) -> None:
    folder, results = tmp_path / "model", ROOT / "results" / "spotter-hardening"
    shutil.copytree(resolve(Path("zoo:speech-commands-hardened")), folder)
    assert write_hardened([str(folder), str(results), "--check"]) == 0
    measured = json.loads((folder / "measured.json").read_text())
    found = json.loads((results / "hardening.json").read_text())["classifiers"]
    (one,) = [each for each in found if each["name"] == "pgd"]
    assert measured["fingerprint"] == one["classifier"]["fingerprint"]
    assert measured["fingerprint"] == load_classifier(folder).fingerprint()
    assert [row["success_rate"] for row in measured["attacks"]] == [
        row["success_rate"] for row in one["attacks"]
    ]
    (folder / "classifier.safetensors").write_bytes(b"others")
    assert write_hardened([str(folder), str(results), "--check"]) == 1
    (folder / "about.json").write_text('{"title": "none"}')
    assert write_hardened([str(folder), str(results), "--check"]) == 2


def test_a_model_without_a_generator_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["attack", "x.wav", "--target", "yes", "--out", "out"]
    assert main([*words, "--generator", "zoo:speech-commands-hardened"]) == 2
    assert "holds no trained generator" in " ".join(capsys.readouterr().err.split())


STATED = json.loads((resolve(Path("zoo:speech-commands")) / "measured.json").read_text())


@pytest.mark.parametrize("stated", STATED, ids=lambda one: f"{one['budget']}-{one['quietness']}")
def test_the_shipped_generator_does_what_its_card_says(
    stated: dict[str, Any], real_data: Path
) -> None:
    folder = resolve(Path("zoo:speech-commands"))
    classifier = load_classifier(folder)
    generator = load_generator(folder, classifier)
    attack = GeneratorAttack(generator=generator, quietness=stated["quietness"])
    data = open_test_split(
        DataOptions(data=real_data / "speech_commands"),
        classifier.labels,
        classifier.sample_rate,
        classifier.clip_samples,
        "test",
    )
    options = EvaluationOptions(quality_pairs=0, samples=0, timing_repeats=1)
    budget = SNR(stated["budget"]["value"])
    found = evaluate(attack, classifier, data, budget=budget, options=options)
    assert len(found.pairs) == stated["pairs"]
    assert found.pairs.success.mean() == pytest.approx(stated["success_rate"], abs=0.005)
    assert found.clean_accuracy == pytest.approx(stated["clean_accuracy"], abs=0.005)
