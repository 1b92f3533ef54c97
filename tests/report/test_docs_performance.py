from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.files import write_json
from mondegreen.report.docs_performance import main, render_performance


def content() -> dict[str, Any]:
    """Round numbers: 1 G products a second, the paper's network at its floor of 100 ms."""

    def row(network: str, backend: str, milliseconds: float) -> dict[str, Any]:
        return {"network": network, "backend": backend, "milliseconds": milliseconds, "calls": 9}

    machine = {"macs_per_second": 1e9, "bf16_macs_per_second": 4e9}
    machine |= {"reading_ms": {"paper": 20.0, "ours": 6.0}}  # type: ignore[dict-item]
    reason = {"network": "ours", "backend": "compiled", "reason": "no <compiler>"}
    rows = [row("ours", "onnx", 5.0), row("ours", "eager", 10.0), row("paper", "eager", 100.0)]
    cuda = [row("paper", "eager", 64.0), row("ours", "bf16", 6.4)]
    return {
        "format": 1,
        "clip_samples": 16_000,
        "sample_rate": 16_000,
        "networks": {
            "paper": {"targets": 1, "parameters": 5_000_000, "macs": 100_000_000},
            "ours": {"targets": 10, "parameters": 900_000, "macs": 4_000_000},
        },
        "settings": [
            {
                **{"device": "cpu", "threads": 1, "batch": 1, "rows": rows},
                **{"skipped": [reason], "machine": machine},
            },
            {
                **{"device": "cuda", "threads": None, "batch": 64, "rows": cuda},
                **{"skipped": [], "machine": machine},
            },
        ],
        "command": "generators.py --batch 1",
        "environment": {"cpu": "Toy", "cores": 2, "python": "3.11", "torch": "2.13"},
        "created": "2026-01-02T03:04:05+00:00",
    }


def write(folder: Path, value: Any) -> Path:
    (folder / "generators-speed.json").write_text(json.dumps(value), encoding="utf-8")
    return folder


def rows_of(text: str, heading: str) -> list[list[str]]:
    part = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_ratios_and_floors(tmp_path: Path) -> None:
    text = render_performance(write(tmp_path, content()))
    paper, eager, onnx = rows_of(text, "1 thread, batch 1")
    assert paper[:2] == ["the paper's, one target", "eager"]
    assert paper[4:] == ["**100.0**", "10", "1.0 ×", "1.0 ×", "100.0", "20.0", "1.0 ×"]
    assert eager[4:] == ["**10.0**", "100", "10.0 ×", "10.0 ×", "4.00", "6.00", "1.7 ×"]
    # nothing to compare with in the same backend; memory is the higher floor
    assert onnx[0] == "ours, 10 targets"
    assert onnx[4:] == ["**5.00**", "200", "–", "20.0 ×", "4.00", "6.00", "0.8 ×"]
    assert "Not measured: ours, compiled: no &lt;compiler>." in text
    assert "Toy, 2 cores" in text


def test_half_precision_has_its_own_floor_and_a_batch_is_divided(tmp_path: Path) -> None:
    text = render_performance(write(tmp_path, content()))
    _, half = rows_of(text, "GPU, batch 64")
    assert half[4:] == ["**0.10**", "10,000", "–", "10.0 ×", "1.00", "0.0938", "0.1 ×"]


def test_the_page_is_written_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, page = write(tmp_path, content()), tmp_path / "performance.md"
    words = [str(folder), str(page)]
    assert main([*words, "--check"]) == 1
    assert main(words) == 0
    assert main([*words, "--check"]) == 0
    changed = content()
    changed["settings"][0]["rows"][0]["milliseconds"] = 7.0
    write(tmp_path, changed)
    assert main([*words, "--check"]) == 1
    assert "**7.00**" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["format", "settings", "networks", "environment"])
def test_damaged_files_are_refused(damage: str, tmp_path: Path) -> None:
    value = content()
    del value[damage]
    with pytest.raises(MondegreenError, match=r"generators-speed\.json"):
        render_performance(write(tmp_path, value))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    assert main([str(tmp_path), str(tmp_path / "performance.md")]) == 2


