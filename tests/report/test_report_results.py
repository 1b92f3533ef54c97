from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mondegreen.errors import MondegreenError
from mondegreen.report.pairs import check_labels, load_pairs, load_samples
from mondegreen.report.results import BudgetUsed, load_metrics, load_results

Build = Callable[..., Path]


def test_load_results(evaluation: Path) -> None:
    results = load_results(evaluation / "results.json")
    assert results.labels == ("low", "mid", "high")
    assert results.pairs == 12 and results.success_rate == 0.5
    assert results.success_matrix[0][0] is None
    assert results.pair_counts == ((0, 2, 2), (2, 0, 2), (2, 2, 0))
    assert results.attack.options == {"width": 192, "budgeted": True}
    assert results.success_interval == (0.25, 0.75)
    assert results.snr_db.worst == 20.0 and results.snr_db.failed == 1
    assert results.pesq_wb.mean is None and results.pesq_wb.reason == "no extra"
    assert results.cost.macs == 98_000_000 and results.cost.n == 32


def test_what_an_attack_without_generator_leaves_out(build: Build) -> None:
    def change(content: dict[str, Any]) -> None:
        del content["success_interval"]
        content |= {"generator": None, "milliseconds_per_clip": None, "stoi": None}
        content |= {"success_rate_correct": None, "budget": {"kind": "none", "value": None}}
        content["something new"] = [1, 2]

    results = load_results(build(change=change) / "results.json")
    assert results.cost.parameters is None and results.cost.batch1_ms is None
    assert results.stoi.reason == "not measured"
    assert results.success_interval is None and results.success_rate_correct is None
    assert str(results.budget) == "no hard budget"


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (["format"], 2, "format"),
        (["classifier"], [], "classifier"),
        (["classifier", "labels"], ["low"], "labels"),
        (["classifier", "labels"], ["low", "low", "high"], "labels"),
        (["classifier", "labels"], ["low", "mid", 3], "labels"),
        (["classifier", "parameters"], -1, "parameters"),
        (["classifier", "parameters"], True, "parameters"),
        (["attack", "name"], None, "name"),
        (["budget", "kind"], "db", "kind"),
        (["pairs"], 1.5, "pairs"),
        (["success_rate"], 92.3, "success_rate"),
        (["success_rate"], float("nan"), "holds NaN"),
        (["success_interval"], [0.1], "success_interval"),
        (["success_interval"], [0.1, "x"], "success_interval"),
        (["success_matrix"], [[0.5]], "success_matrix"),
        (["success_matrix", 1, 0], "x", "success_matrix"),
        (["success_matrix", 1, 0], 1.01, "success_matrix"),
        (["pair_counts", 0, 1], 0.5, "pair_counts"),
        (["per_target", "loud"], {}, "loud"),
        (["per_target", "low", "stoi"], "x", "stoi"),
        (["snr_db", "mean"], float("inf"), "holds Infinity"),
        (["snr_db", "failed"], None, "failed"),
        (["milliseconds_per_clip", "batch1"], "fast", "batch1"),
        (["generator", "macs"], -5, "macs"),
        (["environment"], "linux", "environment"),
        (["command"], 5, "command"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, list) else None,
)
def test_damage_names_file_and_field(
    build: Build, path: list[str | int], value: Any, named: str
) -> None:
    def change(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    file = build(sounds=0, change=change) / "results.json"
    with pytest.raises(MondegreenError, match=named) as caught:
        load_results(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("name", ["success_rate", "pair_counts", "dataset", "created", "snr_db"])
def test_missing_fields_are_named(build: Build, name: str) -> None:
    file = build(sounds=0, change=lambda content: content.pop(name)) / "results.json"
    with pytest.raises(MondegreenError, match=f"{name}: the field is missing"):
        load_results(file)


def test_no_file_and_no_json(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="does not exist"):
        load_results(tmp_path / "results.json")
    (tmp_path / "results.json").write_text("{", encoding="utf-8")
    with pytest.raises(MondegreenError, match="not valid JSON"):
        load_results(tmp_path / "results.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_damage_is_a_user_error(
    tmp_path_factory: pytest.TempPathFactory, evaluation: Path, data: st.DataObject
) -> None:
    content = json.loads((evaluation / "results.json").read_text(encoding="utf-8"))
    name = data.draw(st.sampled_from(sorted(content)))
    content[name] = data.draw(JSON)
    file = tmp_path_factory.mktemp("damage") / "results.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    try:
        results = load_results(file)
    except MondegreenError:
        return
    assert 0 <= results.success_rate <= 1


def test_budgets_read_as_formulas() -> None:
    assert str(BudgetUsed("snr", 20.0)) == "SNR ≥ 20 dB"
    assert str(BudgetUsed("linf", 0.01)) == "max |δ| ≤ 0.01"
    assert str(BudgetUsed("l2", 1.5)) == "‖δ‖₂ ≤ 1.5"


def test_load_pairs(evaluation: Path) -> None:
    pairs = load_pairs(evaluation / "pairs.csv")
    assert len(pairs) == 12
    assert pairs[0].success and not pairs[1].success
    assert (pairs[0].source, pairs[0].target, pairs[0].after) == ("low", "mid", "mid")
    assert pairs[2].snr_db == pytest.approx(20.2857)
    assert pairs[3].pesq_nb is None and pairs[2].pesq_wb is None
    check_labels(pairs, ("low", "mid", "high"), Path("pairs.csv"))
    with pytest.raises(MondegreenError, match="'high' is no label"):
        check_labels(pairs, ("low", "mid"), Path("pairs.csv"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stoi", "stio", "column 'stoi' is missing"),
        ("20.2857", "loud", "line 4: snr_db: expected a number, found 'loud'"),
        (",1,1,20.0000", ",perhaps,1,20.0000", "line 2: success: expected true or false"),
        (",20.0000,2.0000,,0.7000", "", "line 2: snr_db: the value is missing"),
    ],
)
def test_damaged_pairs(evaluation: Path, old: str, new: str, message: str) -> None:
    path = evaluation / "pairs.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(MondegreenError, match=message) as caught:
        load_pairs(path)
    assert str(path) in str(caught.value)


def test_pairs_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="does not exist"):
        load_pairs(tmp_path / "pairs.csv")
    (tmp_path / "pairs.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MondegreenError, match="cannot be read"):
        load_pairs(tmp_path / "pairs.csv")


def test_samples_stay_inside_their_folder(evaluation: Path) -> None:
    labels = ("low", "mid", "high")
    path = evaluation / "samples" / "samples.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    (evaluation / "secret.wav").write_bytes((evaluation / "samples/0.original.wav").read_bytes())
    entries[0]["original"] = "../secret.wav"
    entries[1]["original"] = str(evaluation / "samples" / "1.original.wav")
    path.write_text(json.dumps(entries), encoding="utf-8")
    samples = load_samples(evaluation, labels)
    assert len(samples) == 4
    assert samples[0].original is None
    assert samples[1].original == evaluation / "samples" / "1.original.wav"


@pytest.mark.parametrize(
    ("name", "value"),
    [("target", "loud"), ("success", "yes"), ("snr_db", "x"), ("after_probability", 1.2)],
)
def test_damaged_samples(evaluation: Path, name: str, value: Any) -> None:
    path = evaluation / "samples" / "samples.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries[2][name] = value
    path.write_text(json.dumps(entries), encoding="utf-8")
    with pytest.raises(MondegreenError, match=f"entry 2: {name}"):
        load_samples(evaluation, ("low", "mid", "high"))


def test_metrics_leave_out_a_half_written_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert load_metrics(path) == []
    path.write_text('{"step": 1, "generator/total": 2.0}\n{"step": 2, "gen', encoding="utf-8")
    assert load_metrics(path) == [{"step": 1, "generator/total": 2.0}]
