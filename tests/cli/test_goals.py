"""``mondegreen goals`` as a user calls it, and other commands on what it makes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.classifiers.tag_goals import TagGoals
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.cli import goals
from mondegreen.cli.main import main
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import load_generator

Capture = pytest.CaptureFixture[str]
TONES = {"low": 300.0, "mid": 800.0, "high": 1500.0}


@dataclass(frozen=True)
class Tagged:
    """A tagger and its clips."""

    tagger: Path
    data: Path


def taught(config: ClassifierConfig, root: Path, lines: list[str]) -> Classifier:
    """A small network that has learned most of the tags in a second or two."""
    torch.manual_seed(5)
    tagger = Classifier.from_config(config)
    files, tags = zip(*(line.split(",") for line in lines), strict=True)
    x = tagger.read(*(root / file for file in files))
    y = torch.tensor([[float(tag in own.split(";")) for tag in TONES] for own in tags])
    optimizer = torch.optim.Adam(tagger.parameters(), 1e-2)
    for _ in range(25):
        optimizer.zero_grad()
        binary_cross_entropy_with_logits(tagger(x), y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return tagger.eval()


@pytest.fixture(scope="session")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Tagged:
    """Tones under tags, some of which have two, and a tagger that has heard them."""
    root = tmp_path_factory.mktemp("tagged")
    rng = np.random.default_rng(7)
    lines = ["file,tags"]
    (root / "clips").mkdir()
    for number in range(90):
        tags = [tag for tag in TONES if rng.uniform() < 0.4]
        x = 0.01 * rng.standard_normal(2048)
        for tag in tags:
            pitch = 2 * np.pi * TONES[tag] * rng.uniform(0.9, 1.1)
            x += 0.2 * np.sin(pitch * np.arange(2048) / 4000)
        soundfile.write(root / f"clips/{number}.wav", x, 4000)
        lines.append(f"clips/{number}.wav,{';'.join(tags)}")
    (root / "tags.csv").write_text("\n".join(lines) + "\n")
    config = ClassifierConfig(
        labels=tuple(TONES),
        front_end=LogMelConfig(
            sample_rate=4000, window=120, hop=60, fft=128, filters=12, high=1900.0, coefficients=10
        ),
        backbone=TCResNetConfig(width=0.25),
        sample_rate=4000,
        clip_samples=2048,
    )
    save_classifier(root / "tagger", taught(config, root, lines[1:]), config)
    return Tagged(root / "tagger", root)


@pytest.fixture
def words(tagged: Tagged, tmp_path: Path) -> list[str]:
    return [
        *["--classifier", str(tagged.tagger), "--data", str(tagged.data)],
        *["--cache", str(tagged.data / "cache"), "--out", str(tmp_path / "goals")],
        *["--device", "cpu"],
    ]


def test_goals_are_written_and_the_tagger_is_measured(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aims = ["--goal", "+low", "--goal", "hush=-mid-high", "--goal", "-low+high"]
    goals.run([*words, *aims, "--thresholds", "low=0.4", "--json"])
    found = json.loads(capsys.readouterr().out)
    saved = json.loads((tmp_path / "goals/goals-report.json").read_text())
    assert found == {key: value for key, value in saved.items() if key not in ("format", "on")}
    tags = {row["tag"]: row for row in found["tags"]}
    assert {tag: row["threshold"] for tag, row in tags.items()} == {
        "low": 0.4,
        "mid": 0.5,
        "high": 0.5,
    }
    assert sum(row["clips"] for row in tags.values()) > found["clips"]  # some have two tags
    assert [row["goal"] for row in found["goals"]] == ["+low", "hush=-mid-high", "+high-low"]
    assert found["several"] > 0 and found["mean_average_precision"] > 0.8
    made = load_classifier(tmp_path / "goals")
    assert isinstance(made, TagGoals) and made.labels == ("none", "+low", "hush", "+high-low")
    data = json.loads((tmp_path / "goals/config.json").read_text())["data"]
    assert data["goals"] == ["hush=-mid-high"] and data["labels"] == []


def test_thresholds_are_tuned_on_validation_clips(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    goals.run([*words, "--goal", "+low", "--tune", "--thresholds", "mid=0.25"])
    assert "mean average precision" in capsys.readouterr().out
    made = load_classifier(tmp_path / "goals")
    assert isinstance(made, TagGoals)
    low, mid, high = made.thresholds
    assert mid == 0.25 and low != 0.5 and high != 0.5


def test_a_strange_tagger_is_adopted_with_its_clips(
    tagged: Tagged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONDEGREEN_ALLOWED", str(tmp_path / "allowed"))
    Path("their.py").write_text(
        f"import mondegreen\nfound = mondegreen.load_classifier({str(tagged.tagger)!r})\n"
        "def build():\n    return lambda audio: found(audio).sigmoid()\n"
    )
    words = ["adopt", "their.py:build", "--sample-rate", "4000", "--clip-samples", "2048"]
    words += ["--output", "sigmoid", "--data", str(tagged.data)]
    words += ["--cache", str(tagged.data / "cache")]
    assert main([*words, "--out", "mine"]) == 2
    assert "name them in the order" in " ".join(capsys.readouterr().err.split())
    assert main([*words, "--labels", *TONES, "--out", "mine"]) == 0
    assert "mean average precision" in " ".join(capsys.readouterr().out.split())
    right = json.loads(Path("mine/check.json").read_text())["check"]
    assert main([*words, "--labels", "mid", "high", "low", "--out", "wrong"]) == 0
    assert "no better than chance" in " ".join(capsys.readouterr().err.split())
    wrong = json.loads(Path("wrong/check.json").read_text())["check"]
    assert right["mean_average_precision"] > 0.8 > wrong["mean_average_precision"]
    assert right["above_chance"] and not wrong["above_chance"]
    assert main([*words, "--labels", "wind", "rain", "dog", "--out", "none"]) == 2
    assert "has a tag that the tagger knows" in " ".join(capsys.readouterr().err.split())
    goals.run(["--classifier", "mine", "--goal", "+low", "--out", "aims"])  # clips taken over
    assert "the tagger on" in capsys.readouterr().out


def test_without_clips_nothing_is_measured(tagged: Tagged, tmp_path: Path) -> None:
    words = ["--classifier", str(tagged.tagger), "--goal", "dull=-high", "--out", str(tmp_path)]
    goals.run(words)
    assert not (tmp_path / "goals-report.json").exists()
    assert load_classifier(tmp_path).labels == ("none", "dull")
    with pytest.raises(MondegreenError, match="--tune needs clips"):
        goals.run([*words, "--tune"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--goal", "+low-low"], "wants low on and off"),
        (["--goal", "+wind"], "has no tag 'wind'; it knows: low, mid, high"),
        (["--goal", "+low", "--goal", "a=+low"], "want the same"),
        (["--goal", "+low", "--thresholds", "low"], "write tag=number"),
        (["--goal", "+low", "--thresholds", "wind=0.4"], "name the tags wind"),
        (["--goal", "+low", "--threshold", "1.5"], "it lies between 0 and 1"),
        (["--goal", "dull=-low-mid", "--threshold", "0.999999"], "heard to meet it"),
    ],
)
def test_what_cannot_be_is_refused(
    words: list[str], tmp_path: Path, more: list[str], message: str
) -> None:
    with pytest.raises(MondegreenError, match=message):
        goals.run([*words, *more])
    assert not (tmp_path / "goals").exists()


def test_attacks_and_generators_work_on_goals(words: list[str], tmp_path: Path) -> None:
    """Make goals, train a generator against them, and compare it with a search."""
    made, generator, out = (str(tmp_path / name) for name in ("goals", "generator", "compared"))
    assert main(["goals", *words, "--goal", "+low", "--goal", "hush=-mid-low"]) == 0
    smoke = ["--preset", "smoke", "--device", "cpu", "--training.epochs", "1"]
    assert main(["train", "generator", *smoke, "--classifier", made, "--out", generator]) == 0
    assert load_generator(Path(generator)).config.targets == ("none", "+low", "hush")
    quick = ["--pairs", "6", "--quality-pairs", "0", "--timing-rounds", "1", "--device", "cpu"]
    cells = ["--attacks", "generator", "pgd:steps=2", "square:queries=20", "--budgets", "snr:20"]
    assert (
        main(
            [
                *["compare", "--generator", generator, "--target", "+low", "hush", *cells, *quick],
                *["--out", out],
            ]
        )
        == 0
    )
    found = json.loads((Path(out) / "comparison.json").read_text())
    assert found["pairs"]["count"] == 6
    assert found["classifier"]["fingerprint"] == load_classifier(made).fingerprint()