def evolution() -> dict[str, Any]:
    """The batched genetic attack takes 10 ms, of which 2 are its own; the others alike."""
    ms = {"classifier, 1 clip": 3.0, "classifier, 40 clips": 0.5}
    for name in ("genetic", "particle-swarm", "square"):
        ms |= {f"{name}, batched": 10.0, f"{name}, batched, own time": 2.0}
    loops = {"genetic": 40.0, "genetic, by sample": 240.0, "particle-swarm": 60.0, "square": 8.0}
    ms |= {f"{name}, one by one": value for name, value in loops.items()}
    faster = {name: value / 10.0 for name, value in loops.items()}
    setting = {"threads": 1, "ms": ms, "times_faster": faster}
    about = {"clips": 32, "rounds": 9, "chunk": 40, "classifier": "spotter"}
    command = {"command": "evolution.py", "environment": content()["environment"]}
    return {"format": 1, "settings": [setting], **about, **command}


def test_attacks_without_gradients_are_shown_with_what_the_classifier_leaves(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path, content())
    assert "without gradients" not in render_performance(folder)
    write_json(folder / "evolution.json", evolution())
    text = render_performance(folder)
    rows = rows_of(text.replace("### 1 thread", "## 1 thread"), "1 thread, without gradients")
    assert rows[0][2:] == ["40.00", "10.00", "**4.0 ×**", "2.00", "5.0 ×"]
    assert rows[1][1:5] == ["sample by sample, as published", "240.00", "10.00", "**24.0 ×**"]
    assert rows[3][4:] == ["**0.8 ×**", "2.00", "1.0 ×"]
    assert "3.00 ms alone and 0.50 ms among 40, 6.0 times less" in text
    damaged = evolution()
    del damaged["settings"][0]["ms"]["square, batched"]
    write_json(folder / "evolution.json", damaged)
    with pytest.raises(MondegreenError, match=r"evolution\.json is damaged"):
        render_performance(folder)


def test_a_training_step_is_shown_where_it_was_measured(tmp_path: Path) -> None:
    folder = write(tmp_path, content())
    assert "## Training" not in render_performance(folder)
    step = {
        "ms_a_step": {"now": 100.0, "earlier": 250.0},
        "parts_ms": {"generator": 70.0, "classifier": 30.0},
        "threads": 1,
        "environment": content()["environment"],
    }
    write_json(folder / "training-step.json", step)
    text = render_performance(folder)
    assert "takes 100 ms" in text and "250 ms: 2.50 times as long" in text
    assert "| classifier | 30 |" in text
    write_json(folder / "training-step.json", {"ms_a_step": {}})
    with pytest.raises(MondegreenError, match=r"training-step\.json is damaged"):
        render_performance(folder)


def loading() -> dict[str, Any]:
    """Reading takes 2 % of the clock, changing 25 % of the processor; 2 kB a clip of own memory."""

    def row(network: str) -> dict[str, Any]:
        spent = {"step": (100.0, 200.0), "reading": (3.0, 4.0), "changing": (25.0, 90.0)}
        named = {k: {"processor_ms": a, "clock_ms": b} for k, (a, b) in spent.items()}
        return {"network": network, "steps": 9, **named}

    def memory(clips: int, own: float) -> dict[str, Any]:
        stages = {
            "listed": {"anonymous": 1e8, "mapped": 2e7},
            "classified": {"anonymous": own, "mapped": 3e7},
        }
        return {"clips": clips, "decoded_bytes": 3200 * clips, "stages": stages}

    return {
        "format": 1,
        "steps": [row("classifier"), row("generator")],
        "memory": [memory(10_000, 1.1e8), memory(100_000, 2.9e8)],
        "pesq": {"pairs": 50, "clip_seconds": 1.0, "seconds": {"1": [9.0, 12.0], "2": [6.0, 6.0]}},
        "threads": 1,
        "command": "loading.py",
        "environment": content()["environment"],
    }


def test_loading_is_shown_where_it_was_measured(tmp_path: Path) -> None:
    folder = write(tmp_path, content())
    assert "## Loading" not in render_performance(folder)
    write_json(folder / "loading.json", loading())
    text = render_performance(folder)
    assert "| classifier | 100 | 3.0 | 25.0 | 25.0 % | 2.0 % |" in text
    assert "| classified | 110 | 290 | 30 | 30 |" in text
    assert "320 MB at 100,000 clips" in text and "2.0 kB a clip" in text
    assert "takes 10.5 s in one process and 6.0 s in two" in text and "1.75 times faster" in text
    damaged = loading()
    del damaged["memory"][1]["stages"]["classified"]
    write_json(folder / "loading.json", damaged)
    with pytest.raises(MondegreenError, match=r"loading\.json is damaged"):
        render_performance(folder)
