"""Reading reproduction.json: what is there, what is missing, what is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.cbook import boxplot_stats
from scipy.integrate import quad
from scipy.stats import norm

from mondegreen.errors import MondegreenError
from mondegreen.report.paper import MUSIC, SPEECH
from mondegreen.report.reproduction.generators import GeneratorScores, Missing
from mondegreen.report.reproduction.results import Leak, Reproduction, load_reproduction
from mondegreen.report.reproduction.sounds import NOISE_IN_TENTH, energy_in_tenth
from mondegreen.report.reproduction.statistics import as_high_by_chance, outliers
from mondegreen.report.reproduction.trainings import Ablation, spread

Content = dict[str, Any]
Load = Callable[..., Reproduction]


def test_everything_is_read(untouched: Path) -> None:
    found = load_reproduction(untouched)
    assert found == load_reproduction(untouched / "reproduction.json")
    assert [one.key for one in found.settings] == ["speech", "sounds", "music"]
    assert [one.reported for one in found.settings] == [SPEECH, None, MUSIC]
    assert found.beside(MUSIC) == [found.settings[2]]
    speech = found.setting("speech")
    assert speech is not None and list(speech.measured()) == ["single", "unified", "spectral"]
    single = speech.generators["single"]
    assert isinstance(single, GeneratorScores)
    assert single.parameters == 10 * 82_000 and len(single.errors) == 90
    assert 1 - np.mean(single.errors) == pytest.approx(single.success_rate)
    first = [rate for rate in single.success_matrix[0] if rate is not None]
    assert single.of_source(0) == pytest.approx(np.mean(first))
    music = found.settings[2]
    assert music.generators["single"] == Missing("--hours 1 was spent")
    assert isinstance(music.leak, Leak) and music.leak.honest_accuracy == 0.602
    assert isinstance(found.ablation, Ablation)
    assert found.ablation.readings == ["code", "paper"]
    assert len(found.ablation.groups()) == 7 and len(found.ablation.of("both", "code")) == 3
    best = spread(found.ablation.of("both", "code"), lambda one: one.best)
    assert best is not None and best.count == 3
    assert (best.low, best.mean, best.high) == pytest.approx((0.97, 0.98, 0.99))
    assert found.absent(MUSIC) == "music/classifier was left out, --hours 1 was spent"


def test_parts_that_a_run_has_not_begun_are_missing(load: Load) -> None:
    def change(content: Content) -> None:
        for name in ("ablation", "examples", "stages"):
            content.pop(name)
        speech = content["settings"][0]
        for name in ("generators", "comparison", "curves", "leak"):
            speech.pop(name)

    found = load(change)
    assert isinstance(found.ablation, Missing) and not found.examples and not found.stages
    assert found.settings[0].measured() == {} and found.settings[0].leak is None
    assert found.settings[0].comparison == Missing("not part of this run")


def at(content: Content, path: str) -> tuple[Any, Any]:
    """The object that holds the last part of a path such as ``settings.0.key``, and that part."""
    *names, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place: Any = content
    for name in names:
        place = place[name]
    return place, last


DAMAGES = [
    ("format", 2, "format: this version reads format 1"),
    ("settings", {}, "settings: expected a list"),
    ("settings.0.key", "../up", "settings 1: key: expected letters, digits and dashes"),
    ("settings.1.key", "speech", "two settings have the same key"),
    ("settings.0.reported", "poems", "settings 1: reported: 'poems' is not one of speech, music"),
    ("settings.0.clean_accuracy", 1.5, "clean_accuracy: expected a rate"),
    ("settings.0.classifier.labels", ["one"], "labels: expected at least two"),
    ("settings.0.generators.single", 3, "generators: single: expected an object"),
    ("settings.0.generators.single.missing", 3, "single: missing: expected a string"),
    ("settings.0.generators.unified.success_rate", "x", "unified: success_rate: expected a number"),
    ("settings.0.generators.unified.networks", 0, "networks: expected at least one"),
    ("settings.0.generators.unified.width", 0, "width: expected a positive"),
    ("settings.0.generators.unified.success_matrix", [[1.0]], "success_matrix: expected 10 rows"),
    ("settings.0.generators.unified.per_target", {"zebra": {}}, "zebra: the classifier has no"),
    ("settings.0.generators.unified.missing_targets", {"up": 1}, "up: expected a string"),
    ("settings.0.comparison.cells.1.success_rate", 7, "cell 2: success_rate: expected a rate"),
    ("settings.2.leak.honest_accuracy", None, "leak: honest_accuracy: expected a number"),
    ("ablation.runs.0.variant", "dropout", "runs 1: variant: 'dropout' is not one of"),
    ("ablation.runs.0.reading", "aloud", "runs 1: reading: 'aloud' is not one of"),
    ("ablation.runs.2.curve.3.step", None, "curve 4: step: expected a number"),
    ("ablation.runs.2.curve.3.train/success", 3, "train/success: expected a rate"),
    ("ablation.runs.0.energy_in_tenth", -1, "energy_in_tenth: expected a rate"),
    ("stages.0.state", "begun", "stages 1: state: 'begun' is not one of"),
    ("examples.0.original", "../secret.wav", "original: expected a file inside"),
    ("examples.0.adversarial", "/etc/passwd", "adversarial: expected a file inside"),
    ("examples.0.original", "", "original: expected a file inside"),
    ("examples.0.success", 1, "examples 1: success: expected true or false"),
    ("ablation.runs.0.example.original", "a/../../b", "original: expected a file inside"),
]


@pytest.mark.parametrize(("path", "value", "message"), DAMAGES, ids=[d[0] for d in DAMAGES])
def test_damage_names_the_file_and_the_field(
    load: Load, path: str, value: object, message: str
) -> None:
    def change(content: Content) -> None:
        holder, name = at(content, path)
        holder[name] = value

    with pytest.raises(MondegreenError) as raised:
        load(change)
    assert "reproduction.json" in str(raised.value) and message in str(raised.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="does not exist"):
        load_reproduction(tmp_path)
    path = tmp_path / "reproduction.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(MondegreenError, match="not valid JSON"):
        load_reproduction(tmp_path)
    path.write_text(json.dumps([1]), encoding="utf-8")
    with pytest.raises(MondegreenError, match="expected an object"):
        load_reproduction(tmp_path)


# ------------------------------------------------------------------ statistics


def test_outliers_are_those_of_a_box_plot() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        values = (rng.standard_normal(90) ** 3).tolist()
        wanted = boxplot_stats(values)[0]["fliers"]
        assert sorted(outliers(values)) == sorted(wanted.tolist())
    assert outliers([]) == []


def test_labels_chosen_by_chance_are_not_favoured() -> None:
    values = {str(k): float(k) for k in range(10)}
    assert as_high_by_chance(values, ["9", "8", "7", "6"]) == pytest.approx(1 / 210)
    assert as_high_by_chance(values, ["0", "1"]) == 1.0
    equal = dict.fromkeys(values, 0.1 + 0.2)
    assert as_high_by_chance(equal, ["3", "4"]) == 1.0


def test_the_share_of_noise_is_that_of_the_normal_distribution() -> None:
    edge = norm.ppf(0.95)
    share, _ = quad(lambda z: z * z * norm.pdf(z), edge, 10)
    assert pytest.approx(2 * share, abs=5e-4) == NOISE_IN_TENTH
    noise = np.random.default_rng(3).standard_normal(100_000)
    assert energy_in_tenth(noise) == pytest.approx(NOISE_IN_TENTH, abs=0.01)
    click = np.zeros(1000)
    click[17] = -0.5
    assert energy_in_tenth(click) == 1.0
    assert energy_in_tenth(np.zeros(10)) is None


def test_hinge_alone_stands_under_every_reading(load: Load) -> None:
    def change(content: Content) -> None:
        runs = content["ablation"]["runs"]
        kept = [one for one in runs if (one["variant"], one["reading"]) != ("hinge", "paper")]
        content["ablation"]["runs"] = kept

    ablation = load(change).ablation
    assert isinstance(ablation, Ablation)
    assert ablation.of("hinge", "paper") == ablation.of("hinge", "code") != []
    assert ablation.of("no-discriminator", "paper") == []
    assert [group[:2] for group in ablation.groups()].count(("paper", "hinge")) == 0
