from __future__ import annotations

import importlib.util
import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from mondegreen.cli import doctor as command
from mondegreen.cli.main import main
from mondegreen.doctor import machine, selftest
from mondegreen.doctor.extras import EXTRAS, describe_extras
from mondegreen.doctor.timing import threads
from mondegreen.zoo import resolve


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONDEGREEN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def no_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "time_work", lambda: {"attack": {"1": 5.0}})


def test_a_whole_installation(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["doctor", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["ok"] is True and about["model"] is None
    assert about["versions"]["torch"] == version("torch")
    assert about["processor"]["cores"] == os.cpu_count()
    assert set(about["timings"]) == {"training step, 32 clips", "attack, 1 clip"}
    assert all(ms > 0 for times in about["timings"].values() for ms in times.values())
    assert about["cache"]["folder"] == str(tmp_path / "cache")
    assert about["cache"]["write_bytes_a_second"] > 0
    assert list((tmp_path / "cache").iterdir()) == []  # the probe is gone
    assert [one["extra"] for one in about["extras"]] == [extra.name for extra in EXTRAS]


def test_what_is_broken_is_said_and_ends_with_one(
    no_timing: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "check_model", lambda: "the weights are off")
    assert main(["doctor"]) == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "broken: the weights are off. -> pip install --force-reinstall mondegreen" in text
    assert "Something is broken" in text


def test_the_shipped_model_answers_as_stored() -> None:
    assert selftest.check_model() is None


@pytest.mark.parametrize("damage", ["answer", "weights", "missing", "shape"])
def test_a_damaged_model_is_noticed(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    shutil.copytree(resolve(Path(selftest.MODEL)), model)
    monkeypatch.setattr(selftest, "MODEL", str(model))
    answers = json.loads((model / "selftest.json").read_text())
    if damage == "answer":
        answers["adversarial"][1][0] += 0.02
    elif damage == "shape":
        answers["untouched"] = answers["untouched"][:2]
    (model / "selftest.json").write_text(json.dumps(answers))
    if damage == "weights":
        (model / "classifier.safetensors").write_bytes(b"no weights")
    elif damage == "missing":
        (model / "selftest.json").unlink()
    said = {"answer": "off by 0.020", "shape": "damaged"}.get(damage, str(model))
    assert said in str(selftest.check_model())


def test_missing_extras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "mondegreen.doctor.extras.importlib.util.find_spec",
        lambda name: None if name == "pesq" else real(name),
    )
    (quality,) = [one for one in describe_extras() if one["extra"] == "quality"]
    assert quality["missing"] == ["pesq"]


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_limits_of_control_groups(
    files: dict[str, str], cores: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(machine, "_GROUP", tmp_path)
    found = machine.processor()
    assert found["cgroup_cores"] == cores
    if cores is not None:
        assert found["usable_cores"] <= max(1, int(cores))


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MONDEGREEN_CACHE", str(tmp_path / "file" / "cache"))
    assert machine.cache()["error"] == "Not a directory"


def test_threads_are_set_back() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
